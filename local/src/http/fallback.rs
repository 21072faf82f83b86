//! Responses for unknown paths and unsupported methods. API clients get an error of the API, browsers a page.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use maud::html;

use crate::{
    error::{Error, ErrorKind},
    http::oauth::message_page::content_page,
    pool::site::Site,
};

/// Responds to a path that no route serves.
pub(crate) async fn unknown_path(
    State(site): State<Arc<Site>>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let mut response = if is_browser(&headers) {
        page(&site)
    } else {
        let message = format!("No {method} operation exists at this path.");
        error(StatusCode::NOT_FOUND, message)
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// Responds to a method that a path does not support. The router adds `Allow`.
pub(crate) async fn unsupported_method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match uri.path() {
        // People open the address of the server in a browser.
        "/" if method == Method::GET && is_browser(&headers) => {
            let headers = [(header::LOCATION, "/_local/"), (header::VARY, "accept")];
            (StatusCode::SEE_OTHER, headers).into_response()
        }
        "/" => {
            error(StatusCode::METHOD_NOT_ALLOWED, "The API accepts only POST requests.".to_owned())
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, format!("This path does not support {method}.")),
    }
}

/// Returns whether a client explicitly accepts HTML. API clients accept JSON or any type.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let media_type = |range: &str| range.split(';').next().unwrap_or_default().trim().to_owned();
    accept
        .flat_map(|line| line.split(','))
        .any(|range| media_type(range).eq_ignore_ascii_case("text/html"))
}

fn page(site: &Site) -> Response {
    let documents: Vec<_> = site
        .pools()
        .iter()
        .map(|pool| format!("/{}/.well-known/openid-configuration", pool.id()))
        .collect();
    let content = html! {
        p { "This local user pool has no page at this address. These addresses are useful:" }
        ul {
            li { a href="/_local/" { "/_local/" } " shows users, sessions and messages" }
            @for address in &documents {
                li { a href=(address) { (address) } " lists all other addresses" }
            }
        }
    };
    content_page(StatusCode::NOT_FOUND, "Page not found", &content)
}

fn error(status: StatusCode, message: String) -> Response {
    let mut response = Error::new(ErrorKind::UnknownOperation, message).into_response();
    *response.status_mut() = status;
    response
}
