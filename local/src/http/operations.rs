//! Operations run in tasks of their own, so that each runs to completion even if its client disconnects.

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

use crate::error::{Error, ErrorKind};

/// The operations of a server that are still running, or `None` once the server was stopped.
pub(crate) struct Operations(Mutex<Option<JoinSet<()>>>);

impl Operations {
    /// Spawns an operation, unless the server was stopped.
    fn spawn(&self, operation: impl Future<Output = ()> + Send + 'static) {
        if let Some(running) = &mut *self.lock() {
            while running.try_join_next().is_some() {}
            running.spawn(operation);
        }
    }

    /// Aborts all operations. No further one is spawned.
    pub(crate) fn stop(&self) {
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

/// Runs a request's handler to completion, whether or not the client waits for the response.
pub(crate) async fn run_to_completion(
    State(operations): State<Arc<Operations>>,
    request: Request,
    next: Next,
) -> Response {
    let (sender, receiver) = oneshot::channel();
    operations.spawn(async move {
        // The receiver is gone if the client disconnected.
        let _ = sender.send(next.run(request).await);
    });
    receiver.await.unwrap_or_else(|_| {
        let message =
            "The operation ended without a response: the local pool was stopped, or the operation panicked.";
        Error::new(ErrorKind::InternalError, message).into_response()
    })
}
