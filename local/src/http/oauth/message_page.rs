//! Pages that show a message, independently of an authorization request.

use std::sync::LazyLock;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::http::{
    html::Layout,
    oauth::{hosted::password_rules, paths},
};

/// The policy has no `form-action`. Browsers apply that directive to the redirects after a form, and an app may redirect to
/// any address.
static LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    Layout::new(include_str!("hosted/style.css"), Some(password_rules::SCRIPT), "")
});

/// An error that cannot be sent to an app, because the app is unknown or its address is not registered. As a response it
/// is a page.
#[derive(Debug, Default)]
pub(crate) struct PageError {
    code: &'static str,
    comparison: Option<Comparison>,
    /// The address of a sign-in page that works.
    sign_in_page: Option<String>,
}

/// A value in the request, and the values that are registered for it. Cognito does not show them,
/// but a developer needs them to find the mistake.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) parameter: &'static str,
    pub(crate) requested: Option<String>,
    /// The name of the setting with the registered values.
    pub(crate) setting: &'static str,
    pub(crate) registered: Vec<String>,
}

impl PageError {
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, ..Self::default() }
    }

    pub(crate) fn comparison(self, comparison: Comparison) -> Self {
        Self { comparison: Some(comparison), ..self }
    }

    pub(crate) fn sign_in_page(self, address: Option<String>) -> Self {
        Self { sign_in_page: address, ..self }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, message) = describe(self.code);
        let content = html! {
            p { (message) }
            @if let Some(Comparison { parameter, requested, setting, registered }) = &self.comparison {
                dl class="facts" {
                    dt { (parameter) " in the request" }
                    dd { @if let Some(value) = requested { code { (value) } } @else { "none" } }
                    dt { (setting) }
                    @for value in registered { dd { code { (value) } } }
                    @if registered.is_empty() { dd { "none" } }
                }
            }
            p class="links" {
                @if let Some(address) = &self.sign_in_page {
                    a href=(address) { "Sign in with a registered address" }
                }
                a href=(paths::CONSOLE) { "Users and app clients of all pools" }
            }
        };
        content_page(status, "Something went wrong", &content)
    }
}

/// Returns a page with a message.
pub(crate) fn message_page(status: StatusCode, title: &str, message: &str) -> Response {
    content_page(status, title, &html! { p { (message) } })
}

/// Returns a page that reports an error, for a request that belongs to no app.
pub(crate) fn content_page(status: StatusCode, title: &str, content: &Markup) -> Response {
    document(status, &format!("Error: {title}"), title, content)
}

/// Returns the page for an error without details.
pub(crate) fn error_page(code: &str) -> Response {
    let known = KNOWN.into_iter().find(|known| *known == code);
    PageError::new(known.unwrap_or_default()).into_response()
}

const KNOWN: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "unauthorized_client",
    "redirect_mismatch",
    "invalid_state",
    "server_error",
];

fn describe(code: &str) -> (StatusCode, &'static str) {
    let message = match code {
        "invalid_request" => "client_id is missing.",
        "invalid_client" => "No app client has this client_id.",
        "unauthorized_client" => {
            "unauthorized_client: users cannot sign in to this app client here. Set its AllowedOAuthFlows, its \
             CallbackURLs and its SupportedIdentityProviders."
        }
        "redirect_mismatch" => {
            "redirect_mismatch: the redirect URL is not registered for the app client. It must be an exact match of one \
             of its CallbackURLs, or of its LogoutURLs at sign-out."
        }
        "invalid_state" => {
            "This sign-in has expired or was completed, or it was started in another browser. Go back to the app \
             and sign in again."
        }
        "server_error" => "The local pool could not save its data.",
        _ => "An error was encountered with the requested page.",
    };
    let status = match code {
        "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    (status, message)
}

/// Returns a document with the style of all pages.
pub(crate) fn document(
    status: StatusCode,
    title: &str,
    heading: &str,
    content: &Markup,
) -> Response {
    let body = html! {
        main {
            h1 { (heading) }
            (content)
        }
        footer {
            "Local user pool for development. "
            a href=(paths::CONSOLE) { "Users and messages" }
        }
    };
    LAYOUT.page(status, title, &body)
}
