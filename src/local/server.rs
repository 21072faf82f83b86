use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, uri::Authority},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{api, console, cors, oauth, operations::run_to_completion, shared::Shared, site::Site};

/// How the key endpoint misbehaves.
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
pub(super) struct Server {
    task: JoinHandle<()>,
    site: Arc<Site>,
}

impl Server {
    pub(super) fn start(listener: TcpListener, site: Arc<Site>) -> Self {
        let operations = Router::new()
            .route("/", post(api::handle))
            .merge(oauth::routes())
            .route_layer(middleware::from_fn_with_state(Arc::clone(&site), run_to_completion));
        let app = Router::new()
            .route("/{pool}/.well-known/jwks.json", get(jwks))
            .route("/{pool}/.well-known/openid-configuration", get(discovery))
            .merge(operations)
            .merge(console::routes())
            .fallback(nothing_here)
            .method_not_allowed_fallback(wrong_method)
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

async fn jwks(State(site): State<Arc<Site>>, Path(id): Path<String>) -> Response {
    let Some(pool) = site.pool(&id) else {
        return unknown_pool(&id);
    };
    match pool.fetched() {
        Fault::None => {}
        Fault::Slow(delay) => tokio::time::sleep(delay).await,
        Fault::Hang => std::future::pending().await,
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return status.into_response();
        }
        Fault::Body(text) => return text.into_response(),
    }
    document(&pool.jwks())
}

async fn discovery(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    site.pool(&id).map_or_else(
        || unknown_pool(&id),
        |pool| {
            let base = base_of_client(&headers, &pool).unwrap_or_else(|| pool.endpoint());
            document(&pool.discovery(&base))
        },
    )
}

/// The base of all addresses under the name by which a client reached the pool, such as `http://cognito:9229` in a
/// container network, or `None` if the request does not name the pool's port.
fn base_of_client(headers: &HeaderMap, pool: &Shared) -> Option<String> {
    let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    let is_this_port = host.port_u16() == Some(pool.address().port());
    (is_this_port && !host.as_str().contains('@')).then(|| format!("http://{host}"))
}

/// Answers a path that is not there. Clients read JSON, whatever they asked for.
async fn nothing_here(method: Method) -> Response {
    let text = format!("There is nothing for {method} at this path.");
    unknown_operation(StatusCode::NOT_FOUND, &text)
}

/// Answers a method that a path does not have. The router adds `Allow`.
async fn wrong_method(method: Method, uri: Uri) -> Response {
    let text = match uri.path() {
        "/" => "The API takes POST requests.".to_owned(),
        _ => format!("This path does not support {method}."),
    };
    unknown_operation(StatusCode::METHOD_NOT_ALLOWED, &text)
}

fn unknown_operation(status: StatusCode, message: &str) -> Response {
    let body = json!({ "__type": "UnknownOperationException", "message": message });
    let mut response = document(&body);
    *response.status_mut() = status;
    response
}

fn unknown_pool(id: &str) -> Response {
    let message = format!("User pool {id} does not exist.");
    let mut response = document(&json!({ "message": message }));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn document(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
