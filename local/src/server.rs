use std::{sync::Arc, time::Duration};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    http::{
        api, console, cors, fallback, health::health, oauth, operations::run_to_completion,
        well_known,
    },
    pool::site::Site,
};

/// A simulated fault of the key endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// It answers with this status.
    Status(u16),
    /// It answers after this time.
    Slow(Duration),
    /// It never answers.
    Hang,
    /// It answers with this text in place of the key set.
    Body(String),
}

/// Serves a pool as long as it lives.
pub(crate) struct Server {
    task: JoinHandle<()>,
    site: Arc<Site>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, site: Arc<Site>) -> Self {
        let operations = Router::new()
            .route("/", post(api::handle))
            .merge(oauth::routes())
            .route_layer(middleware::from_fn_with_state(Arc::clone(&site), run_to_completion));
        let app = Router::new()
            .route("/_local/health", get(health))
            .merge(well_known::routes())
            .merge(operations)
            .merge(console::routes(&site))
            .fallback(fallback::unknown_path)
            .method_not_allowed_fallback(fallback::unsupported_method)
            .layer(middleware::from_fn(cors::open))
            .with_state(Arc::clone(&site));
        let task = tokio::spawn(async move {
            // Serving ends with the task alone: `axum::serve` outlives failed connections.
            let _ = axum::serve(listener, app).await;
        });
        Self { task, site }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.site.operations.stop();
        // Connections end later than this, and the file is to be free at once.
        if let Some(disk) = &self.site.disk {
            disk.close();
        }
    }
}
