//! `/login`: signing in with a password, or continuing as the signed-in user.

use axum::response::Response;

use crate::{
    domain::{browser_sessions::SignedIn, sign_in::check_password},
    error::ErrorKind,
    http::oauth::{
        authorization_response::authorization_response,
        browser_session,
        hosted::{
            challenge,
            page::{Page, PasswordForm, SubmittedForm},
            pages::{confirm_page, is_confirmed_by_link, login_page, reset_page},
        },
        redirect,
    },
    triggers::Metadata,
};

/// `GET /login`.
pub(crate) async fn show(page: Page) -> Response {
    let hint = page.request().login_hint.clone().unwrap_or_default();
    login_page(page, &hint)
}

/// `POST /login`.
pub(crate) async fn sign_in(PasswordForm { page, fields }: PasswordForm) -> Response {
    let (name, password) = (fields.raw("username").trim(), fields.raw("password"));
    if name.is_empty() {
        return login_page(page.problem_at("username", "Enter your user name."), name);
    }
    if password.is_empty() {
        return login_page(page.problem_at("password", "Enter your password."), name);
    }
    sign_in_with_password(page, name, password).await
}

/// `POST /login/continue`: continues as the user of the browser session.
pub(crate) async fn continue_signed_in(SubmittedForm { page, .. }: SubmittedForm) -> Response {
    let Some(SignedIn { user, session }) = browser_session::find(page.request(), page.headers())
    else {
        return login_page(page.problem("Sign in again to continue."), "");
    };
    match authorization_response(page.request(), &user, &session).await {
        Ok(address) => redirect::to(&address),
        Err(error) => login_page(page.error(&error), ""),
    }
}

/// Checks a password, then responds with the next challenge or with the redirect to the app.
pub(crate) async fn sign_in_with_password(page: Page, name: &str, password: &str) -> Response {
    let request = page.request();
    match check_password(&request.pool, &request.client, name, password, Metadata::NONE).await {
        Ok(user) => challenge::start(page, &user).await,
        Err(error) if error.kind == ErrorKind::UserNotConfirmed => {
            let asked = if is_confirmed_by_link(&page.pool_settings()) {
                "Open the link"
            } else {
                "Enter the code"
            };
            let notice =
                format!("Your account is not confirmed yet. {asked} that was sent to you.");
            confirm_page(page.notice(notice), name)
        }
        Err(error) if error.kind == ErrorKind::PasswordResetRequired => {
            let notice =
                "Your password was reset. Choose a new one, with the code that was sent to you.";
            reset_page(page.notice(notice), name)
        }
        Err(error) => login_page(page.error(&error), name),
    }
}
