//! `/login`: signing in with a password, or continuing as the signed-in user.

use axum::response::Response;
use maud::{Markup, html};

use crate::{
    domain::sign_in::check_password,
    http::oauth::{
        browser_session::{self, SignedIn},
        federation,
        grants::authorization_response,
        hosted::{
            challenge,
            fields::Field,
            forgot_password,
            page::{Page, PasswordForm, SubmittedForm},
            sign_up,
        },
        redirect,
    },
    model::User,
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
    if name.is_empty() || password.is_empty() {
        return login_page(page.problem("Enter your user name and your password."), name);
    }
    sign_in_with_password(page, name, password).await
}

/// `POST /login/continue`: continues as the user who is signed in at this browser.
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
        Err(error) if error.name == "UserNotConfirmedException" => {
            let notice = "Your account is not confirmed yet. Enter the code that was sent to you.";
            sign_up::confirm_page(page.notice(notice), name)
        }
        Err(error) if error.name == "PasswordResetRequiredException" => {
            let notice =
                "Your password was reset. Choose a new one, with the code that was sent to you.";
            forgot_password::reset_page(page.notice(notice), name)
        }
        Err(error) => login_page(page.error(&error), name),
    }
}

pub(crate) fn login_page(page: Page, name: &str) -> Response {
    let request = page.request();
    let providers = federation::providers(request);
    let body = html! {
        @if let Some(SignedIn { user, .. }) = browser_session::find(request, page.headers()) {
            (continue_form(&page, &user))
            p class="or" { "or sign in as someone else" }
        }
        @for provider in &providers {
            (page.provider_link(&provider.provider_name))
        }
        @if request.allows_passwords() {
            @if !providers.is_empty() {
                p class="or" { "or with a password" }
            }
            (password_form(&page, name))
        }
    };
    page.respond("Sign in", &body)
}

fn continue_form(page: &Page, user: &User) -> Markup {
    let email = user.attribute("email").filter(|_| page.pool_settings().signs_in_with_contacts());
    let name = email.unwrap_or(&user.username);
    html! {
        p { "You are signed in as " strong { (name) } "." }
        (page.form("/login/continue", &html! {}, &format!("Continue as {name}")))
    }
}

fn password_form(page: &Page, name: &str) -> Markup {
    let settings = page.pool_settings();
    let fields = html! {
        (page.field(&Field::sign_in_name(&settings, name)))
        (page.field(&Field::password()))
    };
    html! {
        (page.form("/login", &fields, "Sign in"))
        p class="links" {
            (page.link("/forgot", "Forgot your password?"))
            @if !settings.admin_create_user_config.allow_admin_create_user_only {
                (page.link("/signup", "Create an account"))
            }
        }
    }
}
