//! Base64url without padding (RFC 7515, section 2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Decodes canonical text, or returns `None` for any other.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
