//! Base64url without padding (RFC 7515, section 2). Only the canonical encoding of each byte string is accepted.

use base64::Engine;

/// Decodes text. Returns `None` if it is not canonical base64url.
pub(crate) fn decode(text: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    engine().decode(text).ok()
}

/// Decodes text and appends the result to a buffer. Returns `None` if it is not canonical base64url.
pub(crate) fn decode_into(text: &[u8], buffer: &mut Vec<u8>) -> Option<()> {
    engine().decode_vec(text, buffer).ok()
}

pub(crate) fn encode(octets: impl AsRef<[u8]>) -> String {
    engine().encode(octets)
}

/// Returns the engine, which uses vector instructions where `base64` supports them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn engine() -> &'static impl Engine {
    use std::sync::LazyLock;

    use base64::engine::{Simd, general_purpose::NO_PAD};

    static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
    &*ENGINE
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn engine() -> &'static impl Engine {
    &base64::engine::general_purpose::URL_SAFE_NO_PAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_encodings_are_decoded() {
        for octets in [&b""[..], b"f", b"fo", b"foo", &[0xfb, 0xff, 0xfe], &[7; 400]] {
            let text = encode(octets);
            assert_eq!(decode(&text).as_deref(), Some(octets), "{text}");
            // Each byte at each position, in texts that are shorter and longer than a vector register.
            for position in 0..text.len() {
                for byte in 0..=u8::MAX {
                    let mut edited = text.clone().into_bytes();
                    edited[position] = byte;
                    let is_canonical =
                        decode(&edited).is_none_or(|it| encode(it).into_bytes() == edited);
                    assert!(is_canonical, "{byte} at {position} of {text}");
                }
            }
            for tail in ["=", "==", "A", "+", "/", " ", "\n"] {
                let longer = format!("{text}{tail}");
                assert!(decode(&longer).is_none_or(|it| encode(it) == longer), "{longer:?}");
            }
        }
    }
}
