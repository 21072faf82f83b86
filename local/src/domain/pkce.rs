//! Proof Key for Code Exchange (PKCE, RFC 7636) with the method `S256`.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{crypto::secret::same, text::base64url};

/// Returns the challenge of a verifier: its SHA-256 in base64url.
pub(crate) fn challenge_of(verifier: &str) -> String {
    base64url::encode(digest(&SHA256, verifier.as_bytes()))
}

/// Returns whether a text can be a challenge: a SHA-256 in base64url has 43 characters.
pub(crate) fn is_challenge(text: &str) -> bool {
    text.len() == 43
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Returns whether a token request has the verifier of its authorization request (RFC 7636, section 4.6).
///
/// A verifier without a challenge is rejected. An attacker may have removed the challenge from the authorization request
/// (RFC 9700, section 4.8.2).
pub(crate) fn is_verified(verifier: Option<&str>, challenge: Option<&str>) -> bool {
    match (verifier, challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) => {
            (43..=128).contains(&verifier.len()) && same(challenge, challenge_of(verifier))
        }
        _ => false,
    }
}
