use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    policy::{Node, Policy},
    service::{
        body::ResponseBody,
        context::{responder_of, verified_of},
        rejection::POLLED_AFTER_COMPLETION,
    },
    verifier::NO_PERMISSION_SOURCE,
};

/// Creates a layer that rejects requests whose token does not meet a policy, with 403.
///
/// It checks the claims that [`CognitoLayer`](crate::CognitoLayer) verified, so that layer must run first. Without it,
/// every request is rejected with 500, so that a wrong order of layers does not open the route. The log contains the
/// fix.
///
/// Logs at `warn` when a part of the policy is probably a mistake: a scope with a space, an empty list, two different
/// clients at once, or a name with `*`, which is not a wildcard. If the verifier has no source of permissions, this is
/// logged at the first rejection.
///
/// ```
/// # use tower_cognito::{group, permission, require};
/// let admin_only = require(group("admin") | permission("write:all"));
/// ```
pub fn require(policy: Policy) -> RequireLayer {
    log_defects(&policy.defects());
    RequireLayer(Arc::new(Requirement { policy, has_warned: AtomicBool::new(false) }))
}

/// Layer that checks a policy. Created by [`require`].
#[derive(Debug, Clone)]
#[must_use]
pub struct RequireLayer(Arc<Requirement>);

/// Service that checks a policy. Created by the layer of [`require`], or by [`Require::new`].
#[derive(Debug, Clone)]
pub struct Require<S> {
    inner: S,
    requirement: Arc<Requirement>,
}

#[derive(Debug)]
struct Requirement {
    policy: Policy,
    /// Whether the warning about the missing source of permissions was logged.
    has_warned: AtomicBool,
}

pin_project! {
    /// Response future of [`Require`].
    ///
    /// # Panics
    /// When polled after it has completed.
    pub struct RequireFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Inner { #[pin] future: F },
        Rejected { response: Option<Response<Bytes>> },
    }
}

/// Logs what is probably wrong with a policy.
pub(super) fn log_defects(defects: &[String]) {
    for defect in defects {
        tracing::warn!("a part of a policy is probably a mistake: {defect}");
    }
}

/// Checks a policy, for `require` and for the policy of the layer.
pub(super) fn authorize(policy: &Policy, verified: &Verified) -> Result<(), AuthError> {
    policy.check(verified).map_err(|denied| {
        let detail = "the token does not grant access to this resource";
        let failed = denied.failed();
        AuthError::new(AuthErrorKind::InsufficientScope, detail)
            .with_denial(failed.to_string(), failed.scopes())
    })
}

impl Requirement {
    fn check(&self, extensions: &Extensions) -> Result<(), AuthError> {
        let verified = verified_of(extensions)?;
        authorize(&self.policy, verified).inspect_err(|_| self.log_missing_source(verified))
    }

    /// Logs the permissions of the policy if the verifier reads none from tokens. `require` has no verifier when it is
    /// created, so it cannot log them then.
    fn log_missing_source(&self, verified: &Verified) {
        if verified.facts().has_permission_source {
            return;
        }
        let mut defects = Vec::new();
        self.policy.visit(&mut |part| {
            if matches!(part.node(), Node::Permission(_)) {
                defects.push(format!("{part}: {NO_PERMISSION_SOURCE}"));
            }
        });
        if !defects.is_empty() && !self.has_warned.swap(true, Ordering::Relaxed) {
            log_defects(&defects);
        }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { inner, requirement: Arc::clone(&self.0) }
    }
}

impl<S> Require<S> {
    /// Wraps a service, as the layer of [`require`] does.
    pub fn new(inner: S, policy: Policy) -> Self {
        require(policy).layer(inner)
    }

    /// Returns a reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns a mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Require<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let state = match self.requirement.check(request.extensions()) {
            Ok(()) => State::Inner { future: self.inner.call(request) },
            Err(error) => {
                let response = responder_of(request.extensions()).respond(error);
                State::Rejected { response: Some(response) }
            }
        };
        RequireFuture { state }
    }
}

impl<F, ResBody, E> Future for RequireFuture<F>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner { future } => future.poll(cx).map_ok(ResponseBody::inner),
            StateProjection::Rejected { response } => {
                let response = response.take().expect(POLLED_AFTER_COMPLETION);
                Poll::Ready(Ok(ResponseBody::rejection(response)))
            }
        }
    }
}

impl<F> fmt::Debug for RequireFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
