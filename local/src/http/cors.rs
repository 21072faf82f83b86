//! Cross-origin requests. As in Cognito, pages of any origin may call the endpoints that apps call from a browser.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Headers of the response to a preflight request.
const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, cache-control, pragma, x-amz-target, x-amz-user-agent, x-amz-date, \
         x-amz-security-token, x-amz-content-sha256, amz-sdk-invocation-id, amz-sdk-request",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];

/// Headers of all responses. Apps can read errors, too.
const HEADERS: [(HeaderName, &str); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate, x-amzn-errortype, x-amzn-requestid"),
];

/// Responds to preflight requests, and allows pages of any origin to read the responses.
///
/// This layer is only for routes that apps call. The hosted pages reveal who is signed in, and the pages under
/// `/_local/` show codes of users.
pub(crate) async fn allow_any_origin(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        let mut response = StatusCode::NO_CONTENT.into_response();
        set(&mut response, &PREFLIGHT);
        response
    } else {
        next.run(request).await
    };
    set(&mut response, &HEADERS);
    response
}

fn set(response: &mut Response, headers: &[(HeaderName, &'static str)]) {
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}
