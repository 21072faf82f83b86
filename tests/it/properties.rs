//! Property tests. `jsonwebtoken` must accept each token that this crate accepts.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

use crate::support::full_verifier;

/// Returns a configuration with this number of cases, unless `PROPTEST_CASES` has another number.
fn cases(default: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(default))
}

/// Returns whether `jsonwebtoken` accepts the signature and the times of a token, for any client.
fn jsonwebtoken_accepts(pool: &UserPool, token: &str) -> bool {
    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let Ok(header) = jsonwebtoken::decode_header(token) else {
        return false;
    };
    let Some(key) = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"].as_str() == header.kid.as_deref())
    else {
        return false;
    };
    let key =
        DecodingKey::from_rsa_components(key["n"].as_str().unwrap(), key["e"].as_str().unwrap())
            .unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.leeway = 30;
    validation.set_issuer(&[pool.issuer()]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

fn values(now: u64) -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (now - 100..now + 100).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[a-z :/]{0,12}".prop_map(Value::from),
        Just(json!("id")),
        Just(json!("access")),
        prop::collection::vec("[a-z]{0,4}", 0..3).prop_map(|list| json!(list)),
    ]
}

#[test]
fn jsonwebtoken_accepts_every_accepted_token() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let verifier = pool.verifier().token_cache_bytes(0).build().unwrap();
    runtime.block_on(verifier.ready()).unwrap();
    let good = pool.token("alice").scope("a").payload();
    let now = good["iat"].as_u64().unwrap();
    let names = vec![
        "exp",
        "nbf",
        "iat",
        "iss",
        "sub",
        "token_use",
        "client_id",
        "scope",
        "cognito:groups",
        "aud",
        "x",
    ];
    let changes =
        prop::collection::vec((prop::sample::select(names), prop::option::of(values(now))), 0..3);
    let header = crate::support::header(&pool);
    let accepted = std::cell::Cell::new(0_u32);
    proptest!(cases(1500), |(changes in changes, flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..2), flip in any::<bool>())| {
        let mut payload = good.clone();
        for (name, value) in changes {
            match value {
                Some(value) => payload.as_object_mut().unwrap().insert(name.into(), value),
                None => payload.as_object_mut().unwrap().remove(name),
            };
        }
        let mut token = pool.sign_parts(header.to_string(), payload.to_string()).into_bytes();
        if flip {
            for (position, value) in flips {
                let length = token.len();
                token[position % length] = value & 0x7f;
            }
        }
        let token = String::from_utf8(token).unwrap();
        if runtime.block_on(verifier.verify(&token)).is_ok() {
            accepted.set(accepted.get() + 1);
            prop_assert!(jsonwebtoken_accepts(&pool, &token), "`jsonwebtoken` rejects an accepted token");
        }
    });
    assert!(
        accepted.get() > 20,
        "too few tokens were accepted ({}) for a comparison",
        accepted.get()
    );
}

#[test]
fn any_single_edit_of_a_valid_token_is_rejected() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let verifier = pool.verifier().build().unwrap();
    let good = pool.token("alice").sign();
    runtime.block_on(verifier.verify(&good)).unwrap();
    proptest!(cases(3000), |(position in any::<prop::sample::Index>(), kind in 0..3, character in "[ -~]")| {
        let at = position.index(good.len());
        let mut edited = good.clone();
        match kind {
            0 => edited.replace_range(at..=at, &character),
            1 => edited.insert_str(at, &character),
            _ => {
                edited.remove(at);
            }
        }
        // Replacing a character by itself is not an edit.
        prop_assert!(edited == good || runtime.block_on(verifier.verify(&edited)).is_err());
    });
}

#[test]
fn permissions_round_trip_through_a_claim() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let verifier = full_verifier(&pool).token_cache_bytes(0).build().unwrap();
    proptest!(cases(200), |(names in prop::collection::vec("\\PC{0,12}", 0..5), form in 0..3)| {
        let names: Vec<String> = if form == 2 {
            names.iter().map(|name| format!("p{}", name.replace([' ', ','], ""))).collect()
        } else {
            names
        };
        let token = pool.token("alice").changed_by_trigger();
        let token = match form {
            0 => token.permissions(names.clone()),
            1 => token.claim("custom:permissions", json!(names)),
            _ => token.claim("custom:permissions", names.join(" ")),
        };
        let claims = runtime.block_on(verifier.verify(&token.sign())).unwrap();
        prop_assert_eq!(claims.permissions().collect::<Vec<_>>(), names);
        prop_assert_eq!(claims.token_use(), TokenUse::Access);
    });
}

#[tokio::test]
async fn a_key_set_verifies_only_what_the_named_key_signed() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use tower_cognito::keys::SignatureError;

    let pool = UserPool::start().await.unwrap();
    let (keys, token) = (pool.key_set().unwrap(), pool.token("alice").sign());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let message = message.as_bytes();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (own, other) = (pool.key_id(TokenUse::Access), pool.key_id(TokenUse::Id));
    assert_eq!(keys.verify(&own, message, &signature), Ok(()));
    let invalid = Err(SignatureError::InvalidSignature);
    assert_eq!(keys.verify(&other, message, &signature), invalid);
    assert_eq!(keys.verify(&own, &message[1..], &signature), invalid);
    assert_eq!(keys.verify(&own, message, &signature[1..]), invalid);
    assert_eq!(keys.verify(&own, message, &[]), invalid);
    assert_eq!(keys.verify("none", message, &signature), Err(SignatureError::UnknownKey));
}
