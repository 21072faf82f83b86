//! The manual of the local pool.

#[doc = include_str!("docs/local.md")]
pub mod local_pool {}

#[doc = include_str!("docs/operations.md")]
pub mod operations {}

#[doc = include_str!("docs/testing.md")]
pub mod testing {}
