//! Clocks for tests, and waiting for other tasks.

#![allow(dead_code, reason = "two test binaries use different parts")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use tower_cognito::verifier::Clock;

/// Returns a clock that follows tokio's. It is paused if the runtime's time is paused.
pub(crate) fn tokio_clock() -> impl Clock {
    let (base, start) = (wall_time(), tokio::time::Instant::now());
    move || base + start.elapsed()
}

/// A clock that advances only when the test sets it.
#[derive(Clone)]
pub(crate) struct ManualClock {
    base: SystemTime,
    millis: Arc<AtomicU64>,
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self { base: wall_time(), millis: Arc::default() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.millis.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sets the clock to a time after its start, which may be earlier than its current time.
    pub(crate) fn set(&self, since_start: Duration) {
        self.millis.store(u64::try_from(since_start.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.base + Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

#[expect(clippy::disallowed_methods, reason = "test tokens are issued at the current time")]
pub(crate) fn wall_time() -> SystemTime {
    SystemTime::now()
}

/// Waits until a condition is true, for up to ten seconds.
pub(crate) async fn eventually(what: &str, mut is_true: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if is_true().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not true within ten seconds: {what}");
}
