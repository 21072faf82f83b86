use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::header::{self, Header};
use crate::error::{AuthError, AuthErrorKind};

/// The longest token that is looked at: 16 KiB. Cognito's own limit on what a header may carry is
/// lower, and a bound keeps the work for a hostile request small.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// An RSA signature of an 8192-bit key.
const MAX_SIGNATURE_BYTES: usize = 1024;

/// The three parts of a compact JWS (RFC 7515, section 3.1), decoded.
pub(crate) struct Compact<'a> {
    pub(crate) header: Header,
    /// The JSON text of the payload.
    pub(crate) payload: String,
    /// What is signed: both first parts as they were sent, with the dot between.
    pub(crate) signing_input: &'a str,
    pub(crate) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `MalformedToken` if the shape is not that of a compact JWS in canonical base64url with
    /// strict JSON in its header; `UnsupportedAlgorithm` if the header asks for anything but a
    /// plain RS256 signature.
    pub(crate) fn parse(token: &'a str) -> Result<Self, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(malformed("the token is longer than 16 KiB"));
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or_else(three_parts)?;
        let (header, payload) = signing_input.split_once('.').ok_or_else(three_parts)?;
        if payload.contains('.') || [header, payload, signature].iter().any(|part| part.is_empty())
        {
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

/// Canonical base64url without padding (RFC 7515, section 2): each octet string has one spelling.
fn decode(part: &str) -> Result<Vec<u8>, AuthError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| malformed("a part of the token is not canonical unpadded base64url"))
}

fn text(bytes: Vec<u8>) -> Result<String, AuthError> {
    String::from_utf8(bytes).map_err(|_| malformed("a part of the token is not UTF-8"))
}

fn three_parts() -> AuthError {
    malformed("the token does not have three parts separated by dots")
}

pub(super) fn malformed(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::MalformedToken, detail)
}
