//! The pages that several handlers share.

use axum::response::Response;
use maud::{Markup, html};

use crate::{
    domain::{browser_sessions::SignedIn, federation::providers},
    http::oauth::{
        browser_session,
        hosted::{
            fields::{Field, hidden},
            page::{Page, messages_hint},
        },
        paths,
    },
    model::{
        User,
        settings::{Contact, OWN_PROVIDER, PoolSettings},
    },
};

/// Responds with the page `/login`: the providers of the app, and the form for a password.
pub(crate) fn login_page(page: Page, name: &str) -> Response {
    let request = page.request();
    let providers = providers::supported(&request.pool, &request.client.settings);
    let signed_in = browser_session::find(request, page.headers());
    // A page has one primary button.
    let form = if signed_in.is_some() { Page::secondary_form } else { Page::form };
    let body = html! {
        @if let Some(signed_in) = &signed_in {
            (continue_form(&page, signed_in))
            p class="or" { "or sign in as someone else" }
        }
        @for provider in &providers {
            (page.provider_link(&provider.provider_name))
        }
        @if request.allows_passwords() {
            @if !providers.is_empty() {
                p class="or" { "or with a password" }
            }
            (form(&page, paths::LOGIN, &password_fields(&page, name), "Sign in"))
            @if !page.pool_settings().admin_create_user_config.allow_admin_create_user_only {
                p class="links" { span { "New here? " (page.link(paths::SIGN_UP, "Create account")) } }
            }
        }
    };
    page.respond("Sign in", &body)
}

fn continue_form(page: &Page, SignedIn { user, session }: &SignedIn) -> Markup {
    let name = display_name(&page.pool_settings(), user);
    html! {
        p {
            "You are signed in as " strong { (name) }
            @if session.provider != OWN_PROVIDER { " with " (session.provider) }
            "."
        }
        (page.form(paths::LOGIN_CONTINUE, &html! {}, &format!("Continue as {name}")))
    }
}

/// Returns the name that the user recognizes. The user names of external users, and those in pools where users
/// sign in with contacts, are generated.
fn display_name<'a>(settings: &PoolSettings, user: &'a User) -> &'a str {
    let known: &[&str] = if user.is_external() {
        &["email", "name", "preferred_username", "phone_number"]
    } else if settings.signs_in_with_contacts() {
        &["email", "phone_number"]
    } else {
        &[]
    };
    known.iter().find_map(|name| user.attribute(name)).unwrap_or(&user.username)
}

fn password_fields(page: &Page, name: &str) -> Markup {
    let forgotten = page.link(paths::FORGOT_PASSWORD, "Forgot your password?");
    html! {
        (page.field(&Field::sign_in_name(&page.pool_settings(), name)))
        (page.field(&Field::password(forgotten)))
    }
}

/// Returns whether all new users confirm their accounts with a link.
pub(crate) fn is_confirmed_by_link(settings: &PoolSettings) -> bool {
    settings.auto_verified_attributes == [Contact::Email]
        && settings.verifies_by_link(Contact::Email)
}

/// Responds with the page that asks for a confirmation code, and for the user name if that is not known. In a pool with
/// links there is no code to enter.
pub(crate) fn confirm_page(page: Page, name: &str) -> Response {
    if is_confirmed_by_link(&page.pool_settings()) {
        return resend_page(page, name);
    }
    let code = page.field(&Field::code());
    let body = html! {
        @if name.is_empty() {
            @let username = page.field(&Field::sign_in_name(&page.pool_settings(), ""));
            (page.form(paths::CONFIRM, &html! { (username) (code) }, "Confirm"))
            (messages_hint())
        } @else {
            @let username = hidden("username", name);
            p { "Account: " strong { (name) } }
            (page.form(paths::CONFIRM, &html! { (username) (code) }, "Confirm"))
            (messages_hint())
            (page.secondary_form(paths::RESEND_CODE, &username, "Send a new code"))
        }
        p class="links" { (page.link(paths::LOGIN, "Back to sign in")) }
    };
    page.respond("Confirm your account", &body)
}

/// Responds with the page that sends another code or link.
pub(crate) fn resend_page(page: Page, name: &str) -> Response {
    let settings = page.pool_settings();
    let by_link = is_confirmed_by_link(&settings);
    let button = if by_link { "Send a new link" } else { "Send a new code" };
    let body = html! {
        @if by_link {
            p { "Open the link in the message that was sent to you. Then sign in." }
            (messages_hint())
        }
        @if name.is_empty() {
            @let username = page.field(&Field::sign_in_name(&settings, ""));
            (page.secondary_form(paths::RESEND_CODE, &username, button))
        } @else {
            p { "Account: " strong { (name) } }
            (page.secondary_form(paths::RESEND_CODE, &hidden("username", name), button))
        }
        p class="links" { (page.link(paths::LOGIN, "Back to sign in")) }
    };
    page.respond("Confirm your account", &body)
}

/// Responds with the page that asks for the code of a forgotten password, and for a new password.
pub(crate) fn reset_page(page: Page, name: &str) -> Response {
    let settings = page.pool_settings();
    let fields = html! {
        @if name.is_empty() {
            (page.field(&Field::sign_in_name(&settings, "")))
        } @else {
            (hidden("username", name))
        }
        (page.field(&Field::code()))
        (messages_hint())
        (page.field(&Field::new_password("New password", &settings)))
    };
    let body = html! {
        @if !name.is_empty() {
            p { "Account: " strong { (name) } }
        }
        (page.form(paths::CONFIRM_FORGOT_PASSWORD, &fields, "Reset password"))
        p class="links" {
            (page.link(paths::FORGOT_PASSWORD, "Send another code"))
            (page.link(paths::LOGIN, "Back to sign in"))
        }
    };
    page.respond("Reset password", &body)
}
