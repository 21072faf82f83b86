use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    body::ResponseBody,
    context::{responder_of, verified_of},
};
use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    policy::Policy,
};

/// Lets a request through if its token meets a policy, and answers 403 otherwise.
///
/// It reads what [`CognitoLayer`](crate::CognitoLayer) found, so that layer has to be further out.
/// Without it every request is answered with 500 and a message that says what to add: an open
/// route would be worse.
///
/// ```
/// # use tower_cognito::{group, permission, require};
/// let admin_only = require(group("admin") | permission("write:all"));
/// ```
pub fn require(policy: Policy) -> RequireLayer {
    RequireLayer(Arc::new(policy))
}

/// The layer that [`require`] makes.
#[derive(Debug, Clone)]
#[must_use]
pub struct RequireLayer(Arc<Policy>);

/// The service that [`require`] makes.
#[derive(Debug, Clone)]
pub struct Require<S> {
    inner: S,
    policy: Arc<Policy>,
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

/// Holds a policy against a token, for the layer too.
pub(super) fn authorize(policy: &Policy, verified: &Verified) -> Result<(), AuthError> {
    policy.check(verified).map_err(|denied| {
        let detail = "the token does not grant access to this resource";
        let failed = denied.failed();
        AuthError::new(AuthErrorKind::InsufficientScope, detail)
            .with_denial(failed.to_string(), failed.scopes())
    })
}

fn check(policy: &Policy, extensions: &Extensions) -> Result<(), AuthError> {
    authorize(policy, verified_of(extensions)?)
}

impl<S> Layer<S> for RequireLayer {
    type Service = Require<S>;

    fn layer(&self, inner: S) -> Require<S> {
        Require { inner, policy: Arc::clone(&self.0) }
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
        let state = match check(&self.policy, request.extensions()) {
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
