//! The OAuth 2.0 endpoints and the hosted pages.

mod authorize;
mod browser;
mod client_auth;
mod entry;
mod error;
mod federation;
mod grants;
mod guard;
mod hosted;
mod logout;
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

use crate::pool::site::Site;

/// The longest form that is read, in octets.
const MAX_FORM: usize = 64 * 1024;

/// What browsers are told of each answer. Pages say themselves what may run in them: nothing.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Forms say where they come from, and no other site hears of the request.
    (header::REFERRER_POLICY, "same-origin"),
];

/// Returns the routes of the endpoints that apps call and of the pages that browsers open. Each of the two groups has
/// one form of errors: JSON and HTML.
pub(crate) fn routes() -> Router<Arc<Site>> {
    let endpoints = Router::new()
        .route("/oauth2/token", post(token::handle))
        .route("/oauth2/userInfo", get(user_info::handle).post(user_info::handle))
        .route("/oauth2/revoke", post(revoke::handle))
        .method_not_allowed_fallback(error::wrong_method);
    let pages = Router::new()
        .route("/oauth2/authorize", get_alone(get(authorize::handle)))
        .route("/oauth2/idpresponse", get_alone(get(federation::handle)))
        .route("/logout", get_alone(get(logout::handle)))
        .merge(hosted::routes())
        .method_not_allowed_fallback(hosted::wrong_method);
    Router::new()
        .merge(endpoints)
        .merge(pages)
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn(marked))
}

/// Refuses `HEAD`, which axum hands to the handler of `GET`: these paths sign in or out, and `HEAD` must be safe
/// (RFC 9110, section 9.2.1). Cognito supports `GET` alone there, too.
fn get_alone(route: MethodRouter<Arc<Site>>) -> MethodRouter<Arc<Site>> {
    let refuse = async || error::only_get(hosted::wrong_method().await);
    route.head(refuse).fallback(refuse)
}

async fn marked(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
