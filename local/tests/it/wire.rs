//! The HTTP level of the API: malformed requests, CORS, and the shape of errors.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::{
    cognito::{
        PASSWORD, call, client, error, has_tokens, incorrect, initiate, pool_with, respond,
        short_name,
    },
    operations::{WITH_CREDENTIALS, WITHOUT_CREDENTIALS},
    srp::SrpClient,
};

fn request(pool: &UserPool, operation: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    client()
        .post(format!("http://{}/", pool.address()))
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(body)
}

/// Sends a request that must be rejected, and checks that every client can parse the error.
async fn refused(request: RequestBuilder, status: StatusCode) -> (String, String) {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    error_in(response, status).await
}

/// Returns the name and message of an error, and checks its shape.
async fn error_in(response: reqwest::Response, status: StatusCode) -> (String, String) {
    assert_eq!(response.status(), status);
    let headers = response.headers().clone();
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("application/x-amz-json-1.1"));
    assert!(header("x-amzn-requestid").is_some_and(|id| id.len() == 36));
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["__type", "message"]);
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert_eq!(header("x-amzn-errortype"), Some(format!("{}:", text("__type"))));
    assert!(!text("message").is_empty());
    (text("__type"), text("message"))
}

const BAD: StatusCode = StatusCode::BAD_REQUEST;

#[tokio::test]
async fn malformed_requests_get_json_errors() {
    let pool = UserPool::start().await.unwrap();
    let deep = "[".repeat(100_000);
    for body in ["", "{", "[]", "null", "\"text\"", "1", "{\"a\":1}x", "\u{0}", &deep] {
        let (name, _) = refused(request(&pool, "InitiateAuth", body.to_owned()), BAD).await;
        assert_eq!(name, "SerializationException", "{}", body.len());
    }
    let (name, _) = refused(request(&pool, "InitiateAuth", vec![0xff, 0xfe]), BAD).await;
    assert_eq!(name, "SerializationException");
    for operation in ["Nothing", "", "initiateauth", "../InitiateAuth"] {
        let (name, _) = refused(request(&pool, operation, "{}"), BAD).await;
        assert_eq!(name, "UnknownOperationException", "{operation}");
    }
    let post = || client().post(format!("http://{}/", pool.address())).body("{}");
    let other_service = post().header("x-amz-target", "AWSCognitoIdentityService.GetId");
    for request in [post(), other_service] {
        assert_eq!(refused(request, BAD).await.0, "UnknownOperationException");
    }
}

#[tokio::test]
async fn cross_origin_pages_can_call_only_operations_without_credentials() {
    let pool = UserPool::start().await.unwrap();
    // All operations of the service model, without and with credentials.
    let mut served = [0, 0];
    let all = [&WITHOUT_CREDENTIALS[..], &WITH_CREDENTIALS[..]];
    for (needs_credentials, operations) in all.into_iter().enumerate() {
        for operation in operations {
            let here = refused(request(&pool, operation, "{}"), BAD).await.0;
            let expected = match here.as_str() {
                "UnknownOperationException" => "UnknownOperationException",
                other => {
                    assert_eq!(other, "InvalidParameterException", "{operation}");
                    served[needs_credentials] += 1;
                    if needs_credentials == 0 { other } else { "AccessDeniedException" }
                }
            };
            for origin in ["https://evil.example", "http://localhost.evil.example", "null"] {
                let asked = request(&pool, operation, "{}").header("origin", origin);
                assert_eq!(refused(asked, BAD).await.0, expected, "{operation} {origin}");
            }
        }
    }
    assert_eq!(served, [21, 53]);
}

#[tokio::test]
async fn cross_origin_pages_can_sign_in_and_loopback_pages_can_administer() {
    let pool = pool_with("", &["alice"]).await;
    let sign_in = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": PASSWORD },
    });
    let named = json!({ "UserPoolId": pool.id().to_string(), "Username": "alice" });
    for (origin, is_here) in [
        ("https://evil.example", false),
        ("null", false),
        ("http://localhost:5173", true),
        ("http://127.0.0.1:3000", true),
        ("http://app.localhost", true),
    ] {
        let from = |operation: &str, input: &Value| {
            request(&pool, operation, input.to_string()).header("origin", origin)
        };
        assert_eq!(from("InitiateAuth", &sign_in).send().await.unwrap().status(), 200, "{origin}");
        let administered = from("AdminGetUser", &named);
        if is_here {
            assert_eq!(administered.send().await.unwrap().status(), 200, "{origin}");
        } else {
            assert_eq!(refused(administered, BAD).await.0, "AccessDeniedException", "{origin}");
        }
    }
}

#[tokio::test]
async fn missing_member_is_named_and_null_counts_as_missing() {
    let pool = UserPool::start().await.unwrap();
    for (operation, input, member) in [
        ("InitiateAuth", json!({}), "clientId"),
        ("InitiateAuth", json!({ "ClientId": null }), "clientId"),
        ("InitiateAuth", json!({ "ClientId": pool.client_id() }), "authFlow"),
        ("RespondToAuthChallenge", json!({ "ClientId": pool.client_id() }), "challengeName"),
        ("AdminInitiateAuth", json!({}), "userPoolId"),
        ("GetTokensFromRefreshToken", json!({}), "refreshToken"),
        ("RevokeToken", json!({ "Token": "a" }), "clientId"),
        ("GlobalSignOut", json!({ "AccessToken": null }), "accessToken"),
        ("VerifySoftwareToken", json!({}), "userCode"),
        ("SetUserMFAPreference", json!({ "SMSMfaSettings": null }), "accessToken"),
    ] {
        let (name, message) = refused(request(&pool, operation, input.to_string()), BAD).await;
        assert_eq!(name, "InvalidParameterException");
        assert!(message.contains(&format!("Value null at '{member}'")), "{operation}: {message}");
    }
}

#[tokio::test]
async fn member_of_the_wrong_type_is_rejected_and_not_quoted() {
    let pool = UserPool::start().await.unwrap();
    for input in [
        json!({ "ClientId": 1 }),
        json!({ "ClientId": "a", "AuthParameters": "Secret-Horse-1" }),
        json!({ "ClientId": "a", "AuthParameters": ["Secret-Horse-1"] }),
        json!({ "ClientId": "a", "AuthParameters": { "PASSWORD": { "a": "Secret-Horse-1" } } }),
        json!({ "ClientId": ["Secret-Horse-1"] }),
    ] {
        let (name, message) = refused(request(&pool, "InitiateAuth", input.to_string()), BAD).await;
        assert_eq!(name, "SerializationException");
        assert!(!message.contains("Horse"), "{message}");
    }
}

#[tokio::test]
async fn oversized_requests_get_json_errors() {
    let pool = UserPool::start().await.unwrap();
    let body = format!("{{\"ClientId\":\"{}\"}}", "a".repeat(8 * 1024 * 1024));
    let (name, _) =
        refused(request(&pool, "InitiateAuth", body), StatusCode::PAYLOAD_TOO_LARGE).await;
    assert_eq!(name, "RequestEntityTooLargeException");
    // A message that a header cannot carry (too long, or not ASCII) is only in the body.
    for id in ["a".repeat(900_000), "ü\n\u{1f600}".to_owned()] {
        let body = json!({ "ClientId": id, "AuthFlow": "USER_SRP_AUTH" }).to_string();
        let (name, _) = refused(request(&pool, "InitiateAuth", body), BAD).await;
        assert!(matches!(name.as_str(), "ResourceNotFoundException" | "InvalidParameterException"));
    }
}

#[tokio::test]
async fn errors_of_other_paths_and_methods_have_the_api_shape() {
    let pool = UserPool::start().await.unwrap();
    let unserved = "UnknownOperationException";
    let unknown = "ResourceNotFoundException";
    for (method, path, expected, allow) in [
        (Method::GET, "", unserved, Some("POST")),
        (Method::PUT, "", unserved, Some("POST")),
        (Method::OPTIONS, "", unserved, Some("POST")),
        (Method::GET, "nothing", unserved, None),
        (Method::POST, "nothing/here", unserved, None),
        (Method::POST, "%ff", unserved, None),
        (Method::DELETE, "us-east-1_Local0001/.well-known/jwks.json", unserved, Some("GET,HEAD")),
        (Method::GET, "us-east-1_Nowhere/.well-known/jwks.json", unknown, None),
        (Method::GET, "us-east-1_Nowhere/.well-known/openid-configuration", unknown, None),
        (Method::GET, "%ff/.well-known/jwks.json", unknown, None),
        (Method::GET, "%ff/.well-known/openid-configuration", unknown, None),
    ] {
        let address = format!("http://{}/{path}", pool.address());
        let response = client().request(method.clone(), &address).send().await.unwrap();
        let allowed = response.headers().get("allow").map(|line| line.to_str().unwrap());
        assert_eq!(allowed, allow, "{method} {path}");
        let status = match allow {
            Some(_) => StatusCode::METHOD_NOT_ALLOWED,
            None => StatusCode::NOT_FOUND,
        };
        let (name, _) = error_in(response, status).await;
        assert_eq!(name, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn preflight_for_a_path_without_cors_gets_an_error_of_the_api_shape() {
    let pool = UserPool::start().await.unwrap();
    for (path, status) in
        [("nothing", StatusCode::NOT_FOUND), ("_local/messages", StatusCode::METHOD_NOT_ALLOWED)]
    {
        let asked = client()
            .request(Method::OPTIONS, format!("http://{}/{path}", pool.address()))
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST");
        let response = asked.send().await.unwrap();
        assert!(!response.headers().contains_key("access-control-allow-origin"), "{path}");
        let (name, _) = error_in(response, status).await;
        assert_eq!(name, "UnknownOperationException", "{path}");
    }
}

#[tokio::test]
async fn content_type_of_a_request_is_ignored() {
    let pool = UserPool::start().await.unwrap();
    let named = json!({ "UserPoolId": pool.id().as_str() }).to_string();
    for content_type in
        ["application/x-amz-json-1.1", "application/json", "text/plain", "multipart/form-data"]
    {
        let with = |body: &str| {
            request(&pool, "ListUsers", body.to_owned()).header("content-type", content_type)
        };
        assert_eq!(with(&named).send().await.unwrap().status(), 200, "{content_type}");
        let (name, _) = refused(with("a=b"), BAD).await;
        assert_eq!(name, "SerializationException", "{content_type}");
    }
}

#[tokio::test]
async fn operations_on_a_deleted_pool_get_an_error_of_the_api_shape() {
    let pool = UserPool::start().await.unwrap();
    let made = call(&pool, "CreateUserPool", json!({ "PoolName": "gone" })).await.unwrap();
    let id = &made["UserPool"]["Id"];
    let (gone, here) = (json!({ "UserPoolId": id }), json!({ "UserPoolId": pool.id().as_str() }));
    call(&pool, "DeleteUserPool", gone.clone()).await.unwrap();
    for operation in ["DescribeUserPool", "ListUsers", "DeleteUserPool", "GetUserPoolMfaConfig"] {
        let (name, message) = refused(request(&pool, operation, gone.to_string()), BAD).await;
        assert_eq!(name, "ResourceNotFoundException", "{operation}");
        assert_eq!(message, format!("User pool {} does not exist.", id.as_str().unwrap()));
    }
    assert!(call(&pool, "DescribeUserPool", here).await.is_ok());
}

#[tokio::test]
async fn cors_is_allowed_and_each_response_has_a_unique_request_id() {
    let pool = pool_with("", &["alice"]).await;
    let asked = client()
        .request(Method::OPTIONS, format!("http://{}/", pool.address()))
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-amz-target,x-amz-user-agent")
        .send()
        .await
        .unwrap();
    assert!(asked.status().is_success());
    let header = |name: &str| asked.headers()[name].to_str().unwrap().to_ascii_lowercase();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-methods").contains("post"));
    let allowed: Vec<_> = header("access-control-allow-headers")
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    for name in [
        "content-type",
        "x-amz-target",
        "x-amz-user-agent",
        "cache-control",
        "pragma",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "x-amz-date",
        "x-amz-security-token",
    ] {
        assert!(allowed.iter().any(|allowed| allowed == name), "{name}");
    }
    let mut ids = Vec::new();
    for _ in 0..2 {
        let input = json!({
            "ClientId": pool.client_id(),
            "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": { "USERNAME": "alice", "PASSWORD": PASSWORD },
        });
        let response = request(&pool, "InitiateAuth", input.to_string()).send().await.unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
        assert!(exposed.contains("x-amzn-errortype") && exposed.contains("x-amzn-requestid"));
        ids.push(response.headers()["x-amzn-requestid"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn srp_claim_with_any_edited_byte_is_rejected(
        member in 0_usize..3, at in any::<usize>(), with in 1_u8..=255,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let pool = pool_with("", &["alice"]).await;
            let srp = SrpClient::new();
            let parameters = json!({ "USERNAME": "alice", "SRP_A": srp.public });
            let begun = initiate(&pool, "USER_SRP_AUTH", parameters).await.unwrap();
            let right = srp.answers(short_name(&pool), &begun, PASSWORD);
            let mut answers = right.clone();
            let name = ["PASSWORD_CLAIM_SIGNATURE", "PASSWORD_CLAIM_SECRET_BLOCK", "TIMESTAMP"][member];
            let text = right[name].as_str().unwrap();
            answers[name] = json!(if member == 2 {
                let mut octets = text.as_bytes().to_vec();
                let at = at % octets.len();
                octets[at] = b'0' + (octets[at] ^ with) % 10;
                if octets == text.as_bytes() { octets[at] = b'x'; }
                String::from_utf8(octets).unwrap()
            } else {
                let mut octets = STANDARD.decode(text).unwrap();
                let at = at % octets.len();
                octets[at] ^= with;
                STANDARD.encode(octets)
            });
            let answer = respond(&pool, "PASSWORD_VERIFIER", &Value::Null, answers).await;
            assert!(!has_tokens(&answer), "{name}");
            if member == 0 {
                assert_eq!(error(answer), incorrect());
            }
        });
    }
}
