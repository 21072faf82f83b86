//! A user pool on loopback, for development and tests. Not for production.
//!
//! It makes real RSA keys, serves them where Cognito serves its own, and signs access, ID and
//! machine tokens of Cognito's shape. It can rotate and withdraw keys, count fetches, fail and be
//! slow, so that a test can see what its service does then.
//!
//! ```
//! use tower_cognito::group;
//! use tower_cognito_local::UserPool;
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
//! # Hosted pages
//!
//! `/oauth2/authorize` and its kin are where Cognito has them on a pool's domain, with pages on which people sign up and
//! sign in without scripts. A client takes part once it is allowed OAuth flows, scopes and addresses to go back to,
//! which are compared letter by letter. Codes need no secret but PKCE with `S256` if the app sends a challenge, live for
//! five minutes, and work once. The pages are plain HTTP on loopback, so that their cookies are not `Secure`.
//!
//! Users also sign in by way of a provider of OpenID Connect, another local pool for one. Its ID tokens have to be
//! signed with RS256 by a key that says so by `alg`; SAML and the social providers are not there.
//!
//! ```
//! use tower_cognito_local::{Config, UserPool};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::from_toml(
//!     r#"
//!     [[aws_cognito_user_pool_client]]
//!     allowed_oauth_flows_user_pool_client = true
//!     allowed_oauth_flows = ["code"]
//!     allowed_oauth_scopes = ["openid", "email"]
//!     callback_urls = ["http://localhost:3000/callback"]
//!     supported_identity_providers = ["COGNITO", "Corp"]
//!
//!     [[aws_cognito_identity_provider]]
//!     provider_name = "Corp"
//!     provider_type = "OIDC"
//!     provider_details = { client_id = "us", client_secret = "…", oidc_issuer = "https://id.corp.example", authorize_scopes = "openid email" }
//!     attribute_mapping = { email = "email" }
//!     "#,
//! )?;
//! let pool = UserPool::builder().config(config).start().await?;
//! let discovery = format!("http://{}/{}/.well-known/openid-configuration", pool.address(), pool.id());
//! # drop(discovery);
//! # Ok(())
//! # }
//! ```
//!
//! # Triggers
//!
//! A pool calls functions of yours where Cognito calls functions on Lambda, with the same events: closures, or URLs at
//! which functions run in any language, called as the Lambda runtime interface emulator is.
//!
//! ```
//! use tower_cognito_local::{Trigger, UserPool};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = UserPool::builder()
//!     .on_pre_sign_up(|mut event| async move {
//!         if event.request.validation_data.is_empty() {
//!             return Err("an invitation is needed".into());
//!         }
//!         event.response.auto_confirm_user = true;
//!         Ok(event)
//!     })
//!     .trigger_url(Trigger::PreTokenGenerationV2, "http://127.0.0.1:9000")
//!     .start()
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! In a [`Config`] the URLs stand under `[aws_cognito_user_pool.lambda_config]`, in Terraform's words. The client hears
//! of an error as from Cognito: `UserLambdaValidationException` with the function's text,
//! `InvalidLambdaResponseException` for an answer without the event's shape, and `UnexpectedLambdaException` for a
//! function that cannot be reached, or does not answer within five seconds at any of three calls. Cognito's own claims
//! cannot be changed, and senders of custom messages (which get encrypted codes) are not called.
//!
//! # Tests
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

mod blocking;
mod builder;
mod config;
mod crypto;
pub mod docs;
mod domain;
mod error;
mod http;
mod ids;
mod model;
mod pool;
mod seed;
mod server;
mod service_model;
mod start;
mod store;
mod testing;
mod text;
mod time;
mod triggers;

pub use self::{
    builder::{UserPool, UserPoolBuilder},
    config::{Config, ConfigFileError},
    server::Fault,
    testing::{TokenBuilder, mock, mock_id},
    triggers::{Trigger, TriggerError, events},
};
