//! What a route asks of a token: an algebra of grants.

mod grants;
mod node;

pub use self::grants::Grants;
pub use self::node::{
    Denied, Policy, all, any, authenticated, claim, client, group, permission, pool, scope,
    token_use,
};
