//! Pages that show a message, independently of an authorization request.

use std::sync::LazyLock;

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};

use crate::http::html::Layout;

/// The policy has no `form-action`. Browsers apply that directive to the redirects after a form, and an app may redirect to
/// any address.
static LAYOUT: LazyLock<Layout> =
    LazyLock::new(|| Layout::new(include_str!("hosted/style.css"), ""));

/// Returns a page with a message and no links.
pub(crate) fn message_page(status: StatusCode, title: &str, message: &str) -> Response {
    content_page(status, title, &html! { p { (message) } })
}

/// Returns a page that reports an error, for a request that belongs to no app.
pub(crate) fn content_page(status: StatusCode, title: &str, content: &Markup) -> Response {
    document(status, &format!("Error: {title}"), title, content)
}

/// Returns the page for an error that cannot be sent to an app, because the app is unknown or its address is not
/// registered.
pub(crate) fn error_page(code: &str) -> Response {
    let message = match code {
        "invalid_request" => "client_id is missing.",
        "invalid_client" => "No app client has this client_id.",
        "unauthorized_client" => {
            "unauthorized_client: users cannot sign in to this app client here. Set its AllowedOAuthFlows, its \
             CallbackURLs and its SupportedIdentityProviders."
        }
        "redirect_mismatch" => {
            "redirect_mismatch: the address to return to is not registered for the app client. It must be an exact \
             match of one of its CallbackURLs, or of its LogoutURLs to sign out."
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
    message_page(status, "Something went wrong", message)
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
        footer { "A local user pool for development and tests" }
    };
    LAYOUT.page(status, title, &body)
}
