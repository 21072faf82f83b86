//! The errors: [`ConfigError`] when a verifier or layer is configured, [`AuthError`] for each rejected request.
//!
//! An error returns its cause by `source()` and does not repeat it in its own text, as the documentation of
//! [`std::error::Error`] recommends. Logs contain all causes: see [`Chain`].

mod auth;
mod chain;
mod config;

pub use self::auth::{AuthError, AuthErrorKind};
pub(crate) use self::chain::Chain;
pub use self::config::{ConfigError, VariableError};
