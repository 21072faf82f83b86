//! The typed claims of access and ID tokens.

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::json;
use tower_cognito::{
    AccessClaims, AuthErrorKind, Claims, IdClaims, TokenUse, Verified, claims::de,
};
use tower_cognito_local::{TokenBuilder, UserPool};

use crate::support::{both_uses, captured_logs, full_verifier};

async fn verified(pool: &UserPool, token: &TokenBuilder) -> Verified {
    full_verifier(pool).build().unwrap().verify(&token.sign()).await.unwrap()
}

#[tokio::test]
async fn access_token_claims_are_typed() {
    let pool = UserPool::start().await.unwrap();
    let token = pool
        .token("alice")
        .scope("openid")
        .scope("orders/write")
        .group("staff")
        .claim("jti", "j")
        .claim("origin_jti", "o")
        .claim("event_id", "e")
        .claim("device_key", "us-east-1_d")
        .claim("auth_time", 1_700_000_000)
        .claim("iat", 1_700_000_001);
    let claims = verified(&pool, &token).await;
    assert_eq!(claims.token_use(), TokenUse::Access);
    assert_eq!(claims.username(), Some("alice"));
    assert_eq!(claims.client_id(), pool.client_id());
    assert_eq!(claims.issuer(), pool.issuer());
    assert_eq!(claims.scopes().collect::<Vec<_>>(), ["openid", "orders/write"]);
    assert!(claims.groups().eq(["staff"]));
    assert!(claims.in_group("staff") && !claims.in_group("admin"));
    assert_eq!(claims.jti(), Some("j"));
    assert_eq!(claims.origin_jti(), Some("o"));
    assert_eq!(claims.event_id(), Some("e"));
    assert_eq!(claims.device_key(), Some("us-east-1_d"));
    assert_eq!(claims.auth_time(), Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)));
    assert_eq!(claims.issued_at(), Some(UNIX_EPOCH + Duration::from_secs(1_700_000_001)));
    assert_eq!(claims.subject(), token.payload()["sub"]);
    assert!(claims.email().is_none() && !claims.email_verified());
}

#[tokio::test]
async fn client_credentials_token_has_no_user_name_and_no_groups() {
    let pool = UserPool::start().await.unwrap();
    let claims = verified(&pool, &pool.machine_token(pool.client_id()).scope("rs/read")).await;
    assert_eq!(claims.username(), None);
    assert_eq!(claims.subject(), pool.client_id());
    assert_eq!(claims.groups().count(), 0);
    assert!(claims.has_scope("rs/read"));
}

#[tokio::test]
async fn id_token_claims_are_typed() {
    let pool = UserPool::start().await.unwrap();
    let token = pool
        .id_token("alice")
        .claim("email", "a@example.com")
        .claim("email_verified", true)
        .claim("phone_number", "+15550100")
        .claim("phone_number_verified", "true")
        .claim("name", "Alice A")
        .claim("address", json!({ "formatted": "1 Way" }))
        .claim("updated_at", "1700000000")
        .claim("cognito:roles", json!(["arn:a", "arn:b"]))
        .claim("cognito:preferred_role", "arn:a")
        .claim("scope", "admin")
        .claim(
            "identities",
            json!([
                { "userId": "7", "providerName": "Google", "providerType": "Google", "issuer": null,
                  "primary": "true", "dateCreated": "1712605370000" },
                { "userId": "8", "providerName": "Okta", "providerType": "SAML", "issuer": "urn:x",
                  "primary": false, "dateCreated": 1_712_605_370_001_u64 },
                { "odd": 1 },
            ]),
        );
    let claims = verified(&pool, &token).await;
    assert_eq!(claims.token_use(), TokenUse::Id);
    assert_eq!(claims.client_id(), pool.client_id());
    assert_eq!(claims.email(), Some("a@example.com"));
    assert!(claims.email_verified() && claims.phone_number_verified());
    assert_eq!(claims.phone_number(), Some("+15550100"));
    assert_eq!(claims.name(), Some("Alice A"));
    assert_eq!(claims.address(), Some("1 Way"));
    assert_eq!(claims.updated_at(), Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000)));
    assert_eq!(claims.roles().collect::<Vec<_>>(), ["arn:a", "arn:b"]);
    assert_eq!(claims.preferred_role(), Some("arn:a"));
    assert_eq!(
        claims.scopes().count(),
        0,
        "an ID token must have no scopes, even with a `scope` claim"
    );
    let identities = claims.identities();
    assert_eq!(identities.len(), 2);
    assert_eq!((identities[0].user_id.as_str(), identities[0].primary), ("7", true));
    assert_eq!(identities[1].date_created, Some(1_712_605_370_001));
    assert_eq!(identities[1].issuer.as_deref(), Some("urn:x"));
}

#[tokio::test]
async fn email_verified_of_the_wrong_type_counts_as_false() {
    let pool = UserPool::start().await.unwrap();
    for value in [json!(1), json!("TRUE"), json!("yes"), json!(null), json!([true]), json!("false")]
    {
        let token = pool.id_token("alice").claim("email_verified", value);
        assert!(!verified(&pool, &token).await.email_verified());
    }
}

#[derive(Debug, PartialEq, Deserialize)]
struct Custom {
    #[serde(rename = "custom:tenant")]
    tenant: String,
    #[serde(rename = "custom:seats", deserialize_with = "de::json")]
    seats: u32,
    #[serde(rename = "custom:limit", default, deserialize_with = "de::json")]
    limit: Option<f64>,
    #[serde(rename = "custom:permissions", default, deserialize_with = "de::permissions")]
    permissions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Other {
    #[serde(rename = "custom:tenant")]
    tenant: String,
}

#[tokio::test]
async fn custom_claims_are_decoded_once_per_token() {
    let pool = UserPool::start().await.unwrap();
    let verifier = full_verifier(&pool).build().unwrap();
    let token = pool
        .id_token("alice")
        .claim("custom:tenant", "acme")
        .claim("custom:seats", "12")
        .permissions(["a", "b"])
        .sign();
    let first = Claims::<Custom>::from_verified(&verifier.verify(&token).await.unwrap()).unwrap();
    let again = Claims::<Custom>::from_verified(&verifier.verify(&token).await.unwrap()).unwrap();
    assert!(std::ptr::eq(first.custom(), again.custom()), "the claims were decoded again");
    assert_eq!((first.custom().seats, first.custom().limit), (12, None));
    assert_eq!(first.custom().permissions, ["a", "b"]);
    // Claims decoded as another type are kept separately.
    let other = Claims::<Other>::from_verified(first.verified()).unwrap();
    assert_eq!(other.custom().tenant, "acme");
    let () = *Claims::<()>::from_verified(first.verified()).unwrap().custom();
    // More types than the cache keeps can still be decoded.
    for _ in 0..3 {
        assert!(first.decode::<serde_json::Map<String, serde_json::Value>>().is_ok());
        assert!(first.decode::<serde_json::Value>().is_ok());
        assert!(first.decode::<Other>().is_ok());
    }
}

#[tokio::test]
async fn error_for_claims_of_the_wrong_shape_contains_no_value() {
    let pool = UserPool::start().await.unwrap();
    let token =
        pool.id_token("alice").claim("custom:tenant", "hidden-value").claim("custom:seats", "many");
    let error = verified(&pool, &token).await.decode::<Custom>().unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::ClaimsShape);
    assert!(!format!("{error} {error:?}").contains("hidden-value"));
    assert!(!format!("{error} {error:?}").contains("many"));
}

#[tokio::test]
async fn access_and_id_claims_reject_the_other_kind_of_token() {
    let pool = UserPool::start().await.unwrap();
    let access = verified(&pool, &pool.token("alice")).await;
    let id = verified(&pool, &pool.id_token("alice")).await;
    assert!(AccessClaims::<()>::from_verified(&access).is_ok());
    assert!(IdClaims::<()>::from_verified(&id).is_ok());
    for refused in
        [AccessClaims::<()>::from_verified(&id).err(), IdClaims::<()>::from_verified(&access).err()]
    {
        assert_eq!(refused.unwrap().kind(), AuthErrorKind::InsufficientScope);
    }
}

#[tokio::test]
async fn debug_output_contains_no_claim() {
    let pool = UserPool::start().await.unwrap();
    let claims = verified(&pool, &pool.id_token("alice").claim("email", "a@example.com")).await;
    let typed = Claims::<()>::from_verified(&claims).unwrap();
    for text in [format!("{claims:?}"), format!("{typed:?}"), format!("{:?}", claims.identities())]
    {
        assert!(!text.contains("alice") && !text.contains("example.com"), "{text}");
        assert!(!text.contains(claims.subject()), "{text}");
    }
}

#[tokio::test]
async fn groups_grant_permissions_by_the_configured_mapping() {
    use tower_cognito::{Verifier, policy::Grants};
    let pool = UserPool::start().await.unwrap();
    let grants = Grants::new()
        .add_group("staff", ["read"])
        .add_group("staff", ["list"])
        .add_group("admin", ["write"]);
    let verifier = Verifier::builder(both_uses(&pool).grants(grants))
        .permissions_claim("custom:permissions")
        .build()
        .unwrap();
    let token = pool.token("alice").changed_by_trigger().group("staff").group("unlisted");
    let token = token.permissions(["read", "own"]);
    let claims = verifier.verify(&token.sign()).await.unwrap();
    assert!(claims.permissions().eq(["read", "own", "list"]));
}

#[tokio::test]
async fn unreadable_permissions_claim_is_logged_once() {
    captured_logs();
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().permissions_claim("custom:unreadable").build().unwrap();
    for user in ["alice", "bob", "carol"] {
        let token = pool.token(user).changed_by_trigger().claim("custom:unreadable", 7).sign();
        assert!(verifier.verify(&token).await.unwrap().permissions().next().is_none());
    }
    assert_eq!(captured_logs().matches("custom:unreadable").count(), 1);
}
