use std::sync::Arc;

use foldhash::fast::RandomState;
use quick_cache::{UnitWeighter, sync::Cache};

use super::compact::malformed;
use crate::{
    error::{AuthError, AuthErrorKind},
    json::{Json, read_object},
};

/// What a JOSE header (RFC 7515, section 4) says, once it is found fit.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) key_id: Arc<str>,
}

/// The headers of tokens that were verified, as they were sent. All tokens that one key signed have the
/// same, so that it need not be decoded and read for each.
pub(crate) struct KnownHeaders(Cache<Box<[u8]>, Header, UnitWeighter, RandomState>);

/// Those of two keys each of some hundred pools.
const KNOWN_HEADERS: usize = 1024;

impl KnownHeaders {
    pub(super) fn find(&self, encoded: &[u8]) -> Option<Header> {
        self.0.get(encoded)
    }

    /// Only for the header of a token whose signature holds, so that strangers cannot fill it.
    pub(crate) fn remember(&self, encoded: &[u8], header: Header) {
        self.0.insert(encoded.into(), header);
    }
}

impl Default for KnownHeaders {
    fn default() -> Self {
        let (items, weight) = (KNOWN_HEADERS, KNOWN_HEADERS.try_into().unwrap_or(u64::MAX));
        Self(Cache::with(items, weight, UnitWeighter, RandomState::default(), Default::default()))
    }
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
