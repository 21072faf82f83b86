//! A user pool on loopback, for development and tests. Feature `local`; not for production.
//!
//! It makes real RSA keys, serves them where Cognito serves its own, and signs access, ID and
//! machine tokens of Cognito's shape. It can rotate and withdraw keys, count fetches, fail and be
//! slow, so that a test can see what its service does then.
//!
//! ```
//! use tower_cognito::{group, local::UserPool};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = UserPool::start().await?;
//! let verifier = pool.verifier().build()?;
//!
//! let token = pool.token("alice").group("staff").scope("orders/write").sign();
//! let claims = verifier.verify(&token).await?;
//! assert_eq!(claims.username(), Some("alice"));
//! assert!(group("staff").check(&claims).is_ok());
//!
//! let expired = pool.token("alice").expired().sign();
//! assert_eq!(verifier.verify(&expired).await.unwrap_err().code(), "token_expired");
//! # Ok(())
//! # }
//! ```
//!
//! [Three levels of tests](crate::docs::testing), from a handler alone to a real sign-in, take ten lines each.
//!
//! Passwords are numbers of 3,072 bits. Where `num-bigint` is not optimized, which cargo does by itself in release
//! builds alone, a sign-up and a sign-in by SRP take the pool about 130 ms in place of 15 ms. In your `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package.num-bigint]
//! opt-level = 3
//! ```

mod api;
mod config;
mod console;
mod cors;
mod html;
mod issue;
mod keys;
mod mail;
mod messages;
mod mock;
mod oauth;
mod pool;
mod secret;
mod seed;
mod server;
mod settings;
mod shared;
mod site;
mod srp;
mod store;
mod token;
mod totp;
mod triggers;
mod words;

pub use self::config::{Config, ConfigFileError};
pub use self::mock::{mock, mock_id};
pub use self::pool::{UserPool, UserPoolBuilder};
pub use self::server::Fault;
pub use self::token::TokenBuilder;
pub use self::triggers::{Trigger, TriggerError, events};
