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
use http::{Request, Response, request::Parts};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    claims::Verified,
    error::AuthError,
    policy::{Node, Policy},
    service::{
        body::ResponseBody,
        context::{reject, verified_of},
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
/// A policy on each route is easy to forget: on an axum `MethodRouter`, the layer wraps only the methods that
/// were added before it. [One table](crate::docs::request_rules#one-table-for-all-routes) for all routes cannot be
/// incomplete in this way.
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
    RequireLayer(Arc::new(Requirement::new(Rule::Fixed(policy))))
}

/// Creates a layer that rejects requests whose token does not meet a policy, with 403. A function chooses the policy by
/// the head of each request: method, URI, headers and extensions.
///
/// It behaves like [`require`] with that policy, except that mistakes in the policy are not logged. Without a token, a
/// request is rejected before the function runs.
///
/// One function around all routes of a service can be its whole table of rules. Then no route or method is open because
/// a layer was forgotten, since `any([])` rejects each request that the table does not name:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{Router, extract::MatchedPath, routing::get};
/// use http::request::Parts;
/// use tower_cognito::{CognitoLayer, Policy, Verifier, policy::any, require_with, scope};
///
/// fn rules(head: &Parts) -> Policy {
///     let route = head.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
///     match (head.method.as_str(), route) {
///         ("GET" | "HEAD", "/orders") => scope("orders/read"),
///         ("POST", "/orders") => scope("orders/write"),
///         _ => any([]),
///     }
/// }
///
/// # fn app(verifier: Verifier) -> Router {
/// Router::new()
///     .route("/orders", get(|| async {}).post(|| async {}))
///     .layer(require_with(rules))
///     .layer(CognitoLayer::new(verifier))
/// # }
/// # }
/// ```
///
/// The path is compared as the client sent it. For a parameter of the path, decoded as the handler gets it, use
/// [`require_async`](crate::require_async()). The failed policy is logged, and the scopes of the policy are in the
/// challenge, so a scope that contains a part of the request is sent back to the client.
pub fn require_with<F>(policy: F) -> RequireLayer
where
    F: Fn(&Parts) -> Policy + Send + Sync + 'static,
{
    RequireLayer(Arc::new(Requirement::new(Rule::OfRequest(Box::new(policy)))))
}

/// Layer that checks a policy. Created by [`require`] and [`require_with`].
#[derive(Debug, Clone)]
#[must_use]
pub struct RequireLayer(Arc<Requirement>);

/// Service that checks a policy. Created by the layer of [`require`] or [`require_with`], or by [`Require::new`].
#[derive(Debug, Clone)]
pub struct Require<S> {
    inner: S,
    requirement: Arc<Requirement>,
}

struct Requirement {
    rule: Rule,
    /// Whether the warning about the missing source of permissions was logged.
    has_warned: AtomicBool,
}

/// The source of the policy that a request has to meet.
enum Rule {
    Fixed(Policy),
    OfRequest(Box<dyn Fn(&Parts) -> Policy + Send + Sync>),
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
    policy.check(verified).map_err(AuthError::from)
}

impl Requirement {
    fn new(rule: Rule) -> Self {
        Self { rule, has_warned: AtomicBool::new(false) }
    }

    fn check(&self, policy: &Policy, verified: &Verified) -> Result<(), AuthError> {
        authorize(policy, verified).inspect_err(|_| self.log_missing_source(policy, verified))
    }

    /// Logs the permissions of the policy if the verifier reads none from tokens. `require` has no verifier when it is
    /// created, so it cannot log them then.
    fn log_missing_source(&self, policy: &Policy, verified: &Verified) {
        if verified.facts().has_permission_source {
            return;
        }
        let mut defects = Vec::new();
        policy.visit(&mut |part| {
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let requirement = &self.requirement;
        let checked = match &requirement.rule {
            Rule::Fixed(policy) => verified_of(request.extensions())
                .and_then(|verified| requirement.check(policy, verified)),
            Rule::OfRequest(policy) => {
                let (head, body) = request.into_parts();
                let checked = verified_of(&head.extensions)
                    .and_then(|verified| requirement.check(&policy(&head), verified));
                request = Request::from_parts(head, body);
                checked
            }
        };
        RequireFuture::new(checked, &mut self.inner, request)
    }
}

impl<F> RequireFuture<F> {
    /// Calls the inner service, or rejects the request if it does not meet a requirement and is not only audited.
    pub(super) fn new<S, B>(
        checked: Result<(), AuthError>,
        inner: &mut S,
        mut request: Request<B>,
    ) -> Self
    where
        S: Service<Request<B>, Future = F>,
    {
        let response = checked.err().and_then(|error| reject(request.extensions_mut(), error));
        let state = match response {
            None => State::Inner { future: inner.call(request) },
            Some(response) => State::Rejected { response: Some(response) },
        };
        Self { state }
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

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy: &dyn fmt::Debug = match &self.rule {
            Rule::Fixed(policy) => policy,
            Rule::OfRequest(_) => &"of the request",
        };
        f.debug_struct("Requirement").field("policy", policy).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for RequireFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
