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
        operations::{Operations, run_to_completion},
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
        let run = middleware::from_fn_with_state(Arc::clone(&operations), run_to_completion);
        let to_completion =
            Router::new().route("/", post(api::handle)).merge(oauth::routes()).route_layer(run);
        let app = Router::new()
            .route("/_local/health", get(health))
            .merge(well_known::routes())
            .merge(to_completion)
            .merge(console::routes(&site))
            .fallback(fallback::unknown_path)
            .method_not_allowed_fallback(fallback::unsupported_method)
            .layer(middleware::from_fn(cors::open))
            .with_state(Arc::clone(&site));
        let task = tokio::spawn(async move {
            // Serving ends with the task alone: `axum::serve` outlives failed connections.
            let _ = axum::serve(listener, app).await;
        });
        Self { task, site, operations }
    }
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
