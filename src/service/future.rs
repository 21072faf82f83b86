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
    service::{body::ResponseBody, layer::Config},
};

pin_project! {
    /// The response future of [`CognitoService`](crate::service::CognitoService).
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, B>,
    }
}

type Deciding = Pin<Box<dyn Future<Output = Result<Verified, AuthError>> + Send>>;

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        /// The token is being decided about; the service that was polled ready waits with it.
        Waiting { decision: Deciding, parts: Option<(S, Request<B>)>, config: Arc<Config> },
        Inner { #[pin] future: F },
        Refused { response: Option<Response<Bytes>> },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn inner(future: S::Future) -> Self {
        Self { state: State::Inner { future } }
    }

    pub(super) fn refused(response: Response<Bytes>) -> Self {
        Self { state: State::Refused { response: Some(response) } }
    }

    pub(super) fn waiting(
        decision: Deciding,
        service: S,
        request: Request<B>,
        config: Arc<Config>,
    ) -> Self {
        Self { state: State::Waiting { decision, parts: Some((service, request)), config } }
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
                StateProjection::Inner { future } => {
                    return future.poll(cx).map_ok(ResponseBody::inner);
                }
                StateProjection::Refused { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(ResponseBody::refusal(response))),
                    // Polled again after it was ready, which the contract of futures forbids.
                    None => return Poll::Pending,
                },
                StateProjection::Waiting { decision, parts, config } => {
                    let decided = ready!(decision.as_mut().poll(cx));
                    let Some((mut service, mut request)) = parts.take() else {
                        return Poll::Pending;
                    };
                    let admitted =
                        decided.and_then(|verified| config.admit(&mut request, Some(verified)));
                    match admitted {
                        Ok(()) => State::Inner { future: service.call(request) },
                        Err(error) => {
                            let response = Some(config.responder.respond(error));
                            State::Refused { response }
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
