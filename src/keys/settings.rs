use std::{hash::BuildHasher, time::Duration};

use crate::error::ConfigError;

/// The numbers by which a key cache lives.
#[derive(Debug, Clone)]
pub(crate) struct KeySettings {
    /// How old a set may get before it is fetched again.
    pub(crate) refresh_interval: Duration,
    /// The window in which an unknown `kid` causes at most two fetches.
    pub(crate) unknown_key_window: Duration,
    /// How old a set may get at all, while it cannot be fetched.
    pub(crate) max_staleness: Duration,
    /// How long one fetch may take, from the first byte out to the last byte in.
    pub(crate) fetch_timeout: Duration,
    /// Whether a task keeps the set fresh, or requests do.
    pub(crate) background: bool,
}

/// A sender may call its document fresh for less than the refresh interval, but not ask for more
/// than one fetch a minute.
const MAX_AGE_FLOOR: Duration = Duration::from_secs(60);

/// No setting is longer than this, so that sums of instants cannot overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Soon enough after any outage, whatever the window is.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// The background task looks at the clocks at least this often.
pub(super) const LONGEST_NAP: Duration = Duration::from_secs(10);

/// A shorter window would limit nothing.
const SHORTEST_WINDOW: Duration = Duration::from_millis(100);

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
    /// How many fetches an unknown `kid` may cause in one window, failed ones included: one that
    /// may have been too early for a rotation, and one more.
    pub(super) const ATTEMPTS: usize = 2;

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let settings = [
            ("refresh_interval", self.refresh_interval),
            ("unknown_key_window", self.unknown_key_window),
            ("max_staleness", self.max_staleness),
            ("fetch_timeout", self.fetch_timeout),
        ];
        for (field, found) in settings {
            if found.is_zero() || found > LONGEST {
                let expected = "more than zero and at most 366 days";
                return Err(ConfigError::Duration { field, found, expected });
            }
        }
        if self.unknown_key_window < SHORTEST_WINDOW {
            return Err(ConfigError::Duration {
                field: "unknown_key_window",
                found: self.unknown_key_window,
                expected: "at least 100 milliseconds, or it limits nothing",
            });
        }
        if self.refresh_interval > self.max_staleness {
            return Err(ConfigError::Duration {
                field: "refresh_interval",
                found: self.refresh_interval,
                expected: "at most `max_staleness` (24 hours unless set)",
            });
        }
        Ok(())
    }

    /// How long a set stays fresh, given what its sender said.
    pub(super) fn lifetime(&self, max_age: Option<Duration>) -> Duration {
        let floor = MAX_AGE_FLOOR.min(self.refresh_interval);
        max_age.map_or(self.refresh_interval, |age| age.clamp(floor, self.refresh_interval))
    }

    /// When to fetch again after a success: ahead of the end of the lifetime, spread so that many
    /// processes do not ask at once.
    pub(super) fn refresh_delay(lifetime: Duration) -> Duration {
        lifetime.mul_f64(0.75 + 0.15 * jitter())
    }

    /// How long to wait after a number of failures in a row: from a sixth of the window up to all
    /// of it, doubling, but never longer than a minute or the refresh interval.
    pub(super) fn retry_delay(&self, failures: u32) -> Duration {
        let longest = self.unknown_key_window.min(self.refresh_interval).min(LONGEST_RETRY);
        let first = (self.unknown_key_window / 6).max(Duration::from_secs(1)).min(longest);
        let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(6));
        doubled.min(longest).mul_f64(0.8 + 0.2 * jitter())
    }

    /// The most time between the beginnings of two fetches while one after the other fails, with time to
    /// spare.
    pub(super) fn longest_between_tries(&self) -> Duration {
        self.retry_delay(u32::MAX).max(LONGEST_NAP) + self.fetch_timeout * 2
    }

    /// The least time between two fetches of the background task, whatever the clock says.
    pub(super) fn spacing(&self) -> Duration {
        Duration::from_secs(1).min(self.unknown_key_window)
    }
}

/// A number from 0 to 1 that differs from call to call. Nothing secret depends on it.
fn jitter() -> f64 {
    let random = std::hash::RandomState::new().hash_one(());
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sender_calls_fresh_only_shortens() {
        let settings = KeySettings::default();
        for (max_age, lifetime) in
            [(None, 900), (Some(0), 60), (Some(300), 300), (Some(86_400), 900)]
        {
            let lifetime = Duration::from_secs(lifetime);
            assert_eq!(settings.lifetime(max_age.map(Duration::from_secs)), lifetime);
        }
        let short = KeySettings { refresh_interval: Duration::from_secs(2), ..settings };
        assert_eq!(short.lifetime(Some(Duration::ZERO)), Duration::from_secs(2));
    }

    #[test]
    fn retries_slow_down_to_the_window() {
        let settings = KeySettings::default();
        for (failures, seconds) in [(1, 5), (2, 10), (3, 20), (4, 30), (1000, 30)] {
            let delay = settings.retry_delay(failures);
            let longest = Duration::from_secs(seconds);
            assert!(delay <= longest && delay >= longest.mul_f64(0.79), "{failures}: {delay:?}");
        }
    }

    #[test]
    fn retries_are_never_slower_than_a_minute_or_the_refresh() {
        let seconds = Duration::from_secs;
        for (window, interval, longest) in [(366 * 86_400, 900, 60), (120, 3, 3), (30, 900, 30)] {
            let settings = KeySettings {
                unknown_key_window: seconds(window),
                refresh_interval: seconds(interval),
                ..KeySettings::default()
            };
            assert!((1..100).all(|failures| settings.retry_delay(failures) <= seconds(longest)));
        }
    }

    #[test]
    fn a_refresh_comes_ahead_of_the_end() {
        for _ in 0..100 {
            let delay = KeySettings::refresh_delay(Duration::from_secs(1000));
            assert!((750..=900).contains(&delay.as_secs()), "{delay:?}");
        }
    }

    #[test]
    fn processes_do_not_ask_all_at_once() {
        let settings = KeySettings::default();
        let refresh = || KeySettings::refresh_delay(Duration::from_secs(1000));
        let retry = || settings.retry_delay(1);
        assert!((0..100).any(|_| refresh() != refresh()));
        assert!((0..100).any(|_| retry() != retry()));
    }

    #[test]
    fn impossible_durations_are_refused() {
        let good = KeySettings::default();
        let year = Duration::from_secs(366 * 86_400);
        assert!(KeySettings { max_staleness: year, ..good.clone() }.check().is_ok());
        for bad in [
            KeySettings { refresh_interval: Duration::ZERO, ..good.clone() },
            KeySettings { unknown_key_window: Duration::ZERO, ..good.clone() },
            KeySettings { max_staleness: Duration::ZERO, ..good.clone() },
            KeySettings { fetch_timeout: Duration::ZERO, ..good.clone() },
            KeySettings { unknown_key_window: Duration::from_nanos(1), ..good.clone() },
            KeySettings { max_staleness: Duration::MAX, ..good.clone() },
            KeySettings { max_staleness: year + Duration::from_secs(1), ..good.clone() },
            KeySettings { refresh_interval: Duration::from_secs(90_000), ..good.clone() },
        ] {
            assert!(matches!(bad.check(), Err(ConfigError::Duration { .. })), "{bad:?}");
        }
        assert!(good.check().is_ok());
    }
}
