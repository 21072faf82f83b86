use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::{Extensions, Response};

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    service::{
        challenge,
        rejection::{self, ProblemJson, RejectionHandler},
    },
};

/// Creates the responses to rejected requests, for the layer, `require` and the extractors.
#[derive(Clone)]
pub(crate) struct RejectionResponder {
    pub(super) realm: Arc<str>,
    pub(super) handler: Arc<dyn RejectionHandler>,
}

/// What the layer passes to `require` and the extractors in the extensions of a request that is anonymous, or whose
/// rejection needs another responder than the default one. Other requests do not have it.
#[derive(Clone)]
pub(super) struct LayerContext(pub(super) RejectionResponder);

impl RejectionResponder {
    pub(crate) fn respond(&self, error: AuthError) -> Response<Bytes> {
        rejection::log(&error);
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = error.kind().status();
        challenge::write_headers(response.headers_mut(), &error, &self.realm);
        let mut response = self.handler.handle(&error, response);
        response.extensions_mut().insert(error);
        response
    }
}

impl Default for RejectionResponder {
    fn default() -> Self {
        Self { realm: Arc::from("cognito"), handler: Arc::new(ProblemJson) }
    }
}

impl fmt::Debug for RejectionResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectionResponder").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// Returns the claims that the layer inserted, or the reason why there are none.
pub(crate) fn verified_of(extensions: &Extensions) -> Result<&Verified, AuthError> {
    extensions.get().ok_or_else(|| match extensions.get::<LayerContext>() {
        Some(_) => missing_token(),
        None => AuthError::new(
            AuthErrorKind::MissingLayer,
            "authorization is not configured for this route; see the log of the service",
        ),
    })
}

/// Returns the error for an anonymous request to a route that requires a token.
pub(super) fn missing_token() -> AuthError {
    AuthError::new(AuthErrorKind::MissingCredential, "this route requires a token")
}

/// Returns the responder of the layer around this request.
pub(crate) fn responder_of(extensions: &Extensions) -> RejectionResponder {
    extensions
        .get::<LayerContext>()
        .map_or_else(RejectionResponder::default, |context| context.0.clone())
}
