//! A local AWS Cognito user pool for development and tests. Not for production.
//!
//! A [`UserPool`] listens on loopback, serves its keys where Cognito serves them, and signs access, ID and machine
//! tokens with Cognito's claims. Tests can rotate and withdraw its keys, count fetches, and make the key endpoint
//! slow or fail.
//!
//! ```
//! use tower_cognito::{ConfigError, Pool, Verifier, group};
//! use tower_cognito_local::UserPool;
//!
//! const CLIENT_ID: &str = "1example23456789";
//!
//! // The function of your service that builds its verifier. Production calls it with `Pool::new(..)`.
//! fn verifier(pool: Pool) -> Result<Verifier, ConfigError> {
//!     Verifier::builder(pool.access_tokens([CLIENT_ID])).build()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = UserPool::builder().client_id(CLIENT_ID).start().await?;
//! let verifier = verifier(pool.pool())?;
//!
//! let token = pool.token("alice").group("staff").sign();
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
//! [Three levels of tests](crate::docs::testing) explains which kind of test to use. The command `tower-cognito-local`
//! serves the same pool for clients in any language: see [the manual](crate::docs::local_pool).
//!
//! # Hosted pages
//!
//! The OAuth endpoints have Cognito's paths, such as `/oauth2/authorize`. The pages for sign-up and sign-in need no
//! scripts. An app client must allow OAuth flows, scopes and callback URLs. Callback URLs are compared exactly. An
//! authorization code works once, within five minutes. PKCE with `S256` is required only if the app sends a challenge.
//!
//! Users can also sign in with an OpenID Connect provider, for example another local pool. Its ID tokens must be
//! signed with RS256. SAML and social providers are not supported.
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
//! A pool calls your functions where Cognito calls Lambda functions, with the same events. A function is a closure, or
//! the URL of a function in any language, which is called like the Lambda runtime interface emulator.
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
//! In a [`Config`], the URLs are in `[aws_cognito_user_pool.lambda_config]`, with Terraform's names. Clients receive
//! Cognito's errors: `UserLambdaValidationException` with the function's error text, `InvalidLambdaResponseException` for
//! an invalid response, and `UnexpectedLambdaException` for a function that does not respond within five seconds in any
//! of three calls. Functions cannot change reserved claims. Custom senders, which receive encrypted codes, are not called.
//!
//! # Speed of debug builds
//!
//! The SRP protocol computes with numbers of 3,072 bits. If `num-bigint` is built without optimization, a sign-up and a
//! sign-in by SRP take about 130 ms instead of 15 ms. In your `Cargo.toml`:
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
    pool::Fault,
    server::tls::Tls,
    testing::{SignInError, SignedIn, TokenBuilder, mock, mock_id},
    triggers::{Trigger, TriggerError, events},
};
