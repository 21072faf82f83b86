//! The order of the rules: the first rule that a token breaks determines the error.

use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::header;

/// A claim that breaks a rule, with the error's code and a part of its detail.
type Fault = (&'static str, Value, &'static str, &'static str);

/// One fault for each rule on claims, in the order of the manual.
fn faults(now: u64) -> Vec<Fault> {
    vec![
        ("iss", json!("https://example.com"), "untrusted_issuer", "`iss`"),
        ("nbf", json!("text"), "invalid_claim", "`nbf`"),
        ("exp", json!(now - 1), "token_expired", "expired"),
        ("iat", json!(now + 3600), "token_not_yet_valid", "`iat`"),
        ("token_use", json!("refresh"), "wrong_token_use", "`token_use`"),
        ("scope", json!(7), "invalid_claim", "`scope`"),
        ("client_id", json!("other"), "wrong_client", "client"),
        ("aud", json!("https://billing.example.com"), "wrong_audience", "resource"),
        ("cnf", json!({}), "unsupported_confirmation", "`cnf`"),
        ("auth_time", json!("text"), "invalid_claim", "`auth_time`"),
    ]
}

#[tokio::test]
async fn token_that_breaks_several_rules_is_rejected_by_the_first() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let good = pool.token("alice").payload();
    let faults = faults(good["iat"].as_u64().unwrap());
    for (position, (_, _, code, detail)) in faults.iter().enumerate() {
        // The fault alone, and together with each later one.
        for other in position..faults.len() {
            let mut payload = good.clone();
            for (claim, value, ..) in [&faults[position], &faults[other]] {
                payload[*claim] = value.clone();
            }
            let token = pool.sign_parts(header(&pool).to_string(), payload.to_string());
            let error = verifier.verify(&token).await.unwrap_err();
            assert_eq!(error.code(), *code, "{} and {}", faults[position].0, faults[other].0);
            assert!(error.detail().contains(detail), "{error}");
        }
    }
}

#[tokio::test]
async fn claims_are_reported_only_if_the_signature_is_valid() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let good = pool.token("alice").payload();
    let other = pool.token("bob").sign();
    let (_, signature) = other.rsplit_once('.').unwrap();
    for (claim, value, ..) in faults(good["iat"].as_u64().unwrap()).into_iter().skip(1) {
        let mut payload = good.clone();
        payload[claim] = value;
        let token = pool.sign_parts(header(&pool).to_string(), payload.to_string());
        let (message, _) = token.rsplit_once('.').unwrap();
        let error = verifier.verify(&format!("{message}.{signature}")).await.unwrap_err();
        assert_eq!(error.code(), "bad_signature", "{claim}");
    }
}
