//! The manual: what is promised, why each default is what it is, and how to run it.

#[doc = include_str!("docs/threats.md")]
pub mod threats {}

#[doc = include_str!("docs/defaults.md")]
pub mod defaults {}

#[doc = include_str!("docs/operations.md")]
pub mod operations {}
