//! The wire: each protocol that clients speak to the pool.

pub(crate) mod api;
pub(crate) mod console;
pub(crate) mod cors;
pub(crate) mod fallback;
pub(crate) mod health;
pub(crate) mod html;
pub(crate) mod oauth;
pub(crate) mod operations;
pub(crate) mod origin;
pub(crate) mod well_known;
