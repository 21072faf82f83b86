//! The compact JWS, taken apart but not trusted: what is said here is what the sender says.

mod compact;
mod header;
mod payload;

pub(crate) use self::compact::Compact;
pub(crate) use self::payload::decode_payload;
