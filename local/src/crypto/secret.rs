//! Random secrets, and comparison in constant time.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::text::base64url;

/// Returns random bytes, directly from the system. The first call of `aws-lc-rs`'s generator takes up to 200 ms.
///
/// # Panics
/// Panics if the system has no random numbers.
pub(crate) fn random_octets<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).expect("the system has random numbers");
    octets
}

/// Returns 256 random bits in base64url, 43 characters.
pub(crate) fn random_text() -> String {
    base64url::encode(random_octets::<32>())
}

/// Returns a code of six random digits.
pub(crate) fn code() -> String {
    format!("{:06}", u64::from_be_bytes(random_octets()) % 1_000_000)
}

/// Returns a client id in Cognito's format: 26 lowercase letters and digits.
pub(crate) fn client_id() -> String {
    random_characters::<26>(b"abcdefghijklmnopqrstuvwxyz0123456789")
}

/// Returns a client secret: 51 lowercase letters and digits, which need no escaping in any request.
pub(crate) fn client_secret() -> String {
    random_characters::<51>(b"abcdefghijklmnopqrstuvwxyz0123456789")
}

/// Returns the part of a pool id after the region.
pub(crate) fn pool_name() -> String {
    random_characters::<9>(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
}

fn random_characters<const N: usize>(alphabet: &[u8]) -> String {
    let octets = random_octets::<N>();
    let characters =
        octets.iter().filter_map(|octet| alphabet.get(usize::from(*octet) % alphabet.len()));
    characters.map(|character| char::from(*character)).collect()
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

/// Returns whether two values are equal. Compares them in constant time.
pub(crate) fn same(a: impl AsRef<[u8]>, b: impl AsRef<[u8]>) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_ref(), b.as_ref()).is_ok()
}
