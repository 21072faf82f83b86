//! The typed claims of access and ID tokens.

use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::json;
use tower_cognito::{
    AccessClaims, AuthErrorKind, Claims, IdClaims, TokenUse, Verified, Verifier,
    claims::{ListForm, de},
    permission,
    policy::claim_contains,
};
use tower_cognito_local::{TokenBuilder, UserPool};

use crate::support::{ThreadLogs, both_uses, captured_logs, full_verifier};

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
    use tower_cognito::policy::Grants;
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
    let logs = captured_logs();
    let is_warning = |line: &&str| line.contains(" WARN ") && line.contains("custom:unreadable");
    assert_eq!(logs.lines().filter(is_warning).count(), 1);
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Teams {
    #[serde(rename = "custom:bracketed", deserialize_with = "de::bracketed")]
    bracketed: Vec<String>,
    #[serde(rename = "custom:commas", deserialize_with = "de::comma_separated")]
    commas: Vec<String>,
    #[serde(rename = "custom:spaces", deserialize_with = "de::space_separated")]
    spaces: Vec<String>,
}

/// A text of two names in each form, and a text of one name.
const TEXTS: [(ListForm, &str, &str); 6] = [
    (ListForm::JsonOrSpaces, "team-one team-two", "team-one"),
    (ListForm::Json, r#"["team-one","team-two"]"#, r#"["team-one"]"#),
    (ListForm::SpaceSeparated, "team-one team-two", "team-one"),
    (ListForm::CommaSeparated, "team-one, team-two", "team-one"),
    (ListForm::Bracketed, "[team-one, team-two]", "[team-one]"),
    (ListForm::UrlEncoded, "team%2Done,team-two", "team%2Done"),
];

#[tokio::test]
async fn list_is_read_in_the_form_that_the_service_names() {
    let pool = UserPool::start().await.unwrap();
    for (form, two, one) in TEXTS {
        let verifier = full_verifier(&pool).permissions_claim("custom:teams");
        let verifier = verifier.permissions_form(form).build().unwrap();
        for (text, names) in [(two, &["team-one", "team-two"][..]), (one, &["team-one"])] {
            let token = pool.id_token("alice").claim("custom:teams", text).sign();
            let claims = verifier.verify(&token).await.unwrap();
            assert!(claims.permissions().eq(names.iter().copied()), "{form:?} {text}");
            for name in ["team-one", "team-two", "team", "[team-one"] {
                let is_listed = names.contains(&name);
                assert_eq!(permission(name).check(&claims).is_ok(), is_listed);
                let policy = claim_contains("custom:teams", form, name);
                assert_eq!(policy.check(&claims).is_ok(), is_listed, "{form:?} {text} {name}");
            }
        }
    }
    let token = pool
        .id_token("alice")
        .claim("custom:bracketed", "[a, b c]")
        .claim("custom:commas", "a,b c")
        .claim("custom:spaces", "a b");
    let teams = Claims::<Teams>::from_verified(&verified(&pool, &token).await).unwrap();
    let lists = [&teams.custom().bracketed, &teams.custom().commas, &teams.custom().spaces];
    assert_eq!(lists, [&vec!["a", "b c"], &vec!["a", "b c"], &vec!["a", "b"]]);
}

#[tokio::test]
async fn list_in_another_form_grants_nothing_and_is_logged_once_without_its_value() {
    let pool = UserPool::start().await.unwrap();
    for (form, text) in [
        (ListForm::JsonOrSpaces, "[hidden-name, b]"),
        (ListForm::JsonOrSpaces, "hidden-name,b"),
        (ListForm::SpaceSeparated, "[hidden-name]"),
        (ListForm::CommaSeparated, "[hidden-name, b]"),
        (ListForm::Bracketed, "hidden-name"),
        (ListForm::Json, "hidden-name b"),
    ] {
        // The log is per claim.
        let claim = format!("custom:{form:?}{}", text.len());
        let verifier = full_verifier(&pool).permissions_claim(&claim).permissions_form(form);
        let verifier = verifier.build().unwrap();
        let policy = claim_contains(format!("{claim}-policy"), form, "hidden-name");
        let log = ThreadLogs::start();
        for user in ["alice", "bob"] {
            let token = pool.id_token(user).claim(&claim, text);
            let token = token.claim(format!("{claim}-policy"), text).sign();
            let claims = verifier.verify(&token).await.unwrap();
            assert_eq!(claims.permissions().count(), 0, "{form:?} {text}");
            assert!(policy.check(&claims).is_err(), "{form:?} {text}");
        }
        let log = log.text();
        assert_eq!(log.matches(&claim).count(), 2, "{log}");
        assert!(!log.contains("hidden-name"), "{log}");
    }
}

#[tokio::test]
async fn form_without_a_permissions_claim_is_a_configuration_error() {
    let pool = UserPool::start().await.unwrap();
    let builder = || Verifier::builder(both_uses(&pool)).permissions_form(ListForm::Bracketed);
    let error = builder().build().unwrap_err().to_string();
    assert!(error.starts_with("permissions_claim: "), "{error}");
    assert!(builder().permissions_claim("custom:teams").build().is_ok());
}

#[tokio::test]
async fn error_for_claims_of_the_wrong_shape_names_the_claim_and_no_value() {
    #[derive(Debug, Deserialize)]
    struct Seats {
        #[serde(rename = "custom:seats", deserialize_with = "de::json")]
        _seats: u32,
        #[serde(rename = "custom:teams", default, deserialize_with = "de::bracketed")]
        _teams: Vec<String>,
        #[serde(default)]
        _address: Option<Address>,
    }
    #[derive(Debug, Deserialize)]
    struct Address {
        #[serde(rename = "lines")]
        _lines: Vec<u8>,
    }
    let pool = UserPool::start().await.unwrap();
    let token = || pool.id_token("alice").changed_by_trigger();
    for (token, expected) in [
        (token(), "`custom:seats` is missing"),
        (
            token().claim("custom:seats", "secret"),
            "`custom:seats`: expected a value of the field's type",
        ),
        (
            token().claim("custom:seats", 1).claim("custom:teams", "secret"),
            "`custom:teams`: expected a string of names in square brackets",
        ),
        (
            token().claim("custom:seats", 1).claim("_address", json!({ "lines": [1, "secret"] })),
            "`_address.lines[1]`: expected u8",
        ),
    ] {
        let error = verified(&pool, &token).await.decode::<Seats>().unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::ClaimsShape);
        let mismatch = error.claims_mismatch().unwrap();
        assert!(mismatch.starts_with(expected), "{mismatch}");
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(text.contains(mismatch) && !text.contains("secret"), "{text}");
        }
        // Clients get the fixed text alone.
        assert!(!error.detail().contains("custom:"), "{error}");
        // An ID token has attributes.
        assert!(!mismatch.contains("trigger"), "{mismatch}");
    }
}

#[tokio::test]
async fn attribute_that_is_missing_in_an_access_token_is_explained() {
    #[derive(Debug, Deserialize)]
    struct One {
        #[serde(rename = "custom:tenant_id")]
        _tenant: String,
    }
    #[derive(Debug, Deserialize)]
    struct Own {
        #[serde(rename = "tenant_id")]
        _tenant: String,
    }
    let pool = UserPool::start().await.unwrap();
    let access = verified(&pool, &pool.token("alice")).await;
    let explained = access.decode::<One>().unwrap_err().to_string();
    assert!(explained.contains("an access token contains no user attributes"), "{explained}");
    let own = access.decode::<Own>().unwrap_err().to_string();
    assert!(own.contains("`tenant_id` is missing") && !own.contains("trigger"), "{own}");
}

#[tokio::test]
async fn claims_of_the_wrong_shape_are_logged_at_warn_once_for_each_type() {
    #[derive(Debug, Deserialize)]
    struct First {
        #[serde(rename = "custom:first")]
        _claim: String,
    }
    #[derive(Debug, Deserialize)]
    struct Second {
        #[serde(rename = "custom:second")]
        _claim: String,
    }
    let pool = UserPool::start().await.unwrap();
    let log = ThreadLogs::start();
    for user in ["alice", "bob", "carol"] {
        let claims = verified(&pool, &pool.id_token(user).claim("custom:first", 7)).await;
        assert!(claims.decode::<First>().is_err() && claims.decode::<Second>().is_err());
    }
    let log = log.text();
    for (claim, name) in [("custom:first", "First"), ("custom:second", "Second")] {
        let count = |level: &str| {
            let is_one = |line: &&str| line.contains(level) && line.contains(claim);
            log.lines().filter(is_one).filter(|line| line.contains(name)).count()
        };
        assert_eq!((count("WARN"), count("DEBUG")), (1, 2), "{log}");
    }
}

#[tokio::test]
async fn custom_claims_can_be_taken_out_of_the_extractors() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.id_token("alice").claim("custom:tenant", "acme").claim("custom:seats", 3);
    let id = verified(&pool, &token).await;
    let claims = Claims::<Owned>::from_verified(&id).unwrap();
    let kept = claims.clone();
    assert_eq!(claims.into_custom().tenant, "acme");
    assert_eq!(kept.custom().tenant, "acme");
    assert_eq!(IdClaims::<Owned>::from_verified(&id).unwrap().into_custom().tenant, "acme");
    let access = verified(&pool, &pool.token("alice")).await;
    let map = AccessClaims::<serde_json::Value>::from_verified(&access).unwrap().into_custom();
    assert_eq!(map["username"], "alice");
}

#[derive(Clone, Deserialize)]
struct Owned {
    #[serde(rename = "custom:tenant")]
    tenant: String,
}
