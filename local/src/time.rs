//! The system's clock, which the pool's own clock is set beside.

use std::time::SystemTime;

use tower_cognito::Clock;

/// Returns the wall time of the system.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
