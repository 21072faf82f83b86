#![doc = include_str!("docs/crate.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base64url;
mod clock;
mod error;
mod json;
mod percent;
mod pool;
mod token;

pub mod claims;
pub mod docs;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod extract;
pub mod keys;
pub mod policy;
pub mod service;
pub mod verifier;

#[doc(inline)]
pub use self::{
    claims::{AccessClaims, Claims, IdClaims, TokenUse, Verified},
    error::{AuthError, AuthErrorKind, ConfigError},
    policy::{Policy, group, permission, scope},
    service::{CognitoLayer, require, require_async, require_with},
    verifier::{Pool, Refusal, Verifier, VerifierBuilder},
};

/// Compiles the code of the README as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
