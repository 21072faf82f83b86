use std::time::Duration;

use crate::error::ConfigError;

/// The durations that a [`KeyCache`](crate::keys::KeyCache) is configured with.
#[derive(Debug, Clone)]
pub(crate) struct KeySettings {
    /// The age at which a key set is fetched again.
    pub(crate) refresh_interval: Duration,
    /// The period in which unknown `kid`s cause at most two fetches.
    pub(crate) unknown_key_window: Duration,
    /// The age up to which a key set may be used while it cannot be fetched.
    pub(crate) max_staleness: Duration,
    /// The time limit of one fetch, including the connection and the whole body.
    pub(crate) fetch_timeout: Duration,
    /// Whether a background task refreshes the key set. Otherwise requests do.
    pub(crate) background: bool,
}

/// The longest allowed duration, so that adding durations to an instant cannot overflow.
const MAX_DURATION: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// With a shorter interval each process would send several requests a second to the key endpoint.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// A shorter window would have no effect.
const MIN_WINDOW: Duration = Duration::from_millis(100);

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            refresh_interval: Duration::from_secs(15 * 60),
            unknown_key_window: Duration::from_secs(30),
            max_staleness: Duration::from_secs(24 * 60 * 60),
            fetch_timeout: Duration::from_secs(3),
            background: true,
        }
    }
}

impl KeySettings {
    /// Checks that each duration is within its range.
    ///
    /// # Errors
    /// [`ConfigError::Duration`] for the first setting that is not.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, found, expected| Err(ConfigError::Duration { field, found, expected });
        let settings = [
            ("refresh_interval", self.refresh_interval),
            ("unknown_key_window", self.unknown_key_window),
            ("max_staleness", self.max_staleness),
            ("fetch_timeout", self.fetch_timeout),
        ];
        for (field, found) in settings {
            if found.is_zero() || found > MAX_DURATION {
                return refuse(field, found, "more than zero and at most 366 days");
            }
        }
        if self.refresh_interval < MIN_REFRESH_INTERVAL {
            return refuse("refresh_interval", self.refresh_interval, "at least 1 second");
        }
        if self.unknown_key_window < MIN_WINDOW {
            let expected = "at least 100 milliseconds, because a shorter window limits nothing";
            return refuse("unknown_key_window", self.unknown_key_window, expected);
        }
        if self.refresh_interval > self.max_staleness {
            let expected = "at most `max_staleness` (24 hours unless set)";
            return refuse("refresh_interval", self.refresh_interval, expected);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_out_of_range_are_rejected() {
        let good = KeySettings::default();
        let year = Duration::from_secs(366 * 86_400);
        let nanosecond = Duration::from_nanos(1);
        assert!(KeySettings { max_staleness: year, ..good.clone() }.check().is_ok());
        assert!(
            KeySettings { refresh_interval: MIN_REFRESH_INTERVAL, ..good.clone() }.check().is_ok()
        );
        for bad in [
            KeySettings { refresh_interval: Duration::ZERO, ..good.clone() },
            KeySettings { refresh_interval: nanosecond, ..good.clone() },
            KeySettings { refresh_interval: MIN_REFRESH_INTERVAL - nanosecond, ..good.clone() },
            KeySettings { unknown_key_window: Duration::ZERO, ..good.clone() },
            KeySettings { max_staleness: Duration::ZERO, ..good.clone() },
            KeySettings { fetch_timeout: Duration::ZERO, ..good.clone() },
            KeySettings { unknown_key_window: nanosecond, ..good.clone() },
            KeySettings { max_staleness: Duration::MAX, ..good.clone() },
            KeySettings { max_staleness: year + nanosecond, ..good.clone() },
            KeySettings { refresh_interval: Duration::from_secs(90_000), ..good.clone() },
        ] {
            assert!(matches!(bad.check(), Err(ConfigError::Duration { .. })), "{bad:?}");
        }
        assert!(good.check().is_ok());
    }
}
