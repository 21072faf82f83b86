//! The layer with the previous release of axum, and in an AWS Lambda function.

use axum::{Router, routing::get};
use lambda_http::{Adapter, Context, LambdaEvent, request::LambdaRequest};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_cognito::{Claims, CognitoLayer, Verified, Verifier, group, require};
use tower_cognito_local::UserPool;

use crate::support::get as send_get;

#[tokio::test]
async fn axum_0_7_handlers_take_verified_claims_as_an_extension() {
    use axum07::{Extension, Router, routing::get};

    async fn me(Extension(user): Extension<Verified>) -> String {
        user.username().unwrap_or_default().to_owned()
    }
    async fn home(user: Option<Extension<Verified>>) -> &'static str {
        if user.is_some() { "user" } else { "guest" }
    }

    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let app = Router::new()
        .route("/me", get(me))
        .route("/admin", get(|| async { "admin" }).layer(require(group("admin"))))
        .layer(cognito.clone())
        .merge(Router::new().route("/", get(home)).layer(cognito.allow_anonymous()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum07::serve(listener, app).await });
    let (user, admin) = (pool.token("alice").sign(), pool.token("ada").group("admin").sign());
    for (path, token, status, body) in [
        ("/me", None, 401, "missing_credential"),
        ("/me", Some(&user), 200, "alice"),
        ("/admin", Some(&user), 403, "insufficient_scope"),
        ("/admin", Some(&admin), 200, "admin"),
        ("/", None, 200, "guest"),
        ("/", Some(&user), 200, "user"),
    ] {
        let response = send_get(address, path, token.map(String::as_str)).await;
        assert_eq!(response.status, status, "{path}");
        assert!(response.body.contains(body), "{path}: {response:?}");
    }
}

/// An event of an API Gateway HTTP API.
fn event(path: &str, token: Option<&str>) -> LambdaEvent<LambdaRequest> {
    let mut headers = json!({ "host": "api.example.com" });
    if let Some(token) = token {
        headers["authorization"] = Value::from(format!("Bearer {token}"));
    }
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": headers, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "api.example.com", "requestId": "r",
            "stage": "$default", "time": "12/Mar/2026:19:03:58 +0000", "timeEpoch": 1,
            "http": {
                "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "test"
            }
        }
    });
    LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default())
}

/// Returns a verifier of a function that starts with exported keys, as the manual shows it.
async fn cold_verifier(pool: &UserPool) -> Verifier {
    let deployed = pool.verifier().build().unwrap();
    deployed.ready().await.unwrap();
    let keys = deployed.export_keys();
    pool.verifier().refresh_on_demand().import_keys(keys).build().unwrap()
}

#[tokio::test]
async fn lambda_function_with_imported_keys_verifies_its_first_request_without_a_fetch() {
    let pool = UserPool::start().await.unwrap();
    let verifier = cold_verifier(&pool).await;
    let app = Router::new()
        .route("/me", get(|claims: Claims| async move { claims.username().unwrap().to_owned() }))
        .layer(CognitoLayer::new(verifier.clone()));
    let token = pool.token("alice").sign();
    for (token, status, body) in [
        (Some(token.as_str()), 200, "alice"),
        (None, 401, "missing_credential"),
        (Some("x"), 401, "malformed_token"),
    ] {
        let response = Adapter::from(app.clone()).oneshot(event("/me", token)).await.unwrap();
        let response = serde_json::to_value(response).unwrap();
        assert_eq!(response["statusCode"], status);
        assert!(response["body"].as_str().unwrap().contains(body), "{response}");
    }
    assert_eq!(verifier.health()[0].fetches, 0);
}

#[tokio::test]
async fn lambda_function_without_axum_reads_claims_from_extensions() {
    let pool = UserPool::start().await.unwrap();
    let service = ServiceBuilder::new()
        .layer(CognitoLayer::new(cold_verifier(&pool).await))
        .service(service_fn(|request: lambda_http::Request| async move {
            let user = request.extensions().get::<Verified>().and_then(Verified::username);
            let body = lambda_http::Body::from(user.unwrap_or_default());
            Ok::<_, std::convert::Infallible>(http::Response::new(body))
        }));
    let token = pool.token("alice").sign();
    for (token, status, body) in [(Some(token.as_str()), 200, "alice"), (None, 401, "problem")] {
        let response = Adapter::from(service.clone()).oneshot(event("/", token)).await.unwrap();
        let response = serde_json::to_value(response).unwrap();
        assert_eq!(response["statusCode"], status);
        assert!(response.to_string().contains(body), "{response}");
    }
}
