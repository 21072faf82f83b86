//! Which app client asks, and whether it is the one it says.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    super::{secret::same, shared::Shared, site::Site, store::Client},
    parameters::Parameters,
};

/// Who a client says it is.
struct Credentials {
    id: String,
    secret: Option<String>,
}

/// Finds a client by the header `Authorization: Basic` or the form (RFC 6749, section 2.3.1). One with a secret
/// proves it; one without has none to give.
pub(super) fn client(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(Arc<Shared>, Client), &'static str> {
    let Credentials { id, secret } = credentials(headers, form)?;
    let (pool, client) = site.client(&id).ok_or("invalid_client")?;
    let is_proven = match (&client.settings.client_secret, secret) {
        (Some(known), Some(given)) => same(known, given),
        (None, None) => true,
        _ => false,
    };
    if is_proven { Ok((pool, client)) } else { Err("invalid_client") }
}

fn credentials(headers: &HeaderMap, form: &Parameters) -> Result<Credentials, &'static str> {
    let text = |name: &str| form.get(name).map(str::to_owned);
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        let id = text("client_id").ok_or("invalid_request")?;
        return Ok(Credentials { id, secret: text("client_secret") });
    };
    // One way at a time, and one client.
    if lines.next().is_some() || form.has("client_secret") {
        return Err("invalid_request");
    }
    let basic = line.to_str().ok().and_then(basic).ok_or("invalid_client")?;
    match form.get("client_id") {
        Some(id) if id != basic.id => Err("invalid_request"),
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
    let secret = Some(secret).filter(|secret| !secret.is_empty()).map(decoded);
    Some(Credentials { id: decoded(id), secret })
}

/// Both halves are written as in forms.
fn decoded(text: &str) -> String {
    let pair = format!("a={text}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
