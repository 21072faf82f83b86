//! How the bytes of tokens are hashed and compared.

use constant_time_eq::constant_time_eq;

/// The last 384 bits of the signature, in base64url.
pub(super) fn signature_end(token: &[u8]) -> &[u8] {
    token.last_chunk::<64>().map_or(token, |chunk| chunk)
}

/// Compares in constant time, so that response times do not help to guess a cached token byte by byte.
pub(super) fn is_same_token(a: &[u8], b: &[u8]) -> bool {
    constant_time_eq(a, b)
}
