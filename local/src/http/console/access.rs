//! Access to the console, for this machine and allowed hosts only.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
};
use maud::html;

use crate::{
    http::{
        fallback::is_browser,
        oauth::message_page::content_page,
        origin::{is_own_origin, requested_host},
    },
    pool::site::Site,
};

/// The reason why a request is rejected.
pub(crate) enum Rejection {
    /// The host is not accepted. `None` if the request has no well-formed host.
    Host(Option<String>),
    /// The request comes from a page of this origin.
    Origin(String),
}

/// Rejects requests for a host name that is not accepted, and requests from pages of another origin.
///
/// The console shows codes of users. A page on the internet could read them if it made its own host name resolve to
/// loopback (DNS rebinding).
pub(crate) fn check(site: &Site, uri: &Uri, headers: &HeaderMap) -> Result<(), Rejection> {
    let host = match headers.get(header::HOST) {
        Some(_) => requested_host(headers).and_then(|host| host.parse::<Authority>().ok()),
        None => uri.authority().cloned(),
    };
    let host = host.as_ref().map(Authority::host);
    if !host.is_some_and(|host| site.addresses.accepts(host)) {
        return Err(Rejection::Host(host.map(str::to_owned)));
    }
    if !is_own_origin(headers, &site.addresses) {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        return Err(Rejection::Origin(origin.unwrap_or_default().to_owned()));
    }
    Ok(())
}

impl Rejection {
    /// Returns a page for a browser, and plain text for any other client.
    pub(crate) fn response(&self, headers: &HeaderMap) -> Response {
        let mut response = if is_browser(headers) {
            let content = html! {
                p { (self.message()) }
                @if let Some(option) = self.option() {
                    p { "To allow it, start the pool with the option " code { (option) } "." }
                }
                p { "These pages show codes of users, so the pool does not show them to other sites." }
            };
            content_page(StatusCode::FORBIDDEN, "Access denied", &content)
        } else {
            let hint =
                self.option().map(|option| format!(" To allow it, start the pool with {option}."));
            let text = format!("{}{}\n", self.message(), hint.unwrap_or_default());
            (StatusCode::FORBIDDEN, text).into_response()
        };
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
        response
    }

    fn message(&self) -> String {
        match self {
            Self::Host(Some(host)) => format!(
                "The host name {host} is not allowed for these pages. Open them at localhost or 127.0.0.1."
            ),
            Self::Host(None) => "The request has no valid host name.".to_owned(),
            Self::Origin(origin) => format!("Pages of {origin} cannot read these pages."),
        }
    }

    /// Returns the option that allows such requests.
    fn option(&self) -> Option<String> {
        let host = match self {
            Self::Host(host) => host.clone(),
            Self::Origin(origin) => {
                origin.parse::<Uri>().ok().and_then(|origin| Some(origin.host()?.to_owned()))
            }
        };
        host.map(|host| format!("--allow-host {host}"))
    }
}
