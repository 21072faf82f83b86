//! How refusals look.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_cognito::{
    ApiGatewayBody, AuthError, AuthErrorKind, CognitoLayer, Credential, GrpcStatus, Verified,
    group,
    local::{Fault, UserPool},
    require, scope,
};

type Call = Response<Bytes>;

async fn call(layer: CognitoLayer, token: Option<&str>) -> Call {
    let service = ServiceBuilder::new().layer(layer).layer(require(scope("a"))).service(
        service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("in")))
        }),
    );
    let mut request = Request::new(());
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn the_default_is_problem_json_with_a_stable_code() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let answer = call(layer, Some(&pool.token("alice").expired().sign())).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(
        body,
        json!({
            "type": "about:blank", "title": "Unauthorized", "status": 401,
            "detail": "the token has expired", "code": "token_expired",
        })
    );
    assert_eq!(
        answer.headers()["www-authenticate"],
        "Bearer realm=\"cognito\", error=\"invalid_token\", error_description=\"the token has expired\""
    );
    assert_eq!(answer.extensions().get::<AuthError>().unwrap().kind(), AuthErrorKind::Expired);
}

#[tokio::test]
async fn a_claim_of_another_type_is_named() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let (access, id) = (|| pool.token("alice"), || pool.id_token("alice"));
    for (token, claim, word) in [
        (access(), "exp", "`exp`"),
        (access(), "nbf", "`nbf`"),
        (access(), "iat", "`iat`"),
        (access(), "auth_time", "`auth_time`"),
        (access(), "token_use", "`token_use`"),
        (access(), "client_id", "`client_id`"),
        (id(), "aud", "`aud`"),
        (access(), "sub", "`sub`"),
        (access(), "scope", "`scope`"),
        (access(), "cognito:groups", "`cognito:groups`"),
        (access(), "username", "user name"),
        (id(), "cognito:username", "user name"),
    ] {
        let error = verifier.verify(&token.claim(claim, json!({})).sign()).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::InvalidClaim, "{claim}");
        assert!(error.detail().contains(word), "{claim}: {error}");
    }
}

#[tokio::test]
async fn no_credential_gets_a_challenge_without_an_error() {
    let pool = UserPool::start().await.unwrap();
    let answer = call(CognitoLayer::new(pool.verifier().build().unwrap()), None).await;
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"cognito\"");
}

#[tokio::test]
async fn insufficient_scope_names_the_scope_and_keeps_the_failed_policy_for_logs() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let answer = call(layer, Some(&pool.token("alice").sign())).await;
    assert_eq!(answer.status(), 403);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.ends_with("scope=\"a\""), "{challenge}");
    let error = answer.extensions().get::<AuthError>().unwrap();
    assert_eq!(error.failed_policy(), Some("scope(\"a\")"));
    assert_eq!(error.required_scope(), Some("a"));
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_503_with_retry_after() {
    let pool = UserPool::start().await.unwrap();
    pool.set_fault(Fault::Status(500));
    let answer =
        call(CognitoLayer::new(pool.verifier().build().unwrap()), Some(&pool.token("a").sign()))
            .await;
    assert_eq!(answer.status(), 503);
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert!(!answer.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn ready_made_bodies() {
    let pool = UserPool::start().await.unwrap();
    let layer = || CognitoLayer::new(pool.verifier().build().unwrap());
    let user = pool.token("alice").sign();
    let gateway = layer().rejection_handler(ApiGatewayBody);
    let answer = call(gateway.clone(), None).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.body()[..]),
        (401, &b"{\"message\":\"Unauthorized\"}"[..])
    );
    let answer = call(gateway, Some(&user)).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.body()[..]),
        (403, &b"{\"message\":\"Forbidden\"}"[..])
    );

    for (token, code) in [(None, "16"), (Some("x"), "16"), (Some(&*user), "7")] {
        let answer = call(layer().rejection_handler(GrpcStatus), token).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["grpc-status"], code);
        assert!(answer.body().is_empty());
        assert!(answer.extensions().get::<AuthError>().is_some());
    }
}

#[tokio::test]
async fn the_reason_is_in_the_extensions_whatever_the_handler_returns() {
    let pool = UserPool::start().await.unwrap();
    let blank = |_: &AuthError, _: Response<Bytes>| Response::new(Bytes::new());
    let layer = CognitoLayer::new(pool.verifier().build().unwrap()).rejection_handler(blank);
    for token in [None, Some(pool.token("alice").sign())] {
        let answer = call(layer.clone(), token.as_deref()).await;
        assert!(answer.extensions().get::<AuthError>().is_some());
    }
}

#[tokio::test]
async fn require_without_the_layer_is_a_wiring_mistake_that_says_what_to_add() {
    let mut service = ServiceBuilder::new().layer(require(scope("a"))).service(service_fn(
        |_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("in")))
        },
    ));
    let answer = service.ready().await.unwrap().call(Request::new(())).await.unwrap();
    assert_eq!(answer.status(), 500);
    let error = answer.extensions().get::<AuthError>().unwrap().clone();
    assert_eq!(error.kind(), AuthErrorKind::MissingLayer);
    assert!(error.to_string().contains("CognitoLayer::new(verifier)"), "{error}");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_ne!(&body[..], b"in");
}

#[tokio::test]
async fn extractors_without_the_layer_are_a_wiring_mistake_even_for_guests() {
    use axum::{Router, routing::get};
    use tower_cognito::Claims;
    let app = Router::new()
        .route("/a", get(|_: Claims| async {}))
        .route("/b", get(|_: Option<Claims>| async {}))
        .route("/c", get(|_: Verified| async {}));
    let address = crate::support::serve(app).await;
    for path in ["/a", "/b", "/c"] {
        let answer = crate::support::get(address, path, None).await;
        assert_eq!((answer.status, answer.code().as_str()), (500, "missing_layer"), "{path}");
    }
}

#[tokio::test]
async fn an_inner_layer_for_guests_does_not_take_over_an_outer_layers_claims() {
    let pool = UserPool::start().await.unwrap();
    let verifier = || pool.verifier().build().unwrap();
    let inner = CognitoLayer::new(verifier())
        .credentials([Credential::cookie("other").unwrap()])
        .allow_anonymous();
    let service = ServiceBuilder::new().layer(CognitoLayer::new(verifier())).layer(inner).service(
        service_fn(|request: Request<()>| async move {
            let known = request.extensions().get::<Verified>().is_some();
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from(known.to_string())))
        }),
    );
    let mut request = Request::new(());
    let token = pool.token("alice").sign();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let body =
        service.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&body[..], b"false");
}

#[tokio::test]
async fn a_challenge_names_the_scopes_that_are_missing_and_no_others() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").scope("a").sign();
    for (policy, named) in [
        (scope("a") & group("staff"), None),
        (scope("a") & scope("b") & scope("c"), Some("b")),
        (scope("b") | scope("c"), Some("b")),
        (group("staff") | (scope("b") & scope("c")), Some("b c")),
        (group("staff") | (scope("b") & scope("b")), Some("b")),
        (scope("b\"c"), None),
        (scope("b c"), None),
    ] {
        let service = ServiceBuilder::new()
            .layer(CognitoLayer::new(pool.verifier().build().unwrap()))
            .layer(require(policy.clone()))
            .service(service_fn(|_: Request<()>| async {
                Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
            }));
        let mut request = Request::new(());
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let answer = service.oneshot(request).await.unwrap();
        let error = answer.extensions().get::<AuthError>().unwrap();
        assert_eq!(error.required_scope(), named, "{policy}");
    }
}

#[tokio::test]
async fn an_inner_layer_refuses_in_its_own_words_throughout() {
    let pool = UserPool::start().await.unwrap();
    let verifier = || pool.verifier().build().unwrap();
    let outer =
        CognitoLayer::new(verifier()).rejection_handler(ApiGatewayBody).realm("outer").unwrap();
    let service = ServiceBuilder::new()
        .layer(outer)
        .layer(CognitoLayer::new(verifier()))
        .layer(require(scope("a")))
        .service(service_fn(|_: Request<()>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
        }));
    let mut request = Request::new(());
    let token = pool.token("alice").sign();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let answer = service.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("realm=\"cognito\""));
}
