//! The OAuth 2.0 endpoints and the hosted pages.

mod authorize;
mod browser_session;
mod client_auth;
mod cookies;
mod error;
mod federation;
mod form_token;
mod grants;
mod hosted;
mod json;
mod logout;
pub(crate) mod message_page;
mod parameters;
mod prompt;
mod redirect;
mod request;
mod resource;
mod revoke;
mod scopes;
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
    http::operations::{NoResponse, Operations, run_to_completion},
    pool::site::Site,
};

/// The maximum length of a form, in bytes.
const MAX_FORM: usize = 64 * 1024;

/// Headers of all responses. Pages have a content security policy besides.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Forms are sent with `Origin`, and links to other sites without `Referer`.
    (header::REFERRER_POLICY, "same-origin"),
];

/// Returns the routes of the endpoints that apps call, whose errors are JSON, and of the pages that browsers open, whose
/// errors are HTML.
pub(crate) fn routes(operations: &Arc<Operations>) -> Router<Arc<Site>> {
    let run = |no_response: NoResponse| {
        middleware::from_fn_with_state((Arc::clone(operations), no_response), run_to_completion)
    };
    let endpoints = Router::new()
        .route("/oauth2/token", post(token::handle))
        .route("/oauth2/userInfo", get(user_info::handle).post(user_info::handle))
        .route("/oauth2/revoke", post(revoke::handle))
        .method_not_allowed_fallback(error::wrong_method)
        .route_layer(run(error::no_response));
    let pages = Router::new()
        .route("/oauth2/authorize", get_only(get(authorize::handle)))
        .route("/oauth2/idpresponse", get_only(get(federation::handle)))
        .route("/logout", get_only(get(logout::handle)))
        .merge(hosted::routes())
        .method_not_allowed_fallback(hosted::wrong_method)
        .route_layer(run(hosted::no_response));
    Router::new()
        .merge(endpoints)
        .merge(pages)
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn(set_headers))
}

/// Rejects `HEAD`, for which axum would call the handler of `GET`. These paths sign users in and out, and `HEAD` must be
/// safe (RFC 9110, section 9.2.1). Cognito supports only `GET` there, too.
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
