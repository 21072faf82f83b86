use serde_json::Value;

use crate::{
    claims::TokenUse,
    policy::{Node, Policy},
};

/// Requires a verified token, with any claims.
pub fn authenticated() -> Policy {
    Node::Authenticated.into()
}

/// Requires an access token with this scope (RFC 6749, section 3.3), such as `orders/write` or `openid`.
///
/// A name that contains a space is never met.
pub fn scope(name: impl Into<String>) -> Policy {
    Node::Scope(name.into()).into()
}

/// Requires that the user is in this group (claim `cognito:groups`).
pub fn group(name: impl Into<String>) -> Policy {
    Node::Group(name.into()).into()
}

/// Requires this permission.
///
/// A permission comes from the claim that
/// [`permissions_claim`](crate::VerifierBuilder::permissions_claim) names, or from one of the user's groups by
/// [`grants`](crate::Pool::grants).
pub fn permission(name: impl Into<String>) -> Policy {
    Node::Permission(name.into()).into()
}

/// Requires that a top-level claim equals this value, type included, or is an array that contains it.
///
/// Cognito writes every custom attribute as a string: `claim("custom:level", "3")`. Users can change each attribute
/// that is among the write attributes of their app client, so do not grant access by such a claim.
pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> Policy {
    Node::Claim(name.into(), value.into()).into()
}

/// Requires a token of this kind.
pub fn token_use(token_use: TokenUse) -> Policy {
    Node::TokenUse(token_use).into()
}

/// Requires a token that was issued to this app client (claim `client_id`, or `aud` of an ID token).
pub fn client(id: impl Into<String>) -> Policy {
    Node::Client(id.into()).into()
}

/// Requires a token of the pool with this [name](crate::Pool::name).
///
/// Groups, permissions and client ids of different pools are unrelated. With several pools, combine them with the
/// pool that is meant: `pool("staff") & group("admin")`.
pub fn pool(name: impl Into<String>) -> Policy {
    Node::Pool(name.into()).into()
}

/// Requires at least one of these policies.
///
/// An empty list is never met.
pub fn any(policies: impl IntoIterator<Item = Policy>) -> Policy {
    Node::Any(policies.into_iter().collect()).into()
}

/// Requires each of these policies.
///
/// An empty list is never met, so that a list that is empty by mistake does not open a route.
pub fn all(policies: impl IntoIterator<Item = Policy>) -> Policy {
    Node::All(policies.into_iter().collect()).into()
}
