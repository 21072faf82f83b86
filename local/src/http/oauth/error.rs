//! Errors of the OAuth endpoints, in one shape (RFC 6749, sections 4.1.2.1 and 5.2).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use crate::http::oauth::token::document;

/// An error code, and an explanation for developers where the code does not say enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) code: &'static str,
    pub(crate) description: Option<&'static str>,
}

impl OAuthError {
    /// The pool failed, not the request.
    pub(crate) const SERVER: Self = Self { code: "server_error", description: None };

    /// The description is ASCII without quotes and backslashes, as the RFC demands.
    pub(crate) const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description: Some(description) }
    }

    /// Returns the error as parameters of a redirect.
    pub(crate) fn parameters(self) -> Vec<(&'static str, &'static str)> {
        let description = self.description.map(|text| ("error_description", text));
        [("error", self.code)].into_iter().chain(description).collect()
    }

    /// Returns the error as JSON, with status 500 if the pool failed and else 400.
    pub(crate) fn response(self) -> Response {
        self.with_status(match self.code {
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        })
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        document(status, &self.json())
    }

    fn json(self) -> Value {
        match self.description {
            Some(description) => json!({ "error": self.code, "error_description": description }),
            None => json!({ "error": self.code }),
        }
    }
}

impl From<&'static str> for OAuthError {
    fn from(code: &'static str) -> Self {
        Self { code, description: None }
    }
}

/// Answers a method that an endpoint does not have. The router adds `Allow`.
pub(crate) async fn wrong_method() -> Response {
    OAuthError::new("invalid_request", "The endpoint does not support this method, see Allow")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// Marks a refused method's answer: `GET` alone is allowed, without the `HEAD` that comes with it elsewhere.
pub(crate) fn only_get(mut response: Response) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}
