use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    http::{
        api, console, cors, fallback,
        health::health,
        oauth,
        operations::{NoResponse, Operations, run_to_completion},
        request_id::set_request_id,
        well_known,
    },
    pool::site::Site,
};

/// Serves a pool until it is dropped.
pub(crate) struct Server {
    task: JoinHandle<()>,
    site: Arc<Site>,
    operations: Arc<Operations>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, site: Arc<Site>) -> Self {
        let operations = Arc::new(Operations::default());
        let app = router(&site, &operations);
        let task = tokio::spawn(async move {
            // Serving ends with the task alone: `axum::serve` outlives failed connections.
            let _ = axum::serve(listener, app).await;
        });
        Self { task, site, operations }
    }
}

fn router(site: &Arc<Site>, operations: &Arc<Operations>) -> Router {
    let no_response: NoResponse = api::no_response;
    let state = (Arc::clone(operations), no_response);
    let run = middleware::from_fn_with_state(state, run_to_completion);
    // A layer wraps only the fallbacks that are set before it.
    let called_by_apps = Router::new()
        .route("/", post(api::handle))
        .route_layer(run)
        .merge(oauth::endpoints(operations))
        .merge(well_known::routes())
        .method_not_allowed_fallback(fallback::unsupported_method)
        .route_layer(middleware::from_fn(cors::allow_any_origin));
    Router::new()
        .route("/_local/health", get(health))
        .merge(called_by_apps)
        .merge(oauth::pages(operations))
        .merge(console::routes(site))
        .fallback(fallback::unknown_path)
        .method_not_allowed_fallback(fallback::unsupported_method)
        .layer(middleware::from_fn(set_request_id))
        .with_state(Arc::clone(site))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.operations.stop();
        // Connections end later than this, and the file is to be free at once.
        if let Some(disk) = &self.site.disk {
            disk.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        http::{Request, StatusCode},
    };
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn request_that_ends_without_a_response_gets_an_error_in_the_format_of_its_path() {
        let address = ([127, 0, 0, 1], 0).into();
        let site = Arc::new(Site::new(address, None, None, ("us-east-1", false)));
        let operations = Arc::new(Operations::default());
        // A server that was stopped runs no handlers.
        operations.stop();
        let router = router(&site, &operations);
        for (method, path, content_type) in [
            ("POST", "/", "application/x-amz-json-1.1"),
            ("POST", "/oauth2/token", "application/json;charset=UTF-8"),
            ("GET", "/oauth2/authorize", "text/html; charset=utf-8"),
            ("GET", "/login", "text/html; charset=utf-8"),
            ("POST", "/signup", "text/html; charset=utf-8"),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            assert_eq!(response.headers()["content-type"], content_type, "{path}");
        }
    }
}
