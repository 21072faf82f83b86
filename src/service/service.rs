use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use crate::{
    service::{body::ResponseBody, future::ResponseFuture, layer::Config},
    verifier::Verification,
};

/// The service that [`CognitoLayer`](crate::CognitoLayer) makes.
#[derive(Debug, Clone)]
pub struct CognitoService<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> CognitoService<S> {
    pub(super) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for CognitoService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let admitted = match self.config.authenticate(&mut request) {
            Ok(None) => self.config.admit(&mut request, None),
            Ok(Some(Verification::Passed(verified))) => {
                self.config.admit(&mut request, Some(verified))
            }
            Err(error) => Err(error),
            Ok(Some(unfinished)) => {
                let verifier = self.config.verifier.clone();
                let decision = Box::pin(async move { verifier.finish(unfinished).await });
                // The service that was polled ready is the one to call; its clone stays behind.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                return ResponseFuture::waiting(decision, ready, request, Arc::clone(&self.config));
            }
        };
        match admitted {
            Ok(()) => ResponseFuture::inner(self.inner.call(request)),
            Err(error) => ResponseFuture::refused(self.config.responder.respond(error)),
        }
    }
}
