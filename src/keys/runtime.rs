//! What fetching needs of a runtime.
//!
//! The twin under `cfg(shuttle)` has the same names and runs on a scheduler that tries interleavings;
//! `tests/shuttle.rs` says how.

#[cfg(not(shuttle))]
pub(super) use self::tokio_runtime::{Mutex, MutexGuard, Spawner, timeout, timeout_at};

#[cfg(shuttle)]
pub(super) use self::shuttle_runtime::{Mutex, MutexGuard, Spawner, timeout, timeout_at};

#[cfg(not(shuttle))]
mod tokio_runtime {
    pub(in super::super) use std::sync::{Mutex, MutexGuard};

    pub(in super::super) use tokio::time::{timeout, timeout_at};
    use tokio::{runtime::Handle, task::JoinHandle};

    /// The runtime that the caller is on.
    pub(in super::super) struct Spawner(Handle);

    impl Spawner {
        pub(in super::super) fn current() -> Option<Self> {
            Handle::try_current().ok().map(Self)
        }

        pub(in super::super) fn spawn<F>(&self, task: F) -> JoinHandle<()>
        where
            F: Future<Output = ()> + Send + 'static,
        {
            self.0.spawn(task)
        }
    }
}

#[cfg(shuttle)]
mod shuttle_runtime {
    pub(in super::super) use shuttle::sync::{Mutex, MutexGuard};

    use std::{convert::Infallible, time::Duration};

    use shuttle::future::JoinHandle;
    use tokio::time::Instant;

    pub(in super::super) struct Spawner;

    impl Spawner {
        pub(in super::super) fn current() -> Option<Self> {
            Some(Self)
        }

        pub(in super::super) fn spawn<F>(&self, task: F) -> JoinHandle<()>
        where
            F: Future<Output = ()> + Send + 'static,
        {
            shuttle::future::spawn(task)
        }
    }

    /// Time does not pass while interleavings are tried.
    pub(in super::super) async fn timeout<F: Future>(
        _limit: Duration,
        future: F,
    ) -> Result<F::Output, Infallible> {
        Ok(future.await)
    }

    pub(in super::super) async fn timeout_at<F: Future>(
        _deadline: Instant,
        future: F,
    ) -> Result<F::Output, Infallible> {
        Ok(future.await)
    }
}
