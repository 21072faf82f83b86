//! What can go wrong: [`ConfigError`] for the developer at build time, [`AuthError`] per request.

mod auth;
mod config;

pub use self::auth::{AuthError, AuthErrorKind};
pub use self::config::ConfigError;
