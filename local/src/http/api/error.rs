//! Errors as responses.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    error::{Error, ErrorKind},
    http::api::CONTENT_TYPE,
};

/// The maximum length of a message that is also sent in a header, in bytes.
const MAX_HEADER: usize = 1024;

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let body = json!({ "__type": self.kind.exception(), "message": self.message }).to_string();
        let mut response = (status(&self), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Ok(name) = HeaderValue::try_from(format!("{}:", self.kind.exception())) {
            headers.insert("x-amzn-errortype", name);
        }
        // Some clients reject a response with a long header. The body always has the message.
        let message = HeaderValue::try_from(&self.message).ok();
        if let Some(message) = message.filter(|message| message.len() <= MAX_HEADER) {
            headers.insert("x-amzn-errormessage", message);
        }
        response
    }
}

fn status(error: &Error) -> StatusCode {
    match error.kind {
        ErrorKind::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::to_bytes;
    use serde_json::Value;

    use super::*;
    use crate::store::StoreError;

    #[tokio::test]
    async fn store_errors_have_the_format_of_api_errors() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        for (error, status, name) in [
            (StoreError::from(full), 500, "InternalErrorException"),
            (StoreError::Deleted, 400, "ResourceNotFoundException"),
        ] {
            let response = Error::from(error).into_response();
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
