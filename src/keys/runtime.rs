//! The parts of a runtime that fetches need.
//!
//! With `cfg(shuttle)`, the same items use a scheduler that explores thread interleavings: see `tests/shuttle.rs`.

#[cfg(not(shuttle))]
pub(super) use self::tokio_runtime::{
    Mutex, MutexGuard, Spawner, catch_panic, handle, timeout, timeout_at,
};

#[cfg(shuttle)]
pub(super) use self::shuttle_runtime::{
    Mutex, MutexGuard, Spawner, catch_panic, handle, timeout, timeout_at,
};

#[cfg(not(shuttle))]
mod tokio_runtime {
    pub(crate) use std::sync::{Mutex, MutexGuard};
    use std::{
        future::poll_fn,
        panic::{AssertUnwindSafe, catch_unwind},
        pin::pin,
        sync::PoisonError,
        task::Poll,
        time::Duration,
    };

    pub(crate) use tokio::time::timeout;
    use tokio::{
        runtime::{Handle, Id},
        task::JoinHandle,
        time::{Instant, Sleep},
    };

    /// The caller's runtime, which has timers.
    pub(crate) struct Spawner(Handle);

    impl Spawner {
        pub(crate) fn current() -> Option<Self> {
            handle().map(Self)
        }

        pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<()>
        where
            F: Future<Output = ()> + Send + 'static,
        {
            self.0.spawn(task)
        }
    }

    /// Returns the current runtime, if it has timers.
    pub(crate) fn handle() -> Option<Handle> {
        Handle::try_current().ok().filter(|_| has_timers())
    }

    /// Awaits a future until a deadline. Returns `None` if it is not ready by then, or if the runtime has no
    /// timers.
    pub(crate) async fn timeout_at<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
        if !has_timers() {
            return None;
        }
        tokio::time::timeout_at(deadline, future).await.ok()
    }

    /// Awaits a future, and returns an error if it panics.
    pub(crate) async fn catch_panic<F: Future>(future: F) -> std::thread::Result<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        })
        .await
    }

    /// Returns whether the current runtime was built with timers (`enable_time` or `enable_all`).
    ///
    /// Tokio has no function that returns this, and panics if a timer is created on a runtime without timers. Such a
    /// panic must not reach a request, so it is caught once for each runtime. The panic hook still reports Tokio's
    /// message, which names the fix. In a binary built with `panic = "abort"` it ends the process.
    fn has_timers() -> bool {
        static WITHOUT: std::sync::Mutex<Option<Id>> = std::sync::Mutex::new(None);
        let Ok(runtime) = Handle::try_current() else { return false };
        let mut without = WITHOUT.lock().unwrap_or_else(PoisonError::into_inner);
        if *without == Some(runtime.id()) {
            return false;
        }
        // Called through a pointer, so that the panic message names a line in Tokio.
        let sleep: fn(Duration) -> Sleep = tokio::time::sleep;
        let has_timers = catch_unwind(|| drop(sleep(Duration::ZERO))).is_ok();
        if !has_timers {
            *without = Some(runtime.id());
        }
        has_timers
    }
}

#[cfg(shuttle)]
mod shuttle_runtime {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard};

    use std::{convert::Infallible, time::Duration};

    use shuttle::future::JoinHandle;
    use tokio::time::Instant;

    pub(crate) struct Spawner;

    /// The background task is not part of the tests.
    pub(crate) fn handle() -> Option<tokio::runtime::Handle> {
        None
    }

    impl Spawner {
        pub(crate) fn current() -> Option<Self> {
            Some(Self)
        }

        pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<()>
        where
            F: Future<Output = ()> + Send + 'static,
        {
            shuttle::future::spawn(task)
        }
    }

    /// A panic is a failed assertion of the test, which must be reported.
    pub(crate) async fn catch_panic<F: Future>(future: F) -> std::thread::Result<F::Output> {
        Ok(future.await)
    }

    /// Time does not pass in these tests.
    pub(crate) async fn timeout<F: Future>(
        _limit: Duration,
        future: F,
    ) -> Result<F::Output, Infallible> {
        Ok(future.await)
    }

    pub(crate) async fn timeout_at<F: Future>(_deadline: Instant, future: F) -> Option<F::Output> {
        Some(future.await)
    }
}
