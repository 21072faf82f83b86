//! Encodings and spellings of text.

pub(crate) mod base64url;
pub(crate) mod host;
pub(crate) mod words;
