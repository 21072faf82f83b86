use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
};

/// Why a check of your own refused a token that is otherwise good.
///
/// The reason is a fixed sentence, shown in the response's `detail`: write nothing into it that came
/// with the token.
#[derive(Debug, Clone)]
pub struct Refusal(AuthError);

impl Refusal {
    /// The token is not good (revoked, signed out): 401 with `invalid_token`.
    pub fn unauthorized(reason: &'static str) -> Self {
        Self(AuthError::new(AuthErrorKind::RefusedByCheck, reason))
    }

    /// The token is good, but not for this service (wrong tenant, unpaid account): 403.
    pub fn forbidden(reason: &'static str) -> Self {
        Self(AuthError::new(AuthErrorKind::ForbiddenByCheck, reason))
    }

    /// The check could not be made (its store is down): 503 with `Retry-After`.
    pub fn unavailable(reason: &'static str, retry_after: Duration) -> Self {
        Self(AuthError::new(AuthErrorKind::CheckUnavailable, reason).with_retry_after(retry_after))
    }
}

type SyncCheck = dyn Fn(&Verified) -> Result<(), Refusal> + Send + Sync;
type CheckFuture = Pin<Box<dyn Future<Output = Result<(), Refusal>> + Send>>;
type AsyncCheck = dyn Fn(Verified) -> CheckFuture + Send + Sync;

/// The application's own checks, in the order in which they were added; they run at each request,
/// on a token seen before too.
#[derive(Clone, Default)]
pub(super) struct Checks {
    now: Vec<Arc<SyncCheck>>,
    later: Vec<Arc<AsyncCheck>>,
}

impl Checks {
    pub(super) fn add<F>(&mut self, check: F)
    where
        F: Fn(&Verified) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        self.now.push(Arc::new(check));
    }

    pub(super) fn add_async<F, Fut>(&mut self, check: F)
    where
        F: Fn(Verified) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.later.push(Arc::new(move |verified| Box::pin(check(verified))));
    }

    /// Whether a token cannot be decided about without waiting.
    pub(super) fn must_wait(&self) -> bool {
        !self.later.is_empty()
    }

    pub(super) fn run(&self, verified: &Verified) -> Result<(), AuthError> {
        self.now.iter().try_for_each(|check| check(verified)).map_err(|refusal| refusal.0)
    }

    pub(super) async fn run_async(&self, verified: &Verified) -> Result<(), AuthError> {
        for check in &self.later {
            check(verified.clone()).await.map_err(|refusal| refusal.0)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("now", &self.now.len())
            .field("later", &self.later.len())
            .finish()
    }
}
