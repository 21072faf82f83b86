//! Where wall time comes from.

use std::time::SystemTime;

/// Tells the wall time by which tokens and keys are judged.
///
/// The default is the system's clock. A test gives its own, usually as a closure:
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_cognito::verifier::Clock;
///
/// let clock = || UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// assert_eq!(Clock::now(&clock), UNIX_EPOCH + Duration::from_secs(1_800_000_000));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
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

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
