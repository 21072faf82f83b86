//! Random secrets, and comparison in constant time.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::text::base64url;

/// # Panics
/// The system's source of random numbers failed.
pub(crate) fn random_octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).expect("the system has random numbers");
    octets
}

/// Returns 256 random bits in base64url, 43 characters.
pub(crate) fn random_text() -> String {
    base64url::encode(random_octets::<32>())
}

/// A code as users type it: six digits.
pub(crate) fn code() -> String {
    format!("{:06}", u64::from_be_bytes(random_octets()) % 1_000_000)
}

/// An id as Cognito gives it to clients: 26 lowercase letters and digits.
pub(crate) fn client_id() -> String {
    signs::<26>(b"abcdefghijklmnopqrstuvwxyz0123456789")
}

/// A client's secret: 51 lower-case letters and digits, which every way to send a secret allows.
pub(crate) fn client_secret() -> String {
    signs::<51>(b"abcdefghijklmnopqrstuvwxyz0123456789")
}

/// The part of a pool's id behind its region.
pub(crate) fn pool_name() -> String {
    signs::<9>(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
}

fn signs<const N: usize>(signs: &[u8]) -> String {
    let octets = random_octets::<N>();
    let signs = octets.iter().filter_map(|octet| signs.get(usize::from(*octet) % signs.len()));
    signs.map(|sign| char::from(*sign)).collect()
}

/// Returns Cognito's `SECRET_HASH`.
pub(crate) fn secret_hash(secret: &str, username: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(&key, format!("{username}{client_id}").as_bytes()))
}

/// Returns HMAC-SHA-256 of a text.
pub(crate) fn keyed_digest(key: &[u8], text: &str) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let mut digest = [0; 32];
    digest.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    digest
}

/// Returns the digest under which the pool stores a token, a code or a session. The secret itself is never stored.
pub(crate) fn digest_of(secret: &str) -> String {
    base64url::encode(digest(&SHA256, secret.as_bytes()))
}

/// Compares without telling where the difference is.
pub(crate) fn same(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_ref(), b.as_ref()).is_ok()
}
