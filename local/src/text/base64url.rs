//! Base64url without padding (RFC 7515, section 2).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Decodes canonical base64url. Returns `None` for any other text.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes bytes.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
