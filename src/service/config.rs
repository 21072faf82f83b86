use http::Request;

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    policy::Policy,
    service::{
        context::{LayerContext, RejectionResponder, missing_token},
        credential::{Credential, CredentialLookup, has_room, unreadable_reason},
        extensions::reserve,
        require::authorize,
    },
    verifier::{Decision, Verifier, Waiting},
};

/// Configuration of a `CognitoLayer`, and how it decides about a request.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) verifier: Verifier,
    pub(super) credentials: Vec<Credential>,
    pub(super) allows_anonymous: bool,
    pub(super) policy: Option<Policy>,
    pub(super) responder: RejectionResponder,
    /// Whether the responder differs from the default, so that `require` and the extractors need it.
    pub(super) has_custom_responder: bool,
}

/// The result of authenticating a request.
pub(super) enum Authentication {
    Verified(Verified),
    /// The request has no credential, and the layer allows that.
    Anonymous,
    Rejected(AuthError),
    /// [`Verifier::wait`] has to complete the verification.
    Pending(Waiting),
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

    /// Authenticates a request by its head. Marks the headers of all credentials as sensitive unless the request
    /// is rejected before its token is verified.
    pub(super) fn authenticate<B>(&self, request: &mut Request<B>) -> Authentication {
        if !has_room(request.headers_mut()) {
            return rejected(AuthErrorKind::InvalidRequest, "the request has too many headers");
        }
        let mut has_other_scheme = false;
        let mut credentials = self.credentials.iter();
        while let Some(credential) = credentials.next() {
            match credential.find(request) {
                CredentialLookup::Absent => {}
                CredentialLookup::OtherScheme => has_other_scheme = true,
                CredentialLookup::Unreadable(reason) => {
                    return rejected(AuthErrorKind::InvalidRequest, reason);
                }
                CredentialLookup::CrossSite => {
                    return rejected(
                        AuthErrorKind::CrossSiteRequest,
                        "another site caused the request, so its cookie is not accepted",
                    );
                }
                CredentialLookup::Token(token) => {
                    let authentication = match self.verifier.decide(token) {
                        Decision::Made(Ok(verified)) => Authentication::Verified(verified),
                        Decision::Made(Err(error)) => match unreadable_reason(token) {
                            Some(reason) => rejected(AuthErrorKind::InvalidRequest, reason),
                            None => Authentication::Rejected(error),
                        },
                        Decision::Wait(waiting) => Authentication::Pending(waiting),
                    };
                    credentials.for_each(|other| other.mark_sensitive(request));
                    return authentication;
                }
            }
        }
        match (has_other_scheme, self.allows_anonymous) {
            (false, true) => Authentication::Anonymous,
            (false, false) => {
                rejected(AuthErrorKind::MissingCredential, "the request has no token")
            }
            (true, _) => rejected(
                AuthErrorKind::MissingCredential,
                "the credential's header does not have the scheme Bearer",
            ),
        }
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

fn rejected(kind: AuthErrorKind, detail: &'static str) -> Authentication {
    Authentication::Rejected(AuthError::new(kind, detail))
}
