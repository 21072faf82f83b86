//! Which app client asks, and whether it is the one it says.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    crypto::secret::same,
    http::oauth::{error::OAuthError, parameters::Parameters},
    model::Client,
    pool::{Shared, site::Site},
};

const UNKNOWN_CLIENT: OAuthError =
    OAuthError::new("invalid_client", "No app client has this client ID");
const WRONG_SECRET: OAuthError = OAuthError::new(
    "invalid_client",
    "The client secret is wrong, missing, or given for an app client without one",
);
const NO_CREDENTIALS: OAuthError = OAuthError::new("invalid_request", "client_id is missing");
const BAD_BASIC: OAuthError = OAuthError::new(
    "invalid_client",
    "Authorization must be Basic, with the base64 of client_id:client_secret",
);
const TWO_WAYS: OAuthError = OAuthError::new(
    "invalid_request",
    "Send the client secret once: in one Authorization header or in the form",
);
const TWO_CLIENTS: OAuthError = OAuthError::new(
    "invalid_request",
    "client_id and the Authorization header name different app clients",
);

/// How a client identifies itself. Both values are in each spelling in which they may be meant, the likelier first.
struct Credentials {
    ids: Vec<String>,
    secrets: Vec<String>,
}

/// Finds a client by the header `Authorization: Basic` or by the form (RFC 6749, section 2.3.1). A client with a secret
/// proves it; one without has none to send.
pub(crate) fn client(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(Arc<Shared>, Arc<Client>), OAuthError> {
    let Credentials { ids, secrets } = credentials(headers, form)?;
    let (pool, client) = ids.iter().find_map(|id| site.client(id)).ok_or(UNKNOWN_CLIENT)?;
    let is_proven = match &client.settings.client_secret {
        // Each spelling is compared, so that the time does not tell which one was right.
        Some(known) => secrets.iter().filter(|given| same(known, given.as_bytes())).count() > 0,
        None => secrets.is_empty(),
    };
    if is_proven { Ok((pool, client)) } else { Err(WRONG_SECRET) }
}

fn credentials(headers: &HeaderMap, form: &Parameters) -> Result<Credentials, OAuthError> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        let id = form.get("client_id").ok_or(NO_CREDENTIALS)?;
        let secret = form.get("client_secret").map(str::to_owned);
        return Ok(Credentials { ids: vec![id.to_owned()], secrets: secret.into_iter().collect() });
    };
    if lines.next().is_some() || form.has("client_secret") {
        return Err(TWO_WAYS);
    }
    let basic = line.to_str().ok().and_then(basic).ok_or(BAD_BASIC)?;
    match form.get("client_id") {
        Some(id) if !basic.ids.iter().any(|known| known == id) => Err(TWO_CLIENTS),
        _ => Ok(basic),
    }
}

fn basic(line: &str) -> Option<Credentials> {
    let (scheme, value) = line.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let secrets = if secret.is_empty() { Vec::new() } else { spellings(secret) };
    Some(Credentials { ids: spellings(id), secrets })
}

/// Returns what a half of the pair may mean. The RFC has both halves encoded as in forms; Cognito's developer guide
/// shows them as they are, and the pattern of both allows a plus sign, which the two read differently.
fn spellings(text: &str) -> Vec<String> {
    let mut spellings = vec![text.to_owned()];
    let decoded = decoded(text);
    if decoded != text {
        spellings.push(decoded);
    }
    spellings
}

fn decoded(text: &str) -> String {
    let pair = format!("a={text}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
