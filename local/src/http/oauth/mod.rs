//! The OAuth 2.0 endpoints and the hosted pages.

mod authorization_response;
mod authorize;
mod browser_session;
mod client_auth;
mod cookies;
mod error;
mod federation;
pub(crate) mod form_token;
mod hosted;
mod json;
mod logout;
pub(crate) mod message_page;
pub(crate) mod parameters;
pub(crate) mod paths;
mod prompt;
mod redirect;
mod request;
mod resource;
mod revoke;
pub(crate) mod sign_in_page;
mod token;
mod user_info;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, post},
};

use crate::{
    http::{
        operations::{NoResponse, Operations, run_to_completion},
        transport::require_tls,
    },
    pool::site::Site,
};

/// The maximum length of a form, in bytes.
const MAX_FORM: usize = 64 * 1024;

/// Headers of all responses. Pages also have a content security policy.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Browsers send forms with `Origin`, and follow links to other sites without `Referer`.
    (header::REFERRER_POLICY, "same-origin"),
];

/// Returns the routes of the endpoints that apps call. Their errors are JSON.
pub(crate) fn endpoints(operations: &Arc<Operations>) -> Router<Arc<Site>> {
    let routes = Router::new()
        .route(paths::TOKEN, post(token::handle))
        .route(paths::USER_INFO, get(user_info::handle).post(user_info::handle))
        .route(paths::REVOKE, post(revoke::handle))
        .method_not_allowed_fallback(error::wrong_method);
    with_layers(routes, operations, error::no_response)
}

/// Returns the routes of the pages that browsers open. Their errors are HTML.
pub(crate) fn pages(site: &Arc<Site>, operations: &Arc<Operations>) -> Router<Arc<Site>> {
    let routes = Router::new()
        .route(paths::AUTHORIZE, get_only(get(authorize::handle)))
        .route(paths::IDP_RESPONSE, get_only(get(federation::handle)))
        .route(paths::LOGOUT, get_only(get(logout::handle)))
        .route(paths::CONFIRM_USER, get_only(get(hosted::confirm_user)))
        .merge(hosted::routes())
        .method_not_allowed_fallback(hosted::wrong_method);
    let require_tls = middleware::from_fn_with_state(Arc::clone(site), require_tls);
    with_layers(routes, operations, hosted::no_response).route_layer(require_tls)
}

/// Runs requests to completion, limits the length of their bodies, and sets the headers of all responses.
fn with_layers(
    routes: Router<Arc<Site>>,
    operations: &Arc<Operations>,
    no_response: NoResponse,
) -> Router<Arc<Site>> {
    let state = (Arc::clone(operations), no_response);
    routes
        .route_layer(middleware::from_fn_with_state(state, run_to_completion))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn(set_headers))
}

/// Rejects `HEAD`, for which axum would call the handler of `GET`. These paths sign users in and out or confirm them, and
/// `HEAD` must be safe (RFC 9110, section 9.2.1). Cognito also supports only `GET` there.
fn get_only(route: MethodRouter<Arc<Site>>) -> MethodRouter<Arc<Site>> {
    let reject = async || error::allow_only_get(hosted::wrong_method().await);
    route.head(reject).fallback(reject)
}

async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
