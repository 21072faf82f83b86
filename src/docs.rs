//! The manual: guarantees, defaults with their reasons, and operation.

#[doc = include_str!("docs/threats.md")]
pub mod threats {}

#[doc = include_str!("docs/defaults.md")]
pub mod defaults {}

#[doc = include_str!("docs/operations.md")]
pub mod operations {}
