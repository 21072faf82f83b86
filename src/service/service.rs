use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower_service::Service;

use crate::{
    service::{
        body::ResponseBody,
        config::{Admission, Config},
        future::ResponseFuture,
    },
    verifier::{Verification, Verifier},
};

/// Service that verifies the token of each request. Created by [`CognitoLayer`](crate::CognitoLayer), or by
/// [`CognitoService::new`].
#[derive(Debug, Clone)]
pub struct CognitoService<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> CognitoService<S> {
    /// Wraps a service with the defaults of [`CognitoLayer::new`](crate::CognitoLayer::new).
    pub fn new(inner: S, verifier: Verifier) -> Self {
        Self::with_config(inner, Arc::new(Config::new(verifier)))
    }

    pub(super) fn with_config(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
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
        let authenticated = match self.config.authenticate(&mut request) {
            Ok(None) => Ok(None),
            Ok(Some(Verification::Passed(verified))) => Ok(Some(verified)),
            Err(error) => Err(error),
            Ok(Some(unfinished)) => {
                let verifier = self.config.verifier.clone();
                let verification = Box::pin(async move { verifier.finish(unfinished).await });
                // The instance that was polled ready is called; its clone stays here.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                return ResponseFuture::verifying(
                    verification,
                    ready,
                    request,
                    Arc::clone(&self.config),
                );
            }
        };
        match self.config.admit(&mut request, authenticated) {
            Admission::Passes(changes) => ResponseFuture::inner(self.inner.call(request), changes),
            Admission::Rejected(response) => ResponseFuture::rejected(response),
        }
    }
}
