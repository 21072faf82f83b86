//! Rules that look at the request, and rejections by the application's own code.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, Request as AxumRequest},
    middleware::{Next, from_fn},
    response::IntoResponse,
    routing::get,
};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, Claims, CognitoLayer, Policy, Refusal, Verified, group,
    policy::{Denied, any, claim},
    require, require_async, require_with, scope,
    service::{ApiGatewayBody, GrpcStatus, Rejector},
};
use tower_cognito_local::UserPool;

use crate::support::{HttpResponse, ThreadLogs, get as http_get, send, serve};

fn request(token: &str) -> Request<()> {
    Request::builder().header("authorization", format!("Bearer {token}")).body(()).unwrap()
}

fn kind<B>(response: &Response<B>) -> Option<AuthErrorKind> {
    response.extensions().get::<AuthError>().map(AuthError::kind)
}

async fn ok(_: Request<()>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::default()))
}

#[tokio::test]
async fn policy_is_chosen_by_the_head_of_the_request() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let by_method = |head: &Parts| match head.method {
        Method::GET => scope("read"),
        Method::POST => scope("write") & claim("sub", head.uri.path().trim_start_matches('/')),
        _ => any([]),
    };
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(require_with(by_method))
        // The inner service gets the whole request.
        .service(service_fn(|request: Request<u8>| async move {
            let user = request.extensions().get::<Verified>().is_some();
            let seen = (request.method().clone(), request.uri().clone(), user, *request.body());
            let mut response = Response::new(Full::<Bytes>::default());
            response.extensions_mut().insert(seen);
            Ok::<_, Infallible>(response)
        }));
    let subject = pool.token("alice").payload()["sub"].as_str().unwrap().to_owned();
    let token = |scope: &str| pool.token("alice").scope(scope).sign();
    let (own, read, write) = (format!("/{subject}"), token("read"), token("write"));
    for (method, path, token, required) in [
        (Method::GET, "/x", &read, None),
        (Method::GET, "/x", &write, Some("read")),
        (Method::POST, &*own, &write, None),
        (Method::POST, &*own, &read, Some("write")),
        (Method::POST, "/x", &write, Some("")),
        (Method::DELETE, "/x", &write, Some("")),
    ] {
        let mut request = request(token).map(|()| 7_u8);
        (*request.method_mut(), *request.uri_mut()) = (method.clone(), path.parse().unwrap());
        let response = service.clone().oneshot(request).await.unwrap();
        match required {
            None => {
                let seen: &(Method, http::Uri, bool, u8) = response.extensions().get().unwrap();
                assert_eq!(seen, &(method, path.parse().unwrap(), true, 7));
            }
            Some(required) => {
                assert_eq!(response.status(), 403, "{method} {path}");
                let error = response.extensions().get::<AuthError>().unwrap();
                assert_eq!(error.kind(), AuthErrorKind::InsufficientScope);
                assert_eq!(error.required_scope().unwrap_or_default(), required);
                assert!(error.failed_policy().is_some());
            }
        }
    }
}

#[tokio::test]
async fn asynchronous_function_decides_after_it_has_waited() {
    let pool = UserPool::start().await.unwrap();
    let (calls, checks) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, checked) = (Arc::clone(&calls), Arc::clone(&checks));
    let service = ServiceBuilder::new()
        .layer(CognitoLayer::new(pool.verifier().build().unwrap()))
        .layer(require_async(move |user: Verified, head: Parts| {
            checked.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                scope("a").check(&user)?;
                match head.uri.path() {
                    "/open" => Ok(()),
                    "/hidden" => Err(Refusal::not_found("there is no such order")),
                    "/down" => Err(Refusal::unavailable("down", Duration::from_secs(3))),
                    "/revoked" => Err(Refusal::unauthorized("revoked")),
                    _ => Err(Refusal::forbidden("closed")),
                }
            }
        }))
        .service(service_fn(move |request: Request<()>| {
            counted.fetch_add(1, Ordering::SeqCst);
            ok(request)
        }));
    let (good, other) = (pool.token("alice").scope("a").sign(), pool.token("alice").sign());
    for (path, token, status, code) in [
        ("/open", Some(&good), 200, None),
        ("/open", Some(&other), 403, Some("insufficient_scope")),
        ("/closed", Some(&good), 403, Some("forbidden_by_check")),
        ("/hidden", Some(&good), 404, Some("not_found")),
        ("/down", Some(&good), 503, Some("check_unavailable")),
        ("/revoked", Some(&good), 401, Some("refused_by_check")),
        ("/open", None, 401, Some("missing_credential")),
    ] {
        let mut request = token.map_or_else(|| Request::new(()), |token| request(token));
        *request.uri_mut() = path.parse().unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let error = response.extensions().get::<AuthError>();
        assert_eq!(error.map(AuthError::code), code, "{path}");
        assert_eq!(response.headers().contains_key("retry-after"), status == 503);
        let has_challenge = response.headers().contains_key("www-authenticate");
        assert_eq!(has_challenge, matches!(status, 401 | 403), "{path}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(checks.load(Ordering::SeqCst), 6, "it must not run without a token");
}

#[tokio::test]
async fn anonymous_request_and_missing_layer_do_not_reach_the_function() {
    let pool = UserPool::start().await.unwrap();
    let guests = CognitoLayer::new(pool.verifier().build().unwrap()).allow_anonymous();
    let with = || require_with(|_: &Parts| -> Policy { unreachable!("there is no token") });
    let later = || require_async(|_, _| async { unreachable!("there is no token") });
    let token = pool.token("alice").sign();
    for request in [Request::new(()), request(&token)] {
        let is_anonymous = request.headers().is_empty();
        let responses = if is_anonymous {
            [
                guests
                    .layer(with().layer(service_fn(ok)))
                    .oneshot(Request::new(()))
                    .await
                    .map(|it| it.map(drop)),
                guests
                    .layer(later().layer(service_fn(ok)))
                    .oneshot(Request::new(()))
                    .await
                    .map(|it| it.map(drop)),
            ]
        } else {
            [
                with()
                    .layer(service_fn(ok))
                    .oneshot(self::request(&token))
                    .await
                    .map(|it| it.map(drop)),
                later()
                    .layer(service_fn(ok))
                    .oneshot(self::request(&token))
                    .await
                    .map(|it| it.map(drop)),
            ]
        };
        for response in responses {
            let expected = if is_anonymous {
                AuthErrorKind::MissingCredential
            } else {
                AuthErrorKind::MissingLayer
            };
            assert_eq!(kind(&response.unwrap()), Some(expected));
        }
    }
}

#[tokio::test]
async fn require_async_calls_the_service_that_was_polled_ready() {
    use std::task::{Context, Poll};

    /// A service that must be polled ready before it is called. Its clones are not ready.
    struct Strict(bool);

    impl Clone for Strict {
        fn clone(&self) -> Self {
            Self(false)
        }
    }

    impl tower::Service<Request<()>> for Strict {
        type Response = Response<Full<Bytes>>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "it was called before it was ready");
            std::future::ready(Ok(Response::default()))
        }
    }

    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let mut service = cognito.layer(require_async(|_, _| async { Ok(()) }).layer(Strict(false)));
    for _ in 0..3 {
        let ready = service.ready().await.unwrap();
        let response = tower::Service::call(ready, request(&token)).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn asynchronous_function_reads_typed_claims_and_extractors() {
    use axum::RequestPartsExt;

    #[derive(serde::Deserialize)]
    struct Tenant {
        #[serde(rename = "custom:tenant_id")]
        id: String,
    }
    let pool = UserPool::start().await.unwrap();
    let same_tenant = require_async(|user: Verified, mut head: Parts| async move {
        let typed = Claims::<Tenant>::from_verified(&user)?;
        let extracted = head.extract::<Claims<Tenant>>().await?;
        assert_eq!(typed.custom().id, extracted.custom().id);
        let Path((tenant, _)) = head
            .extract::<Path<(String, u32)>>()
            .await
            .map_err(|_| Refusal::not_found("there is no such order"))?;
        match tenant == typed.custom().id {
            true => Ok(()),
            false => Err(Refusal::forbidden("the tenant is another one")),
        }
    });
    let orders = Router::new().route("/orders/{id}", get(|| async {}).layer(same_tenant));
    let app = Router::new()
        .nest("/tenants/{tenant}", orders)
        .layer(CognitoLayer::new(crate::support::full_verifier(&pool).build().unwrap()));
    let address = serve(app).await;
    let acme = pool.id_token("alice").claim("custom:tenant_id", "acme").sign();
    let none = pool.id_token("bob").sign();
    for (path, token, status, code) in [
        ("/tenants/acme/orders/1", &acme, 200, "ok"),
        ("/tenants/%61cme/orders/1", &acme, 200, "ok"),
        ("/tenants/other/orders/1", &acme, 403, "forbidden_by_check"),
        ("/tenants/acme/orders/x", &acme, 404, "not_found"),
        ("/tenants/acme/orders/1", &none, 403, "claims_shape"),
    ] {
        let response = http_get(address, path, Some(token)).await;
        assert_eq!((response.status, response.code().as_str()), (status, code), "{path}");
    }
}

/// What a client sees of a rejection.
fn seen(response: &HttpResponse) -> (u16, Option<&str>, Option<&str>, &str) {
    let header = |name: &str| response.headers.get(name).map(|value| value.to_str().unwrap());
    (response.status, header("content-type"), response.challenge(), &response.body)
}

#[tokio::test]
async fn handler_rejects_in_the_format_of_the_layer() {
    fn policy() -> Policy {
        scope("orders/write") & group("staff")
    }
    async fn denied(claims: Claims) -> Result<&'static str, Refusal> {
        policy().check(&claims)?;
        Ok("passed")
    }
    async fn as_auth_error(claims: Claims) -> Result<&'static str, AuthError> {
        policy().check(&claims).map_err(AuthError::from)?;
        Ok("passed")
    }
    async fn as_denied(claims: Claims) -> axum::response::Response {
        match policy().check(&claims) {
            Ok(()) => "passed".into_response(),
            Err(denied) => Denied::into_response(denied),
        }
    }
    async fn from_middleware(
        claims: Claims,
        request: AxumRequest,
        next: Next,
    ) -> Result<axum::response::Response, Refusal> {
        policy().check(&claims)?;
        Ok(next.run(request).await)
    }
    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let app = |cognito: CognitoLayer| {
        let nested = Router::new().route("/denied", get(denied));
        Router::new()
            .route("/require", get(|| async { "passed" }).layer(require(policy())))
            .route("/denied", get(denied))
            .route("/auth_error", get(as_auth_error))
            .route("/as_denied", get(as_denied))
            .route("/from_fn", get(|| async { "passed" }).layer(from_fn(from_middleware)))
            .nest("/nested", nested)
            .layer(cognito)
    };
    let apps = [
        (app(cognito.clone()), "application/problem+json", "cognito"),
        (app(cognito.clone().rejection_handler(ApiGatewayBody)), "application/json", "cognito"),
        (app(cognito.clone().realm("orders").unwrap()), "application/problem+json", "orders"),
        (
            app(cognito.clone().rejection_handler(GrpcStatus).realm("grpc").unwrap()),
            "application/grpc",
            "grpc",
        ),
    ];
    let good = pool.token("alice").scope("orders/write").group("staff").sign();
    let bad = pool.token("alice").group("staff").sign();
    for (app, kind, realm) in apps {
        let address = serve(app).await;
        let reference = http_get(address, "/require", Some(&bad)).await;
        let challenge = reference.challenge().unwrap();
        assert!(challenge.starts_with(&format!("Bearer realm=\"{realm}\"")), "{challenge}");
        assert!(challenge.ends_with("scope=\"orders/write\""), "{challenge}");
        assert_eq!(reference.headers["content-type"], kind);
        for path in ["/denied", "/auth_error", "/as_denied", "/from_fn", "/nested/denied"] {
            for method in ["GET", "HEAD"] {
                let header = crate::support::bearer(&bad);
                let reference = send(address, method, "/require", &header).await;
                let response = send(address, method, path, &header).await;
                assert_eq!(seen(&response), seen(&reference), "{method} {path} {kind}");
                let length = |of: &HttpResponse| of.headers.get("content-length").cloned();
                assert_eq!(length(&response), length(&reference), "{method} {path} {kind}");
                let status = |of: &HttpResponse| of.headers.get("grpc-status").cloned();
                assert_eq!(status(&response), status(&reference), "{method} {path} {kind}");
            }
            let passed = http_get(address, path, Some(&good)).await;
            assert_eq!((passed.status, passed.body.as_str()), (200, "passed"), "{path}");
        }
    }
}

#[tokio::test]
async fn rejection_by_a_handler_is_logged_and_found_by_outer_layers() {
    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let token = pool.token("alice").sign();
    for cognito in [cognito.clone(), cognito.rejection_handler(ApiGatewayBody)] {
        let service = cognito.layer(service_fn(|request: Request<()>| async move {
            let user = request.extensions().get::<Verified>().unwrap();
            let refusal = scope("a").check(user).map_err(Refusal::from).unwrap_err();
            Ok::<Response<Full<Bytes>>, Infallible>(refusal.into())
        }));
        let log = ThreadLogs::start();
        let response = service.oneshot(request(&token)).await.unwrap();
        let error = response.extensions().get::<AuthError>().unwrap();
        assert_eq!(error.code(), "insufficient_scope");
        assert_eq!(error.failed_policy(), Some("scope(\"a\")"));
        let log = log.text();
        let lines = log.lines().filter(|line| line.contains("request rejected")).count();
        assert_eq!(lines, 1, "{log}");
        assert!(log.contains("insufficient_scope"), "{log}");
    }
}

#[tokio::test]
async fn other_headers_and_changed_responses_of_a_handler_are_kept() {
    async fn with_headers() -> impl IntoResponse {
        let headers = [
            ("set-cookie", "a=b"),
            ("x-id", "1"),
            // These describe the body that the layer replaces.
            ("content-encoding", "gzip"),
            ("content-length", "3"),
        ];
        (headers, Refusal::forbidden("closed"))
    }
    async fn other_status() -> impl IntoResponse {
        (StatusCode::GONE, Refusal::forbidden("closed"))
    }
    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let token = pool.token("alice").sign();
    let serve = async |layer: CognitoLayer| {
        let routes = Router::new().route("/headers", get(with_headers));
        serve(routes.route("/gone", get(other_status)).layer(layer)).await
    };
    let blank = |_: &AuthError, _: Response<Bytes>| Response::new(Bytes::from("no"));
    let address = serve(cognito.clone().rejection_handler(ApiGatewayBody)).await;
    let response = http_get(address, "/headers", Some(&token)).await;
    assert_eq!((response.status, &*response.body), (403, r#"{"message":"Forbidden"}"#));
    assert_eq!(response.headers["set-cookie"], "a=b");
    assert_eq!(response.headers["x-id"], "1");
    assert_eq!(response.headers["content-length"], "23");
    assert!(!response.headers.contains_key("content-encoding"));
    let response = http_get(address, "/gone", Some(&token)).await;
    assert_eq!((response.status, response.code().as_str()), (410, "forbidden_by_check"));

    // A handler of the layer that removes the challenge.
    let address = serve(cognito.rejection_handler(blank)).await;
    let response = http_get(address, "/headers", Some(&token)).await;
    assert_eq!((response.status, &*response.body), (200, "no"));
    assert_eq!(response.headers["x-id"], "1");
    assert!(!response.headers.contains_key("www-authenticate"));
    assert!(!response.headers.contains_key("content-type"));
}

#[tokio::test]
async fn handler_rejects_an_anonymous_request_like_the_layer() {
    async fn basket(claims: Option<Claims>) -> Result<&'static str, Refusal> {
        let claims = claims.ok_or(Refusal::missing_credential("this route requires a token"))?;
        scope("basket").check(&claims)?;
        Ok("basket")
    }
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap()).allow_anonymous();
    for layer in [layer.clone(), layer.realm("shop").unwrap()] {
        let app = Router::new()
            .route("/basket", get(basket))
            .route("/require", get(|| async { "basket" }).layer(require(scope("basket"))))
            .layer(layer);
        let address = serve(app).await;
        let tokens = ["basket", "other"].map(|scope| pool.token("alice").scope(scope).sign());
        for (token, status) in [(None, 401), (Some(&tokens[0]), 200), (Some(&tokens[1]), 403)] {
            let token = token.map(String::as_str);
            let reference = http_get(address, "/require", token).await;
            let response = http_get(address, "/basket", token).await;
            assert_eq!(response.status, status);
            assert_eq!(seen(&response), seen(&reference));
        }
    }
}

#[tokio::test]
async fn handler_without_the_layer_rejects_in_the_default_format() {
    let app = Router::new()
        .route("/refusal", get(|| async { Refusal::forbidden("closed") }))
        .route("/path/{id}", get(|_: Path<String>| async { Refusal::not_found("no such order") }));
    let address = serve(app).await;
    for (path, status, code) in
        [("/refusal", 403, "forbidden_by_check"), ("/path/1", 404, "not_found")]
    {
        let response = http_get(address, path, None).await;
        assert_eq!((response.status, response.code().as_str()), (status, code));
        assert_eq!(response.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn inner_layer_decides_the_format_of_a_handler() {
    let pool = UserPool::start().await.unwrap();
    let verifier = || pool.verifier().build().unwrap();
    let refuse = || {
        service_fn(|_: Request<()>| async {
            Ok::<Response<Full<Bytes>>, Infallible>(Refusal::forbidden("closed").into())
        })
    };
    let token = pool.token("alice").sign();
    let outer = CognitoLayer::new(verifier()).rejection_handler(ApiGatewayBody);
    let inner = outer.layer(CognitoLayer::new(verifier()).layer(refuse()));
    let response = inner.oneshot(request(&token)).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let response = outer.layer(refuse()).oneshot(request(&token)).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn rejector_writes_the_format_of_the_layer_at_once() {
    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let token = pool.token("alice").sign();
    let status = |cognito: CognitoLayer| {
        cognito.layer(service_fn(|request: Request<()>| async move {
            let rejector = Rejector::of(request.extensions());
            let rejection = rejector.reject(Refusal::not_found("there is no such order"));
            let status = tonic::Status::from_header_map(rejection.headers());
            let mut response = rejection.map(Full::new);
            response.extensions_mut().insert(status.map(|it| (it.code(), it.message().to_owned())));
            Ok::<_, Infallible>(response)
        }))
    };
    let response = status(cognito.clone()).oneshot(request(&token)).await.unwrap();
    assert_eq!((response.status().as_u16(), kind(&response)), (404, Some(AuthErrorKind::NotFound)));
    assert!(response.extensions().get::<Option<(tonic::Code, String)>>().unwrap().is_none());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"{\"type\""), "{body:?}");

    let grpc = status(cognito.rejection_handler(GrpcStatus));
    let response = grpc.oneshot(request(&token)).await.unwrap();
    let found: &Option<(tonic::Code, String)> = response.extensions().get().unwrap();
    assert_eq!(found, &Some((tonic::Code::NotFound, "not_found".to_owned())));
}

#[tokio::test]
async fn claims_are_in_the_response_for_outer_layers_if_exposed() {
    let pool = UserPool::start().await.unwrap();
    let waiting = pool.verifier().add_async_check(|_: Verified| async { Ok(()) });
    for verifier in [pool.verifier(), waiting] {
        let silent = CognitoLayer::new(verifier.build().unwrap()).allow_anonymous();
        let exposing = silent.clone().expose_claims();
        let by_layer = exposing.clone().require(scope("a"));
        let user = |response: &Response<_>| {
            let verified = response.extensions().get::<Verified>();
            verified.and_then(Verified::username).map(str::to_owned)
        };
        let alice = Some("alice".to_owned());
        for (scope_name, status) in [("a", 200), ("b", 403)] {
            let token = pool.token("alice").scope(scope_name).sign();
            let inner = || require(scope("a")).layer(service_fn(ok));
            let response = exposing.layer(inner()).oneshot(request(&token)).await.unwrap();
            assert_eq!((response.status().as_u16(), user(&response)), (status, alice.clone()));
            let response = silent.layer(inner()).oneshot(request(&token)).await.unwrap();
            assert_eq!((response.status().as_u16(), user(&response)), (status, None));
            let response = by_layer.layer(inner()).oneshot(request(&token)).await.unwrap();
            assert_eq!((response.status().as_u16(), user(&response)), (status, alice.clone()));
        }
        for request in [Request::new(()), request("x"), request(&pool.token("a").expired().sign())]
        {
            let response = exposing.layer(service_fn(ok)).oneshot(request).await.unwrap();
            assert!(response.extensions().get::<Verified>().is_none());
        }
    }
}

#[tokio::test]
async fn function_is_a_part_of_a_policy() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let is_pro = Policy::from_fn("has plan \"pro\"", |token: &Verified| {
        token.claim("plan").and_then(|plan| plan.get("name")).is_some_and(|name| name == "pro")
    });
    let policy = is_pro.clone() & scope("a");
    assert_eq!(policy.to_string(), r#"from_fn("has plan \"pro\"") & scope("a")"#);
    assert_eq!(is_pro, is_pro.clone());
    assert_ne!(is_pro, Policy::from_fn("has plan \"pro\"", |_| true));
    for (plan, scope_name, failed) in
        [("pro", "a", None), ("free", "a", Some("from_fn")), ("pro", "b", Some("scope"))]
    {
        let plan = serde_json::json!({ "name": plan });
        let token =
            pool.token("alice").changed_by_trigger().claim("plan", plan).scope(scope_name).sign();
        let verified = verifier.verify(&token).await.unwrap();
        let outcome = policy.check(&verified);
        let found = outcome.err().map(|denied| denied.failed().to_string());
        assert_eq!(found.is_some(), failed.is_some());
        assert!(found.unwrap_or_default().starts_with(failed.unwrap_or_default()));
    }
}
