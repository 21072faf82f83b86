use std::borrow::Cow;

use crate::{
    error::{AuthError, AuthErrorKind},
    json::{Json, read_object},
};

/// The longest key id that is accepted. Cognito's have 44 characters; 256 are enough for any emulator.
const MAX_KEY_ID_BYTES: usize = 256;

/// Parameters that contain a key or its address (RFC 7515, sections 4.1.2 to 4.1.6). A header with one of them is
/// rejected, because Cognito never writes them.
const EMBEDDED_KEYS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// Parameters that change what is signed or how it is encoded. None of them is supported.
const EXTENSIONS: [&str; 3] = ["crit", "b64", "zip"];

/// Reads a JOSE header (RFC 7515, section 4) and returns its key id.
///
/// # Errors
/// `MalformedToken` if the header is not one JSON object with unique names, or its `kid` is not a string of 1 to
/// 256 visible ASCII characters; `UnsupportedAlgorithm` for anything but a plain RS256 signature.
pub(super) fn parse(text: &str) -> Result<Cow<'_, str>, AuthError> {
    let mut algorithm = None;
    let mut key_id = None;
    let mut has_key = false;
    let mut has_extension = false;
    read_object(text, |name, value| match name {
        "alg" => algorithm = Some(value),
        "kid" => key_id = Some(value),
        _ => {
            has_key |= EMBEDDED_KEYS.contains(&name);
            has_extension |= EXTENSIONS.contains(&name);
        }
    })
    .map_err(|_| malformed("the token's header is not a JSON object with unique names"))?;

    if !matches!(algorithm, Some(Json::String(name)) if name == "RS256") {
        return Err(unsupported("the token's `alg` is not RS256"));
    }
    if has_extension {
        return Err(unsupported("the token's header requires an extension that is not supported"));
    }
    if has_key {
        return Err(unsupported("the token's header contains a key or the address of one"));
    }
    match key_id {
        Some(Json::String(key_id)) if is_key_id(&key_id) => Ok(key_id),
        _ => Err(malformed(
            "the token's `kid` is missing or not a string of 1 to 256 visible ASCII characters",
        )),
    }
}

/// Returns whether a text can be a key id. Other texts must not cause a fetch of keys.
fn is_key_id(text: &str) -> bool {
    (1..=MAX_KEY_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn unsupported(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::UnsupportedAlgorithm, detail)
}

pub(super) fn malformed(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::MalformedToken, detail)
}
