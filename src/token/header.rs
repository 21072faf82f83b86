use crate::{
    error::{AuthError, AuthErrorKind},
    json::{Json, read_object},
    token::compact::malformed,
};

/// What a JOSE header (RFC 7515, section 4) says, once it is found fit.
pub(crate) struct Header {
    pub(crate) key_id: Box<str>,
}

/// Cognito's are 44 characters; 256 leaves room for any emulator.
const MAX_KEY_ID_BYTES: usize = 256;

/// Parameters that bring their own key (RFC 7515, sections 4.1.2 to 4.1.6). They are never read,
/// and no token of Cognito's has them.
const EMBEDDED_KEYS: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

/// Parameters that change what is signed or how it is read. None is supported.
const EXTENSIONS: [&str; 3] = ["crit", "b64", "zip"];

pub(super) fn parse(text: &str) -> Result<Header, AuthError> {
    let mut algorithm = None;
    let mut key_id = None;
    let mut embedded_key = false;
    let mut extension = false;
    read_object(text, |name, value| match name {
        "alg" => algorithm = Some(value),
        "kid" => key_id = Some(value),
        _ => {
            embedded_key |= EMBEDDED_KEYS.contains(&name);
            extension |= EXTENSIONS.contains(&name);
        }
    })
    .map_err(|_| malformed("the token's header is not a JSON object with distinct names"))?;

    if !matches!(algorithm, Some(Json::String(alg)) if alg == "RS256") {
        return Err(unsupported("the token's `alg` is not RS256"));
    }
    if extension {
        return Err(unsupported("the token's header asks for an extension that is not supported"));
    }
    if embedded_key {
        return Err(unsupported("the token's header brings its own key"));
    }
    match key_id {
        Some(Json::String(kid)) if is_key_id(&kid) => Ok(Header { key_id: kid.into() }),
        _ => Err(malformed("the token's `kid` is missing or not a plain string")),
    }
}

/// Whether a text can be a key id at all: anything else cannot cause a fetch.
fn is_key_id(text: &str) -> bool {
    (1..=MAX_KEY_ID_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn unsupported(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::UnsupportedAlgorithm, detail)
}
