//! The pages on which people sign in. They work without scripts.
//!
//! Each page carries the app's request in its address and reads it strictly again: between two of them nothing is
//! kept but the steps of a sign-in.

mod error;
mod field;
mod forgot;
mod login;
mod page;
mod sign_up;
mod step;
mod step_page;
mod voice;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};

pub(crate) use self::{error::error_page, page::dead_end};
use crate::{
    http::oauth::{authorize::refused, guard, parameters::Parameters, redirect, request::Asking},
    pool::site::Site,
};

/// All pages.
pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/login", get(login::show).post(login::sign_in))
        .route("/login/continue", get(login::show).post(login::go_on))
        .route("/login/step", get(login::show).post(step::answer))
        .route("/signup", get(sign_up::show).post(sign_up::sign_up))
        .route("/confirm", get(sign_up::show_confirm).post(sign_up::confirm))
        .route("/confirm/resend", get(sign_up::show_confirm).post(sign_up::resend))
        .route("/forgot", get(forgot::show).post(forgot::send))
        .route("/forgot/reset", get(forgot::show).post(forgot::reset))
        .route("/error", get(error::show))
}

/// Answers a method that a page does not have. The router adds `Allow`.
pub(crate) async fn wrong_method() -> Response {
    let text = "This page does not support the HTTP method of the request.";
    dead_end(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", text)
}

/// Reads the request that a page belongs to.
fn read_page(site: &Site, query: &Parameters) -> Result<Asking, Box<Response>> {
    let asking = Asking::read(site, query).map_err(|refusal| Box::new(refused(&refusal)))?;
    if asking.request.prompt.forbids_pages() {
        // The authorization endpoint alone answers without a page.
        let location = format!("/oauth2/authorize?{}", asking.query());
        return Err(Box::new(redirect::go(&location)));
    }
    Ok(asking)
}

/// Reads the request that a form belongs to, if the form is ours.
fn read_form(
    site: &Site,
    headers: &HeaderMap,
    query: &Parameters,
    form: &Parameters,
) -> Result<Asking, Box<Response>> {
    let asking = read_page(site, query)?;
    if form.are_clear() && guard::is_ours(&asking.pool, headers, form) {
        return Ok(asking);
    }
    Err(Box::new(dead_end(
        StatusCode::FORBIDDEN,
        "This form cannot be used",
        "It was not sent from a page of this pool in this browser, or the page is too old. Go back, load the \
         page again, and allow cookies.",
    )))
}
