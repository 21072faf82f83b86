//! Sign-in at an OpenID Connect provider.
//!
//! A browser goes to the provider with a new state, nonce and PKCE challenge. It must come back within five minutes and
//! with the cookie of this sign-in, and can do so once. The provider's ID token is verified with the provider's keys
//! (RS256). Its issuer, audience, nonce and times are checked.

pub(crate) mod account;
mod claim_mapping;
pub(crate) mod id_token;
pub(crate) mod providers;
pub(crate) mod sign_ins;
