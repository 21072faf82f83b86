use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::error::{AuthError, AuthErrorKind};

/// Writes the response to a rejected request. Closures implement it:
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use tower_cognito::{AuthError, service::RejectionHandler};
///
/// let handler = |error: &AuthError, response: Response<Bytes>| {
///     response.map(|_| Bytes::from(format!("rejected: {}", error.code())))
/// };
/// fn accepts(handler: impl RejectionHandler) {}
/// accepts(handler);
/// ```
///
/// The given response has the status, the challenge and `Retry-After`, and an empty body. The returned response is sent
/// unchanged, with the [`AuthError`] in its extensions.
pub trait RejectionHandler: Send + Sync + 'static {
    /// Returns the response to send, made from the prepared one.
    fn handle(&self, error: &AuthError, response: Response<Bytes>) -> Response<Bytes>;
}

impl<F> RejectionHandler for F
where
    F: Fn(&AuthError, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
{
    fn handle(&self, error: &AuthError, response: Response<Bytes>) -> Response<Bytes> {
        self(error, response)
    }
}

/// Writes `application/problem+json` (RFC 9457) with the members `type`, `title`, `status`, `detail` and, as an
/// extension, the stable `code`. This is the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProblemJson;

/// Writes the body that API Gateway sends: `{"message":"Unauthorized"}`, or `Forbidden` with 403.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApiGatewayBody;

/// Writes a gRPC response: status 200 with `grpc-status` and `grpc-message` and without a body, which gRPC calls a
/// trailers-only response. For a server that serves gRPC only.
#[derive(Debug, Clone, Copy, Default)]
pub struct GrpcStatus;

impl RejectionHandler for ProblemJson {
    fn handle(&self, error: &AuthError, response: Response<Bytes>) -> Response<Bytes> {
        let status = response.status();
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason(),
            status: status.as_u16(),
            detail: error.detail(),
            code: error.code(),
        };
        with_body(response, "application/problem+json", &problem)
    }
}

impl RejectionHandler for ApiGatewayBody {
    fn handle(&self, _error: &AuthError, response: Response<Bytes>) -> Response<Bytes> {
        let message = ApiGatewayMessage { message: response.status().canonical_reason() };
        with_body(response, "application/json", &message)
    }
}

impl RejectionHandler for GrpcStatus {
    fn handle(&self, error: &AuthError, mut response: Response<Bytes>) -> Response<Bytes> {
        let code = match error.kind().status() {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => GRPC_UNAUTHENTICATED,
            StatusCode::FORBIDDEN => GRPC_PERMISSION_DENIED,
            StatusCode::NOT_FOUND => GRPC_NOT_FOUND,
            StatusCode::SERVICE_UNAVAILABLE => GRPC_UNAVAILABLE,
            _ => GRPC_INTERNAL,
        };
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from(code));
        // gRPC percent-encodes messages, but codes contain no character that needs encoding.
        headers.insert("grpc-message", HeaderValue::from_static(error.code()));
        response
    }
}

const GRPC_NOT_FOUND: u16 = 5;
const GRPC_PERMISSION_DENIED: u16 = 7;
const GRPC_INTERNAL: u16 = 13;
const GRPC_UNAVAILABLE: u16 = 14;
const GRPC_UNAUTHENTICATED: u16 = 16;

#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: Option<&'static str>,
    status: u16,
    detail: &'static str,
    code: &'static str,
}

#[derive(Serialize)]
struct ApiGatewayMessage {
    message: Option<&'static str>,
}

fn with_body(
    mut response: Response<Bytes>,
    kind: &'static str,
    body: &impl Serialize,
) -> Response<Bytes> {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // Serializing a struct of strings and numbers cannot fail.
    let body = serde_json::to_vec(body).unwrap_or_default();
    response.map(|_| Bytes::from(body))
}

/// Logs a rejection: at `debug` if the client caused it, so that clients cannot fill the log, and at `error` if the
/// developer has to change the service. Only the log contains the fix, not the response.
pub(super) fn log(error: &AuthError) {
    match error.kind() {
        AuthErrorKind::MissingLayer => {
            tracing::error!(
                code = error.code(),
                "no CognitoLayer ran before `require` or an extractor, so every request to this route is \
                 rejected with 500. CognitoLayer must be further out than both. On an axum Router the layer \
                 that is added last runs first: call `.layer(CognitoLayer::new(verifier))` after the route \
                 and after `.layer(require(..))`. In a tower ServiceBuilder the layer that is added first \
                 runs first: call `.layer(CognitoLayer::new(verifier))` before `.layer(require(..))`"
            );
        }
        _ => tracing::debug!(code = error.code(), "request rejected: {error}"),
    }
}

/// Panic message of a response future that is polled after it has completed.
pub(super) const POLLED_AFTER_COMPLETION: &str =
    "a response future was polled after it had completed";
