use std::{fmt, sync::Arc, time::Duration};

use http::StatusCode;

/// Reason why a request was rejected.
///
/// Match on [`kind`](Self::kind) in code, use [`code`](Self::code) in logs and for clients, and show the
/// [`Display`](fmt::Display) text to people. None of them contains a token, the value of a claim or a key.
#[derive(Clone)]
pub struct AuthError {
    kind: AuthErrorKind,
    detail: &'static str,
    retry_after: Option<Duration>,
    denial: Option<Arc<Denial>>,
    claims_mismatch: Option<Arc<str>>,
}

/// The part of a policy that was not met. Its text is from the service's code, never from the token.
struct Denial {
    policy: String,
    scope: String,
}

/// Kind of an [`AuthError`]. Each kind has a status and a stable [`code`](Self::code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthErrorKind {
    /// The request has no credential. 401; the challenge has no `error` parameter.
    MissingCredential,
    /// The credential cannot be read: two headers, two tokens, or bytes that are not ASCII. 400.
    InvalidRequest,
    /// The token is in a cookie, and another site caused the request (CSRF). 403; see
    /// [`Credential::cookie`](crate::service::Credential::cookie).
    CrossSiteRequest,
    /// The token is not a compact JWS of at most 16 KiB with strict JSON inside. 401.
    MalformedToken,
    /// The header's `alg` is not `RS256`, or the header requires an extension. 401.
    UnsupportedAlgorithm,
    /// `iss` is not one of the configured issuers. 401.
    UntrustedIssuer,
    /// The pool has no key with this `kid`. 401.
    UnknownKey,
    /// The pool's keys are unavailable. 503 with `Retry-After`.
    KeysUnavailable,
    /// The signature is invalid. 401.
    BadSignature,
    /// A claim is missing or of the wrong type. 401.
    InvalidClaim,
    /// `exp` has passed. 401.
    Expired,
    /// `nbf` or `iat` is in the future. 401.
    NotYetValid,
    /// `token_use` is neither `access` nor `id`, or the pool does not accept it. 401.
    WrongTokenUse,
    /// `client_id` of an access token, or `aud` of an ID token, is not one of the configured app clients. 401.
    WrongClient,
    /// The `aud` of an access token names a resource or client that the pool does not accept (RFC 8707). 401.
    WrongAudience,
    /// The token has the claim `cnf` (RFC 7800), so it is bound to a key of the client. This crate cannot check that.
    /// 401.
    UnsupportedConfirmation,
    /// The application's own check or handler rejected the token. 401.
    RefusedByCheck,
    /// The application's own check or handler rejected this use of the token. 403.
    ForbiddenByCheck,
    /// The application's own check failed. 503 with `Retry-After`.
    CheckUnavailable,
    /// The application's own check or handler responds as if the resource did not exist. 404.
    NotFound,
    /// The route's policy is not met. 403.
    InsufficientScope,
    /// The claims do not match the type of the handler's parameter. 403.
    ClaimsShape,
    /// `require` or an extractor ran without a `CognitoLayer` around it. 500.
    MissingLayer,
}

impl AuthError {
    pub(crate) fn new(kind: AuthErrorKind, detail: &'static str) -> Self {
        Self { kind, detail, retry_after: None, denial: None, claims_mismatch: None }
    }

    pub(crate) fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds the part of a policy that was not met, and its scopes. Neither may contain data from a token.
    pub(crate) fn with_denial(mut self, policy: String, scope: String) -> Self {
        self.denial = Some(Arc::new(Denial { policy, scope }));
        self
    }

    /// Adds the claim that does not fit the expected type. The text may not contain data from a token.
    pub(crate) fn with_claims_mismatch(mut self, mismatch: String) -> Self {
        self.claims_mismatch = Some(mismatch.into());
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    /// Returns the stable, machine-readable name of the kind, in snake case.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// Returns a fixed, human-readable message. It contains nothing from the request.
    pub fn detail(&self) -> &'static str {
        self.detail
    }

    /// Returns how long a client should wait before it retries, or `None` if a retry cannot help.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the part of the policy that was not met, as [`Policy`](crate::Policy) is displayed.
    pub fn failed_policy(&self) -> Option<&str> {
        self.denial.as_deref().map(|denial| denial.policy.as_str())
    }

    /// Returns the path of the claim that does not fit the type of the handler's parameter, and what the type expects,
    /// such as "`custom:tenant_id` is missing" or "`address.lines[2]`: expected a string". It contains names from the
    /// service's code, and no value of the token. Clients do not get it.
    pub fn claims_mismatch(&self) -> Option<&str> {
        self.claims_mismatch.as_deref()
    }

    /// Returns the scopes that the challenge names, separated by spaces.
    pub fn required_scope(&self) -> Option<&str> {
        self.denial.as_deref().map(|denial| denial.scope.as_str()).filter(|scope| !scope.is_empty())
    }
}

impl AuthErrorKind {
    /// Returns the status of the response (RFC 6750, section 3.1; RFC 9110, section 15).
    pub fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::MissingCredential
            | Self::MalformedToken
            | Self::UnsupportedAlgorithm
            | Self::UntrustedIssuer
            | Self::UnknownKey
            | Self::BadSignature
            | Self::InvalidClaim
            | Self::Expired
            | Self::NotYetValid
            | Self::WrongTokenUse
            | Self::WrongClient
            | Self::WrongAudience
            | Self::UnsupportedConfirmation
            | Self::RefusedByCheck => StatusCode::UNAUTHORIZED,
            Self::CrossSiteRequest
            | Self::ForbiddenByCheck
            | Self::InsufficientScope
            | Self::ClaimsShape => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::KeysUnavailable | Self::CheckUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the stable, machine-readable name, in snake case. A released code does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingCredential => "missing_credential",
            Self::InvalidRequest => "invalid_request",
            Self::CrossSiteRequest => "cross_site_request",
            Self::MalformedToken => "malformed_token",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UntrustedIssuer => "untrusted_issuer",
            Self::UnknownKey => "unknown_key",
            Self::KeysUnavailable => "keys_unavailable",
            Self::BadSignature => "bad_signature",
            Self::InvalidClaim => "invalid_claim",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::WrongTokenUse => "wrong_token_use",
            Self::WrongClient => "wrong_client",
            Self::WrongAudience => "wrong_audience",
            Self::UnsupportedConfirmation => "unsupported_confirmation",
            Self::RefusedByCheck => "refused_by_check",
            Self::ForbiddenByCheck => "forbidden_by_check",
            Self::CheckUnavailable => "check_unavailable",
            Self::NotFound => "not_found",
            Self::InsufficientScope => "insufficient_scope",
            Self::ClaimsShape => "claims_shape",
            Self::MissingLayer => "missing_layer",
        }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail)?;
        match self.failed_policy().or(self.claims_mismatch()) {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthError")
            .field("kind", &self.kind)
            .field("detail", &self.detail)
            .field("retry_after", &self.retry_after)
            .field("failed_policy", &self.failed_policy())
            .field("claims_mismatch", &self.claims_mismatch)
            .finish()
    }
}

impl std::error::Error for AuthError {}
