//! Time-based one-time passwords (RFC 6238): SHA-1, six digits, time steps of 30 seconds.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

use crate::crypto::secret::{random_octets, same};

/// The result of checking a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    /// The code of this time step, which was not used before.
    Valid(u64),
    /// The code was used before.
    Reused,
    Invalid,
}

const STEP_MILLISECONDS: u64 = 30_000;

/// Returns a new secret: 52 characters of base32.
pub(crate) fn new_secret() -> String {
    BASE32_NOPAD.encode(&random_octets::<32>())
}

/// Checks a code. The codes of the previous and the next time step are also accepted, because clocks differ and typing
/// takes time. `last_step` is the last step whose code was used.
pub(crate) fn check(secret: &str, last_step: Option<u64>, code: &str, now: u64) -> CodeCheck {
    let current = now / STEP_MILLISECONDS;
    let mut result = CodeCheck::Invalid;
    for step in current.saturating_sub(1)..=current.saturating_add(1) {
        if !code_of(secret, step).is_some_and(|expected| same(expected, code)) {
            continue;
        }
        if last_step.is_none_or(|last| step > last) {
            return CodeCheck::Valid(step);
        }
        result = CodeCheck::Reused;
    }
    result
}

/// Returns the code of a time step (RFC 4226, section 5.3).
fn code_of(secret: &str, step: u64) -> Option<String> {
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let start = usize::from(tag.as_ref().last()? & 0x0f);
    let part: [u8; 4] = tag.as_ref().get(start..start + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(part) & 0x7fff_ffff) % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_at(seconds: u64, last_step: Option<u64>, code: &str) -> CodeCheck {
        let secret = BASE32_NOPAD.encode(b"12345678901234567890");
        check(&secret, last_step, code, seconds * 1000)
    }

    #[test]
    fn codes_match_the_test_vectors_of_rfc_6238() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(check_at(seconds, None, code), CodeCheck::Valid(seconds / 30));
        }
    }

    #[test]
    fn code_is_valid_once_within_one_step() {
        let at = |seconds: u64, last| check_at(seconds, last, "287082");
        assert_eq!(at(0, None), CodeCheck::Valid(1));
        assert_eq!(at(89, None), CodeCheck::Valid(1));
        assert_eq!(at(90, None), CodeCheck::Invalid);
        assert_eq!(at(59, Some(0)), CodeCheck::Valid(1));
        assert_eq!(at(59, Some(1)), CodeCheck::Reused);
        assert_eq!(at(59, Some(2)), CodeCheck::Reused);
    }

    #[test]
    fn secrets_are_base32_without_padding() {
        let secret = new_secret();
        assert_eq!(secret.len(), 52);
        assert!(secret.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')));
        assert_ne!(secret, new_secret());
    }
}
