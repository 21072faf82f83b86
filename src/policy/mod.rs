//! Policies: what a route requires of a token.
//!
//! The functions of this module create policies. `&` and `|`, or [`all`] and [`any`], join them:
//!
//! ```
//! use tower_cognito::{TokenUse, policy::{all, client, group, permission, pool, scope, token_use}};
//!
//! let write_orders = scope("orders/write") & (group("admin") | permission("write:all"));
//! let back_office = all([pool("staff"), token_use(TokenUse::Access), client("1example23456789")]);
//! assert_eq!(
//!     write_orders.to_string(),
//!     r#"scope("orders/write") & (group("admin") | permission("write:all"))"#
//! );
//! # drop(back_office);
//! ```
//!
//! [`require`](crate::require) applies a policy to a route, [`CognitoLayer::require`](crate::CognitoLayer::require) to
//! a whole service, and [`Policy::check`] to a token in your own code.
//!
//! There is no negation, so additional grants never reduce access. Names must match exactly: `*` and other characters
//! have no special meaning.

mod builders;
mod defects;
mod grants;
mod node;
mod predicate;

pub use self::builders::{
    all, any, authenticated, claim, claim_contains, client, group, permission, pool, scope,
    token_use,
};
pub use self::grants::Grants;
pub(crate) use self::node::Node;
pub use self::node::{Denied, Policy};
