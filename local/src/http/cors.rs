//! Pages of any origin may call what apps call from a browser, as with Cognito. The API decides which of its
//! operations are open.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::pool::keys::random_uuid;

/// The header with the id of the request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

const PREFLIGHT: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, cache-control, pragma, x-amz-target, x-amz-user-agent, x-amz-date, \
         x-amz-security-token, x-amz-content-sha256, amz-sdk-invocation-id, amz-sdk-request",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "600"),
];

/// Answers what browsers ask before they send a request, and lets pages read the answers. Every response has an ID,
/// errors of paths that are not served included.
pub(crate) async fn open(request: Request, next: Next) -> Response {
    let is_open = is_called_by_apps(request.uri().path());
    let asks = is_open
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if asks {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let allowed = PREFLIGHT.map(|(name, value)| (name, HeaderValue::from_static(value)));
        response.headers_mut().extend(allowed);
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(random_uuid()) {
        headers.insert(REQUEST_ID, id);
    }
    if is_open {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("www-authenticate, x-amzn-errortype, x-amzn-requestid"),
        );
    }
    response
}

/// Hosted pages are not: they are for people, and know who is signed in. Nor is `/_local/`, which shows codes.
fn is_called_by_apps(path: &str) -> bool {
    matches!(path, "/" | "/oauth2/token" | "/oauth2/userInfo" | "/oauth2/revoke")
        || path.ends_with("/.well-known/jwks.json")
        || path.ends_with("/.well-known/openid-configuration")
}
