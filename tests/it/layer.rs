//! `CognitoLayer` and `require` as tower services.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use bytes::{Buf, BufMut, Bytes};
use http::{Request, Response};
use http_body_util::Full;
use tokio::net::TcpListener;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, CognitoLayer, Pool, Verified, Verifier, group, keys::KeyDocument,
    policy::authenticated, require, require_async, scope, service::Rejector, verifier::Refusal,
};
use tower_cognito_local::UserPool;

use crate::support;

fn request(token: &str) -> Request<()> {
    Request::builder().header("authorization", format!("Bearer {token}")).body(()).unwrap()
}

fn kind<B>(response: &Response<B>) -> Option<AuthErrorKind> {
    response.extensions().get::<AuthError>().map(AuthError::kind)
}

/// A service that counts its calls, and those without a preceding `poll_ready` as violations.
#[derive(Default)]
struct Strict {
    ready: bool,
    violations: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            ready: false,
            violations: Arc::clone(&self.violations),
            calls: Arc::clone(&self.calls),
        }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if !std::mem::take(&mut self.ready) {
            self.violations.fetch_add(1, Ordering::SeqCst);
        }
        ready(Ok(Response::new(Full::default())))
    }
}

#[tokio::test]
async fn layer_calls_the_service_that_was_polled_ready() {
    let pool = UserPool::start().await.unwrap();
    let strict = Strict { ready: false, violations: Arc::default(), calls: Arc::default() };
    // The first request waits for a fetch of the keys. The others do not wait.
    let waiting = pool.verifier().add_async_check(|_: Verified| async { Ok(()) });
    for builder in [pool.verifier(), waiting] {
        let layer = CognitoLayer::new(builder.build().unwrap());
        let mut service = layer.layer(require(scope("a")).layer(strict.clone()));
        for _ in 0..3 {
            let token = pool.token("alice").scope("a").sign();
            let response = service.ready().await.unwrap().call(request(&token)).await.unwrap();
            assert_eq!(response.status(), 200);
        }
    }
    assert_eq!(strict.calls.load(Ordering::SeqCst), 6);
    assert_eq!(strict.violations.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn error_of_the_inner_service_is_returned_unchanged() {
    #[derive(Debug, PartialEq)]
    struct Broken;
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let service = layer.layer(
        require(scope("a"))
            .layer(service_fn(|_: Request<()>| async { Err::<Response<Full<Bytes>>, _>(Broken) })),
    );
    let outcome = service.oneshot(request(&pool.token("alice").scope("a").sign())).await;
    assert_eq!(outcome.err(), Some(Broken));
}

#[tokio::test]
async fn custom_checks_run_on_every_request() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    for cache_bytes in [1 << 20, 0] {
        let counted = Arc::new(AtomicUsize::new(0));
        let (sync, later) = (Arc::clone(&counted), Arc::clone(&counted));
        let verifier = pool
            .verifier()
            .token_cache_bytes(cache_bytes)
            .add_check(move |_| {
                sync.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .add_async_check(move |_| {
                let later = Arc::clone(&later);
                async move {
                    if later.fetch_add(10, Ordering::SeqCst) > 25 {
                        return Err(Refusal::unauthorized("revoked"));
                    }
                    Ok(())
                }
            })
            .build()
            .unwrap();
        let service = CognitoLayer::new(verifier).layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        for expected in [None, None, None, Some(AuthErrorKind::RefusedByCheck)] {
            let response = service.clone().oneshot(request(&token)).await.unwrap();
            assert_eq!(kind(&response), expected);
        }
        assert_eq!(counted.load(Ordering::SeqCst), 44);
    }
}

#[tokio::test]
async fn custom_check_determines_the_response() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    for (refusal, status, code) in [
        (Refusal::unauthorized("signed out"), 401, "refused_by_check"),
        (Refusal::forbidden("unpaid"), 403, "forbidden_by_check"),
        (Refusal::unavailable("down", Duration::from_millis(1500)), 503, "check_unavailable"),
        (Refusal::unavailable("down", Duration::MAX), 503, "check_unavailable"),
    ] {
        let verifier = pool.verifier().add_check(move |_| Err(refusal.clone())).build().unwrap();
        let service = CognitoLayer::new(verifier).layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let response = service.oneshot(request(&token)).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.extensions().get::<AuthError>().unwrap().code(), code);
        assert_eq!(response.headers().get("retry-after").is_some(), status == 503);
    }
}

#[tokio::test]
async fn custom_check_does_not_run_for_an_invalid_token() {
    let pool = UserPool::start().await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);
    let verifier = pool
        .verifier()
        .add_check(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
        .build()
        .unwrap();
    for (bad, kind) in [
        ("x".to_owned(), AuthErrorKind::MalformedToken),
        (pool.token("alice").expired().sign(), AuthErrorKind::Expired),
        (pool.token("a").client("other").sign(), AuthErrorKind::WrongClient),
    ] {
        assert_eq!(verifier.verify(&bad).await.unwrap_err().kind(), kind);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    verifier.verify(&pool.token("alice").sign()).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_does_not_cancel_its_shared_fetch() {
    let pool = UserPool::builder().start().await.unwrap();
    let (document, fetches) = (pool.key_set().unwrap().to_json(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&fetches);
    let source = move || {
        counter.fetch_add(1, Ordering::SeqCst);
        let document = document.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(KeyDocument::new(document))
        }
    };
    let own = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .key_source(source);
    let verifier = Verifier::builder(own).build().unwrap();
    let service = CognitoLayer::new(verifier).layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let token = pool.token("alice").sign();
    let first = tokio::spawn(service.clone().oneshot(request(&token)));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let others: Vec<_> =
        (0..50).map(|_| tokio::spawn(service.clone().oneshot(request(&token)))).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.abort();
    for other in others {
        assert_eq!(other.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn tonic_methods_receive_claims_and_rejections_have_grpc_codes() {
    use tonic::{Code, Status};

    let pool = UserPool::start().await.unwrap();
    let verifier = pool
        .verifier()
        .add_check(|user| match user.username() {
            Some("revoked") => Err(Refusal::unauthorized("revoked")),
            Some("unlucky") => {
                Err(Refusal::unavailable("the list is down", Duration::from_secs(1)))
            }
            _ => Ok(()),
        })
        .build()
        .unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let layer = CognitoLayer::new(verifier)
        .require(scope("echo"))
        .rejection_handler(tower_cognito::service::GrpcStatus);
    let channel = serve_grpc(layer, Echo { calls: Arc::clone(&calls) }).await;
    let good = |name: &str| pool.token(name).scope("echo");
    let refused = |code, message: &str| Err((code, message.to_owned()));
    type Outcome = Result<String, (Code, String)>;
    let cases: [(Option<String>, Outcome); 8] = [
        (Some(good("alice").sign()), Ok("alice says hello".to_owned())),
        (None, refused(Code::Unauthenticated, "missing_credential")),
        (Some("x".to_owned()), refused(Code::Unauthenticated, "malformed_token")),
        (Some(good("alice").expired().sign()), refused(Code::Unauthenticated, "token_expired")),
        (Some(good("revoked").sign()), refused(Code::Unauthenticated, "refused_by_check")),
        (
            Some(pool.token("alice").scope("other").sign()),
            refused(Code::PermissionDenied, "insufficient_scope"),
        ),
        (Some(good("unlucky").sign()), refused(Code::Unavailable, "check_unavailable")),
        (Some(good("bob").sign()), Ok("bob says hello".to_owned())),
    ];
    let passing = cases.iter().filter(|(_, expected)| expected.is_ok()).count();
    for (token, expected) in cases {
        let outcome = say(channel.clone(), "hello", token.as_deref()).await;
        let outcome =
            outcome.map_err(|status: Status| (status.code(), status.message().to_owned()));
        assert_eq!(outcome, expected);
    }
    assert_eq!(
        calls.load(Ordering::SeqCst),
        passing,
        "the method must not run for a rejected request"
    );
    // The method itself rejects a call.
    let status = say(channel, "secret", Some(&good("alice").sign())).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "forbidden_by_check"));
}

/// A gRPC service with one unary method, which returns the caller's username and the message.
#[derive(Clone)]
struct Echo {
    calls: Arc<AtomicUsize>,
}

impl tonic::server::NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl Service<Request<tonic::body::Body>> for Echo {
    type Response = Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let calls = Arc::clone(&self.calls);
        let method = service_fn(move |request: tonic::Request<String>| {
            calls.fetch_add(1, Ordering::SeqCst);
            if request.get_ref() == "secret" {
                let rejector = Rejector::of(request.extensions());
                let rejection = rejector.reject(Refusal::forbidden("it is not for you"));
                let status = tonic::Status::from_header_map(rejection.headers());
                return ready(Err(status.unwrap_or_else(|| tonic::Status::internal("no status"))));
            }
            let user = request.extensions().get::<Verified>();
            let user = user.and_then(Verified::username).map(str::to_owned);
            ready(match user {
                Some(user) => {
                    Ok(tonic::Response::new(format!("{user} says {}", request.into_inner())))
                }
                None => Err(tonic::Status::internal("no claims")),
            })
        });
        Box::pin(async move { Ok(tonic::server::Grpc::new(Text).unary(method, request).await) })
    }
}

/// Serves the method on loopback until the test's runtime ends.
async fn serve_grpc(layer: CognitoLayer, echo: Echo) -> tonic::transport::Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder().layer(layer).add_service(echo);
    tokio::spawn(server.serve_with_incoming(incoming));
    tonic::transport::Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy()
}

/// Calls the method over the network.
async fn say(
    channel: tonic::transport::Channel,
    message: &str,
    token: Option<&str>,
) -> Result<String, tonic::Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let mut request = tonic::Request::new(message.to_owned());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let path = http::uri::PathAndQuery::from_static("/test.Echo/Say");
    client.unary(request, path, Text).await.map(tonic::Response::into_inner)
}

/// A codec for plain-text messages.
#[derive(Clone)]
struct Text;

impl tonic::codec::Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Text {
    type Item = String;
    type Error = tonic::Status;

    fn encode(
        &mut self,
        text: String,
        buffer: &mut tonic::codec::EncodeBuf<'_>,
    ) -> Result<(), tonic::Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl tonic::codec::Decoder for Text {
    type Item = String;
    type Error = tonic::Status;

    fn decode(
        &mut self,
        buffer: &mut tonic::codec::DecodeBuf<'_>,
    ) -> Result<Option<String>, tonic::Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

#[tokio::test]
async fn policy_of_the_layer_behaves_like_require_around_the_service() {
    let pool = UserPool::start().await.unwrap();
    let policy = || scope("orders/write") & group("staff");
    let guarded = |cognito: CognitoLayer| {
        cognito.layer(service_fn(|request: Request<()>| async move {
            assert!(request.extensions().get::<Verified>().is_some());
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }))
    };
    let tokens = [
        (pool.token("alice").scope("orders/write").group("staff").sign(), None),
        (pool.token("alice").scope("orders/write").sign(), Some(AuthErrorKind::InsufficientScope)),
        (pool.token("alice").group("staff").sign(), Some(AuthErrorKind::InsufficientScope)),
    ];
    for (token, expected) in tokens {
        // The first request to a verifier waits for the keys; the second does not.
        let own = CognitoLayer::new(pool.verifier().build().unwrap());
        let split = own.clone().require(scope("orders/write")).require(group("staff"));
        let whole = own.clone().require(policy());
        let around = own.layer(require(policy()).layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        })));
        for _ in 0..2 {
            let reference = around.clone().oneshot(request(&token)).await.unwrap();
            assert_eq!(kind(&reference), expected);
            for cognito in [&split, &whole] {
                let response = guarded(cognito.clone()).oneshot(request(&token)).await.unwrap();
                assert_eq!(response.status(), reference.status());
                assert_eq!(response.headers(), reference.headers());
                assert_eq!(kind(&response), expected);
            }
        }
    }
}

#[tokio::test]
async fn request_extensions_of_outer_layers_are_kept() {
    #[derive(Clone, PartialEq, Debug)]
    struct OuterLayer(&'static str);

    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let verifier = pool.verifier().build().unwrap();
    let cognito = CognitoLayer::new(verifier.clone()).allow_anonymous();
    let seen = service_fn(|request: Request<()>| async move {
        let (outer, user) =
            (request.extensions().get::<OuterLayer>(), request.extensions().get::<Verified>());
        let seen = (outer.cloned(), user.map(|user| user.subject().to_owned()));
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(seen);
        Ok::<_, Infallible>(response)
    });
    let subject = verifier.verify(&token).await.unwrap().subject().to_owned();
    for outer in [None, Some(OuterLayer("first"))] {
        for (mut request, user) in
            [(request(&token), Some(subject.clone())), (Request::new(()), None)]
        {
            if let Some(outer) = &outer {
                request.extensions_mut().insert(outer.clone());
            }
            let response = cognito.layer(seen).oneshot(request).await.unwrap();
            let seen: Option<&(Option<OuterLayer>, Option<String>)> = response.extensions().get();
            assert_eq!(seen, Some(&(outer.clone(), user)));
        }
    }
}

#[tokio::test]
async fn layer_around_a_router_responds_like_one_inside_it() {
    let pool = UserPool::start().await.unwrap();
    let guarded = get(async || "hello").layer(require(group("staff")));
    let router = Router::new().route("/", get(async || "hello")).route("/twice", guarded);
    let layer = CognitoLayer::new(pool.verifier().build().unwrap()).require(group("staff"));
    let app = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::from))
        .layer(layer.clone())
        .layer(require(group("staff")))
        .service(router.clone().with_state(()));
    let inside = router.layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let around = listener.local_addr().unwrap();
    let app = axum::ServiceExt::<axum::extract::Request>::into_make_service(app);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let inside = support::serve(inside).await;
    let (staff, other) = (pool.token("alice").group("staff").sign(), pool.token("bob").sign());
    let requests = [("GET", "/"), ("HEAD", "/"), ("GET", "/twice"), ("PUT", "/"), ("GET", "/none")];
    for (token, expected) in
        [(Some(staff), [200, 200, 200, 405, 404]), (Some(other), [403; 5]), (None, [401; 5])]
    {
        let credential = token.as_deref().map(support::bearer).unwrap_or_default();
        for ((method, path), expected) in requests.into_iter().zip(expected) {
            let around = support::send(around, method, path, &credential).await;
            let mut inside = support::send(inside, method, path, &credential).await;
            // axum adds the `Allow` header even to the responses of a layer inside the router.
            if expected != 405 {
                inside.headers.remove("allow");
            }
            // Of all other headers, only the date may differ.
            inside.headers.insert("date", around.headers["date"].clone());
            assert_eq!(around.status, expected, "{method} {path}");
            assert_eq!((around.headers, around.body), (inside.headers, inside.body));
        }
    }
}

#[tokio::test]
async fn anonymous_request_does_not_meet_the_policy_of_the_layer() {
    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    for cognito in [
        cognito.clone().allow_anonymous().require(authenticated()),
        cognito.require(authenticated()).allow_anonymous(),
    ] {
        let service = cognito.layer(service_fn(|_: Request<()>| async {
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }));
        let response = service.oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(kind(&response), Some(AuthErrorKind::MissingCredential));
    }
}

#[tokio::test]
async fn services_give_access_to_the_inner_service() {
    use tower_cognito::service::{CognitoService, Require, RequireAsync};

    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let later = RequireAsync::new(1, |_, _| async { Ok(()) });
    let mut cognito = CognitoService::new(Require::new(later, group("staff")), verifier);
    assert_eq!(cognito.get_ref().get_ref().get_ref(), &1);
    *cognito.get_mut().get_mut().get_mut() = 2;
    assert_eq!(cognito.into_inner().into_inner().into_inner(), 2);
}

#[tokio::test]
async fn services_created_without_their_layers_behave_the_same() {
    use tower_cognito::service::{CognitoService, Require};

    let pool = UserPool::start().await.unwrap();
    let inner = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let verifier = pool.verifier().build().unwrap();
    let service = CognitoService::new(Require::new(inner, group("staff")), verifier);
    let (staff, other) = (pool.token("alice").group("staff").sign(), pool.token("bob").sign());
    for (request, status) in
        [(request(&staff), 200), (request(&other), 403), (Request::new(()), 401)]
    {
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status);
    }
}

/// Polls the future of a rejected request twice.
async fn poll_twice<S>(mut service: S)
where
    S: Service<Request<()>, Error = Infallible>,
{
    let mut future = Box::pin(service.call(Request::new(())));
    assert!(future.as_mut().await.is_ok());
    let _ = future.await;
}

#[tokio::test]
#[should_panic(expected = "polled after it had completed")]
async fn a_completed_future_of_the_layer_panics_when_polled_again() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    poll_twice(layer.layer(Strict::default())).await;
}

#[tokio::test]
#[should_panic(expected = "polled after it had completed")]
async fn a_completed_future_of_require_panics_when_polled_again() {
    poll_twice(require(group("staff")).layer(Strict::default())).await;
}

#[tokio::test]
#[should_panic(expected = "polled after it had completed")]
async fn a_completed_future_of_require_async_panics_when_polled_again() {
    poll_twice(require_async(|_, _| async { Ok(()) }).layer(Strict::default())).await;
}
