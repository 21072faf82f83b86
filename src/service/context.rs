use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use http::{Extensions, Response};

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    service::{
        audit::AuditedRequest,
        challenge,
        rejection::{self, ProblemJson, RejectionHandler},
    },
};

/// Creates the responses to rejected requests, for the layer, `require`, the extractors and handlers.
#[derive(Clone)]
pub(crate) struct RejectionResponder(Arc<ResponseFormat>);

#[derive(Clone)]
struct ResponseFormat {
    realm: Arc<str>,
    handler: Arc<dyn RejectionHandler>,
}

/// Settings of the layer that `require`, the extractors and handlers read from the request's extensions. Present only
/// if the request is anonymous or only audited, or if its rejection needs another responder than the default one.
#[derive(Clone)]
pub(super) struct LayerContext {
    pub(super) responder: RejectionResponder,
    /// Present if the layer rejects no request.
    pub(super) audited: Option<AuditedRequest>,
}

impl RejectionResponder {
    pub(super) fn set_realm(&mut self, realm: &str) {
        Arc::make_mut(&mut self.0).realm = Arc::from(realm);
    }

    pub(super) fn set_handler(&mut self, handler: impl RejectionHandler) {
        Arc::make_mut(&mut self.0).handler = Arc::new(handler);
    }

    /// Logs a rejection and returns the response to it.
    pub(crate) fn respond(&self, error: AuthError) -> Response<Bytes> {
        rejection::log(&error);
        self.write(error)
    }

    /// Returns the response to a rejection.
    pub(super) fn write(&self, error: AuthError) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = error.kind().status();
        challenge::write_headers(response.headers_mut(), &error, &self.0.realm);
        let mut response = self.0.handler.handle(&error, response);
        response.extensions_mut().insert(error);
        response
    }
}

impl Default for RejectionResponder {
    fn default() -> Self {
        static DEFAULT: LazyLock<RejectionResponder> = LazyLock::new(|| {
            let (realm, handler) = (Arc::from("cognito"), Arc::new(ProblemJson));
            RejectionResponder(Arc::new(ResponseFormat { realm, handler }))
        });
        DEFAULT.clone()
    }
}

impl fmt::Debug for RejectionResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectionResponder").field("realm", &self.0.realm).finish_non_exhaustive()
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
        .map_or_else(RejectionResponder::default, |context| context.responder.clone())
}

/// Rejects a request that does not meet a requirement of its route. Returns `None` if the layer only audits the
/// request, which then passes.
pub(super) fn reject(extensions: &mut Extensions, error: AuthError) -> Option<Response<Bytes>> {
    let audited = extensions.get_mut::<LayerContext>().and_then(|it| it.audited.as_mut());
    if let Some(audited) = audited {
        audited.record(&error);
        return None;
    }
    Some(responder_of(extensions).respond(error))
}
