//! Where keys come from and how they stay fresh. Nothing here knows a claim.
//!
//! [`KeySource`] is the seam: one method that brings a JWKS document (RFC 7517, section 5). A
//! [`KeySet`] is what such a document holds, parsed and fit for use. The cache between them swaps
//! whole sets, so a request sees one set and never waits for a lock.

mod cache;
mod fetch;
mod jwk;
mod loaded;
mod refresh;
mod runtime;
mod set;
mod settings;
mod source;

#[cfg(feature = "fetch")]
mod http;
#[cfg(not(feature = "fetch"))]
#[path = "no_http.rs"]
mod http;

pub use self::cache::KeyHealth;
pub(crate) use self::cache::{Find, KeyCache, Miss};
pub(crate) use self::fetch::Begin;
pub(crate) use self::http::HttpSources;
pub use self::set::{KeySet, KeySetError, SignatureError};
pub(crate) use self::settings::KeySettings;
pub use self::source::{FetchError, KeyDocument, KeySource};
