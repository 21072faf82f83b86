use serde_json::Value;

use crate::{
    claims::{ListForm, TokenUse},
    policy::{Node, Policy},
};

/// Requires a verified token, with any claims.
pub fn authenticated() -> Policy {
    Node::Authenticated.into()
}

/// Requires an access token with this scope (RFC 6749, section 3.3), such as `orders/write` or `openid`.
///
/// No token can meet a scope that contains a space.
pub fn scope(name: impl Into<String>) -> Policy {
    Node::Scope(name.into()).into()
}

/// Requires that the user is in this group (claim `cognito:groups`).
pub fn group(name: impl Into<String>) -> Policy {
    Node::Group(name.into()).into()
}

/// Requires this permission.
///
/// Permissions are read from the configured [claim](crate::VerifierBuilder::permissions_claim), and the user's groups
/// have further ones by [`Pool::grants`](crate::Pool::grants).
pub fn permission(name: impl Into<String>) -> Policy {
    Node::Permission(name.into()).into()
}

/// Requires that a top-level claim equals this value, type included, or is an array that contains it.
///
/// Cognito writes every custom attribute as a string: `claim("custom:level", "3")`. Users can change the attributes
/// that their app client may write, so do not grant access by such a claim.
///
/// A list in a string is one string here. [`claim_contains`] reads it.
pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> Policy {
    Node::Claim(name.into(), value.into()).into()
}

/// Requires that a top-level claim is a list in this [form](ListForm) that contains a name.
///
/// For lists in text, for example from an identity provider:
///
/// ```
/// use tower_cognito::{claims::ListForm, policy::claim_contains};
///
/// // Cognito writes the values of the SAML attribute as `[orders, billing]`.
/// let policy = claim_contains("custom:teams", ListForm::Bracketed, "billing");
/// # drop(policy);
/// ```
///
/// A claim that does not have this form does not meet the policy, and is logged once. The warning at [`claim`] about
/// attributes that users can change applies here too.
pub fn claim_contains(claim: impl Into<String>, form: ListForm, name: impl Into<String>) -> Policy {
    Node::ClaimContains(claim.into(), form, name.into()).into()
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
/// Groups, permissions and client ids of different pools are unrelated. With several pools, name the pool too:
/// `pool("staff") & group("admin")`.
pub fn pool(name: impl Into<String>) -> Policy {
    Node::Pool(name.into()).into()
}

/// Requires at least one of these policies.
///
/// No token meets an empty list.
pub fn any(policies: impl IntoIterator<Item = Policy>) -> Policy {
    Node::Any(policies.into_iter().collect()).into()
}

/// Requires all of these policies.
///
/// No token meets an empty list. A list that is empty by mistake therefore does not open a route.
pub fn all(policies: impl IntoIterator<Item = Policy>) -> Policy {
    Node::All(policies.into_iter().collect()).into()
}
