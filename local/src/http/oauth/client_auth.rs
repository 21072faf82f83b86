//! Client authentication (RFC 6749, section 2.3.1).

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    domain::client_auth::{self, ClientAuthError, ClientCredentials},
    http::oauth::{error::OAuthError, parameters::Parameters},
    model::Client,
    pool::{Pool, site::Site},
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
    "Authorization must be Basic with the base64 of client_id:client_secret",
);
const TWO_WAYS: OAuthError = OAuthError::new(
    "invalid_request",
    "Send the client secret once: in one Authorization header or in the form",
);
const TWO_CLIENTS: OAuthError = OAuthError::new(
    "invalid_request",
    "client_id and the Authorization header name different app clients",
);

/// Authenticates a client by the header `Authorization: Basic` or by the form. A client without a secret must not send
/// one.
pub(crate) fn authenticate(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(Arc<Pool>, Arc<Client>), OAuthError> {
    client_auth::authenticate(site, &credentials(headers, form)?).map_err(|error| match error {
        ClientAuthError::UnknownClient => UNKNOWN_CLIENT,
        ClientAuthError::WrongSecret => WRONG_SECRET,
    })
}

fn credentials(headers: &HeaderMap, form: &Parameters) -> Result<ClientCredentials, OAuthError> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        let id = form.get("client_id").ok_or(NO_CREDENTIALS)?;
        let secret = form.get("client_secret").map(str::to_owned);
        let (ids, secrets) = (vec![id.to_owned()], secret.into_iter().collect());
        return Ok(ClientCredentials { ids, secrets });
    };
    if lines.next().is_some() || form.has("client_secret") {
        return Err(TWO_WAYS);
    }
    let basic = line.to_str().ok().and_then(parse_basic).ok_or(BAD_BASIC)?;
    match form.get("client_id") {
        Some(id) if !basic.ids.iter().any(|known| known == id) => Err(TWO_CLIENTS),
        _ => Ok(basic),
    }
}

fn parse_basic(line: &str) -> Option<ClientCredentials> {
    let (scheme, value) = line.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let secrets = if secret.is_empty() { Vec::new() } else { decodings(secret) };
    Some(ClientCredentials { ids: decodings(id), secrets })
}

/// Returns the client ID or the secret unchanged and, if that differs, form-decoded.
///
/// RFC 6749 requires clients to form-encode both before the base64 of `Basic`. Many clients do not, and neither do the
/// examples in Cognito's developer guide. The results differ if the text contains `+` or `%`, and Cognito allows `+` in
/// client secrets. The header does not show which one is meant, so both are compared.
fn decodings(text: &str) -> Vec<String> {
    let mut decodings = vec![text.to_owned()];
    let decoded = form_decoded(text);
    if decoded != text {
        decodings.push(decoded);
    }
    decodings
}

fn form_decoded(text: &str) -> String {
    let pair = format!("a={text}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
