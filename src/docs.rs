//! The manual: the rules and threats, the defaults with their reasons, and operation in production.

#[doc = include_str!("docs/threats.md")]
pub mod threats {}

#[doc = include_str!("docs/defaults.md")]
pub mod defaults {}

#[doc = include_str!("docs/operations.md")]
pub mod operations {}
