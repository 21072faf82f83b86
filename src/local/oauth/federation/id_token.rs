//! ID tokens of providers (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! This crate's verifier is for Cognito's tokens, which say what they are for by `token_use`. Those of other
//! providers do not, so that they are verified here, with the keys that this crate takes: RSA, RS256, and `alg` in
//! the key.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Map, Value};

use super::{
    super::super::{secret::same, settings::ProviderDetails},
    endpoints::Unusable,
};
use crate::{base64url, keys::KeySet};

/// By how much the provider's clock may be behind, in seconds.
const LEEWAY: u64 = 60;

/// The longest token that is read.
const MAX_TOKEN: usize = 64 * 1024;

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) details: &'a ProviderDetails,
    pub(super) nonce: &'a str,
    pub(super) now: SystemTime,
}

/// The claims of a token that one of the keys signed for this pool and this sign-in.
pub(super) fn verify(
    token: &str,
    keys: &Value,
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, Unusable> {
    if token.len() > MAX_TOKEN {
        return Err(Unusable);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(Unusable)?;
    let (header, payload) = message.split_once('.').ok_or(Unusable)?;
    let header = object(header)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("alg") != Some("RS256") || header.contains_key("crit") {
        return Err(Unusable);
    }
    let key = key(keys, text("kid").ok_or(Unusable)?)?;
    let signature = base64url::decode(signature.as_bytes()).ok_or(Unusable)?;
    key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
        .map_err(|_| Unusable)?;
    let claims = object(payload)?;
    if holds(&claims, expected) { Ok(claims) } else { Err(Unusable) }
}

/// A key of the set, if it is one that this crate takes.
fn key(keys: &Value, kid: &str) -> Result<RsaPublicKeyComponents<Vec<u8>>, Unusable> {
    let set = KeySet::from_json(&keys.to_string()).map_err(|_| Unusable)?;
    let set: Value = serde_json::from_str(&set.to_json()).map_err(|_| Unusable)?;
    let entries = set.get("keys").and_then(Value::as_array).ok_or(Unusable)?;
    let is_it = |entry: &&Value| entry.get("kid").and_then(Value::as_str) == Some(kid);
    let entry = entries.iter().find(is_it).ok_or(Unusable)?;
    let number = |name: &str| {
        let text = entry.get(name).and_then(Value::as_str)?;
        base64url::decode(text.as_bytes())
    };
    Ok(RsaPublicKeyComponents { n: number("n").ok_or(Unusable)?, e: number("e").ok_or(Unusable)? })
}

fn holds(claims: &Map<String, Value>, expected: &Expected<'_>) -> bool {
    let Expected { details, nonce, now } = expected;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let is_for_us = match claims.get("aud") {
        Some(Value::String(audience)) => *audience == details.client_id,
        Some(Value::Array(all)) => {
            all.iter().any(|audience| audience.as_str() == Some(&details.client_id))
                && (all.len() == 1 || text("azp").is_some())
        }
        _ => false,
    };
    let is_of_us = !claims.contains_key("azp") || text("azp") == Some(&details.client_id);
    // A Cognito pool says which of its tokens are for this; others have no such claim.
    let is_id_token = !claims.contains_key("token_use") || text("token_use") == Some("id");
    let is_not_early = !claims.contains_key("nbf")
        || seconds("nbf").is_some_and(|at| at <= now.as_secs_f64() + seconds_of(LEEWAY));
    text("iss") == Some(&details.oidc_issuer)
        && is_for_us
        && is_of_us
        && is_id_token
        && is_not_early
        && seconds("exp").is_some_and(|at| now.as_secs_f64() < at)
        && text("nonce").is_some_and(|given| same(given, nonce))
        && text("sub").is_some_and(|sub| !sub.is_empty())
}

fn seconds_of(count: u64) -> f64 {
    std::time::Duration::from_secs(count).as_secs_f64()
}

fn object(part: &str) -> Result<Map<String, Value>, Unusable> {
    let octets = base64url::decode(part.as_bytes()).ok_or(Unusable)?;
    serde_json::from_slice(&octets).map_err(|_| Unusable)
}
