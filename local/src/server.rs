use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    error::Error,
    http::{
        api, console, cors,
        health::health,
        oauth,
        operations::{Operations, run_to_completion},
        origin::requested_host,
    },
    pool::{Fault, Pool, site::Site},
};

/// Serves a pool as long as it lives.
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
            .route("/{pool}/.well-known/jwks.json", get(jwks))
            .route("/{pool}/.well-known/openid-configuration", get(discovery))
            .route("/_local/health", get(health))
            .merge(to_completion)
            .merge(console::routes())
            .fallback(nothing_here)
            .method_not_allowed_fallback(wrong_method)
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

type PoolId = Result<Path<String>, PathRejection>;

async fn jwks(State(site): State<Arc<Site>>, id: PoolId) -> Response {
    let pool = match named(&site, id) {
        Ok(pool) => pool,
        Err(error) => return not_found(error),
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

async fn discovery(State(site): State<Arc<Site>>, id: PoolId, headers: HeaderMap) -> Response {
    named(&site, id).map_or_else(not_found, |pool| {
        let base = base_of_client(&headers, &pool).unwrap_or_else(|| pool.endpoint());
        document(&pool.discovery(&base))
    })
}

/// The base of all addresses under the name by which a client reached the pool, such as `http://cognito:9229` in a
/// container network, or `None` if the request does not name the pool's port.
fn base_of_client(headers: &HeaderMap, pool: &Pool) -> Option<String> {
    let host = requested_host(headers)?;
    let port = host.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    (port == Some(pool.address().port())).then(|| format!("http://{host}"))
}

/// The pool of a path. The id in it is not UTF-8 if it is rejected.
fn named(site: &Site, id: PoolId) -> Result<Arc<Pool>, Error> {
    let id = id.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(id)| id);
    site.pool(&id).ok_or_else(|| Error::no_pool(&id))
}

/// Responds to a path that is not there. Clients expect an error of the API whatever they ask for.
async fn nothing_here(method: Method) -> Response {
    let text = format!("There is nothing for {method} at this path.");
    not_found(Error::new("UnknownOperationException", text))
}

/// Responds to a method that a path does not have. The router adds `Allow`.
async fn wrong_method(method: Method, uri: Uri) -> Response {
    let text = match uri.path() {
        "/" => "The API takes POST requests.".to_owned(),
        _ => format!("This path does not support {method}."),
    };
    let error = Error::new("UnknownOperationException", text);
    with_status(error, StatusCode::METHOD_NOT_ALLOWED)
}

fn not_found(error: Error) -> Response {
    with_status(error, StatusCode::NOT_FOUND)
}

fn with_status(error: Error, status: StatusCode) -> Response {
    let mut response = error.into_response();
    *response.status_mut() = status;
    response
}

fn document(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
