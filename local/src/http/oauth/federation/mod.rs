//! Sign-in at an OpenID Connect provider.
//!
//! A browser goes to the provider with a fresh state, nonce and PKCE challenge. It must come back within five minutes, once,
//! and with the cookie of this sign-in. The provider's ID token is verified by the provider's keys (RS256), and by issuer,
//! audience, nonce and time.

mod account;
mod attributes;
mod callback;
mod endpoints;
mod id_token;
mod start;

pub(crate) use self::{
    callback::handle,
    start::{RequestedProvider, begin, providers, requested_provider},
};
