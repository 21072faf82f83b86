//! Sign-in at an OpenID Connect provider.
//!
//! The pool redirects the browser to the provider with a new state, nonce and PKCE challenge. The browser must return
//! within five minutes, with the cookie of this sign-in. Each state can be used once. The provider's ID token is
//! verified with the provider's keys (RS256). Its issuer, audience, nonce and times are checked.

pub(crate) mod account;
mod claim_mapping;
pub(crate) mod id_token;
pub(crate) mod providers;
pub(crate) mod sign_ins;
