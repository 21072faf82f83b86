use std::sync::Arc;

use tokio::{runtime::Handle, task::JoinHandle, time::timeout};

use super::fetch::{Begin, Cause, Fetcher};

/// The task that keeps a key set fresh. It lives as long as this handle.
pub(super) struct Refresher(JoinHandle<()>);

impl Refresher {
    /// Starts the task, if a runtime is there to run it.
    pub(super) fn start(fetcher: Arc<Fetcher>) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        Some(Self(runtime.spawn(keep_fresh(fetcher))))
    }

    /// Whether the task ended, which it does with its runtime alone.
    pub(super) fn is_gone(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep_fresh(fetcher: Arc<Fetcher>) {
    loop {
        let wait = fetcher.due_in();
        if !wait.is_zero() {
            // Woken or not, the schedule is looked at again: somebody else may have fetched.
            let _ = timeout(wait, fetcher.woken()).await;
            continue;
        }
        match fetcher.begin(Cause::Scheduled) {
            Begin::Began(fetch) | Begin::Joined(fetch) => fetch.ended().await,
            Begin::Refused => return,
        }
    }
}
