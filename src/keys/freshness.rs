use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::keys::set::KeySet;

/// A key set, and for how long requests may use it without consulting the schedule.
pub(super) struct Snapshot {
    pub(super) keys: KeySet,
    /// `None` for a static set, which does not age.
    pub(super) freshness: Option<Freshness>,
}

pub(super) struct Freshness {
    pub(super) confirmed_at: Timestamp,
    pub(super) revalidate_after: Duration,
}

impl Snapshot {
    /// Returns whether requests may use the set without consulting the schedule.
    pub(super) fn is_fresh(&self, now: impl FnOnce() -> Timestamp) -> bool {
        self.freshness.as_ref().is_none_or(|freshness| {
            now().since(freshness.confirmed_at) < freshness.revalidate_after
        })
    }
}

/// A point in time on both clocks.
///
/// The wall clock continues while a machine is suspended, and the monotonic clock cannot be set back. So the
/// age of a key set is the larger of the two ages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp {
    pub(super) wall: SystemTime,
    pub(super) monotonic: Instant,
}

impl Timestamp {
    /// Returns this wall time together with the current monotonic time.
    pub(super) fn at(wall: SystemTime) -> Self {
        Self { wall, monotonic: Instant::now() }
    }

    /// Returns the time since an earlier timestamp: the larger of the differences on the two clocks.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.monotonic.saturating_duration_since(earlier.monotonic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    #[test]
    fn time_since_is_the_larger_of_both_clocks() {
        let start = Timestamp::at(SystemClock.now());
        let seconds = Duration::from_secs;
        for (wall, monotonic, expected) in [
            (start.wall + seconds(5), 3, 5),
            (start.wall + seconds(3), 5, 5),
            (start.wall - seconds(60), 5, 5),
            (start.wall - seconds(60), 0, 0),
        ] {
            let later = Timestamp { wall, monotonic: start.monotonic + seconds(monotonic) };
            assert_eq!(later.since(start), seconds(expected));
        }
    }
}
