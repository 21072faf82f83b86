//! The manual: which token to accept, the rules and threats, the defaults with their reasons, rules that look at the
//! request, and operation in production.

#[doc = include_str!("docs/which_token.md")]
pub mod which_token {}

#[doc = include_str!("docs/threats.md")]
pub mod threats {}

#[doc = include_str!("docs/defaults.md")]
pub mod defaults {}

#[doc = include_str!("docs/operations.md")]
pub mod operations {}

#[doc = include_str!("docs/request_rules.md")]
pub mod request_rules {}
