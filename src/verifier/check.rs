use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    policy::Denied,
};

/// Error with which your own code rejects a request.
///
/// A check of the [verifier](crate::VerifierBuilder::add_check), [`require_async`](crate::require_async()) and axum
/// handlers return it. The response has the status, the challenge and the body of the layer around the route, and the
/// reason is in its extensions as an [`AuthError`]. Code without axum converts a `Refusal` into an `http::Response`; for
/// methods of tonic there is [`Rejector`](crate::service::Rejector).
///
/// The reason is a fixed sentence, which is sent as the response's `detail`. It must not contain data from the token.
///
/// An unmet policy and an [`AuthError`] convert into a `Refusal`, so `?` works on both:
///
/// ```
/// use tower_cognito::{Refusal, Verified, scope};
///
/// fn may_refund(user: &Verified, amount: u32) -> Result<(), Refusal> {
///     scope("refunds/write").check(user)?;
///     if amount > 500 {
///         return Err(Refusal::forbidden("only support can refund more than 500"));
///     }
///     Ok(())
/// }
/// ```
///
/// A plain tower service responds with it like this:
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower_cognito::Refusal;
/// fn order<B>(request: &Request<B>) -> Response<Full<Bytes>> {
///     match request.uri().path() {
///         "/orders/1" => Response::default(),
///         _ => Refusal::not_found("there is no such order").into(),
///     }
/// }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(AuthError);

impl Refusal {
    /// Creates an error for a request without a token, for example in a handler that takes `Option<Claims>`: 401 with a
    /// challenge that names no error.
    pub fn missing_credential(reason: &'static str) -> Self {
        Self(AuthError::new(AuthErrorKind::MissingCredential, reason))
    }

    /// Creates an error for a token that is not accepted at all, for example because the user signed out: 401
    /// `invalid_token`.
    pub fn unauthorized(reason: &'static str) -> Self {
        Self(AuthError::new(AuthErrorKind::RefusedByCheck, reason))
    }

    /// Creates an error for a token that is valid but not for this service, for example because it belongs to another
    /// tenant: 403.
    pub fn forbidden(reason: &'static str) -> Self {
        Self(AuthError::new(AuthErrorKind::ForbiddenByCheck, reason))
    }

    /// Creates an error that hides whether a resource exists, for example the order of another user: 404.
    ///
    /// Respond with the same error if the resource does not exist. Otherwise a client can tell the two cases apart.
    pub fn not_found(reason: &'static str) -> Self {
        Self(AuthError::new(AuthErrorKind::NotFound, reason))
    }

    /// Creates an error for a check that failed, for example because its database is down: 503 with `Retry-After`.
    pub fn unavailable(reason: &'static str, retry_after: Duration) -> Self {
        Self(AuthError::new(AuthErrorKind::CheckUnavailable, reason).with_retry_after(retry_after))
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self(error)
    }
}

impl From<Refusal> for AuthError {
    fn from(refusal: Refusal) -> Self {
        refusal.0
    }
}

/// Returns the refusal of an unmet policy: 403 `insufficient_scope`.
impl From<Denied<'_>> for Refusal {
    fn from(denied: Denied<'_>) -> Self {
        Self(denied.into())
    }
}

type SyncCheck = dyn Fn(&Verified) -> Result<(), AuthError> + Send + Sync;
type CheckFuture = Pin<Box<dyn Future<Output = Result<(), AuthError>> + Send>>;
type AsyncCheck = dyn Fn(Verified) -> CheckFuture + Send + Sync;

/// The application's own checks, in the order in which they were added. They run at each request, also for cached
/// tokens.
#[derive(Clone, Default)]
pub(super) struct Checks {
    sync: Vec<Arc<SyncCheck>>,
    asynchronous: Vec<Arc<AsyncCheck>>,
}

impl Checks {
    pub(super) fn add<F>(&mut self, check: F)
    where
        F: Fn(&Verified) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        self.sync.push(Arc::new(move |verified| check(verified).map_err(|refusal| refusal.0)));
    }

    pub(super) fn add_async<F, Fut>(&mut self, check: F)
    where
        F: Fn(Verified) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.asynchronous.push(Arc::new(move |verified| {
            let outcome = check(verified);
            Box::pin(async move { outcome.await.map_err(|refusal| refusal.0) })
        }));
    }

    /// Returns the number of checks of both kinds.
    pub(super) fn len(&self) -> usize {
        self.sync.len() + self.asynchronous.len()
    }

    pub(super) fn has_async(&self) -> bool {
        !self.asynchronous.is_empty()
    }

    /// Runs the synchronous checks.
    pub(super) fn run(&self, verified: &Verified) -> Result<(), AuthError> {
        self.sync.iter().try_for_each(|check| check(verified))
    }

    /// Runs the asynchronous checks, and returns the claims if all of them passed.
    pub(super) async fn run_async(&self, verified: Verified) -> Result<Verified, AuthError> {
        for check in &self.asynchronous {
            check(verified.clone()).await?;
        }
        Ok(verified)
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("sync", &self.sync.len())
            .field("asynchronous", &self.asynchronous.len())
            .finish()
    }
}
