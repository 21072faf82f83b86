use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::{
    claims::Verified,
    error::AuthError,
    service::{
        body::ResponseBody,
        config::{Admission, Config},
        outgoing::ResponseChanges,
        rejection::POLLED_AFTER_COMPLETION,
    },
};

pin_project! {
    /// Response future of [`CognitoService`](crate::service::CognitoService).
    ///
    /// # Panics
    /// When polled after it has completed.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, B>,
    }
}

type Verification = Pin<Box<dyn Future<Output = Result<Verified, AuthError>> + Send>>;

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        /// The token is being verified. Contains the inner service on which `poll_ready` was called.
        Verifying { verification: Verification, parts: Option<(S, Request<B>)>, config: Arc<Config> },
        Inner { #[pin] future: F, changes: ResponseChanges },
        Rejected { response: Option<Response<Bytes>> },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn inner(future: S::Future, changes: ResponseChanges) -> Self {
        Self { state: State::Inner { future, changes } }
    }

    pub(super) fn rejected(response: Response<Bytes>) -> Self {
        Self { state: State::Rejected { response: Some(response) } }
    }

    pub(super) fn verifying(
        verification: Verification,
        service: S,
        request: Request<B>,
        config: Arc<Config>,
    ) -> Self {
        Self { state: State::Verifying { verification, parts: Some((service, request)), config } }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Inner { future, changes } => {
                    let response = ready!(future.poll(cx));
                    let changes = std::mem::take(changes);
                    return Poll::Ready(response.map(|response| changes.apply(response)));
                }
                StateProjection::Rejected { response } => {
                    let response = response.take().expect(POLLED_AFTER_COMPLETION);
                    return Poll::Ready(Ok(ResponseBody::rejection(response)));
                }
                StateProjection::Verifying { verification, parts, config } => {
                    let verified = ready!(verification.as_mut().poll(cx));
                    let (mut service, mut request) = parts.take().expect(POLLED_AFTER_COMPLETION);
                    match config.admit(&mut request, verified.map(Some)) {
                        Admission::Passes(changes) => {
                            State::Inner { future: service.call(request), changes }
                        }
                        Admission::Rejected(response) => {
                            State::Rejected { response: Some(response) }
                        }
                    }
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
