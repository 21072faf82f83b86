//! Shared by the benchmarks: a user pool, tokens of given sizes, the limit and the baseline.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tower_cognito::{Policy, TokenUse, VerifierBuilder, group, permission, scope};
use tower_cognito_local::UserPool;

/// The length of an access token as Cognito writes it, in bytes.
pub const TYPICAL: usize = 1055;

/// The policy of the protected route. No token has the group, so that all three parts are evaluated.
pub fn three_nodes() -> Policy {
    scope("orders/write") & (group("admin") | permission("orders:write"))
}

/// The custom claims that handlers extract.
#[derive(serde::Deserialize)]
pub struct Tenant {
    #[serde(rename = "custom:tenant_id")]
    pub tenant_id: String,
}

/// Returns a runtime for the preparation: the pool's server and the first fetch of keys.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Returns the output of a future that is ready at its first poll. This avoids the cost of a runtime.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future is not ready at its first poll"),
    }
}

/// Returns the configuration of a verifier that reads the permissions of the tokens.
pub fn verifier(pool: &UserPool) -> VerifierBuilder {
    pool.verifier().permissions_claim("custom:permissions")
}

/// Returns an access token of about this number of bytes, with the scope `orders/write` and the group `staff`.
pub fn token(pool: &UserPool, user: usize, bytes: usize) -> String {
    let base = || {
        pool.token(format!("user{user}"))
            .changed_by_trigger()
            .scope("orders/write")
            .group("staff")
            .claim("custom:tenant_id", "tenant-1")
            .claim("custom:permissions", r#"["orders:read","orders:write"]"#)
    };
    let bare = base().claim("event_id", "").sign().len();
    base().claim("event_id", "e".repeat(bytes.saturating_sub(bare) * 3 / 4)).sign()
}

/// Returns the token with one bit of its signature flipped.
pub fn with_bad_signature(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut octets = URL_SAFE_NO_PAD.decode(signature).unwrap();
    octets[0] ^= 1;
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(octets))
}

/// Returns the token with a payload that is cut off near its end, so that it is not JSON.
pub fn with_invalid_payload(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let (payload, _) = parts[1].split_at((parts[1].len() - 40) / 4 * 4);
    format!("{}.{payload}.{}", parts[0], parts[2])
}

/// Returns a token whose header names a key that the pool does not have.
pub fn with_unknown_key(pool: &UserPool) -> String {
    let header = serde_json::json!({ "alg": "RS256", "kid": "a-key-that-is-not-there" });
    pool.sign_parts(header.to_string(), pool.token("user1").payload().to_string())
}

/// The limit: one RSA verification with a parsed key, and nothing else.
pub struct Limit {
    key: ParsedPublicKey,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Limit {
    pub fn of(pool: &UserPool, token: &str) -> Self {
        let (n, e) = components(pool);
        let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.decode(number).unwrap());
        let key = RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        Self { key, message: message.as_bytes().to_vec(), signature }
    }

    pub fn verify(&self) {
        self.key.verify_sig(&self.message, &self.signature).unwrap();
    }
}

/// The baseline: `jsonwebtoken` with the same crypto library, without the checks that are specific to Cognito.
pub struct Baseline {
    key: jsonwebtoken::DecodingKey,
    validation: jsonwebtoken::Validation,
}

impl Baseline {
    pub fn of(pool: &UserPool) -> Self {
        let (n, e) = components(pool);
        let key = jsonwebtoken::DecodingKey::from_rsa_components(&n, &e).unwrap();
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.validate_aud = false;
        validation.set_issuer(&[pool.issuer()]);
        Self { key, validation }
    }

    pub fn decode(&self, token: &str) -> Value {
        jsonwebtoken::decode::<Value>(token, &self.key, &self.validation).unwrap().claims
    }
}

/// Returns modulus and exponent of the key that signs access tokens, in base64url.
fn components(pool: &UserPool) -> (String, String) {
    let document: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let kid = pool.key_id(TokenUse::Access);
    let mut keys = document["keys"].as_array().unwrap().iter();
    let key = keys.find(|key| key["kid"] == kid.as_str()).unwrap();
    let member = |name: &str| key[name].as_str().unwrap().to_owned();
    (member("n"), member("e"))
}
