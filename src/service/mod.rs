//! The middleware: [`CognitoLayer`] authenticates once, [`require`] authorizes per route.
//!
//! Both wrap any tower service over `http` requests and do not change its error type: a rejection is a
//! response. The reason is also in the response's extensions, as an [`AuthError`], for outer layers that log or
//! count.
//!
//! | file | content |
//! |---|---|
//! | `layer` | [`CognitoLayer`]: its settings |
//! | `config` | how a request is authenticated and admitted |
//! | `service`, `future` | [`CognitoService`] and its response future |
//! | `require`, `require_async` | [`require`], [`require_with`], [`require_async`]: check the requirements of a route |
//! | `credential`, `value`, `cookie`, `site` | [`Credential`]: where the token is read from, and from which sites a cookie is accepted |
//! | `rejection`, `challenge`, `body`, `context` | the responses to rejected requests |
//! | `outgoing`, `rejector` | the rejections of handlers, and claims for outer layers |
//! | `audit` | the audit-only mode |
//!
//! [`AuthError`]: crate::AuthError
//!
//! # Examples
//!
//! On axum, with extractors:
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, routing::{get, post}};
//! use tower_cognito::{Claims, CognitoLayer, Verifier, group, require, scope};
//!
//! # fn app(verifier: Verifier) -> Router {
//! Router::new()
//!     .route("/me", get(|claims: Claims| async move { claims.subject().to_owned() }))
//!     .route("/orders", post(|| async {}).layer(require(scope("orders/write") & group("staff"))))
//!     .layer(CognitoLayer::new(verifier))
//!     .route("/healthz", get(|| async { "ok" })) // added after the layer: open to all
//! # }
//! # }
//! ```
//!
//! Around a whole router, for an API without open routes. This is faster: axum boxes the service, future and body
//! of each layer inside a router, while a layer around it needs one allocation for a cached token.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, ServiceExt, body::Body, extract::Request, response::Response, routing::get};
//! use tokio::net::TcpListener;
//! use tower::ServiceBuilder;
//! use tower_cognito::{Claims, CognitoLayer, Verifier};
//!
//! # async fn serve(verifier: Verifier, listener: TcpListener) -> std::io::Result<()> {
//! let router = Router::new()
//!     .route("/me", get(|claims: Claims| async move { claims.subject().to_owned() }))
//!     .with_state(()); // builds the router once instead of at each request, as `axum::serve` does
//! let app = ServiceBuilder::new()
//!     .map_response(|response: Response<_>| response.map(Body::from))
//!     .layer(CognitoLayer::new(verifier))
//!     .service(router);
//! axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await
//! # }
//! # }
//! ```
//!
//! On any tower service, with the request's extensions:
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, service_fn};
//! use tower_cognito::{CognitoLayer, Verified, Verifier};
//!
//! async fn hello<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let subject = request.extensions().get::<Verified>().map_or("nobody", Verified::subject);
//!     Ok(Response::new(Full::from(format!("hello, {subject}"))))
//! }
//!
//! # fn service(verifier: Verifier) {
//! let service = ServiceBuilder::new()
//!     .layer(CognitoLayer::new(verifier))
//!     .service(service_fn(hello::<Full<Bytes>>));
//! # let _ = service;
//! # }
//! ```

mod audit;
mod body;
mod challenge;
mod config;
mod context;
mod cookie;
mod credential;
mod future;
mod layer;
mod outgoing;
mod rejection;
mod rejector;
mod require;
mod require_async;
#[expect(
    clippy::module_inception,
    reason = "each middleware has the files layer, service, future and rejection"
)]
mod service;
mod site;
mod value;

pub use self::audit::AuditCounts;
pub use self::body::ResponseBody;
#[cfg(feature = "axum")]
pub(crate) use self::context::{RejectionResponder, responder_of, verified_of};
pub use self::cookie::Cookies;
pub use self::credential::Credential;
pub use self::future::ResponseFuture;
pub use self::layer::{CognitoLayer, DangerousLayer};
pub use self::rejection::{ApiGatewayBody, GrpcStatus, ProblemJson, RejectionHandler};
pub use self::rejector::Rejector;
pub use self::require::{Require, RequireFuture, RequireLayer, require, require_with};
pub use self::require_async::{RequireAsync, RequireAsyncFuture, RequireAsyncLayer, require_async};
pub use self::service::CognitoService;
