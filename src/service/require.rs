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
    },
    verifier::NO_PERMISSION_SOURCE,
};

/// Lets a request through if its token meets a policy, and responds with 403 otherwise.
///
/// It reads what [`CognitoLayer`](crate::CognitoLayer) found, so that layer has to be further out.
/// Without it every request gets 500, since an open route would be worse, and the log says what to
/// add.
///
/// A part of a policy that is probably a mistake is logged at `warn` when the layer is made: a scope
/// with a space in it, an empty list, two different clients at once, a name with `*`, which is no
/// wildcard. If the verifier has no source of permissions, that is logged at the first refusal.
///
/// ```
/// # use tower_cognito::{group, permission, require};
/// let admin_only = require(group("admin") | permission("write:all"));
/// ```
pub fn require(policy: Policy) -> RequireLayer {
    warn_of(&policy.defects());
    RequireLayer(Arc::new(Requirement { policy, has_warned: AtomicBool::new(false) }))
}

/// The layer that [`require`] makes.
#[derive(Debug, Clone)]
#[must_use]
pub struct RequireLayer(Arc<Requirement>);

/// The service that [`require`] makes.
#[derive(Debug, Clone)]
pub struct Require<S> {
    inner: S,
    requirement: Arc<Requirement>,
}

#[derive(Debug)]
struct Requirement {
    policy: Policy,
    /// Whether the log has the warning that permissions have no source.
    has_warned: AtomicBool,
}

pin_project! {
    /// The response future of [`Require`].
    pub struct RequireFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Inner { #[pin] future: F },
        Refused { response: Option<Response<Bytes>> },
    }
}

/// Logs what is wrong with a policy.
pub(super) fn warn_of(defects: &[String]) {
    for defect in defects {
        tracing::warn!("a part of a policy is probably a mistake: {defect}");
    }
}

/// Checks a token against a policy, for the layer too.
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
        authorize(&self.policy, verified).inspect_err(|_| self.warn_without_source(verified))
    }

    /// Only a refusal shows whether the verifier takes permissions from anywhere.
    fn warn_without_source(&self, verified: &Verified) {
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
            warn_of(&defects);
        }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { inner, requirement: Arc::clone(&self.0) }
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
                State::Refused { response: Some(response) }
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
            StateProjection::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(ResponseBody::refusal(response))),
                // Polled again after it was ready, which the contract of futures forbids.
                None => Poll::Pending,
            },
        }
    }
}

impl<F> fmt::Debug for RequireFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
