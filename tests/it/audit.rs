//! The audit-only mode, which rejects no request.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{Router, routing::get};
use http::{Request, Response};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, Claims, CognitoLayer, Refusal, Verified, Verifier, group, require,
    require_async, require_with, scope, service::Credential,
};
use tower_cognito_local::UserPool;

use crate::support::{ThreadLogs, get as http_get, serve};

fn audit_only(verifier: Verifier) -> CognitoLayer {
    CognitoLayer::new(verifier).dangerous().audit_only()
}

fn request(token: Option<&str>) -> Request<()> {
    let mut request = Request::new(());
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}

/// A service whose response has the username of the request's token.
async fn echo(request: Request<()>) -> Result<Response<String>, Infallible> {
    let user = request.extensions().get::<Verified>().and_then(Verified::username);
    let mut response = Response::new(String::new());
    response.extensions_mut().insert(user.map(str::to_owned));
    Ok(response)
}

fn user_of<B>(response: &Response<B>) -> Option<String> {
    response.extensions().get::<Option<String>>().expect("the service ran").clone()
}

#[tokio::test]
async fn audit_only_layer_rejects_nothing_and_counts_each_request_once() {
    let pool = UserPool::start().await.unwrap();
    let waiting = pool.verifier().add_async_check(|user: Verified| async move {
        match user.username() {
            Some("revoked") => Err(Refusal::unauthorized("revoked")),
            _ => Ok(()),
        }
    });
    let sync = pool.verifier().add_check(|user| match user.username() {
        Some("revoked") => Err(Refusal::unauthorized("revoked")),
        _ => Ok(()),
    });
    for verifier in [sync, waiting] {
        let layer = audit_only(verifier.build().unwrap()).require(scope("a"));
        let counts = layer.audit_counts().unwrap();
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(require(group("staff")))
            .layer(require_with(|_| group("staff")))
            .layer(require_async(|_, _| async { Err(Refusal::forbidden("closed")) }))
            .service(service_fn(echo));
        let log = ThreadLogs::start();
        let good = || pool.token("alice").scope("a");
        let alice = || Some("alice".to_owned());
        for (token, user) in [
            (None, None),
            (Some("x".to_owned()), None),
            (Some(good().expired().sign()), None),
            (Some(pool.token("revoked").scope("a").sign()), None),
            (Some(pool.token("alice").sign()), alice()),
            (Some(good().sign()), alice()),
            (Some(good().group("staff").sign()), alice()),
        ] {
            let response = service.clone().oneshot(request(token.as_deref())).await.unwrap();
            assert_eq!(response.status(), 200);
            assert!(response.extensions().get::<AuthError>().is_none());
            assert_eq!(user_of(&response), user);
        }
        let expected = BTreeMap::from([
            ("missing_credential", 1),
            ("malformed_token", 1),
            ("token_expired", 1),
            ("refused_by_check", 1),
            ("insufficient_scope", 2),
            ("forbidden_by_check", 1),
        ]);
        assert_eq!(counts.by_code(), expected);
        assert_eq!(counts.total(), 7);
        let log = log.text();
        let warnings = log.lines().filter(|line| line.contains("audit only")).collect::<Vec<_>>();
        assert_eq!(warnings.len(), 7, "{log}");
        assert!(warnings.iter().all(|line| line.contains("WARN")), "{log}");
        assert!(!log.contains("eyJ"), "the log has a token");
    }
}

#[tokio::test]
async fn request_that_meets_all_requirements_is_not_counted() {
    let pool = UserPool::start().await.unwrap();
    let layer = audit_only(pool.verifier().build().unwrap()).require(scope("a"));
    let counts = layer.audit_counts().unwrap();
    let service = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(require(scope("a")))
        .layer(require_async(|_, _| async { Ok(()) }))
        .service(service_fn(echo));
    let token = pool.token("alice").scope("a").sign();
    let response = service.clone().oneshot(request(Some(&token))).await.unwrap();
    assert_eq!(user_of(&response).as_deref(), Some("alice"));
    assert_eq!(counts.total(), 0);
    // Clones share the counts.
    service.oneshot(request(None)).await.unwrap();
    assert_eq!(layer.audit_counts().unwrap().total(), 1);
    assert!(CognitoLayer::new(pool.verifier().build().unwrap()).audit_counts().is_none());
}

#[tokio::test]
async fn audit_only_mode_is_logged_with_the_fix_when_the_layer_is_created() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    let log = ThreadLogs::start();
    let dangerous = layer.dangerous();
    assert_eq!(log.text(), "");
    let _layer = dangerous.audit_only();
    let log = log.text();
    assert!(log.contains("ERROR") && log.contains("remove `.dangerous().audit_only()`"), "{log}");
}

#[tokio::test]
async fn inner_layer_rejects_requests_that_an_outer_one_only_audits() {
    let pool = UserPool::start().await.unwrap();
    let verifier = || pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let guarded = ServiceBuilder::new()
        .layer(audit_only(verifier()))
        .layer(CognitoLayer::new(verifier()))
        .layer(require(scope("a")))
        .service(service_fn(echo));
    let guests = ServiceBuilder::new()
        .layer(audit_only(verifier()))
        .layer(CognitoLayer::new(verifier()).allow_anonymous())
        .layer(require(scope("a")))
        .service(service_fn(echo));
    for (token, kind) in [
        (None, AuthErrorKind::MissingCredential),
        (Some(&*token), AuthErrorKind::InsufficientScope),
    ] {
        for service in [
            guarded.clone().map_response(|it| it.map(drop)).boxed_clone(),
            guests.clone().map_response(|it| it.map(drop)).boxed_clone(),
        ] {
            let response = service.oneshot(request(token)).await.unwrap();
            assert_eq!(response.extensions().get::<AuthError>().unwrap().kind(), kind);
        }
    }
    // And the reverse: the outer layer rejects the request before the inner one audits it.
    let outer = ServiceBuilder::new()
        .layer(CognitoLayer::new(verifier()))
        .layer(audit_only(verifier()))
        .service(service_fn(echo));
    assert_eq!(outer.oneshot(request(None)).await.unwrap().status(), 401);
}

#[tokio::test]
async fn credentials_of_an_audited_request_are_marked_sensitive() {
    let pool = UserPool::start().await.unwrap();
    let layer = audit_only(pool.verifier().build().unwrap()).credentials([
        Credential::authorization(),
        Credential::cookie("id").unwrap(),
        Credential::header("x-token").unwrap(),
    ]);
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let shown = format!("{:?}", request.headers());
        Ok::<_, Infallible>(Response::new(shown))
    }));
    for name in ["authorization", "cookie", "x-token"] {
        let mut request = Request::new(());
        for _ in 0..2 {
            request.headers_mut().append("authorization", "Bearer secret".parse().unwrap());
            request.headers_mut().append(name, "id=secret".parse().unwrap());
        }
        request.headers_mut().insert("x-other", "shown".parse().unwrap());
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = http_body_util::BodyExt::collect(response.into_body()).await;
        let shown = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
        assert!(shown.contains("shown") && !shown.contains("secret"), "{name}: {shown}");
    }
}

#[tokio::test]
async fn extractors_and_handlers_still_reject_in_audit_only_mode() {
    let pool = UserPool::start().await.unwrap();
    let layer = audit_only(pool.verifier().build().unwrap());
    let counts = layer.audit_counts().unwrap();
    let app = Router::new()
        .route("/claims", get(|_: Claims| async {}).layer(require(scope("a"))))
        .route(
            "/optional",
            get(|claims: Option<Claims>| async move { claims.is_some().to_string() }),
        )
        .route("/handler", get(|| async { Err::<(), _>(Refusal::forbidden("closed")) }))
        .layer(layer)
        .route("/forgotten", get(|| async {}).layer(require(scope("a"))));
    let address = serve(app).await;
    let user = pool.token("alice").sign();
    for (path, token, status, code) in [
        ("/claims", None, 401, "missing_credential"),
        ("/claims", Some("x"), 401, "missing_credential"),
        ("/claims", Some(&*user), 200, "ok"),
        ("/optional", None, 200, "ok"),
        ("/optional", Some("x"), 200, "ok"),
        ("/handler", Some(&*user), 403, "forbidden_by_check"),
        // This route is not behind the layer.
        ("/forgotten", Some(&*user), 500, "missing_layer"),
    ] {
        let response = http_get(address, path, token).await;
        assert_eq!((response.status, response.code().as_str()), (status, code), "{path} {code}");
    }
    let expected = BTreeMap::from([
        ("missing_credential", 2),
        ("malformed_token", 2),
        ("insufficient_scope", 1),
    ]);
    assert_eq!(counts.by_code(), expected);
}
