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

/// Makes the response to a refusal, in one way for the layer, `require` and the extractors.
#[derive(Clone)]
pub(crate) struct Responder {
    pub(super) realm: Arc<str>,
    pub(super) handler: Arc<dyn RejectionHandler>,
}

/// Left in the request's extensions by the layer where `require` and the extractors could not know
/// otherwise: that a guest was let in, or that refusals look different from the default.
#[derive(Clone)]
pub(super) struct LayerContext(pub(super) Responder);

impl Responder {
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

impl Default for Responder {
    fn default() -> Self {
        Self { realm: Arc::from("cognito"), handler: Arc::new(ProblemJson) }
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// The proof that the layer left, or why there is none.
pub(crate) fn verified_of(extensions: &Extensions) -> Result<&Verified, AuthError> {
    extensions.get().ok_or_else(|| match extensions.get::<LayerContext>() {
        Some(_) => no_guests(),
        None => AuthError::new(
            AuthErrorKind::MissingLayer,
            "the service is not set up to authorize this request; its log has the reason",
        ),
    })
}

/// Why a guest is refused.
pub(super) fn no_guests() -> AuthError {
    AuthError::new(AuthErrorKind::MissingCredential, "this route needs a token")
}

/// How the layer around this request wants refusals to look.
pub(crate) fn responder_of(extensions: &Extensions) -> Responder {
    extensions.get::<LayerContext>().map_or_else(Responder::default, |context| context.0.clone())
}
