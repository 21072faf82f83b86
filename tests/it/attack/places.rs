//! Tokens in each place from which a layer can read them.

use axum::{Router, routing::get};
use serde_json::json;
use tower_cognito::{CognitoLayer, require, scope, service::Credential};
use tower_cognito_local::UserPool;

use super::{Case, USER, assert_response, claims, secrets::Secrets, signed, with};
use crate::support::{ThreadLogs, header, send, serve};

/// Returns the query and the header lines that contain a token.
type SendToken = fn(&str) -> (String, String);

#[tokio::test]
async fn token_is_never_logged_or_reflected_in_any_place() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    verifier.ready().await.unwrap();
    let places: [(Credential, SendToken); 5] = [
        (Credential::authorization(), |token| {
            (String::new(), format!("Authorization: Bearer {token}\r\n"))
        }),
        (Credential::header("x-token").unwrap(), |token| {
            (String::new(), format!("X-Token: {token}\r\n"))
        }),
        (Credential::cookie("id").unwrap(), |token| {
            (String::new(), format!("Cookie: a=b; id={token}\r\n"))
        }),
        (Credential::query("access_token").unwrap(), |token| {
            (format!("?a=b&access_token={token}"), String::new())
        }),
        (Credential::websocket_protocol("bearer").unwrap(), |token| {
            (String::new(), format!("Sec-WebSocket-Protocol: bearer, {token}\r\n"))
        }),
    ];
    let logs = ThreadLogs::start();
    let mut cases = Vec::new();
    for (place, sent) in places {
        let name = format!("{place:?}");
        let layer = CognitoLayer::new(verifier.clone()).credentials([place]);
        let app = Router::new()
            .route("/api/protected", get(async || "hello").layer(require(scope("profile"))))
            .layer(layer);
        let address = serve(app).await;
        for (what, token, status, code) in tokens(&pool) {
            let (query, lines) = sent(&token);
            let case = Case::lines(format!("{name}: {what}"), lines, status, code)
                .at(format!("/api/protected{query}"));
            let response = send(address, case.method, &case.path, &case.lines).await;
            assert_response(&case, &response, &Secrets::of(&pool, [&case]));
            if status == 401 {
                let error = verifier.verify(&token).await.unwrap_err();
                let shown = format!("{error} {error:?}");
                assert!(
                    !Secrets::of(&pool, [&case]).are_in(&shown),
                    "{name}: {what}: the error contains a piece of the token"
                );
            }
            cases.push(case);
        }
    }
    let logs = logs.text();
    let refusals = cases.iter().filter(|case| case.status != 200).count();
    assert_eq!(
        logs.matches("request rejected").count(),
        refusals,
        "some log lines were not captured"
    );
    let leaks = Secrets::of(&pool, &cases).places_in(&logs);
    assert!(leaks.is_empty(), "a piece of a token is in the log: {leaks:?}");
}

/// Returns a valid token, and one for each step that can reject a token.
fn tokens(pool: &UserPool) -> Vec<(&'static str, String, u16, &'static str)> {
    let good = pool.token(USER).scope("profile").sign();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let last = if signature.starts_with('A') { 'B' } else { 'A' };
    let edited = format!("{message}.{last}{}", &signature[1..]);
    let other_header =
        |name: &str, value| signed(pool, &with(header(pool), name, value), &claims(pool));
    let other_claim =
        |name: &str, value| signed(pool, &header(pool), &with(claims(pool), name, value));
    vec![
        ("cut", message.to_owned(), 401, "malformed_token"),
        ("another algorithm", other_header("alg", json!("HS256")), 401, "unsupported_algorithm"),
        ("an unknown key", other_header("kid", json!("key-of-nobody-0001")), 401, "unknown_key"),
        ("an edited signature", edited, 401, "bad_signature"),
        (
            "another issuer",
            other_claim("iss", json!("https://issuer.example/canary-0001")),
            401,
            "untrusted_issuer",
        ),
        (
            "another client",
            other_claim("client_id", json!("canary-client-0001")),
            401,
            "wrong_client",
        ),
        ("another use", other_claim("token_use", json!("canary-use-0001")), 401, "wrong_token_use"),
        (
            "a claim of the wrong type",
            other_claim("exp", json!("canary-exp-0001")),
            401,
            "invalid_claim",
        ),
        ("expired", pool.token(USER).expired().sign(), 401, "token_expired"),
        ("no scope", pool.token(USER).scope("canary-scope-0001").sign(), 403, "insufficient_scope"),
        ("good", good, 200, "ok"),
    ]
}
