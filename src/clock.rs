//! The source of wall-clock time.

use std::time::SystemTime;

/// Provides the wall-clock time that tokens and keys are checked against.
///
/// The default is the system clock. Tests can pass their own, for example a closure:
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_cognito::verifier::Clock;
///
/// let clock = || UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// assert_eq!(Clock::now(&clock), UNIX_EPOCH + Duration::from_secs(1_800_000_000));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> SystemTime;
}

impl<F> Clock for F
where
    F: Fn() -> SystemTime + Send + Sync + 'static,
{
    fn now(&self) -> SystemTime {
        self()
    }
}

/// The system clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
