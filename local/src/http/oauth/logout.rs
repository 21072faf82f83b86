//! `GET /logout`: ends the session of a browser.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use crate::{
    domain::authorization::registered_logout_uri,
    http::oauth::{
        browser_session,
        message_page::{Comparison, PageError, error_page},
        parameters::{Parameters, Query},
        paths, redirect,
        request::AuthorizationRequest,
    },
    pool::{Pool, site::Site},
};

/// Ends the session, and redirects the browser to the logout URI or to the page `/login`.
pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    if query.has("logout_uri") {
        return match logout_uri(&site, &query) {
            Some((pool, uri)) => sign_out(&pool, &headers, &uri).await,
            None => logout_uri_error(&site, &query).into_response(),
        };
    }
    // Without a logout URI the user can sign in again, for the authorization request in the query.
    match AuthorizationRequest::parse(&site, &query) {
        Ok(request) => sign_out(&request.pool, &headers, &request.address_of(paths::LOGIN)).await,
        Err(error) => error.into_response(),
    }
}

fn logout_uri_error(site: &Site, query: &Parameters) -> PageError {
    let error = PageError::new("redirect_mismatch");
    let client = query.get("client_id").and_then(|id| site.client(id));
    let Some((_, client)) = client else { return error };
    error.comparison(Comparison {
        parameter: "logout_uri",
        requested: query.get("logout_uri").map(str::to_owned),
        setting: "LogoutURLs of the app client",
        registered: client.settings.logout_urls.clone(),
    })
}

fn logout_uri(site: &Site, query: &Parameters) -> Option<(Arc<Pool>, String)> {
    let (pool, client) = site.client(query.get("client_id")?)?;
    let uri = registered_logout_uri(&client.settings, query.get("logout_uri")?)?;
    Some((pool, uri.to_owned()))
}

async fn sign_out(pool: &Pool, headers: &HeaderMap, location: &str) -> Response {
    match browser_session::sign_out(pool, headers).await {
        Ok(cookie) => {
            let mut response = redirect::to(location);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(_) => error_page("server_error"),
    }
}
