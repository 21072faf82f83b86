use std::sync::LazyLock;

use bytes::Bytes;
use http::{Extensions, Request, Response};

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    policy::Policy,
    service::{
        audit::{AuditCounts, AuditedRequest},
        context::{LayerContext, RejectionResponder, missing_token},
        credential::{Credential, has_capacity},
        outgoing::ResponseChanges,
        require::authorize,
        value::{invalid_request, unreadable_reason},
    },
    verifier::{Verification, Verifier},
};

/// Configuration of a `CognitoLayer`, with the methods that authenticate and admit a request.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) verifier: Verifier,
    pub(super) credentials: Vec<Credential>,
    pub(super) allows_anonymous: bool,
    pub(super) policy: Option<Policy>,
    pub(super) responder: RejectionResponder,
    /// Whether the responder differs from the default, and must therefore be passed to `require` and the extractors.
    pub(super) has_custom_responder: bool,
    /// Whether the claims are put into the response's extensions.
    pub(super) exposes_claims: bool,
    /// Present if no request is rejected.
    pub(super) audit: Option<AuditCounts>,
}

/// Whether a request reaches the inner service.
pub(super) enum Admission {
    /// The request reaches the inner service, whose response is then changed.
    Passes(ResponseChanges),
    /// The request is rejected.
    Rejected(Response<Bytes>),
}

impl Config {
    /// Creates the default configuration.
    pub(super) fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            credentials: vec![Credential::authorization()],
            allows_anonymous: false,
            policy: None,
            responder: RejectionResponder::default(),
            has_custom_responder: false,
            exposes_claims: false,
            audit: None,
        }
    }

    /// Finds the token of a request and verifies it as far as that is possible without waiting. Returns `None` for
    /// an anonymous request. Before that, it marks the headers of all credentials as sensitive. On an error, some may not
    /// be marked, because a rejected request reaches no inner service; [`audit`](Self::audit) marks them.
    ///
    /// # Errors
    /// The request is rejected.
    pub(super) fn authenticate<B>(
        &self,
        request: &mut Request<B>,
    ) -> Result<Option<Verification>, AuthError> {
        if !has_capacity(request.headers_mut()) {
            return Err(invalid_request("the request has too many headers"));
        }
        let mut credentials = self.credentials.iter();
        while let Some(credential) = credentials.next() {
            if let Some(token) = credential.find(request)? {
                let verification = self
                    .verifier
                    .begin(token)
                    .map_err(|error| unreadable_reason(token).map_or(error, invalid_request))?;
                credentials.for_each(|other| other.mark_sensitive(request));
                return Ok(Some(verification));
            }
        }
        let has_other_scheme =
            self.credentials.iter().any(|it| it.has_other_scheme(request.headers()));
        if self.allows_anonymous && !has_other_scheme {
            return Ok(None);
        }
        let detail = if has_other_scheme {
            "the credential's header does not have the scheme Bearer"
        } else {
            "the request has no token"
        };
        Err(AuthError::new(AuthErrorKind::MissingCredential, detail))
    }

    /// Checks the layer's own policy, and puts what the inner service needs into the request's extensions:
    /// the claims, or none for an anonymous request.
    pub(super) fn admit<B>(
        &self,
        request: &mut Request<B>,
        authenticated: Result<Option<Verified>, AuthError>,
    ) -> Admission {
        let (verified, error) = match authenticated {
            Ok(verified) => {
                let error = self.authorize(verified.as_ref()).err();
                (verified, error)
            }
            Err(error) => (None, Some(error)),
        };
        let audited = match (&self.audit, error) {
            (None, None) => None,
            (None, Some(error)) => return Admission::Rejected(self.reject(error, verified)),
            (Some(counts), error) => Some(self.audit(request, counts, error)),
        };
        let changes = ResponseChanges {
            responder: self.has_custom_responder.then(|| self.responder.clone()),
            verified: if self.exposes_claims { verified.clone() } else { None },
        };
        // An outer CognitoLayer may have inserted its own context and claims: replace or remove them.
        let extensions = request.extensions_mut();
        reserve(extensions);
        if verified.is_none() || self.has_custom_responder || audited.is_some() {
            extensions.insert(LayerContext { responder: self.responder.clone(), audited });
        } else {
            extensions.remove::<LayerContext>();
        }
        match verified {
            Some(verified) => extensions.insert(verified),
            None => extensions.remove::<Verified>(),
        };
        Admission::Passes(changes)
    }

    /// Checks the layer's own policy.
    fn authorize(&self, verified: Option<&Verified>) -> Result<(), AuthError> {
        match &self.policy {
            Some(policy) => authorize(policy, verified.ok_or_else(missing_token)?),
            None => Ok(()),
        }
    }

    fn reject(&self, error: AuthError, verified: Option<Verified>) -> Response<Bytes> {
        let mut response = self.responder.respond(error);
        if let Some(verified) = verified.filter(|_| self.exposes_claims) {
            response.extensions_mut().insert(verified);
        }
        response
    }

    /// Records why a request would be rejected, and lets it pass.
    fn audit<B>(
        &self,
        request: &mut Request<B>,
        counts: &AuditCounts,
        error: Option<AuthError>,
    ) -> AuditedRequest {
        let mut audited = AuditedRequest::new(counts.clone());
        if let Some(error) = error {
            audited.record(&error);
            // Unlike a rejected request, it reaches the inner service, which must not log the credentials.
            for (name, value) in request.headers_mut() {
                if self.credentials.iter().any(|it| it.header_name() == Some(name)) {
                    value.set_sensitive(true);
                }
            }
        }
        audited
    }
}

/// Reserves capacity for seven extensions in a request without any.
///
/// A new map has capacity for three, and axum's router inserts three of its own (`OriginalUri`, `MatchedPath` and the
/// path's parameters). With the claims the map would have to grow in each request. `http` has no function that reserves
/// capacity, but a clone has the capacity of its source. This is not documented. If it changes, requests get slower,
/// and the test that counts allocations fails.
fn reserve(extensions: &mut Extensions) {
    if extensions.is_empty() {
        extensions.clone_from(&EMPTY_WITH_CAPACITY);
    }
}

/// A map that had four entries, and keeps their capacity.
static EMPTY_WITH_CAPACITY: LazyLock<Extensions> = LazyLock::new(|| {
    let mut extensions = Extensions::new();
    extensions.insert(0_u8);
    extensions.insert(0_u16);
    extensions.insert(0_u32);
    extensions.insert(0_u64);
    extensions.clear();
    extensions
});
