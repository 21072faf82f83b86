use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response, request::Parts};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    claims::Verified,
    error::AuthError,
    service::{
        body::ResponseBody, context::verified_of, rejection::POLLED_AFTER_COMPLETION,
        require::RequireFuture,
    },
    verifier::Refusal,
};

/// Creates a layer that asks an asynchronous function whether a request may pass, for example because the answer is in
/// a database.
///
/// The function gets the verified claims and a copy of the request's head: method, URI, headers and extensions. It runs
/// at each request, and its result is not cached. Give it a time limit, because the request waits for it. A request
/// without a token is rejected with 401 before the function runs, and without a
/// [`CognitoLayer`](crate::CognitoLayer) around the route, each request is rejected with 500.
///
/// With axum, the head has the parameters of the route, as the handler gets them:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{RequestPartsExt, Router, extract::Path, routing::get};
/// use http::request::Parts;
/// use tower_cognito::{Refusal, Verified, policy::claim, require_async};
///
/// let owner = require_async(|user: Verified, mut head: Parts| async move {
///     let Path(id) = head
///         .extract::<Path<String>>()
///         .await
///         .map_err(|_| Refusal::forbidden("the path has no user"))?;
///     claim("sub", id).check(&user)?;
///     Ok(())
/// });
/// let app: Router = Router::new().route("/users/{id}", get(|| async {}).layer(owner));
/// # }
/// ```
pub fn require_async<F, Fut>(check: F) -> RequireAsyncLayer
where
    F: Fn(Verified, Parts) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
{
    RequireAsyncLayer(Arc::new(move |verified, head| {
        let outcome = check(verified, head);
        Box::pin(async move { outcome.await.map_err(AuthError::from) })
    }))
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), AuthError>> + Send>>;
type Check = dyn Fn(Verified, Parts) -> Outcome + Send + Sync;

/// Layer that asks an asynchronous function. Created by [`require_async`].
#[derive(Clone)]
#[must_use]
pub struct RequireAsyncLayer(Arc<Check>);

/// Service that asks an asynchronous function. Created by the layer of [`require_async`], or by [`RequireAsync::new`].
#[derive(Clone)]
pub struct RequireAsync<S> {
    inner: S,
    check: Arc<Check>,
}

pin_project! {
    /// Response future of [`RequireAsync`].
    ///
    /// # Panics
    /// When polled after it has completed.
    pub struct RequireAsyncFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        /// The function is running. Contains the inner service on which `poll_ready` was called.
        Checking { outcome: Outcome, parts: Option<(S, Request<B>)> },
        Checked { #[pin] future: RequireFuture<F> },
    }
}

impl<S> Layer<S> for RequireAsyncLayer {
    type Service = RequireAsync<S>;

    fn layer(&self, inner: S) -> RequireAsync<S> {
        RequireAsync { inner, check: Arc::clone(&self.0) }
    }
}

impl<S> RequireAsync<S> {
    /// Wraps a service, as the layer of [`require_async`] does.
    pub fn new<F, Fut>(inner: S, check: F) -> Self
    where
        F: Fn(Verified, Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        require_async(check).layer(inner)
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

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireAsync<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = RequireAsyncFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let state = match verified_of(request.extensions()).cloned() {
            Ok(verified) => {
                let (parts, body) = request.into_parts();
                let outcome = (self.check)(verified, parts.clone());
                // The instance that was polled ready is called; its clone stays here.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                let request = Request::from_parts(parts, body);
                State::Checking { outcome, parts: Some((ready, request)) }
            }
            Err(error) => {
                State::Checked { future: RequireFuture::new(Err(error), &mut self.inner, request) }
            }
        };
        RequireAsyncFuture { state }
    }
}

impl<S, B, ResBody> Future for RequireAsyncFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Checked { future } => return future.poll(cx),
                StateProjection::Checking { outcome, parts } => {
                    let checked = ready!(outcome.as_mut().poll(cx));
                    let (mut service, request) = parts.take().expect(POLLED_AFTER_COMPLETION);
                    State::Checked { future: RequireFuture::new(checked, &mut service, request) }
                }
            };
            this.state.set(next);
        }
    }
}

impl fmt::Debug for RequireAsyncLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAsyncLayer").finish_non_exhaustive()
    }
}

impl<S: fmt::Debug> fmt::Debug for RequireAsync<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAsync").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B> fmt::Debug for RequireAsyncFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAsyncFuture").finish_non_exhaustive()
    }
}
