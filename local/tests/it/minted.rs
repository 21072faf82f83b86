//! Tokens, keys and metadata of the pool look like Cognito's.

use std::time::Duration;

use serde_json::Value;
use tower_cognito::{AuthErrorKind, TokenUse, group, keys::KeySet};
use tower_cognito_local::{Fault, UserPool, mock, mock_id};

use crate::support::{full_verifier, get};

fn names(claims: &Value) -> Vec<&str> {
    claims.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn minted_access_tokens_can_be_bound_to_a_resource() {
    let pool = UserPool::start().await.unwrap();
    let url = "https://api.example.com";
    assert_eq!(pool.token("alice").resource(url).payload()["aud"], url);
    assert_eq!(pool.machine_token("machine").resource(url).payload()["aud"], url);
    assert_eq!(pool.token("alice").payload().get("aud"), None);
    assert_eq!(pool.id_token("alice").resource(url).payload()["aud"], pool.client_id());
}

#[tokio::test]
async fn tokens_have_exactly_cognitos_claims() {
    let pool = UserPool::start().await.unwrap();
    let sorted = |mut names: Vec<&'static str>| {
        names.sort_unstable();
        names
    };
    let user = [
        "auth_time",
        "client_id",
        "event_id",
        "exp",
        "iat",
        "iss",
        "jti",
        "origin_jti",
        "scope",
        "sub",
        "token_use",
        "username",
    ];
    assert_eq!(names(&pool.token("alice").payload()), sorted(user.to_vec()));
    assert_eq!(pool.token("alice").payload()["scope"], "aws.cognito.signin.user.admin");
    let hosted = [user.as_slice(), &["cognito:groups", "version"]].concat();
    assert_eq!(
        names(&pool.token("alice").scope("openid").group("staff").payload()),
        sorted(hosted)
    );
    let id = [
        "aud",
        "auth_time",
        "cognito:username",
        "event_id",
        "exp",
        "iat",
        "iss",
        "jti",
        "origin_jti",
        "sub",
        "token_use",
    ];
    assert_eq!(names(&pool.id_token("alice").payload()), sorted(id.to_vec()));
    let machine = [
        "auth_time",
        "client_id",
        "exp",
        "iat",
        "iss",
        "jti",
        "scope",
        "sub",
        "token_use",
        "version",
    ];
    assert_eq!(
        names(&pool.machine_token("m").scope("rs/read").payload()),
        sorted(machine.to_vec())
    );
    // The `sub` of a user stays the same; each token has a different `jti`.
    let (one, two) = (pool.token("alice").payload(), pool.id_token("alice").payload());
    assert_eq!(one["sub"], two["sub"]);
    assert_ne!(one["jti"], two["jti"]);
}

#[tokio::test]
async fn headers_and_key_set_have_exactly_cognitos_members() {
    let pool = UserPool::start().await.unwrap();
    let header = jsonwebtoken::decode_header(pool.token("alice").sign()).unwrap();
    assert_eq!((header.alg, header.typ), (jsonwebtoken::Algorithm::RS256, None));
    assert_eq!(header.kid, Some(pool.key_id(TokenUse::Access)));
    assert_ne!(
        pool.key_id(TokenUse::Access),
        pool.key_id(TokenUse::Id),
        "access and ID tokens must have different keys"
    );
    let path = format!("/{}/.well-known/jwks.json", pool.id());
    let document = get(pool.address(), &path, None).await;
    assert_eq!(document.headers["content-type"], "application/json");
    assert_eq!(KeySet::from_json(&document.body).unwrap(), pool.key_set().unwrap());
    for key in document.json()["keys"].as_array().unwrap() {
        assert_eq!(names(key), ["alg", "e", "kid", "kty", "n", "use"]);
    }
    assert_eq!(pool.fetches(), 1);
}

#[tokio::test]
async fn discovery_document_names_the_key_set_and_other_pools_are_not_found() {
    let pool = UserPool::start().await.unwrap();
    let path = format!("/{}/.well-known/openid-configuration", pool.id());
    let document = get(pool.address(), &path, None).await.json();
    assert_eq!(document["issuer"], pool.issuer());
    // The host of the request, as the client sends it.
    let keys = format!("http://api/{}/.well-known/jwks.json", pool.id());
    assert_eq!(document["jwks_uri"], keys);
    for name in ["jwks.json", "openid-configuration"] {
        let path = format!("/us-east-1_Other/.well-known/{name}");
        assert_eq!(get(pool.address(), &path, None).await.status, 404);
    }
}

#[tokio::test]
async fn endpoint_fails_and_delays_as_configured() {
    let pool = UserPool::start().await.unwrap();
    let path = format!("/{}/.well-known/jwks.json", pool.id());
    for (fault, status) in
        [(Fault::Status(503), 503), (Fault::Body("odd".into()), 200), (Fault::None, 200)]
    {
        pool.set_fault(fault);
        assert_eq!(get(pool.address(), &path, None).await.status, status);
    }
    for fault in [Fault::Hang, Fault::Slow(Duration::from_secs(60))] {
        pool.set_fault(fault);
        let verifier = pool.verifier().fetch_timeout(Duration::from_millis(50)).build().unwrap();
        let error = verifier.verify(&pool.token("alice").sign()).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable);
    }
}

#[tokio::test]
async fn rotated_keys_stay_valid_until_they_are_withdrawn() {
    let pool = UserPool::start().await.unwrap();
    let old = pool.token("alice").sign();
    pool.rotate().unwrap();
    assert_eq!(pool.key_set().unwrap().len(), 4);
    let check = async |token: &str| {
        full_verifier(&pool).build().unwrap().verify(token).await.err().map(|it| it.kind())
    };
    assert_eq!(check(&old).await, None);
    assert_eq!(check(&pool.id_token("alice").sign()).await, None);
    pool.withdraw_old_keys();
    assert_eq!(pool.key_set().unwrap().len(), 2);
    assert_eq!(check(&old).await, Some(AuthErrorKind::UnknownKey));
    assert_eq!(check(&pool.token("alice").sign()).await, None);
}

#[tokio::test]
async fn longest_lifetime_ends_with_the_year_9999() {
    const LAST_SECOND: u64 = 253_402_300_799;
    let pool = UserPool::start().await.unwrap();
    for lifetime in [Duration::MAX, Duration::from_secs(u64::MAX / 4)] {
        let token = pool.token("alice").expires_in(lifetime);
        assert_eq!(token.payload()["exp"], LAST_SECOND);
        token.verified().unwrap();
    }
    let late = pool.token("alice").issued_at(pool.time() + Duration::from_secs(LAST_SECOND));
    assert_eq!(late.payload()["exp"], LAST_SECOND);
    assert_eq!(late.payload()["iat"], LAST_SECOND);
    let short = pool.token("alice").expires_in(Duration::from_secs(90)).payload();
    assert_eq!(short["exp"].as_u64().unwrap(), short["iat"].as_u64().unwrap() + 90);
}

#[tokio::test]
async fn tokens_are_minted_and_verified_by_the_pools_clock() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let old = pool.token("alice").sign();
    verifier.verify(&old).await.unwrap();
    let seconds = || pool.time().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    pool.advance(Duration::from_secs(2 * 60 * 60));
    let before = seconds();
    let token = pool.token("alice");
    let issued_at = token.payload()["iat"].as_u64().unwrap();
    assert!((before..=seconds()).contains(&issued_at), "{before} {issued_at}");
    token.verified().unwrap();
    verifier.verify(&token.sign()).await.unwrap();
    let expired = verifier.verify(&old).await.unwrap_err();
    assert_eq!(expired.kind(), AuthErrorKind::Expired);
}

#[tokio::test]
async fn clock_cannot_be_advanced_beyond_its_range() {
    let pool = UserPool::start().await.unwrap();
    pool.advance(Duration::MAX);
    let end = pool.time();
    pool.advance(Duration::from_secs(60 * 60));
    assert!(pool.time() >= end);
}

#[tokio::test]
async fn invalid_pool_id_or_port_in_use_is_an_error() {
    let pool = UserPool::start().await.unwrap();
    let impossible = UserPool::builder().pool_id("no pool").start().await.unwrap_err();
    assert_eq!(impossible.kind(), std::io::ErrorKind::InvalidInput);
    let taken = UserPool::builder().address(pool.address()).start().await.unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn issuer_of_aws_works_with_the_pools_own_keys() {
    let issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Local0001";
    let pool = UserPool::builder().issuer(issuer).start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let claims = verifier.verify(&pool.token("alice").sign()).await.unwrap();
    assert_eq!(claims.issuer(), issuer);
}

#[test]
fn mock_claims_work_in_a_handler_without_a_runtime() {
    let claims =
        mock("alice").changed_by_trigger().group("staff").claim("custom:tenant_id", "acme");
    let claims = claims.claims::<Value>().unwrap();
    assert_eq!((claims.username(), claims.token_use()), (Some("alice"), TokenUse::Access));
    assert_eq!(claims.custom()["custom:tenant_id"], "acme");
    assert!(group("staff").check(&claims).is_ok());
    assert!(group("admin").check(&claims).is_err());
    let id = mock_id("alice").claim("email", "alice@example.com").verified().unwrap();
    assert_eq!((id.token_use(), id.client_id()), (TokenUse::Id, "mockclient"));
    assert_eq!(mock("bob").client("web").verified().unwrap().client_id(), "web");
}

#[test]
fn mock_claims_reject_what_no_token_can_have() {
    let kind = |mock: tower_cognito_local::TokenBuilder| mock.verified().unwrap_err().kind();
    assert_eq!(kind(mock("alice").expired()), AuthErrorKind::Expired);
    assert_eq!(kind(mock("alice").claim("exp", "soon")), AuthErrorKind::InvalidClaim);
    assert_eq!(
        kind(mock("alice").claim("iss", "https://elsewhere")),
        AuthErrorKind::UntrustedIssuer
    );
    assert_eq!(kind(mock("alice").client("")), AuthErrorKind::WrongClient);
    assert_eq!(kind(mock("alice").without("client_id")), AuthErrorKind::InvalidClaim);
    let wrong = mock("alice").changed_by_trigger().claim("custom:tenant_id", 7).claims::<Tenant>();
    assert_eq!(wrong.unwrap_err().kind(), AuthErrorKind::ClaimsShape);
}

#[derive(Debug, serde::Deserialize)]
struct Tenant {
    #[serde(rename = "custom:tenant_id")]
    _tenant_id: String,
}
