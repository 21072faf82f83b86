//! The HTTP side of a sign-in at an OpenID Connect provider: redirects of the browser, and requests to the provider.

mod callback;
mod endpoints;
mod start;

pub(crate) use self::{callback::handle, start::begin};
