use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, task::JoinHandle, time::sleep};

use super::fetch::{Begin, Cause, Fetcher};

/// The task that keeps a key set fresh. It lives as long as this handle.
pub(super) struct Refresher(JoinHandle<()>);

const LONGEST_NAP: Duration = Duration::from_secs(10);

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
            // Timers may stand still while the machine sleeps, so the wall clock is looked at now and
            // then; and somebody else may have fetched meanwhile.
            sleep(wait.min(LONGEST_NAP)).await;
            continue;
        }
        match fetcher.begin(Cause::Scheduled) {
            Begin::Began(fetch) | Begin::Joined(fetch) => {
                fetch.ended().await;
            }
            Begin::Refused => return,
        }
    }
}
