//! Errors of the OAuth endpoints (RFC 6749, sections 4.1.2.1 and 5.2).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

use crate::http::oauth::json::json_response;

/// An error code, with a description for developers if the code alone is not clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) code: &'static str,
    pub(crate) description: Option<&'static str>,
}

impl OAuthError {
    /// Reports that the pool failed. The request is valid.
    pub(crate) const SERVER: Self = Self { code: "server_error", description: None };

    /// Returns an error with a description. The description must be ASCII without quotes and backslashes.
    pub(crate) const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description: Some(description) }
    }

    /// Returns the error as parameters of a redirect.
    pub(crate) fn parameters(self) -> Vec<(&'static str, &'static str)> {
        let description = self.description.map(|text| ("error_description", text));
        [("error", self.code)].into_iter().chain(description).collect()
    }

    /// Returns the error as JSON, with status 500 if the pool failed and 400 otherwise.
    pub(crate) fn response(self) -> Response {
        self.with_status(match self.code {
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        })
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Response {
        json_response(status, &self.json())
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

/// Responds to a method that an endpoint does not support. The router adds `Allow`.
pub(crate) async fn wrong_method() -> Response {
    OAuthError::new("invalid_request", "The endpoint does not support this method, see Allow")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}

/// Responds to a request whose handler ended without a response.
pub(crate) fn no_response() -> Response {
    OAuthError::SERVER.response()
}

/// Sets `Allow` to `GET`, without the `HEAD` that the router adds.
pub(crate) fn allow_only_get(mut response: Response) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
    response
}
