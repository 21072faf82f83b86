//! What a route asks of a token: an algebra of grants.
//!
//! A policy is a value made of [`scope`], [`group`], [`permission`], [`claim`], [`token_use`],
//! [`client`] and [`authenticated`], joined by `&` and `|` or by [`all`] and [`any`]. There is no
//! negation: more grants never mean less access.
//!
//! ```
//! use tower_cognito::{group, permission, scope};
//!
//! let policy = scope("orders/write") & (group("admin") | permission("write:all"));
//! assert_eq!(
//!     policy.to_string(),
//!     r#"scope("orders/write") & (group("admin") | permission("write:all"))"#
//! );
//! ```

mod grants;
mod node;

pub use self::grants::Grants;
pub use self::node::{
    Denied, Policy, all, any, authenticated, claim, client, group, permission, scope, token_use,
};
