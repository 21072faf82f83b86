//! The responses to rejected requests, and the warnings about policies.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Either, Full};
use serde_json::json;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, CognitoLayer, TokenUse, Verified, group, permission,
    policy::{all, any, client, token_use},
    require, scope,
    service::{ApiGatewayBody, Credential, GrpcStatus},
};
use tower_cognito_local::{Fault, UserPool};

use crate::support::{ThreadLogs, both_uses, full_verifier};

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
async fn default_response_is_problem_json_with_a_stable_code() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let response = call(layer, Some(&pool.token("alice").expired().sign())).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(
        body,
        json!({
            "type": "about:blank", "title": "Unauthorized", "status": 401,
            "detail": "the token has expired", "code": "token_expired",
        })
    );
    assert_eq!(
        response.headers()["www-authenticate"],
        "Bearer realm=\"cognito\", error=\"invalid_token\", error_description=\"the token has expired\""
    );
    assert_eq!(response.extensions().get::<AuthError>().unwrap().kind(), AuthErrorKind::Expired);
}

#[tokio::test]
async fn error_names_the_claim_of_the_wrong_type() {
    let pool = UserPool::start().await.unwrap();
    let verifier = full_verifier(&pool).build().unwrap();
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
async fn missing_credential_gets_a_challenge_without_an_error() {
    let pool = UserPool::start().await.unwrap();
    let response = call(CognitoLayer::new(pool.verifier().build().unwrap()), None).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"cognito\"");
}

#[tokio::test]
async fn insufficient_scope_names_the_scope_and_keeps_the_failed_policy_for_logs() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let response = call(layer, Some(&pool.token("alice").sign())).await;
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.ends_with("scope=\"a\""), "{challenge}");
    let error = response.extensions().get::<AuthError>().unwrap();
    assert_eq!(error.failed_policy(), Some("scope(\"a\")"));
    assert_eq!(error.required_scope(), Some("a"));
}

#[tokio::test]
async fn unavailable_keys_get_503_with_retry_after() {
    let pool = UserPool::start().await.unwrap();
    pool.set_fault(Fault::Status(500));
    let response =
        call(CognitoLayer::new(pool.verifier().build().unwrap()), Some(&pool.token("a").sign()))
            .await;
    assert_eq!(response.status(), 503);
    let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert!(!response.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn built_in_handlers_write_their_documented_bodies() {
    let pool = UserPool::start().await.unwrap();
    let layer = || CognitoLayer::new(pool.verifier().build().unwrap());
    let user = pool.token("alice").sign();
    let gateway = layer().rejection_handler(ApiGatewayBody);
    let response = call(gateway.clone(), None).await;
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (401, &b"{\"message\":\"Unauthorized\"}"[..])
    );
    let response = call(gateway, Some(&user)).await;
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (403, &b"{\"message\":\"Forbidden\"}"[..])
    );

    for (token, code) in [(None, "16"), (Some("x"), "16"), (Some(&*user), "7")] {
        let response = call(layer().rejection_handler(GrpcStatus), token).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], code);
        assert!(response.body().is_empty());
        assert!(response.extensions().get::<AuthError>().is_some());
    }
}

#[tokio::test]
async fn error_is_in_the_extensions_of_every_response() {
    let pool = UserPool::start().await.unwrap();
    let blank = |_: &AuthError, _: Response<Bytes>| Response::new(Bytes::new());
    let layer = CognitoLayer::new(pool.verifier().build().unwrap()).rejection_handler(blank);
    for token in [None, Some(pool.token("alice").sign())] {
        let response = call(layer.clone(), token.as_deref()).await;
        assert!(response.extensions().get::<AuthError>().is_some());
    }
}

fn ok_service() -> impl tower::Service<
    Request<()>,
    Response = Response<Full<Bytes>>,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone {
    service_fn(|_: Request<()>| async { Ok(Response::new(Full::<Bytes>::from("in"))) })
}

fn with_token(token: &str) -> Request<()> {
    let mut request = Request::new(());
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

#[tokio::test]
async fn missing_or_misplaced_layer_gets_500_and_only_the_log_has_the_fix() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let token = pool.token("alice").scope("a").sign();
    let missing = ServiceBuilder::new().layer(require(scope("a"))).service(ok_service());
    let swapped =
        ServiceBuilder::new().layer(require(scope("a"))).layer(layer.clone()).service(ok_service());
    let right = ServiceBuilder::new().layer(layer).layer(require(scope("a"))).service(ok_service());
    let body = async |response: Response<Either<_, _>>| {
        response.into_body().collect().await.unwrap().to_bytes()
    };

    let log = ThreadLogs::start();
    let responses = [
        missing.oneshot(with_token(&token)).await.unwrap().map(Either::Left),
        swapped.oneshot(with_token(&token)).await.unwrap().map(Either::Right),
    ];
    for response in responses {
        assert_eq!(response.status(), 500);
        let error = response.extensions().get::<AuthError>().unwrap().clone();
        assert_eq!(error.kind(), AuthErrorKind::MissingLayer);
        let headers = response.headers().clone();
        let shown = format!("{headers:?} {error} {:?}", body(response).await);
        for word in ["CognitoLayer", "layer(", "Router", "ServiceBuilder", "require"] {
            assert!(!shown.contains(word), "the response contains {word:?}: {shown}");
        }
    }
    let log = log.text();
    for advice in [
        "ERROR",
        "On an axum Router the layer that is added last runs first: call \
         `.layer(CognitoLayer::new(verifier))` after the route",
        "In a tower ServiceBuilder the layer that is added first runs first: call \
         `.layer(CognitoLayer::new(verifier))` before `.layer(require(..))`",
    ] {
        assert!(log.contains(advice), "the log lacks {advice:?}: {log}");
    }

    // The wiring that the log recommends, for a `ServiceBuilder` and for a `Router`.
    assert_eq!(right.oneshot(with_token(&token)).await.unwrap().status(), 200);
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async {}).layer(require(scope("a"))))
        .layer(layer);
    let address = crate::support::serve(app).await;
    assert_eq!(crate::support::get(address, "/", Some(&token)).await.status, 200);
}

#[tokio::test]
async fn detail_for_a_missing_token_names_only_accepted_kinds() {
    let pool = UserPool::start().await.unwrap();
    let id_tokens_alone =
        tower_cognito::Pool::custom(pool.issuer(), pool.jwks_uri()).id_tokens([pool.client_id()]);
    let verifier = tower_cognito::Verifier::builder(id_tokens_alone).build().unwrap();
    let layer = CognitoLayer::new(verifier).allow_anonymous();
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(require(tower_cognito::policy::authenticated()))
        .service(ok_service());
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), 401);
    let error = response.extensions().get::<AuthError>().unwrap();
    assert_eq!(error.detail(), "this route requires a token");
    let token = pool.id_token("alice").sign();
    assert_eq!(service.oneshot(with_token(&token)).await.unwrap().status(), 200);
}

#[test]
fn unsatisfiable_policy_is_logged_when_it_is_built() {
    let long_list = || scope("a") & (token_use(TokenUse::Id) & group("b"));
    for (policy, part) in [
        (scope("a b"), r#"scope("a b")"#),
        (scope(""), r#"scope("")"#),
        (scope("orders/*"), r#"scope("orders/*")"#),
        (group("ad min"), r#"group("ad min")"#),
        (group("admin*"), r#"group("admin*")"#),
        (permission(""), r#"permission("")"#),
        (permission("write:*"), r#"permission("write:*")"#),
        (client("web,mobile"), r#"client("web,mobile")"#),
        (any([]), "any()"),
        (all([]), "all()"),
        (scope("ok") & (group("ok") | scope("c d")), r#"scope("c d")"#),
        (token_use(TokenUse::Id) & token_use(TokenUse::Access), "one kind"),
        (client("a") & group("x") & client("b"), "one client"),
        (tower_cognito::policy::pool("a") & tower_cognito::policy::pool("b"), "one pool"),
        (long_list(), "an ID token has no scopes"),
    ] {
        let text = policy.to_string();
        let log = ThreadLogs::start();
        let _layer = require(policy);
        let log = log.text();
        assert!(log.contains("WARN") && log.contains(part), "{text}: {log}");
    }
}

#[test]
fn satisfiable_policy_is_not_logged() {
    for policy in [
        scope("orders/write"),
        scope("https://api.example.com/orders.read"),
        group("staff") & scope("a") & client("web") & token_use(TokenUse::Access),
        (token_use(TokenUse::Id) | token_use(TokenUse::Access)) & group("staff"),
        (client("a") & group("staff")) | (client("b") & group("staff")),
        client("a") & client("a"),
        token_use(TokenUse::Id) & (scope("a") | group("staff")),
        tower_cognito::policy::authenticated(),
        tower_cognito::policy::claim("custom:tenant", "*"),
        permission("a b"),
        group("\u{e9}quipe-A_1.x"),
    ] {
        let (text, log) = (policy.to_string(), ThreadLogs::start());
        let _layer = require(policy);
        assert_eq!(log.text(), "", "{text}");
    }
}

#[tokio::test]
async fn permission_without_a_source_is_logged_once() {
    let pool = UserPool::start().await.unwrap();
    let builder = || tower_cognito::Verifier::builder(both_uses(&pool));
    let name = "a_permission_without_a_source";
    let token = pool.token("alice").changed_by_trigger().permissions([name]).sign();
    let warnings = |log: &ThreadLogs| {
        log.text().lines().filter(|line| line.contains("WARN") && line.contains(name)).count()
    };

    // The layer knows its verifier when it is built.
    let log = ThreadLogs::start();
    let _layer = CognitoLayer::new(builder().build().unwrap()).require(permission(name));
    assert_eq!(warnings(&log), 1, "{}", log.text());

    // `require` logs it at the first rejected request.
    let log = ThreadLogs::start();
    let without = CognitoLayer::new(builder().build().unwrap());
    let policy = group("admin") | permission(name);
    let service = ServiceBuilder::new().layer(without).layer(require(policy)).service(ok_service());
    assert_eq!(warnings(&log), 0);
    for _ in 0..3 {
        assert_eq!(service.clone().oneshot(with_token(&token)).await.unwrap().status(), 403);
    }
    assert_eq!(warnings(&log), 1, "{}", log.text());

    // With a source, nothing is logged, whether or not the token has the permission.
    let log = ThreadLogs::start();
    let grants = tower_cognito::policy::Grants::new().add_group("staff", [name]);
    let with_grants = tower_cognito::Verifier::builder(both_uses(&pool).grants(grants));
    for builder in [builder().permissions_claim("custom:permissions"), with_grants] {
        let layer = CognitoLayer::new(builder.build().unwrap());
        let _layer = layer.clone().require(permission(name));
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(require(permission(name)))
            .service(ok_service());
        let without = pool.token("bob").sign();
        assert_eq!(service.clone().oneshot(with_token(&without)).await.unwrap().status(), 403);
        let with =
            pool.token("alice").changed_by_trigger().permissions([name]).group("staff").sign();
        assert_eq!(service.oneshot(with_token(&with)).await.unwrap().status(), 200);
    }
    assert_eq!(warnings(&log), 0, "{}", log.text());
}

#[tokio::test]
async fn permission_source_in_one_of_several_pools_causes_no_warning() {
    let pools = [
        UserPool::builder().own_keys().start().await.unwrap(),
        UserPool::builder().own_keys().start().await.unwrap(),
    ];
    let [with, without] = &pools;
    let grants = tower_cognito::policy::Grants::new().add_group("staff", ["a"]);
    let verifier = tower_cognito::Verifier::builder(both_uses(with).name("with").grants(grants))
        .add_pool(both_uses(without).name("without"))
        .build()
        .unwrap();
    let log = ThreadLogs::start();
    let layer = CognitoLayer::new(verifier);
    let service =
        ServiceBuilder::new().layer(layer).layer(require(permission("a"))).service(ok_service());
    for (pool, status) in [(with, 200), (without, 403)] {
        let token = pool.token("alice").group("staff").sign();
        let response = service.clone().oneshot(with_token(&token)).await.unwrap();
        assert_eq!(response.status(), status, "{}", pool.issuer());
    }
    assert!(!log.text().contains("WARN"), "{}", log.text());
}

#[tokio::test]
async fn policy_that_the_verifier_can_never_meet_is_logged_when_the_layer_is_built() {
    let pool = UserPool::start().await.unwrap();
    let own = || tower_cognito::Pool::custom(pool.issuer(), pool.jwks_uri()).name("staff");
    let access = tower_cognito::Verifier::builder(own().access_tokens(["web"]));
    let id = tower_cognito::Verifier::builder(own().id_tokens(["web"]));
    let (access, id) = (access.build().unwrap(), id.build().unwrap());
    for (verifier, policy, is_met) in [
        (&access, token_use(TokenUse::Id), false),
        (&access, token_use(TokenUse::Access), true),
        (&access, scope("scope_of_the_layers_test"), true),
        (&access, client("not_listed"), false),
        (&access, client("web"), true),
        (&access, tower_cognito::policy::pool("customers"), false),
        (&access, tower_cognito::policy::pool("staff"), true),
        (&id, token_use(TokenUse::Access), false),
        (&id, token_use(TokenUse::Id), true),
        (&id, scope("scope_of_the_layers_test"), false),
        (&id, client("web"), true),
    ] {
        let text = policy.to_string();
        let log = ThreadLogs::start();
        let _layer = CognitoLayer::new(verifier.clone()).require(policy);
        let log = log.text();
        let warned = log.lines().any(|line| line.contains("WARN") && line.contains(&text));
        assert_eq!(warned, !is_met, "{text}: {log}");
    }
}

#[tokio::test]
async fn extractor_without_the_layer_gets_500_even_if_optional() {
    use axum::{Router, routing::get};
    use tower_cognito::Claims;
    let app = Router::new()
        .route("/a", get(|_: Claims| async {}))
        .route("/b", get(|_: Option<Claims>| async {}))
        .route("/c", get(|_: Verified| async {}));
    let address = crate::support::serve(app).await;
    for path in ["/a", "/b", "/c"] {
        let response = crate::support::get(address, path, None).await;
        assert_eq!((response.status, response.code().as_str()), (500, "missing_layer"), "{path}");
    }
}

#[tokio::test]
async fn inner_anonymous_layer_ignores_claims_of_an_outer_layer() {
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
async fn challenge_names_exactly_the_missing_scopes() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").scope("a").sign();
    for (policy, named) in [
        (scope("a") & group("staff"), None),
        (scope("a") & scope("b") & scope("c"), Some("b")),
        (scope("b") | scope("c"), Some("b")),
        (group("staff") | (scope("b") & scope("c")), Some("b c")),
        (group("staff") | (scope("b") & scope("b")), Some("b")),
        (group("staff") | (scope("b") & (scope("b") | scope("c"))), Some("b")),
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
        let response = service.oneshot(request).await.unwrap();
        let error = response.extensions().get::<AuthError>().unwrap();
        assert_eq!(error.required_scope(), named, "{policy}");
    }
}

#[tokio::test]
async fn inner_layer_uses_its_own_rejection_for_all_errors() {
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
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert!(response.headers()["www-authenticate"].to_str().unwrap().contains("realm=\"cognito\""));
}
