use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The longest message that stands in a header too.
const MAX_HEADER: usize = 1024;

/// An error as the API writes it: Cognito's name and Cognito's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) name: &'static str,
    pub(crate) message: String,
    /// The members of the input that the service model does not allow, for errors that report them.
    pub(crate) faulty: Vec<String>,
}

impl ApiError {
    pub(crate) fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into(), faulty: Vec::new() }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(crate) fn not_authorized(message: impl Into<String>) -> Self {
        Self::new("NotAuthorizedException", message)
    }

    pub(crate) fn wrong_password() -> Self {
        Self::not_authorized("Incorrect username or password.")
    }

    pub(crate) fn user_not_found() -> Self {
        Self::new("UserNotFoundException", "User does not exist.")
    }

    pub(crate) fn user_disabled() -> Self {
        Self::not_authorized("User is disabled.")
    }

    /// Too many tries, of codes or of passwords.
    pub(crate) fn attempt_limit() -> Self {
        Self::new("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    }

    /// What was decided before a trigger ran does not hold any more. Clients try again.
    pub(crate) fn overtaken() -> Self {
        Self::new("TooManyRequestsException", "Another request changed the user meanwhile.")
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    pub(crate) fn no_pool(id: &str) -> Self {
        Self::not_found(format!("User pool {id} does not exist."))
    }

    pub(crate) fn no_client(id: &str) -> Self {
        Self::not_found(format!("User pool client {id} does not exist."))
    }

    pub(crate) fn no_group() -> Self {
        Self::not_found("Group not found.")
    }

    pub(crate) fn wrong_code() -> Self {
        Self::new("CodeMismatchException", "Invalid verification code provided, please try again.")
    }

    pub(crate) fn expired_code() -> Self {
        Self::new("ExpiredCodeException", "Invalid code provided, please request a code again.")
    }

    pub(crate) fn invalid_password(violation: &str) -> Self {
        Self::new(
            "InvalidPasswordException",
            format!("Password did not conform with policy: {violation}"),
        )
    }

    /// A required member is absent.
    pub(crate) fn missing(member: &str) -> Self {
        crate::api::validate::missing(member)
    }

    /// A value has another type than the model says. The error does not quote it, since it may be a password.
    pub(crate) fn wrong_type() -> Self {
        Self::new("SerializationException", "A member of the input is not of its type.")
    }

    pub(crate) fn internal(error: &std::io::Error) -> Self {
        Self::new(
            "InternalErrorException",
            format!("The local pool could not keep its data: {error}"),
        )
    }

    fn status(&self) -> StatusCode {
        match self.name {
            "InternalErrorException" => StatusCode::INTERNAL_SERVER_ERROR,
            "RequestEntityTooLargeException" => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        // The pool was deleted while the operation went on.
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self::not_found("User pool does not exist.");
        }
        Self::internal(&error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "__type": self.name, "message": self.message }).to_string();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(crate::api::CONTENT_TYPE));
        if let Ok(name) = HeaderValue::try_from(format!("{}:", self.name)) {
            headers.insert("x-amzn-errortype", name);
        }
        // Some clients refuse an answer for a long header, and with it the body that tells the same.
        let message = HeaderValue::try_from(&self.message).ok();
        if let Some(message) = message.filter(|message| message.len() <= MAX_HEADER) {
            headers.insert("x-amzn-errormessage", message);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;

    #[tokio::test]
    async fn errors_of_the_store_have_the_shape_of_the_others() {
        for (kind, status, name) in [
            (io::ErrorKind::StorageFull, 500, "InternalErrorException"),
            (io::ErrorKind::NotFound, 400, "ResourceNotFoundException"),
        ] {
            let response = ApiError::from(io::Error::from(kind)).into_response();
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
            assert_eq!(response.headers()["x-amzn-errortype"], format!("{name}:"));
            let body = to_bytes(response.into_body(), 1024).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["__type"], name);
            assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()));
        }
    }
}
