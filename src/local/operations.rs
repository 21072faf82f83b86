//! Operations run in tasks of their own: each comes to its end, even if its client hangs up while a trigger runs.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{sync::oneshot, task::JoinSet};

use super::{api::ApiError, site::Site};

/// The operations of a server that have not ended yet.
pub(super) struct Operations(Mutex<Option<JoinSet<()>>>);

impl Operations {
    /// Begins an operation, unless the server was stopped.
    fn begin(&self, operation: impl Future<Output = ()> + Send + 'static) {
        if let Some(running) = &mut *self.lock() {
            // Those that have ended are forgotten.
            while running.try_join_next().is_some() {}
            running.spawn(operation);
        }
    }

    /// Ends all operations. No other begins.
    pub(super) fn stop(&self) {
        let running = self.lock().take();
        drop(running);
    }

    fn lock(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Operations {
    fn default() -> Self {
        Self(Mutex::new(Some(JoinSet::new())))
    }
}

/// Runs a request's handler to its end, whether or not the client waits for the answer.
pub(super) async fn run_to_the_end(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let (answer, answered) = oneshot::channel();
    site.operations.begin(async move {
        // A client that hung up gets no answer.
        let _ = answer.send(next.run(request).await);
    });
    answered.await.unwrap_or_else(|_| {
        let message =
            "The operation ended without an answer: the local pool was stopped, or it panicked.";
        ApiError::new("InternalErrorException", message).into_response()
    })
}
