//! Runs each request in a separate task. It runs to completion even if the client disconnects.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::{sync::oneshot, task::JoinSet};

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

/// Returns the response to a request whose handler panicked, or that was aborted because the server was stopped.
pub(crate) type NoResponse = fn() -> Response;

/// Runs a request's handler to completion, whether or not the client waits for the response.
pub(crate) async fn run_to_completion(
    State((operations, no_response)): State<(Arc<Operations>, NoResponse)>,
    request: Request,
    next: Next,
) -> Response {
    let (sender, receiver) = oneshot::channel();
    operations.spawn(async move {
        // The receiver is gone if the client disconnected.
        let _ = sender.send(next.run(request).await);
    });
    receiver.await.unwrap_or_else(|_| no_response())
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::StatusCode,
        middleware,
        response::{Html, IntoResponse},
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn panicking_handler_returns_the_fallback_response_of_its_routes() {
        async fn panicking() -> Html<&'static str> {
            panic!("a handler that panics")
        }
        let no_response: NoResponse = || StatusCode::IM_A_TEAPOT.into_response();
        let state = (Arc::new(Operations::default()), no_response);
        let layer = middleware::from_fn_with_state(state, run_to_completion);
        let router = Router::new().route("/", get(panicking)).route_layer(layer);
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    }
}
