//! ID tokens of providers (OpenID Connect Core 1.0, section 3.1.3.7).
//!
//! The verifier of `tower-cognito` requires the claim `token_use`, which only Cognito's tokens have. The tokens of
//! providers are therefore verified here. They must be signed with RS256.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use tower_cognito::keys::KeySet;

use crate::{crypto::secret::same, model::settings::ProviderDetails, text::base64url};

/// The clock skew that is tolerated for `nbf`, in seconds.
const LEEWAY: u64 = 60;

/// The maximum length of a token, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

const NOT_A_JWT: &str = "the ID token is not a signed JWT";

const INVALID_KEY: &str = "the `kid` of the ID token must name exactly one public RSA key of 2048 to 8192 bits for \
                           RS256 signatures";

/// Error returned when an ID token or the claims of the userinfo endpoint are invalid. The text contains the broken
/// rule but no claim values, so it can be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct IdTokenError(&'static str);

impl From<&'static str> for IdTokenError {
    fn from(rule: &'static str) -> Self {
        Self(rule)
    }
}

/// The expected values of claims.
pub(crate) struct Expected<'a> {
    pub(crate) details: &'a ProviderDetails,
    pub(crate) nonce: &'a str,
    pub(crate) now: SystemTime,
}

/// Verifies the signature and the claims of a token, and returns its claims. `keys` are the keys of the provider's key
/// set (RFC 7517).
///
/// # Errors
/// Returns the first rule that the token breaks.
pub(crate) fn verify(
    token: &str,
    keys: &[Value],
    expected: &Expected<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    if token.len() > MAX_TOKEN {
        return Err("the ID token is too long".into());
    }
    let (message, signature) = token.rsplit_once('.').ok_or(NOT_A_JWT)?;
    let (header, payload) = message.split_once('.').ok_or(NOT_A_JWT)?;
    let header = object(header)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if text("alg") != Some("RS256") {
        return Err("the ID token's `alg` is not RS256".into());
    }
    if header.contains_key("crit") {
        return Err("the ID token has a header `crit`, which is not supported".into());
    }
    let key_id = text("kid").ok_or("the ID token has no `kid`")?;
    let key = key(keys, key_id)?;
    let signature = base64url::decode(signature.as_bytes()).ok_or(NOT_A_JWT)?;
    key.verify(key_id, message.as_bytes(), &signature)
        .map_err(|_| "the ID token's signature is invalid")?;
    let claims = object(payload)?;
    check(&claims, expected)?;
    Ok(claims)
}

/// Returns a key set with only the key that has this `kid`. The key must follow the rules of [`KeySet`], except that
/// `alg` may be absent: it is optional (RFC 7517, section 4.4), and some providers omit it. The header of the token
/// must always have RS256.
fn key(keys: &[Value], kid: &str) -> Result<KeySet, IdTokenError> {
    let mut named: Vec<Map<String, Value>> = keys
        .iter()
        .filter_map(Value::as_object)
        .filter(|entry| entry.get("kid").and_then(Value::as_str) == Some(kid))
        .cloned()
        .collect();
    if named.is_empty() {
        return Err("the key set has no key with the `kid` of the ID token".into());
    }
    for entry in &mut named {
        entry.entry("alg").or_insert_with(|| json!("RS256"));
    }
    KeySet::from_json(&json!({ "keys": named }).to_string()).map_err(|_| INVALID_KEY.into())
}

/// Adds the claims of the userinfo endpoint. The claims of the ID token have priority.
///
/// # Errors
/// Returns an error if the claims are about another user (OpenID Connect Core 1.0, section 5.3.2).
pub(crate) fn add_user_info(
    claims: &mut Map<String, Value>,
    user_info: Map<String, Value>,
) -> Result<(), IdTokenError> {
    if user_info.get("sub") != claims.get("sub") {
        return Err("the `sub` of the userinfo endpoint does not match the ID token".into());
    }
    for (name, value) in user_info {
        claims.entry(name).or_insert(value);
    }
    Ok(())
}

fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let Expected { details, nonce, now } = expected;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let is_audience = match claims.get("aud") {
        Some(Value::String(audience)) => *audience == details.client_id,
        Some(Value::Array(all)) => {
            all.iter().any(|audience| audience.as_str() == Some(&details.client_id))
                && (all.len() == 1 || text("azp").is_some())
        }
        _ => false,
    };
    let is_authorized_party =
        !claims.contains_key("azp") || text("azp") == Some(&details.client_id);
    // Only Cognito's tokens have `token_use`.
    let is_id_token = !claims.contains_key("token_use") || text("token_use") == Some("id");
    let is_active = !claims.contains_key("nbf")
        || seconds("nbf").is_some_and(|at| at <= now.as_secs_f64() + seconds_of(LEEWAY));
    let rules = [
        (
            text("iss") == Some(&details.oidc_issuer),
            "the ID token's `iss` does not match the setting `oidc_issuer`",
        ),
        (is_audience, "the ID token's `aud` does not match the setting `client_id`"),
        (is_authorized_party, "the ID token's `azp` does not match the setting `client_id`"),
        (is_id_token, "the ID token's `token_use` is not `id`"),
        (is_active, "the ID token's `nbf` is in the future"),
        (
            seconds("exp").is_some_and(|at| now.as_secs_f64() < at),
            "the ID token's `exp` is missing, not a number or in the past",
        ),
        (
            text("nonce").is_some_and(|given| same(given, nonce)),
            "the ID token's `nonce` does not match this sign-in",
        ),
        (
            text("sub").is_some_and(|sub| !sub.is_empty()),
            "the ID token's `sub` is missing or not a string",
        ),
    ];
    match rules.into_iter().find(|(is_met, _)| !is_met) {
        Some((_, rule)) => Err(rule.into()),
        None => Ok(()),
    }
}

fn seconds_of(count: u64) -> f64 {
    std::time::Duration::from_secs(count).as_secs_f64()
}

fn object(part: &str) -> Result<Map<String, Value>, IdTokenError> {
    let bytes = base64url::decode(part.as_bytes()).ok_or(NOT_A_JWT)?;
    serde_json::from_slice(&bytes).map_err(|_| NOT_A_JWT.into())
}
