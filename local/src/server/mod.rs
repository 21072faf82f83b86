//! The server of all pools. Dropping it ends its connections and operations.

mod connection;
mod listener;
pub(crate) mod tls;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use self::{listener::ServerListener, tls::ServerTls};
use crate::{
    http::{
        api, console, cors, fallback,
        health::health,
        oauth,
        operations::{NoResponse, Operations, run_to_completion},
        request_id::set_request_id,
        transport::Transport,
        well_known,
    },
    pool::{Pool, site::Site},
};

/// Serves pools until it is dropped.
pub(crate) struct Server {
    task: JoinHandle<()>,
    /// Connections end when this is dropped.
    _running: watch::Sender<()>,
    site: Arc<Site>,
    operations: Arc<Operations>,
}

impl Server {
    /// Serves HTTP, and also HTTPS on the same port if there is a certificate.
    pub(crate) fn start(listener: TcpListener, site: Arc<Site>, tls: Option<ServerTls>) -> Self {
        let operations = Arc::new(Operations::default());
        let mut router = router(&site, &operations);
        if let Some(authority) = tls.as_ref().and_then(|tls| tls.authority.clone()) {
            router = router.merge(tls::authority_route(authority));
        }
        let app = router.into_make_service_with_connect_info::<Transport>();
        let (running, stopped) = watch::channel(());
        let listener = ServerListener::new(listener, tls.map(|tls| tls.acceptor), stopped);
        // `axum::serve` never returns: the task runs until it is aborted.
        let task = tokio::spawn(async move { drop(axum::serve(listener, app).await) });
        Self { task, _running: running, site, operations }
    }

    /// Returns all pools, in the order of their ids.
    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        self.site.pools()
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
        .merge(oauth::pages(site, operations))
        .merge(console::routes(site, operations))
        .fallback(fallback::unknown_path)
        .method_not_allowed_fallback(fallback::unsupported_method)
        .layer(middleware::from_fn(set_request_id))
        .with_state(Arc::clone(site))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.operations.stop();
        // Connections and operations end a little later, but the data file must be free at once.
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
    use crate::pool::addresses::Addresses;

    #[tokio::test]
    async fn request_that_ends_without_a_response_gets_an_error_in_the_format_of_its_path() {
        let addresses = Arc::new(Addresses::of(([127, 0, 0, 1], 0).into()));
        let site = Arc::new(Site::new(
            addresses,
            None,
            None,
            String::new(),
            ("us-east-1", crate::pool::KeySupply::Shared),
        ));
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
