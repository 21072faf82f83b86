use std::sync::LazyLock;

use http::{Extensions, Request};

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    policy::Policy,
    service::{
        context::{LayerContext, RejectionResponder, missing_token},
        credential::{Credential, has_capacity, invalid_request, unreadable_reason},
        require::authorize,
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
        }
    }

    /// Finds the token of a request and verifies it as far as that is possible without waiting. Returns `None` for
    /// an anonymous request. Before that, it marks the headers of all credentials as sensitive; those of a request that
    /// is rejected here reach no inner service.
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
        verified: Option<Verified>,
    ) -> Result<(), AuthError> {
        if let Some(policy) = &self.policy {
            authorize(policy, verified.as_ref().ok_or_else(missing_token)?)?;
        }
        // An outer CognitoLayer may have inserted its own context and claims: replace or remove them.
        let extensions = request.extensions_mut();
        reserve(extensions);
        if verified.is_none() || self.has_custom_responder {
            extensions.insert(LayerContext(self.responder.clone()));
        } else {
            extensions.remove::<LayerContext>();
        }
        match verified {
            Some(verified) => extensions.insert(verified),
            None => extensions.remove::<Verified>(),
        };
        Ok(())
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
