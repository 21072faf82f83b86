use std::sync::Arc;

use tokio::{task::JoinHandle, time::sleep};

use crate::keys::{
    fetch::{Begin, Cause, Fetcher},
    runtime,
    settings::LONGEST_NAP,
};

/// The task that keeps a key set fresh. It lives as long as this handle.
pub(super) struct Refresher(JoinHandle<()>);

impl Refresher {
    /// Starts the task, if a runtime with timers is there to run it.
    pub(super) fn start(fetcher: Arc<Fetcher>) -> Option<Self> {
        Some(Self(runtime::handle()?.spawn(keep_fresh(fetcher))))
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
