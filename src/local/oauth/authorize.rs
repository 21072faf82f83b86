//! `GET /oauth2/authorize`: where an app sends a browser first.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{
    super::site::Site,
    browser::{self, SignedIn},
    grants,
    hosted::error_page,
    parameters::Query,
    redirect,
    request::{Asking, Refusal},
};

pub(super) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let asking = match Asking::read(&site, &query) {
        Ok(asking) => asking,
        Err(refusal) => return refused(&refusal),
    };
    let prompt = query.get("prompt");
    let signed_in = browser::signed_in(&asking, &headers).filter(|_| prompt != Some("login"));
    let Some(SignedIn { user, session }) = signed_in else {
        return match prompt {
            Some("none") => redirect::go(&asking.address(&[("error", "login_required")])),
            _ => redirect::go(&format!("/login?{}", asking.query())),
        };
    };
    match grants::back_to_app(&asking, &user, session.auth_time).await {
        Ok(address) => redirect::go(&address),
        Err(_) => redirect::go(&asking.address(&[("error", "server_error")])),
    }
}

/// Tells the app, or the person if the app is not known.
pub(super) fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Here(error) => error_page(error),
        Refusal::Back(address) => redirect::go(address),
    }
}
