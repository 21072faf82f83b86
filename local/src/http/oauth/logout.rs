//! `GET /logout`: the browser forgets who was signed in.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};

use crate::{
    http::oauth::{
        authorize::refused,
        browser,
        hosted::error_page,
        parameters::{Parameters, Query},
        redirect,
        request::Asking,
    },
    pool::{Shared, site::Site},
};

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    if !query.has("logout_uri") {
        // Signed out here, and on to sign in as somebody else.
        return match Asking::read(&site, &query) {
            Ok(asking) => {
                leave(&asking.pool, &headers, &format!("/login?{}", asking.query())).await
            }
            Err(refusal) => refused(&refusal),
        };
    }
    match registered(&site, &query) {
        Some((pool, uri)) => leave(&pool, &headers, &uri).await,
        None => error_page("redirect_mismatch"),
    }
}

/// The address to go to, letter by letter one of those that the client has for this.
fn registered(site: &Site, query: &Parameters) -> Option<(Arc<Shared>, String)> {
    let (pool, client) = site.client(query.get("client_id")?)?;
    let asked = query.get("logout_uri")?;
    let known = client.settings.logout_urls.iter().find(|uri| *uri == asked)?;
    Some((pool, known.clone()))
}

async fn leave(pool: &Shared, headers: &HeaderMap, location: &str) -> Response {
    match browser::sign_out(pool, headers).await {
        Ok(cookie) => {
            let mut response = redirect::go(location);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(_) => error_page("server_error"),
    }
}
