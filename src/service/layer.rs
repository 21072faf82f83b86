use std::sync::Arc;

use http::Request;
use tower_layer::Layer;

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind, ConfigError},
    policy::Policy,
    service::{
        challenge::check_realm,
        context::{LayerContext, Responder, no_guests},
        credential::{Credential, Found, has_room, unreadable},
        extensions::reserve,
        rejection::RejectionHandler,
        require::{authorize, warn_of},
        service::CognitoService,
    },
    verifier::{Decision, Verifier, Waiting},
};

/// Authenticates requests: verifies their token and hands its claims on, or answers for the service.
///
/// The claims go into the request's extensions as [`Verified`], from where
/// [`require`](crate::require) and the extractors take them. The credential's header is marked as
/// sensitive, so that layers further in do not log it. See the [module](crate::service) for
/// examples.
#[derive(Debug, Clone)]
#[must_use]
pub struct CognitoLayer {
    config: Arc<Config>,
}

#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) verifier: Verifier,
    credentials: Vec<Credential>,
    anonymous: bool,
    policy: Option<Policy>,
    pub(super) responder: Responder,
    /// Whether inner services have to be told of the responder.
    custom: bool,
}

/// What becomes of a request.
pub(super) enum Answer {
    Pass(Verified),
    Guest,
    Refuse(AuthError),
    /// Decided later, by [`Verifier::wait`].
    Wait(Waiting),
}

impl CognitoLayer {
    /// Takes tokens from the `Authorization` header and refuses requests that have none.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            config: Arc::new(Config {
                verifier,
                credentials: vec![Credential::authorization()],
                anonymous: false,
                policy: None,
                responder: Responder::default(),
                custom: false,
            }),
        }
    }

    /// Lets requests without a credential through, without claims: handlers take
    /// `Option<Claims>`, and [`require`](crate::require) still refuses them. A bad credential is
    /// refused all the same, and so is an `Authorization` header with a scheme other than
    /// `Bearer`: whoever sends one does not mean to be a guest.
    pub fn allow_anonymous(self) -> Self {
        self.change(|config| config.anonymous = true)
    }

    /// Asks this of each request, as [`require`](crate::require) around the whole service would, with one
    /// layer instead of two. Asked more than once, it is the policies of all that have to be met. A guest
    /// meets none.
    ///
    /// ```
    /// # use tower_cognito::{CognitoLayer, Verifier, group, scope};
    /// # fn layer(verifier: Verifier) -> CognitoLayer {
    /// CognitoLayer::new(verifier).require(scope("orders/read") & group("staff"))
    /// # }
    /// ```
    ///
    /// A policy that no token of the verifier can meet, such as a permission without a source of
    /// permissions, is logged at `warn`.
    pub fn require(self, policy: Policy) -> Self {
        warn_of(&self.config.verifier.defects(&policy));
        self.change(|config| {
            config.policy = Some(match config.policy.take() {
                Some(asked) => asked & policy,
                None => policy,
            });
        })
    }

    /// Looks for the token in these places, in this order, and nowhere else. The first place that
    /// has a credential decides: if that one is bad, the others are not asked.
    pub fn credentials(self, credentials: impl IntoIterator<Item = Credential>) -> Self {
        let credentials = credentials.into_iter().collect();
        self.change(|config| config.credentials = credentials)
    }

    /// Writes the bodies of all refusals: the layer's, those of [`require`](crate::require), and
    /// those of the extractors. By default that is [`ProblemJson`](crate::service::ProblemJson).
    pub fn rejection_handler(self, handler: impl RejectionHandler) -> Self {
        self.change(|config| {
            config.responder.handler = Arc::new(handler);
            config.custom = true;
        })
    }

    /// The name of the protected space in challenges (RFC 9110, section 11.5): `cognito` by
    /// default. RFC 6750 wants at least one parameter in each challenge, and this one tells nothing.
    ///
    /// # Errors
    /// The text holds what cannot stand in a quoted header parameter.
    pub fn realm(self, realm: impl AsRef<str>) -> Result<Self, ConfigError> {
        let realm = realm.as_ref();
        check_realm(realm)?;
        Ok(self.change(|config| {
            config.responder.realm = Arc::from(realm);
            config.custom = true;
        }))
    }

    fn change(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S> Layer<S> for CognitoLayer {
    type Service = CognitoService<S>;

    fn layer(&self, inner: S) -> CognitoService<S> {
        CognitoService::new(inner, Arc::clone(&self.config))
    }
}

impl Config {
    /// Decides about a request from its head. Of one that goes on, all places of credentials are marked as
    /// sensitive.
    pub(super) fn decide<B>(&self, request: &mut Request<B>) -> Answer {
        if !has_room(request.headers_mut()) {
            let detail = "the request has more headers than can be looked through";
            return Answer::Refuse(AuthError::new(AuthErrorKind::InvalidRequest, detail));
        }
        let mut other_scheme = false;
        let mut credentials = self.credentials.iter();
        while let Some(credential) = credentials.next() {
            match credential.find(request) {
                Found::Nothing => {}
                Found::OtherScheme => other_scheme = true,
                Found::Unreadable(why) => {
                    return Answer::Refuse(AuthError::new(AuthErrorKind::InvalidRequest, why));
                }
                Found::CrossSite => {
                    let detail = "another site caused the request, so its cookie is not accepted";
                    return Answer::Refuse(AuthError::new(AuthErrorKind::CrossSiteRequest, detail));
                }
                Found::Token(token) => {
                    let answer = match self.verifier.decide(token) {
                        Decision::Made(Ok(verified)) => Answer::Pass(verified),
                        Decision::Made(Err(error)) => Answer::Refuse(match unreadable(token) {
                            Some(why) => AuthError::new(AuthErrorKind::InvalidRequest, why),
                            None => error,
                        }),
                        Decision::Wait(waiting) => Answer::Wait(waiting),
                    };
                    credentials.for_each(|other| other.protect(request));
                    return answer;
                }
            }
        }
        if self.anonymous && !other_scheme {
            return Answer::Guest;
        }
        let detail = if other_scheme {
            "the credential's header does not have the scheme Bearer"
        } else {
            "the request has no token"
        };
        Answer::Refuse(AuthError::new(AuthErrorKind::MissingCredential, detail))
    }

    /// Readies a request for the inner service, with the claims of its token or as a guest's, if they meet
    /// the layer's own policy.
    pub(super) fn admit<B>(
        &self,
        request: &mut Request<B>,
        verified: Option<Verified>,
    ) -> Result<(), AuthError> {
        if let Some(policy) = &self.policy {
            authorize(policy, verified.as_ref().ok_or_else(no_guests)?)?;
        }
        // What another layer further out left is not this layer's word.
        let extensions = request.extensions_mut();
        reserve(extensions);
        if verified.is_none() || self.custom {
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
