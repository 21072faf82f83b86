use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use crate::{
    error::{AuthError, AuthErrorKind},
    json::{Json, read_object},
    token::compact::malformed,
};

/// What a JOSE header (RFC 7515, section 4) says, once it is found fit.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) key_id: Box<str>,
}

/// The headers of tokens that were verified, as they were sent. All tokens that one key signed have the
/// same, so that it need not be decoded and read for each.
///
/// Looking one up writes nothing that another thread reads, so that threads do not slow each other.
#[derive(Default)]
pub(crate) struct KnownHeaders(ArcSwap<HashMap<Box<[u8]>, Header, RandomState>>);

/// Those of two keys each of some hundred pools. Past that all are forgotten and learned anew.
const MAX_KNOWN: usize = 512;

/// Cognito's have some 110 bytes. A longer one holds more than a key's id, perhaps another thing in each
/// token.
const MAX_KNOWN_BYTES: usize = 256;

impl KnownHeaders {
    pub(super) fn find(&self, encoded: &[u8]) -> Option<Header> {
        self.0.load().get(encoded).cloned()
    }

    /// Only for the header of a token whose signature holds, so that strangers cannot fill it.
    pub(crate) fn remember(&self, encoded: &[u8], header: &Header) {
        if encoded.len() > MAX_KNOWN_BYTES {
            return;
        }
        self.0.rcu(|known| {
            // Another thread may have been first.
            if known.contains_key(encoded) {
                return Arc::clone(known);
            }
            let mut known =
                if known.len() < MAX_KNOWN { known.as_ref().clone() } else { HashMap::default() };
            known.insert(encoded.into(), header.clone());
            Arc::new(known)
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header { key_id: "a".into() }
    }

    #[test]
    fn a_header_is_known_once_it_is_remembered_unless_it_is_long() {
        let known = KnownHeaders::default();
        for (bytes, is_known) in [(1, true), (110, true), (256, true), (257, false), (9000, false)]
        {
            let encoded = vec![b'a'; bytes];
            assert!(known.find(&encoded).is_none());
            known.remember(&encoded, &header());
            assert_eq!(known.find(&encoded).is_some(), is_known, "{bytes}");
        }
    }

    #[test]
    fn past_so_many_headers_all_are_forgotten() {
        let known = KnownHeaders::default();
        let encoded = |number: usize| number.to_string().into_bytes();
        for number in 0..MAX_KNOWN {
            known.remember(&encoded(number), &header());
        }
        assert!((0..MAX_KNOWN).all(|number| known.find(&encoded(number)).is_some()));
        known.remember(&encoded(MAX_KNOWN), &header());
        assert!((0..MAX_KNOWN).all(|number| known.find(&encoded(number)).is_none()));
        assert!(known.find(&encoded(MAX_KNOWN)).is_some());
    }
}
