//! Reads the value of a credential.

use crate::error::{AuthError, AuthErrorKind};

/// Returns why a rejected value cannot be a token, which is a sequence of visible ASCII characters. Verified tokens
/// always are, so only rejected values are checked.
pub(super) fn unreadable_reason(value: &[u8]) -> Option<&'static str> {
    let first = value.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
    if value.iter().all(u8::is_ascii_graphic) {
        None
    } else if first.eq_ignore_ascii_case(b"Bearer") {
        Some("the credential has the scheme Bearer where the bare token is expected")
    } else if !value.iter().all(|byte| is_text(*byte)) {
        Some(NOT_ASCII)
    } else if is_token(first) && !first.contains(&b'.') {
        Some("the credential has a scheme where the bare token is expected")
    } else {
        Some("the credential contains more than one token")
    }
}

/// Accepts any value that is not empty. The verifier checks whether it is a token.
pub(super) fn token(value: &[u8]) -> Result<Option<&[u8]>, AuthError> {
    match value {
        [] => Err(invalid_request("the credential contains no token")),
        value => Ok(Some(value)),
    }
}

pub(super) fn invalid_request(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::InvalidRequest, detail)
}

/// Reads a value that must not be repeated.
pub(super) fn single_value<'r>(
    mut values: impl Iterator<Item = &'r [u8]>,
) -> Result<Option<&'r [u8]>, AuthError> {
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => token(value),
        (Some(_), Some(_)) => Err(invalid_request("the request has the credential more than once")),
    }
}

pub(super) const NOT_ASCII: &str = "the credential's header contains bytes that are not ASCII";

/// Returns whether a byte is allowed in the text of a header (RFC 9110, section 5.5).
pub(super) fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte == b' ' || byte.is_ascii_graphic()
}

/// Returns whether a text is a token of RFC 9110, section 5.6.2.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}
