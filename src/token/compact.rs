use memchr::{memchr, memrchr};

use crate::{
    base64url,
    error::{AuthError, AuthErrorKind},
    token::header::{self, Header},
};

/// The longest token that is looked at: 16 KiB. Cognito's own limit on what a header may carry is
/// lower, and a bound keeps the work for a hostile request small.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

const DOT: u8 = b'.';

/// An RSA signature of an 8192-bit key.
const MAX_SIGNATURE_BYTES: usize = 1024;

/// The three parts of a compact JWS (RFC 7515, section 3.1), decoded.
pub(crate) struct Compact<'a> {
    pub(crate) header: Header,
    /// The JSON text of the payload.
    pub(crate) payload: String,
    /// What is signed: both first parts as they were sent, with the dot between.
    pub(crate) signing_input: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `MalformedToken` if the shape is not that of a compact JWS in canonical base64url with
    /// strict JSON in its header; `UnsupportedAlgorithm` if the header asks for anything but a
    /// plain RS256 signature.
    pub(crate) fn parse(token: &'a [u8]) -> Result<Self, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(malformed("the token is longer than 16 KiB"));
        }
        let (signing_input, signature) =
            memrchr(DOT, token).and_then(|dot| around(token, dot)).ok_or_else(three_parts)?;
        let (header, payload) = memchr(DOT, signing_input)
            .and_then(|dot| around(signing_input, dot))
            .ok_or_else(three_parts)?;
        let is_empty = [header, payload, signature].iter().any(|part| part.is_empty());
        if is_empty || memchr(DOT, payload).is_some() {
            return Err(three_parts());
        }
        let header = header::parse(&text(decode(header)?)?)?;
        let signature = decode(signature)?;
        if signature.len() > MAX_SIGNATURE_BYTES {
            return Err(malformed("the token's signature is longer than that of any accepted key"));
        }
        Ok(Self { header, payload: text(decode(payload)?)?, signing_input, signature })
    }
}

fn decode(part: &[u8]) -> Result<Vec<u8>, AuthError> {
    base64url::decode(part)
        .ok_or_else(|| malformed("a part of the token is not canonical unpadded base64url"))
}

fn text(bytes: Vec<u8>) -> Result<String, AuthError> {
    String::from_utf8(bytes).map_err(|_| malformed("a part of the token is not UTF-8"))
}

/// What stands before and after a position.
fn around(text: &[u8], position: usize) -> Option<(&[u8], &[u8])> {
    Some((text.get(..position)?, text.get(position + 1..)?))
}

fn three_parts() -> AuthError {
    malformed("the token does not have three parts separated by dots")
}

pub(super) fn malformed(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::MalformedToken, detail)
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
        let parsed = Compact::parse(token.as_bytes());
        parsed.err().map(|error| error.detail())
    }

    #[test]
    fn a_token_has_16_kib_at_the_most() {
        let fitting = (1..13_000).map(|bytes| token(bytes, 256));
        let longest = fitting.take_while(|token| token.len() <= MAX_TOKEN_BYTES).last().unwrap();
        assert_eq!(longest.len(), MAX_TOKEN_BYTES);
        assert_eq!(detail(&longest), None);
        // A sign more in the payload or in the signature, up to a length that fits exactly.
        let padded = |length: usize| {
            let (message, signature) = longest.rsplit_once('.').unwrap();
            format!("{message}.{}{signature}", "A".repeat(length - longest.len()))
        };
        assert_ne!(detail(&padded(MAX_TOKEN_BYTES)), Some("the token is longer than 16 KiB"));
        for length in [MAX_TOKEN_BYTES + 1, MAX_TOKEN_BYTES + 2, 1 << 20] {
            assert_eq!(
                detail(&padded(length)),
                Some("the token is longer than 16 KiB"),
                "{length}"
            );
        }
    }

    #[test]
    fn a_signature_is_as_long_as_that_of_the_longest_key_at_the_most() {
        assert_eq!(detail(&token(10, MAX_SIGNATURE_BYTES)), None);
        assert!(detail(&token(10, MAX_SIGNATURE_BYTES + 1)).is_some());
    }
}
