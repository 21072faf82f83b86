//! `/forgot` and `/forgot/reset`: setting a new password with a code.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use maud::html;
use serde_json::json;

use crate::{
    http::oauth::hosted::{
        client_call::{call, code_destination, hides_users, must_be_hidden},
        fields::Field,
        page::{Page, PasswordForm},
        pages::{login_page, reset_page},
    },
    pool::site::Site,
};

/// `GET /forgot`.
pub(crate) async fn show(page: Page) -> Response {
    forgot_page(page, "")
}

/// `POST /forgot`: sends a code.
pub(crate) async fn send_code(
    State(site): State<Arc<Site>>,
    PasswordForm { page, fields }: PasswordForm,
) -> Response {
    let name = fields.raw("username").trim();
    match call(&site, page.request(), "ForgotPassword", name, json!({})).await {
        Ok(output) if !hides_users(page.request()) => {
            let destination = code_destination(&output).unwrap_or_default();
            reset_page(page.notice(format!("A code was sent to {destination}.")), name)
        }
        Err(error) if name.is_empty() || !must_be_hidden(page.request(), &error) => {
            forgot_page(page.error(&error), name)
        }
        // The same response whether or not the user exists.
        _ => {
            let notice = "If an account with this name has a verified email address or phone number, a code was \
                          sent to it.";
            reset_page(page.notice(notice), name)
        }
    }
}

/// `POST /forgot/reset`: sets the new password.
pub(crate) async fn reset(
    State(site): State<Arc<Site>>,
    PasswordForm { page, fields }: PasswordForm,
) -> Response {
    let name = fields.raw("username").trim();
    let members = json!({
        "ConfirmationCode": fields.raw("code").trim(),
        "Password": fields.raw("password"),
    });
    match call(&site, page.request(), "ConfirmForgotPassword", name, members).await {
        Ok(_) => login_page(page.notice("Your password was changed. You can sign in now."), name),
        Err(error) => reset_page(page.error(&error), name),
    }
}

fn forgot_page(page: Page, name: &str) -> Response {
    let field = page.field(&Field::sign_in_name(&page.pool_settings(), name));
    let body = html! {
        p { "We will send a code to your email address or phone. With it you can set a new password." }
        (page.form("/forgot", &field, "Send me a code"))
        p class="links" { (page.link("/login", "Back to sign in")) }
    };
    page.respond("Forgot your password?", &body)
}
