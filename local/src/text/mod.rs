//! Encodings of text, host names, member names and similar words.

pub(crate) mod base64url;
pub(crate) mod host;
pub(crate) mod similar;
pub(crate) mod words;
