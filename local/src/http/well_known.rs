//! The documents of a pool under `/{pool}/.well-known/`: its key set and its discovery document.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use crate::{
    error::Error,
    http::{oauth::paths, origin::base_url_on_own_port},
    pool::{Fault, Pool, site::Site},
};

/// The keys of a local pool change when it is restarted, so clients must revalidate each response.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("no-cache");

type PoolPath = Result<Path<String>, PathRejection>;

/// Returns the routes of the documents.
pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/.well-known/openid-configuration", get(discovery))
}

async fn jwks(State(site): State<Arc<Site>>, path: PoolPath) -> Response {
    let pool = match find_pool(&site, path) {
        Ok(pool) => pool,
        Err(error) => return not_found(error),
    };
    match pool.count_fetch() {
        Fault::None => {}
        Fault::Slow(delay) => tokio::time::sleep(delay).await,
        Fault::Hang => std::future::pending().await,
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return status.into_response();
        }
        Fault::Body(text) => return text.into_response(),
    }
    json_response(&pool.jwks())
}

/// Responds with addresses under the host of the request, such as `http://cognito:9229` in a container network.
async fn discovery(State(site): State<Arc<Site>>, path: PoolPath, headers: HeaderMap) -> Response {
    let pool = match find_pool(&site, path) {
        Ok(pool) => pool,
        Err(error) => return not_found(error),
    };
    let base = base_url_on_own_port(&headers, &pool);
    let mut response = json_response(&discovery_document(&pool, &base));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("host"));
    response
}

/// Returns a discovery document (OpenID Connect Discovery 1.0, section 3) with the members that Cognito's has. `base` is
/// the base of all addresses.
fn discovery_document(pool: &Pool, base: &str) -> Value {
    let address = |path: &str| format!("{base}{path}");
    json!({
        "authorization_endpoint": address(paths::AUTHORIZE),
        "end_session_endpoint": address(paths::LOGOUT),
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": pool.issuer(),
        "jwks_uri": pool.jwks_uri_at(base),
        "response_types_supported": ["code", "token"],
        "revocation_endpoint": address(paths::REVOKE),
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": address(paths::TOKEN),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": address(paths::USER_INFO),
    })
}

fn find_pool(site: &Site, path: PoolPath) -> Result<Arc<Pool>, Error> {
    // A path that is not UTF-8 is rejected, and no pool has such an ID.
    let id = path.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(id)| id);
    site.pool(&id).ok_or_else(|| Error::no_pool(&id))
}

fn not_found(error: Error) -> Response {
    let mut response = error.into_response();
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn json_response(document: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, CACHE_CONTROL),
    ];
    (headers, document.to_string()).into_response()
}
