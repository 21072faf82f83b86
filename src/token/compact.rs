use std::borrow::Cow;

use memchr::{memchr, memrchr};

use crate::{
    base64url,
    error::{AuthError, AuthErrorKind},
    token::header::{self, malformed},
};

/// The longest token that is decoded. Cognito's own limits are lower, and the limit bounds the work for a hostile
/// request.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The length of an RSA signature made with an 8192-bit key, the largest that is accepted.
const MAX_SIGNATURE_BYTES: usize = 1024;

const DOT: u8 = b'.';

/// A JWS in the compact serialization (RFC 7515, section 3.1), with its three parts decoded.
///
/// Outside of this module the payload can be read only through [`Signed`](crate::token::Signed).
pub(crate) struct CompactJws<'a> {
    key_id: Cow<'a, str>,
    payload: &'a str,
    /// The signed bytes: the first two parts as they were sent, with the dot between them.
    signing_input: &'a [u8],
    signature: &'a [u8],
}

impl<'a> CompactJws<'a> {
    /// Decodes the three parts of a token into an empty buffer, and checks its header.
    ///
    /// # Errors
    /// `MalformedToken` if the token is too long, or is not three parts of canonical base64url with strict JSON in
    /// the header and UTF-8 in the payload; `UnsupportedAlgorithm` if the header is not for a plain RS256 signature.
    pub(crate) fn decode(token: &'a [u8], buffer: &'a mut Vec<u8>) -> Result<Self, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(malformed("the token is longer than 16 KiB"));
        }
        let (signing_input, signature) =
            memrchr(DOT, token).and_then(|dot| split_at(token, dot)).ok_or_else(three_parts)?;
        let (header, payload) = memchr(DOT, signing_input)
            .and_then(|dot| split_at(signing_input, dot))
            .ok_or_else(three_parts)?;
        let has_empty_part = [header, payload, signature].iter().any(|part| part.is_empty());
        if has_empty_part || memchr(DOT, payload).is_some() {
            return Err(three_parts());
        }
        // One allocation for all parts. `base64` needs space for up to two bytes more than a part has.
        buffer.reserve(token.len() / 4 * 3 + 9);
        let header_end = decode_part(header, buffer)?;
        let payload_end = decode_part(payload, buffer)?;
        decode_part(signature, buffer)?;
        let (signed, signature) = buffer.split_at(payload_end);
        let (header, payload) = signed.split_at(header_end);
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(malformed("the token's signature is longer than that of any accepted key"));
        }
        let key_id = header::parse(text(header)?)?;
        Ok(Self { key_id, payload: text(payload)?, signing_input, signature })
    }

    /// Returns the header's `kid`.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Verifies the signature with `check`, the check of one key. Its arguments are the signing input and the
    /// signature.
    ///
    /// # Errors
    /// `BadSignature` if the check returns false.
    pub(crate) fn verify_signature(
        &self,
        check: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<(), AuthError> {
        if check(self.signing_input, self.signature) {
            return Ok(());
        }
        Err(AuthError::new(AuthErrorKind::BadSignature, "the token's signature is invalid"))
    }

    /// Returns the JSON text of the payload, which must not be trusted before the signature is verified.
    pub(super) fn payload(&self) -> &'a str {
        self.payload
    }
}

/// Appends a decoded part to a buffer, and returns where it ends.
fn decode_part(part: &[u8], buffer: &mut Vec<u8>) -> Result<usize, AuthError> {
    base64url::decode_into(part, buffer)
        .map(|()| buffer.len())
        .ok_or_else(|| malformed("a part of the token is not canonical unpadded base64url"))
}

fn text(bytes: &[u8]) -> Result<&str, AuthError> {
    std::str::from_utf8(bytes).map_err(|_| malformed("a part of the token is not UTF-8"))
}

/// Returns the bytes before and after a position, without the byte at it.
fn split_at(text: &[u8], position: usize) -> Option<(&[u8], &[u8])> {
    Some((text.get(..position)?, text.get(position + 1..)?))
}

fn three_parts() -> AuthError {
    malformed("the token does not have three parts separated by dots")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"alg":"RS256","kid":"a"}"#;

    fn token(payload_bytes: usize, signature_bytes: usize) -> String {
        let parts = [HEADER.as_bytes(), &vec![b' '; payload_bytes], &vec![7; signature_bytes]];
        parts.map(base64url::encode).join(".")
    }

    fn detail(token: &str) -> Option<&'static str> {
        CompactJws::decode(token.as_bytes(), &mut Vec::new()).err().map(|error| error.detail())
    }

    #[test]
    fn tokens_of_more_than_16_kib_are_rejected_by_their_length() {
        let fitting = (1..13_000).map(|bytes| token(bytes, 256));
        let longest = fitting.take_while(|token| token.len() <= MAX_TOKEN_BYTES).last().unwrap();
        assert_eq!(longest.len(), MAX_TOKEN_BYTES);
        assert_eq!(detail(&longest), None);
        // The same token with a longer signature.
        let padded = |length: usize| {
            let (message, signature) = longest.rsplit_once('.').unwrap();
            format!("{message}.{}{signature}", "A".repeat(length - longest.len()))
        };
        for length in [MAX_TOKEN_BYTES + 1, MAX_TOKEN_BYTES + 2, 1 << 20] {
            assert_eq!(
                detail(&padded(length)),
                Some("the token is longer than 16 KiB"),
                "{length}"
            );
        }
    }

    #[test]
    fn signatures_longer_than_those_of_the_largest_key_are_rejected() {
        assert_eq!(detail(&token(10, MAX_SIGNATURE_BYTES)), None);
        assert!(detail(&token(10, MAX_SIGNATURE_BYTES + 1)).is_some());
    }
}
