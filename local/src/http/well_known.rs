//! The documents of a pool under `/{pool}/.well-known/`: its key set and its discovery document.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use crate::{
    error::Error,
    http::{oauth::paths, origin::requested_host, transport::Transport},
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

/// Responds with addresses under the scheme and host of the request, such as `http://cognito:9229` in a container network.
/// The addresses for browsers have the public URL if there is one.
///
/// A client can send any host, so these addresses are only in the response to that client.
async fn discovery(State(site): State<Arc<Site>>, path: PoolPath, request: Request) -> Response {
    let pool = match find_pool(&site, path) {
        Ok(pool) => pool,
        Err(error) => return not_found(error),
    };
    let addresses = &site.addresses;
    let host = requested_host(request.headers());
    let for_browsers = match (addresses.public_url(), host) {
        (Some(url), _) => url.as_str().to_owned(),
        (None, Some(host)) => addresses.base_at(host),
        (None, None) => addresses.endpoint(),
    };
    let for_apps = match (host, Transport::of(request.extensions())) {
        // A client of a server with TLS that uses plain HTTP may not trust the certificate.
        (Some(host), Transport::Plain) if addresses.uses_tls() => format!("http://{host}"),
        (Some(host), _) => addresses.base_at(host),
        (None, _) => addresses.plain_endpoint(),
    };
    let mut response = json_response(&discovery_document(&pool, &for_browsers, &for_apps));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("host"));
    response
}

/// Returns a discovery document (OpenID Connect Discovery 1.0, section 3) with the members that Cognito's has. The bases are
/// those of the addresses that browsers open, and that apps call.
fn discovery_document(pool: &Pool, for_browsers: &str, for_apps: &str) -> Value {
    json!({
        "authorization_endpoint": format!("{for_browsers}{}", paths::AUTHORIZE),
        "end_session_endpoint": format!("{for_browsers}{}", paths::LOGOUT),
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": pool.issuer(),
        "jwks_uri": pool.jwks_uri_at(for_apps),
        "response_types_supported": ["code", "token"],
        "revocation_endpoint": format!("{for_apps}{}", paths::REVOKE),
        "scopes_supported": ["openid", "email", "phone", "profile"],
        "subject_types_supported": ["public"],
        "token_endpoint": format!("{for_apps}{}", paths::TOKEN),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "userinfo_endpoint": format!("{for_apps}{}", paths::USER_INFO),
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
