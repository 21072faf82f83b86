//! The OAuth 2.0 endpoints and the hosted pages.

mod authorize;
mod browser;
mod client_auth;
mod entry;
mod federation;
mod grants;
mod guard;
mod hosted;
mod logout;
mod parameters;
mod prompt;
mod redirect;
mod request;
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
    routing::{get, post},
};

use super::site::Site;

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

/// All paths of this room.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/oauth2/authorize", get(authorize::handle))
        .route("/oauth2/token", post(token::handle))
        .route("/oauth2/userInfo", get(user_info::handle).post(user_info::handle))
        .route("/oauth2/revoke", post(revoke::handle))
        .route("/oauth2/idpresponse", get(federation::handle))
        .route("/logout", get(logout::handle))
        .merge(hosted::routes())
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn(marked))
}

async fn marked(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
