//! The HTTP interfaces of the pool: Cognito's API, OAuth with its pages, and the console.

pub(crate) mod api;
pub(crate) mod console;
pub(crate) mod cors;
pub(crate) mod fallback;
pub(crate) mod health;
pub(crate) mod html;
pub(crate) mod oauth;
pub(crate) mod operations;
pub(crate) mod origin;
pub(crate) mod request_id;
pub(crate) mod transport;
pub(crate) mod well_known;
