//! UUIDs.

use aws_lc_rs::digest::{SHA256, digest};

use crate::crypto::secret::random_octets;

/// Returns the UUID of a text, which is always the same.
pub(crate) fn uuid_of(text: &str) -> String {
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest(&SHA256, text.as_bytes()).as_ref())
        .for_each(|(to, from)| *to = *from);
    uuid(bytes)
}

/// Returns a random UUID.
pub(crate) fn random_uuid() -> String {
    uuid(random_octets())
}

/// Returns bytes as a UUID of version 4 (RFC 9562, section 5.4).
fn uuid(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    let number = number & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let text = format!("{number:032x}");
    let (a, rest) = text.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    format!("{a}-{b}-{c}-{d}-{e}")
}
