//! Ways back to apps, and on to other pages.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::http::oauth::hosted::dead_end;

/// Where in an address an app finds what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Query,
    /// What browsers keep from servers.
    Fragment,
}

/// An address with more parameters, which stays as it was registered otherwise.
pub(crate) fn address(uri: &str, part: Part, parameters: &[(&str, &str)]) -> String {
    let sign = match part {
        Part::Fragment => '#',
        Part::Query if uri.contains('?') => '&',
        Part::Query => '?',
    };
    format!("{uri}{sign}{}", encoded(parameters))
}

/// Parameters as a query writes them.
pub(crate) fn encoded(parameters: &[(&str, &str)]) -> String {
    let mut written = form_urlencoded::Serializer::new(String::new());
    written.extend_pairs(parameters);
    written.finish()
}

/// Sends a browser on, by GET whatever it asked by.
pub(crate) fn go(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        let text = "The address to go to has characters that no HTTP header can hold.";
        return dead_end(StatusCode::BAD_REQUEST, "Something went wrong", text);
    };
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_added_to_what_was_registered() {
        let add = |uri, part| address(uri, part, &[("code", "a b"), ("state", "x&y=z\r\n#")]);
        let written = "code=a+b&state=x%26y%3Dz%0D%0A%23";
        assert_eq!(add("https://a/b", Part::Query), format!("https://a/b?{written}"));
        assert_eq!(add("https://a/b?c=d", Part::Query), format!("https://a/b?c=d&{written}"));
        assert_eq!(add("app://b?c=d", Part::Fragment), format!("app://b?c=d#{written}"));
    }
}
