//! `/forgotPassword` and `/confirmForgotPassword`: sets a new password with a code.

use axum::response::Response;
use maud::html;

use crate::{
    domain::{messages::CodeDelivery, passwords},
    error::Error,
    http::oauth::{
        hosted::{
            fields::Field,
            form_input::{
                check_code, check_password, check_user_name, code, must_be_hidden, user_name,
            },
            page::{Page, PasswordForm},
            pages::{login_page, reset_page},
        },
        paths,
        request::AuthorizationRequest,
    },
    triggers::Metadata,
};

/// `GET /forgotPassword`.
pub(crate) async fn show(page: Page) -> Response {
    let hint = page.request().login_hint.clone().unwrap_or_default();
    forgot_page(page, &hint)
}

/// `GET /confirmForgotPassword`.
pub(crate) async fn show_reset(page: Page) -> Response {
    let hint = page.request().login_hint.clone().unwrap_or_default();
    reset_page(page, &hint)
}

/// `POST /forgotPassword`: sends a code.
pub(crate) async fn send_code(PasswordForm { page, fields }: PasswordForm) -> Response {
    let name = user_name(&fields);
    match request_code(page.request(), name).await {
        Ok(CodeDelivery { destination, .. }) if !page.request().client.settings.hides_users() => {
            reset_page(page.notice(format!("A code was sent to {destination}.")), name)
        }
        Err(error) if name.is_empty() || !must_be_hidden(&page.request().client, &error) => {
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

/// `POST /confirmForgotPassword`: sets the new password.
pub(crate) async fn reset(PasswordForm { page, fields }: PasswordForm) -> Response {
    let name = user_name(&fields);
    let (code, password) = (code(&fields), fields.raw("password"));
    match reset_password(page.request(), name, &code, password).await {
        Ok(()) => login_page(page.notice("Your password was changed. You can sign in now."), name),
        Err(error) => reset_page(page.error(&error), name),
    }
}

async fn request_code(request: &AuthorizationRequest, name: &str) -> Result<CodeDelivery, Error> {
    check_user_name(name)?;
    passwords::forgot(&request.pool, &request.client, name, Metadata::NONE).await
}

async fn reset_password(
    request: &AuthorizationRequest,
    name: &str,
    code: &str,
    password: &str,
) -> Result<(), Error> {
    check_user_name(name)?;
    check_code(code)?;
    check_password(password)?;
    let AuthorizationRequest { pool, client, .. } = request;
    passwords::reset(pool, client, name, code, password, Metadata::NONE).await
}

fn forgot_page(page: Page, name: &str) -> Response {
    let field = page.field(&Field::sign_in_name(&page.pool_settings(), name));
    let body = html! {
        p { "We will send a code to your verified email or phone. With it you can set a new password." }
        (page.form(paths::FORGOT_PASSWORD, &field, "Send code"))
        p class="links" { (page.link(paths::LOGIN, "Back to sign in")) }
    };
    page.respond("Reset password", &body)
}
