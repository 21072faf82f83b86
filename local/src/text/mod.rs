//! Encodings of text, host names and member names.

pub(crate) mod base64url;
pub(crate) mod host;
pub(crate) mod words;
