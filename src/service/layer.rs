use std::sync::Arc;

use tower_layer::Layer;

use crate::{
    error::ConfigError,
    policy::Policy,
    service::{
        audit::AuditCounts, challenge::check_realm, config::Config, credential::Credential,
        rejection::RejectionHandler, require::log_defects, service::CognitoService,
    },
    verifier::Verifier,
};

/// Verifies the token of each request, and rejects requests without a valid one.
///
/// The verified claims are put into the request's extensions as [`Verified`](crate::Verified), from where
/// [`require`](crate::require) and the extractors take them. The header that carries the token is marked as
/// sensitive, so that inner layers do not log it. See the [module](crate::service) for examples.
#[derive(Debug, Clone)]
#[must_use]
pub struct CognitoLayer {
    config: Arc<Config>,
}

/// Settings of a [`CognitoLayer`] that remove a protection. Returned by [`CognitoLayer::dangerous`].
#[derive(Debug, Clone)]
#[must_use]
pub struct DangerousLayer(CognitoLayer);

impl CognitoLayer {
    /// Creates a layer that takes tokens from the `Authorization` header and rejects requests without one.
    pub fn new(verifier: Verifier) -> Self {
        Self { config: Arc::new(Config::new(verifier)) }
    }

    /// Accepts requests without a credential. By default they are rejected with 401.
    ///
    /// Such requests have no claims: handlers take `Option<Claims>`, and [`require`](crate::require) still
    /// rejects them. A request with an invalid token, or with an `Authorization` header of a scheme other than
    /// `Bearer`, is not anonymous and is still rejected.
    pub fn allow_anonymous(self) -> Self {
        self.change(|config| config.allows_anonymous = true)
    }

    /// Requires a policy of each request, as [`require`](crate::require) around the whole service does, but
    /// without a second layer.
    ///
    /// The policies of several calls must all be met. An anonymous request meets none.
    ///
    /// ```
    /// # use tower_cognito::{CognitoLayer, Verifier, group, scope};
    /// # fn layer(verifier: Verifier) -> CognitoLayer {
    /// CognitoLayer::new(verifier).require(scope("orders/read") & group("staff"))
    /// # }
    /// ```
    ///
    /// Logs at `warn` if no token that the verifier accepts can meet a part of the policy, for example a
    /// permission while the verifier has no source of permissions.
    pub fn require(self, policy: Policy) -> Self {
        log_defects(&self.config.verifier.defects(&policy));
        self.change(|config| {
            config.policy = Some(match config.policy.take() {
                Some(required) => required & policy,
                None => policy,
            });
        })
    }

    /// Reads the token from these places, in this order, instead of the `Authorization` header.
    ///
    /// The first place that has a credential decides: if its token is invalid, the request is rejected and the
    /// other places are not read. A second call replaces the list. Without any place no request has a token, which is
    /// logged at `warn`.
    pub fn credentials(self, credentials: impl IntoIterator<Item = Credential>) -> Self {
        let credentials: Vec<_> = credentials.into_iter().collect();
        if credentials.is_empty() {
            tracing::warn!(
                "the list of credentials of a `CognitoLayer` is empty, so no request has a token"
            );
        }
        self.change(|config| config.credentials = credentials)
    }

    /// Sets the handler that writes the responses to rejected requests: those of the layer, of
    /// [`require`](crate::require), of the extractors, and of handlers that return a [`Refusal`](crate::Refusal).
    ///
    /// Default: [`ProblemJson`](crate::service::ProblemJson), because RFC 9457 is a format that clients know.
    pub fn rejection_handler(self, handler: impl RejectionHandler) -> Self {
        self.change(|config| {
            config.responder.set_handler(handler);
            config.has_custom_responder = true;
        })
    }

    /// Sets the realm of challenges, the name of the protected space (RFC 9110, section 11.5).
    ///
    /// Default: `cognito`. RFC 6750 requires at least one parameter in each challenge, and this one reveals
    /// nothing about the service.
    ///
    /// # Errors
    /// [`ConfigError::Name`] if the text contains quotes, backslashes, or characters outside of printable ASCII.
    pub fn realm(self, realm: impl AsRef<str>) -> Result<Self, ConfigError> {
        let realm = realm.as_ref();
        check_realm(realm)?;
        Ok(self.change(|config| {
            config.responder.set_realm(realm);
            config.has_custom_responder = true;
        }))
    }

    /// Puts the verified claims into the extensions of the response too, for outer layers that log the user.
    ///
    /// Each response to a request with a valid token has them, including the rejections of [`require`](crate::require())
    /// and handlers. Default: only a rejection is in the response's extensions, as an [`AuthError`](crate::AuthError),
    /// because the claims would cost each request two more allocations.
    ///
    /// ```
    /// use http::Response;
    /// use tower_cognito::{CognitoLayer, Verified, Verifier};
    ///
    /// # fn layer(verifier: Verifier) -> CognitoLayer {
    /// let layer = CognitoLayer::new(verifier).expose_claims();
    /// # layer
    /// # }
    ///
    /// /// For the access log, in a layer around `CognitoLayer`.
    /// fn user<B>(response: &Response<B>) -> &str {
    ///     response.extensions().get::<Verified>().map_or("-", Verified::subject)
    /// }
    /// ```
    pub fn expose_claims(self) -> Self {
        self.change(|config| config.exposes_claims = true)
    }

    /// Returns the settings that remove a protection.
    pub fn dangerous(self) -> DangerousLayer {
        DangerousLayer(self)
    }

    /// Returns the counts of an [audit-only](DangerousLayer::audit_only) layer, or `None` for a layer that rejects
    /// requests.
    pub fn audit_counts(&self) -> Option<AuditCounts> {
        self.config.audit.clone()
    }

    fn change(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl DangerousLayer {
    /// Rejects no request. Each request that would be rejected is logged at `warn` and [counted](AuditCounts), and
    /// reaches the service.
    ///
    /// Use it to introduce this layer beside another one that still protects the service. Compare what both reject
    /// before you remove the other one. **The service is open to all while no other layer protects it.** This is logged
    /// at `error` when the layer is created.
    ///
    /// | part | behavior |
    /// |---|---|
    /// | the layer | a request without a valid token passes as an anonymous one, without claims |
    /// | [`require`](crate::require()), [`require_with`](crate::require_with()), [`require_async`](crate::require_async()) | the request passes |
    /// | extractors | `Option<Claims>` is `None` without a valid token. `Claims` still rejects the request, because there are no claims |
    /// | handlers | their own refusals are sent |
    ///
    /// The mode applies to one layer and what it wraps. An inner `CognitoLayer` without it rejects requests. Requests
    /// still wait for keys and for asynchronous checks.
    ///
    /// ```
    /// # use tower_cognito::{CognitoLayer, Verifier};
    /// # fn layer(verifier: Verifier) {
    /// let layer = CognitoLayer::new(verifier).dangerous().audit_only();
    /// let counts = layer.audit_counts();
    /// // Later, for example in a metrics endpoint:
    /// if let Some(counts) = counts {
    ///     println!("{} requests would be rejected: {:?}", counts.total(), counts.by_code());
    /// }
    /// # }
    /// ```
    pub fn audit_only(self) -> CognitoLayer {
        tracing::error!(
            "a CognitoLayer is in audit-only mode: it rejects no request, so only other layers protect the service; \
             remove `.dangerous().audit_only()` to reject requests"
        );
        self.0.change(|config| config.audit = Some(AuditCounts::default()))
    }
}

impl<S> Layer<S> for CognitoLayer {
    type Service = CognitoService<S>;

    fn layer(&self, inner: S) -> CognitoService<S> {
        CognitoService::with_config(inner, Arc::clone(&self.config))
    }
}
