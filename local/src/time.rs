//! The system's clock, and times as the pool stores them.

use std::time::{Duration, SystemTime};

use tower_cognito::verifier::Clock;

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Returns a duration in milliseconds, the unit of all stored times.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
