//! Parameters as queries and forms carry them, read strictly.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
    response::Response,
};

use crate::http::oauth::{error::OAuthError, hosted::dead_end};

/// Names and values, each name once.
#[derive(Clone, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
    is_broken: bool,
}

/// The parameters of a request's query.
pub(crate) struct Query(pub(crate) Parameters);

/// The parameters of a form that an app sends to an endpoint. Errors are JSON.
pub(crate) struct Form(pub(crate) Parameters);

/// The parameters of a form that a browser sends from a page. Errors are pages.
pub(crate) struct PageForm(pub(crate) Parameters);

/// Why the body of a request is not read as a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoForm {
    WrongType,
    TooLarge,
    Broken,
}

impl Parameters {
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(text) {
            // What is not UTF-8 was replaced by this sign.
            parameters.is_broken |= [&name, &value].iter().any(|text| text.contains('\u{fffd}'));
            let name = name.into_owned();
            if parameters.values.contains_key(&name) || parameters.repeated.contains(&name) {
                // Which of two values is meant nobody can tell, so that neither is taken.
                parameters.values.remove(&name);
                parameters.repeated.insert(name);
            } else {
                parameters.values.insert(name, value.into_owned());
            }
        }
        parameters
    }

    /// A parameter that says something: an empty one counts as absent (RFC 6749, section 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there, be it without a value or twice.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name) || self.repeated.contains(name)
    }

    /// Whether a parameter occurs more than once.
    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.repeated.contains(name)
    }

    /// As it was typed, however little that is.
    pub(crate) fn typed(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Whether all of it can be read, and no parameter is there twice.
    pub(crate) fn are_clear(&self) -> bool {
        self.repeated.is_empty() && !self.is_broken
    }

    /// The parameters whose names begin so, without the beginning.
    pub(crate) fn behind(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
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
        let refused =
            |why: NoForm| OAuthError::new("invalid_request", why.text()).with_status(why.status());
        read_form(request, state).await.map(Self).map_err(refused)
    }
}

impl<S: Send + Sync> FromRequest<S> for PageForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let refused = |why: NoForm| dead_end(why.status(), "This form cannot be read", why.text());
        read_form(request, state).await.map(Self).map_err(refused)
    }
}

impl NoForm {
    fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongType | Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::WrongType => "Content-Type must be application/x-www-form-urlencoded",
            Self::TooLarge => "The body is longer than 64 KiB",
            Self::Broken => "The body did not arrive completely",
        }
    }
}

async fn read_form<S: Send + Sync>(request: Request, state: &S) -> Result<Parameters, NoForm> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(NoForm::WrongType);
    }
    match Bytes::from_request(request, state).await {
        Ok(body) => Ok(Parameters::parse(&body)),
        Err(why) if why.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(NoForm::TooLarge),
        Err(_) => Err(NoForm::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_is_there_twice_is_not_taken() {
        let parameters = Parameters::parse(b"a=1&b=2&a=1&c=&d=%20x+y");
        assert_eq!(parameters.get("a"), None);
        assert_eq!(parameters.get("b"), Some("2"));
        assert_eq!(parameters.get("c"), None);
        assert_eq!(parameters.get("d"), Some(" x y"));
        assert!(!parameters.are_clear());
        assert_eq!(Parameters::parse(b"a=1&a=2&a=3").get("a"), None);
    }

    #[test]
    fn what_is_not_utf_8_is_not_clear() {
        assert!(!Parameters::parse(b"a=%ff").are_clear());
        assert!(Parameters::parse(b"a=%c3%a9").are_clear());
    }
}
