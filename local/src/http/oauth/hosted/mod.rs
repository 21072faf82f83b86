//! The pages on which people sign in. They work without scripts; the only script marks the password rules that are met.
//!
//! The address of each page carries the app's authorization request, which is validated again on every page. Between
//! two pages the server keeps only the session of a challenge.

mod challenge;
mod confirm_user;
mod fields;
mod forgot_password;
mod form_input;
mod login;
mod page;
mod pages;
pub(crate) mod password_rules;
mod sign_up;

pub(crate) use self::confirm_user::handle as confirm_user;

use std::sync::Arc;

use axum::{Router, http::StatusCode, response::Response, routing::get};

use crate::{
    http::oauth::{message_page::message_page, paths},
    pool::site::Site,
};

/// Returns the routes of all pages. Each address that a form is sent to also responds to `GET`, for browsers that
/// reload it.
pub(crate) fn routes() -> Router<Arc<Site>> {
    let reset = get(forgot_password::show_reset).post(forgot_password::reset);
    Router::new()
        .route(paths::LOGIN, get(login::show).post(login::sign_in))
        .route(paths::LOGIN_CONTINUE, get(login::show).post(login::continue_signed_in))
        .route(paths::LOGIN_STEP, get(login::show).post(challenge::submit))
        .route(paths::SIGN_UP, get(sign_up::show).post(sign_up::sign_up))
        .route(paths::CONFIRM, get(sign_up::show_confirm).post(sign_up::confirm))
        .route(paths::RESEND_CODE, get(sign_up::show_resend).post(sign_up::resend))
        .route(paths::FORGOT_PASSWORD, get(forgot_password::show).post(forgot_password::send_code))
        .route(paths::CONFIRM_FORGOT_PASSWORD, reset.clone())
        .route(paths::CONFIRM_FORGOT_PASSWORD_IN_GUIDE, reset)
        .route(paths::ERROR, get(page::show_error))
}

/// Responds to a request whose handler ended without a response.
pub(crate) fn no_response() -> Response {
    let message =
        "The local pool could not complete the request: it was stopped, or a handler panicked.";
    message_page(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", message)
}

/// Responds to a method that a page does not support. The router adds `Allow`.
pub(crate) async fn wrong_method() -> Response {
    let message = "This page does not support the HTTP method of the request.";
    message_page(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", message)
}
