//! Parameters of queries and forms, parsed strictly.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
    response::Response,
};

use crate::http::oauth::error::OAuthError;

/// The parameters of a request. A parameter that occurs more than once has no value.
#[derive(Clone, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
    is_invalid: bool,
}

/// Extracts the parameters of the query.
pub(crate) struct Query(pub(crate) Parameters);

/// Extracts the parameters of a form that an app sends to an endpoint. A rejection is JSON.
pub(crate) struct Form(pub(crate) Parameters);

/// Error returned when the body of a request cannot be read as a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormError {
    WrongType,
    TooLarge,
    Incomplete,
}

impl Parameters {
    /// Returns a single parameter.
    pub(crate) fn of(name: &str, value: &str) -> Self {
        let values = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self { values, ..Self::default() }
    }

    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(text) {
            // The parser replaces bytes that are not UTF-8 with this character.
            parameters.is_invalid |= [&name, &value].iter().any(|text| text.contains('\u{fffd}'));
            let name = name.into_owned();
            if parameters.values.contains_key(&name) || parameters.repeated.contains(&name) {
                // It is unclear which of two values is meant, so neither is used.
                parameters.values.remove(&name);
                parameters.repeated.insert(name);
            } else {
                parameters.values.insert(name, value.into_owned());
            }
        }
        parameters
    }

    /// Returns the value of a parameter. An empty one counts as absent (RFC 6749, section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns whether a parameter occurs, even if it is empty or repeated.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.repeated.contains(name)
    }

    /// Returns whether a parameter occurs more than once.
    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.repeated.contains(name)
    }

    /// Returns the value of a parameter, or an empty text if there is none.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Returns whether all parameters are UTF-8 and none occurs more than once.
    pub(crate) fn is_unambiguous(&self) -> bool {
        self.repeated.is_empty() && !self.is_invalid
    }

    /// Returns the parameters whose names have a prefix, without it.
    pub(crate) fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        read_form(request, state).await.map(Self).map_err(|error| {
            OAuthError::new("invalid_request", error.message()).with_status(error.status())
        })
    }
}

impl FormError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongType | Self::Incomplete => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::WrongType => "Content-Type must be application/x-www-form-urlencoded",
            Self::TooLarge => "The body is longer than 64 KiB",
            Self::Incomplete => "The body did not arrive completely",
        }
    }
}

/// Reads the body of a request as a form.
pub(crate) async fn read_form<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Parameters, FormError> {
    let media_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|line| line.to_str().ok());
    let media_type = media_type.and_then(|line| line.split(';').next()).unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::WrongType);
    }
    match Bytes::from_request(request, state).await {
        Ok(body) => Ok(Parameters::parse(&body)),
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(FormError::TooLarge),
        Err(_) => Err(FormError::Incomplete),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameter_has_no_value() {
        let parameters = Parameters::parse(b"a=1&b=2&a=1&c=&d=%20x+y");
        assert_eq!(parameters.get("a"), None);
        assert_eq!(parameters.get("b"), Some("2"));
        assert_eq!(parameters.get("c"), None);
        assert_eq!(parameters.get("d"), Some(" x y"));
        assert!(!parameters.is_unambiguous());
        assert_eq!(Parameters::parse(b"a=1&a=2&a=3").get("a"), None);
    }

    #[test]
    fn parameter_that_is_not_utf_8_is_detected() {
        assert!(!Parameters::parse(b"a=%ff").is_unambiguous());
        assert!(Parameters::parse(b"a=%c3%a9").is_unambiguous());
    }
}
