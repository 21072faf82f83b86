//! The resources that an access token may be bound to (RFC 8707): `Pool::resources` and its default.

use serde_json::{Value, json};
use tower_cognito::{AuthErrorKind, Pool, Verifier};
use tower_cognito_local::{TokenBuilder, UserPool};

use crate::support::{both_uses, full_verifier};

const API: &str = "https://api.example.com";
const OTHER: &str = "https://billing.example.com";

async fn outcome(verifier: &Verifier, token: &str) -> Option<AuthErrorKind> {
    verifier.verify(token).await.err().map(|error| error.kind())
}

/// Returns an access token with this `aud`, or without `aud`.
fn token(pool: &UserPool, audience: Option<&Value>) -> String {
    let token = pool.token("alice");
    match audience {
        Some(audience) => token.claim("aud", audience.clone()).sign(),
        None => token.sign(),
    }
}

async fn check(
    pool: &UserPool,
    configured: Pool,
    cases: impl IntoIterator<Item = (Option<Value>, Option<AuthErrorKind>)>,
) {
    let verifier = Verifier::builder(configured).build().unwrap();
    for (audience, expected) in cases {
        let token = token(pool, audience.as_ref());
        // Verified twice, because the second result may come from the token cache.
        for _ in 0..2 {
            assert_eq!(outcome(&verifier, &token).await, expected, "aud {audience:?}");
        }
    }
}

const WRONG: Option<AuthErrorKind> = Some(AuthErrorKind::WrongAudience);
const INVALID: Option<AuthErrorKind> = Some(AuthErrorKind::InvalidClaim);

#[tokio::test]
async fn resource_bound_access_token_is_rejected_by_default() {
    let pool = UserPool::start().await.unwrap();
    let client = pool.client_id();
    let cases = [
        (None, None),
        (Some(json!(client)), None),
        (Some(json!([client])), None),
        (Some(json!([client, client])), None),
        (Some(json!(API)), WRONG),
        (Some(json!([API])), WRONG),
        (Some(json!([client, API])), WRONG),
        (Some(json!([])), WRONG),
        (Some(json!("")), WRONG),
        (Some(Value::Null), INVALID),
        (Some(json!(7)), INVALID),
        (Some(json!([[client]])), INVALID),
    ];
    check(&pool, both_uses(&pool), cases).await;
}

#[tokio::test]
async fn only_tokens_bound_to_a_configured_resource_are_accepted() {
    let pool = UserPool::start().await.unwrap();
    let client = pool.client_id();
    let second = "https://api.example.com/v2";
    let cases = [
        (Some(json!(API)), None),
        (Some(json!([API])), None),
        (Some(json!(second)), None),
        (Some(json!([OTHER, API])), None),
        (None, WRONG),
        (Some(json!(client)), WRONG),
        (Some(json!([client])), WRONG),
        (Some(json!(OTHER)), WRONG),
        (Some(json!([OTHER])), WRONG),
        (Some(json!(format!("{API}/"))), WRONG),
        (Some(json!("HTTPS://api.example.com")), WRONG),
        (Some(json!(format!("{API} {OTHER}"))), WRONG),
        (Some(json!(API[1..])), WRONG),
        (Some(json!([])), WRONG),
        (Some(json!({ "0": API })), INVALID),
        (Some(json!([API, 1])), INVALID),
        (Some(Value::Null), INVALID),
    ];
    check(&pool, both_uses(&pool).resources([API, second]), cases).await;
}

#[tokio::test]
async fn resources_or_unbound_accepts_unbound_tokens_and_rejects_other_resources() {
    let pool = UserPool::start().await.unwrap();
    let client = pool.client_id();
    let cases = [
        (None, None),
        (Some(json!(client)), None),
        (Some(json!(API)), None),
        (Some(json!([OTHER, API])), None),
        (Some(json!(OTHER)), WRONG),
        (Some(json!([client, OTHER])), WRONG),
        (Some(json!([])), WRONG),
        (Some(Value::Null), INVALID),
    ];
    check(&pool, both_uses(&pool).resources_or_unbound([API]), cases).await;
}

#[tokio::test]
async fn client_is_checked_in_addition_to_the_resource() {
    let pool = UserPool::start().await.unwrap();
    let verifier = Verifier::builder(both_uses(&pool).resources([API])).build().unwrap();
    let bound = || pool.token("alice").claim("aud", API);
    assert_eq!(outcome(&verifier, &bound().sign()).await, None);
    let other_client = bound().client("other").sign();
    assert_eq!(outcome(&verifier, &other_client).await, Some(AuthErrorKind::WrongClient));
}

#[tokio::test]
async fn aud_of_an_id_token_is_checked_against_the_client() {
    let pool = UserPool::start().await.unwrap();
    let verifier = Verifier::builder(both_uses(&pool).resources([API])).build().unwrap();
    assert_eq!(outcome(&verifier, &pool.id_token("alice").sign()).await, None);
    let bound = pool.id_token("alice").claim("aud", API).sign();
    assert_eq!(outcome(&verifier, &bound).await, Some(AuthErrorKind::WrongClient));
}

#[tokio::test]
async fn resource_applies_only_to_its_own_pool() {
    let pools = [
        UserPool::builder().own_keys().start().await.unwrap(),
        UserPool::builder().own_keys().start().await.unwrap(),
    ];
    let [first, second] = &pools;
    let verifier = Verifier::builder(both_uses(first).name("first").resources([API]))
        .add_pool(both_uses(second).name("second").resources([OTHER]))
        .build()
        .unwrap();
    for (pool, audience, expected) in
        [(first, API, None), (first, OTHER, WRONG), (second, API, WRONG), (second, OTHER, None)]
    {
        let token = token(pool, Some(&json!(audience)));
        assert_eq!(outcome(&verifier, &token).await, expected, "{} {audience}", pool.issuer());
    }
}

#[tokio::test]
async fn token_with_any_cnf_claim_is_rejected() {
    let pool = UserPool::start().await.unwrap();
    let verifier = full_verifier(&pool).build().unwrap();
    let start: [&dyn Fn() -> TokenBuilder; 2] =
        [&|| pool.token("alice"), &|| pool.id_token("alice")];
    for token in start {
        assert_eq!(outcome(&verifier, &token().sign()).await, None);
        for cnf in [json!({ "jkt": "x" }), json!({}), json!([]), json!(""), Value::Null] {
            let bound = token().claim("cnf", cnf.clone()).sign();
            let expected = Some(AuthErrorKind::UnsupportedConfirmation);
            assert_eq!(outcome(&verifier, &bound).await, expected, "cnf {cnf}");
        }
    }
}

#[test]
fn mock_token_can_be_bound_to_a_resource() {
    let verified = tower_cognito_local::mock("alice").claim("aud", API).verified().unwrap();
    assert_eq!(verified.claim("aud"), Some(&json!(API)));
}
