//! The request ID that every response has.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};

use crate::ids::random_uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Sets the header `x-amzn-requestid` of a response to a new ID.
pub(crate) async fn set_request_id(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::try_from(random_uuid()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
