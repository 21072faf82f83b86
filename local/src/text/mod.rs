//! Encodings and spellings of text.

pub(crate) mod base64url;
pub(crate) mod words;
