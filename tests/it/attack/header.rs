//! Attacks on the algorithm and key parameters of the JOSE header.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

use super::{Case, claims, signed, with, without};
use crate::support::header;

pub(super) fn algorithms(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    let good = claims(pool);
    let mut values: Vec<Value> = [
        "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256",
        "PS384", "PS512", "ES256", "ES256K", "ES384", "ES512", "EdDSA", "rs256", "Rs256", "RS256 ",
        " RS256", "RS256\0", "RSA-OAEP", "dir", "A128KW", "",
    ]
    .map(Value::from)
    .to_vec();
    values.extend([
        Value::Null,
        json!(256),
        json!(true),
        json!(["RS256"]),
        json!({ "alg": "RS256" }),
    ]);
    for value in values {
        let token = signed(pool, &with(header(pool), "alg", value.clone()), &good);
        cases.push(Case::token(format!("alg {value}"), &token, 401, "unsupported_algorithm"));
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        cases.push(Case::token(
            format!("alg {value}, unsigned"),
            &unsigned,
            401,
            "malformed_token",
        ));
    }
    let token = signed(pool, &without(header(pool), "alg"), &good);
    cases.push(Case::token("alg missing", &token, 401, "unsupported_algorithm"));

    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let modulus = keys["keys"][0]["n"].as_str().unwrap().to_owned();
    let der = URL_SAFE_NO_PAD.decode(&modulus).unwrap();
    let secrets = [
        ("the modulus in base64url", modulus.clone().into_bytes()),
        ("the modulus", der),
        ("the JWK", keys["keys"][0].to_string().into_bytes()),
        ("the key set", keys.to_string().into_bytes()),
        (
            "PEM",
            format!("-----BEGIN PUBLIC KEY-----\n{modulus}\n-----END PUBLIC KEY-----\n")
                .into_bytes(),
        ),
        ("an empty key", Vec::new()),
    ];
    for (name, secret) in secrets {
        let mut header = Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some(pool.key_id(TokenUse::Access));
        let token =
            jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(&secret)).unwrap();
        cases.push(Case::token(format!("HS256 with {name}"), &token, 401, "unsupported_algorithm"));
    }
    cases
}

pub(super) fn embedded_keys(pool: &UserPool, trap: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let keys: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    for (name, value) in [
        ("jwk", keys["keys"][0].clone()),
        ("jwk", Value::Null),
        ("jku", json!(trap)),
        ("x5u", json!(trap)),
        ("x5c", json!(["MIIB"])),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
    ] {
        let token = signed(pool, &with(header(pool), name, value.clone()), &claims(pool));
        let shown: String = value.to_string().chars().take(30).collect();
        cases.push(Case::token(
            format!("header {name} {shown}"),
            &token,
            401,
            "unsupported_algorithm",
        ));
        let unknown = with(with(header(pool), name, value), "kid", json!("attacker"));
        let token = signed(pool, &unknown, &claims(pool));
        cases.push(Case::token(
            format!("header {name} {shown}, unknown kid"),
            &token,
            401,
            "unsupported_algorithm",
        ));
    }
    let inside = with(claims(pool), "iss", json!(trap));
    cases.push(Case::token(
        "iss of the trap",
        &signed(pool, &header(pool), &inside),
        401,
        "untrusted_issuer",
    ));
    cases
}

pub(super) fn key_ids(pool: &UserPool) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut malformed =
        vec![Value::Null, json!(""), json!(0), json!(1), json!(true), json!([]), json!({})];
    malformed.push(json!([pool.key_id(TokenUse::Access)]));
    malformed.push(json!("k".repeat(257)));
    malformed.push(json!("k".repeat(9000)));
    malformed.extend(
        ["a b", "a\r\nb", "a\nSet-Cookie: x", "a\0", "\u{202e}", "ключ", "\t"].map(Value::from),
    );
    malformed.push(json!(format!("{} ", pool.key_id(TokenUse::Access))));
    malformed.push(json!(format!("{}\0", pool.key_id(TokenUse::Access))));
    malformed.push(json!("' OR '1'='1' -- "));
    for kid in malformed {
        let token = signed(pool, &with(header(pool), "kid", kid.clone()), &claims(pool));
        let (name, length) = (kid.to_string(), kid.to_string().len());
        let name: String = name.chars().take(40).collect();
        cases.push(Case::token(
            format!("kid {name} of {length} bytes"),
            &token,
            401,
            "malformed_token",
        ));
    }
    let token = signed(pool, &without(header(pool), "kid"), &claims(pool));
    cases.push(Case::token("kid missing", &token, 401, "malformed_token"));

    let known = pool.key_id(TokenUse::Access);
    let mut unknown = vec![
        "../../../etc/passwd".to_owned(),
        "/dev/null".into(),
        "'OR'1'='1".into(),
        "%00".into(),
        "http://127.0.0.1/jwks.json".into(),
        "${jndi:ldap://x}".into(),
        "..%2f..".into(),
        "0".into(),
        known.to_lowercase(),
        known.trim_end_matches('=').into(),
        format!("{known}="),
        known[1..].into(),
    ];
    unknown.push("k".repeat(256));
    for kid in unknown {
        let token = signed(pool, &with(header(pool), "kid", json!(kid)), &claims(pool));
        cases.push(Case::token(format!("unknown kid {kid}"), &token, 401, "unknown_key"));
    }
    cases
}
