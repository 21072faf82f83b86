//! Redirects to apps and to other pages.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::http::oauth::message_page::message_page;

/// The part of a redirect URI that carries the parameters of an authorization response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    Query,
    /// Browsers do not send a fragment to servers.
    Fragment,
}

/// Returns a URI with added parameters. The rest of the URI is unchanged.
pub(crate) fn with_parameters(
    uri: &str,
    mode: ResponseMode,
    parameters: &[(&str, &str)],
) -> String {
    let separator = match mode {
        ResponseMode::Fragment => '#',
        ResponseMode::Query if uri.contains('?') => '&',
        ResponseMode::Query => '?',
    };
    format!("{uri}{separator}{}", encoded(parameters))
}

/// Returns parameters in the encoding of queries and forms.
pub(crate) fn encoded(parameters: &[(&str, &str)]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(parameters);
    encoded.finish()
}

/// Returns a redirect that browsers follow with `GET`, also after a `POST`.
pub(crate) fn to(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        let message =
            "The address to redirect to has characters that are not allowed in an HTTP header.";
        return message_page(StatusCode::BAD_REQUEST, "Something went wrong", message);
    };
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_the_registered_uri() {
        let add =
            |uri, mode| with_parameters(uri, mode, &[("code", "a b"), ("state", "x&y=z\r\n#")]);
        let parameters = "code=a+b&state=x%26y%3Dz%0D%0A%23";
        assert_eq!(add("https://a/b", ResponseMode::Query), format!("https://a/b?{parameters}"));
        assert_eq!(
            add("https://a/b?c=d", ResponseMode::Query),
            format!("https://a/b?c=d&{parameters}")
        );
        assert_eq!(add("app://b?c=d", ResponseMode::Fragment), format!("app://b?c=d#{parameters}"));
    }
}
