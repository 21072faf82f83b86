//! What the layer does to the response of the inner service.

use bytes::Bytes;
use http::{Response, header};

use crate::{
    claims::Verified,
    error::AuthError,
    service::{body::ResponseBody, context::RejectionResponder},
    verifier::Refusal,
};

/// Marks a response that a handler made from an error. The handler does not know the layer's format, so it used the
/// default one.
#[derive(Clone)]
struct InDefaultFormat(AuthError);

/// Returns the response with which your own code rejects a request, in the default format, and logs the rejection. A
/// [`CognitoLayer`](crate::CognitoLayer) around the code then writes the response in its own format.
impl<B: From<Bytes>> From<AuthError> for Response<B> {
    fn from(error: AuthError) -> Self {
        let mut response = RejectionResponder::default().respond(error.clone());
        response.extensions_mut().insert(InDefaultFormat(error));
        response.map(B::from)
    }
}

/// Returns the response with which your own code rejects a request, in the default format, and logs the rejection. A
/// [`CognitoLayer`](crate::CognitoLayer) around the code then writes the response in its own format.
impl<B: From<Bytes>> From<Refusal> for Response<B> {
    fn from(refusal: Refusal) -> Self {
        AuthError::from(refusal).into()
    }
}

/// The changes to the response of one request.
#[derive(Default)]
pub(super) struct ResponseChanges {
    /// Writes the rejections of handlers again, if its format is not the default one.
    pub(super) responder: Option<RejectionResponder>,
    /// The claims that outer layers read from the response.
    pub(super) verified: Option<Verified>,
}

impl ResponseChanges {
    pub(super) fn apply<B>(self, mut response: Response<B>) -> Response<ResponseBody<B>> {
        let rejection = response.extensions_mut().remove::<InDefaultFormat>();
        let mut response = match (rejection, self.responder) {
            // With another status, it is no longer the response that the handler made.
            (Some(InDefaultFormat(error)), Some(responder))
                if response.status() == error.kind().status() =>
            {
                rewrite(response, responder.write(error))
            }
            _ => ResponseBody::inner(response),
        };
        if let Some(verified) = self.verified {
            response.extensions_mut().insert(verified);
        }
        response
    }
}

/// The headers that describe the body or the rejection. Other headers, such as cookies, are kept.
const REWRITTEN: [header::HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::TRANSFER_ENCODING,
    header::WWW_AUTHENTICATE,
    header::RETRY_AFTER,
];

/// Writes a rejection again in the layer's format.
fn rewrite<B>(response: Response<B>, rewritten: Response<Bytes>) -> Response<ResponseBody<B>> {
    let (old, _) = response.into_parts();
    let (mut parts, body) = rewritten.into_parts();
    let mut headers = old.headers;
    for name in REWRITTEN {
        headers.remove(name);
    }
    for name in parts.headers.keys() {
        headers.remove(name);
    }
    for (name, value) in &parts.headers {
        headers.append(name, value.clone());
    }
    parts.headers = headers;
    let mut extensions = old.extensions;
    extensions.extend(parts.extensions);
    parts.extensions = extensions;
    ResponseBody::rejection(Response::from_parts(parts, body))
}
