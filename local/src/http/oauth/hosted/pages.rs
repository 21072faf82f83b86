//! The pages that several handlers share.

use axum::response::Response;
use maud::{Markup, html};

use crate::{
    domain::{browser_sessions::SignedIn, federation::providers},
    http::oauth::{
        browser_session,
        hosted::{
            fields::{Field, hidden, password_hint},
            page::Page,
        },
        paths,
    },
    model::User,
};

/// Responds with the page `/login`: the providers of the app, and the form for a password.
pub(crate) fn login_page(page: Page, name: &str) -> Response {
    let request = page.request();
    let providers = providers::supported(&request.pool, &request.client.settings);
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
        (page.form(paths::LOGIN_CONTINUE, &html! {}, &format!("Continue as {name}")))
    }
}

fn password_form(page: &Page, name: &str) -> Markup {
    let settings = page.pool_settings();
    let fields = html! {
        (page.field(&Field::sign_in_name(&settings, name)))
        (page.field(&Field::password()))
    };
    html! {
        (page.form(paths::LOGIN, &fields, "Sign in"))
        p class="links" {
            (page.link(paths::FORGOT, "Forgot your password?"))
            @if !settings.admin_create_user_config.allow_admin_create_user_only {
                (page.link(paths::SIGN_UP, "Create an account"))
            }
        }
    }
}

/// Responds with the page that asks for a confirmation code, and for the user name if that is not known.
pub(crate) fn confirm_page(page: Page, name: &str) -> Response {
    let code = page.field(&Field::code());
    let body = html! {
        @if name.is_empty() {
            @let username = page.field(&Field::sign_in_name(&page.pool_settings(), ""));
            (page.form(paths::CONFIRM, &html! { (username) (code) }, "Confirm"))
        } @else {
            @let username = hidden("username", name);
            p { "Account: " strong { (name) } }
            (page.form(paths::CONFIRM, &html! { (username) (code) }, "Confirm"))
            (page.secondary_form(paths::CONFIRM_RESEND, &username, "Send a new code"))
        }
        p class="links" { (page.link(paths::LOGIN, "Back to sign in")) }
    };
    page.respond("Confirm your account", &body)
}

/// Responds with the page that asks for the code of a forgotten password, and for a new password.
pub(crate) fn reset_page(page: Page, name: &str) -> Response {
    let hint = password_hint(&page.pool_settings());
    let fields = html! {
        (hidden("username", name))
        (page.field(&Field::code()))
        (page.field(&Field::new_password("New password", &hint)))
    };
    let body = html! {
        p { "Account: " strong { (name) } }
        (page.form(paths::FORGOT_RESET, &fields, "Set the password"))
        p class="links" {
            (page.link(paths::FORGOT, "Send another code"))
            (page.link(paths::LOGIN, "Back to sign in"))
        }
    };
    page.respond("Set a new password", &body)
}
