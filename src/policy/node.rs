use std::{
    fmt,
    ops::{BitAnd, BitOr},
};

use serde_json::Value;

use crate::{
    claims::{ListForm, TokenUse, Verified},
    error::{AuthError, AuthErrorKind},
    policy::predicate::Predicate,
};

/// What a route requires of a token.
///
/// The functions of [`policy`](crate::policy) create policies, and `&` and `|` join them. A policy is displayed in the
/// same notation.
///
/// ```
/// use tower_cognito::{group, permission, scope};
///
/// let policy = scope("orders/write") & (group("admin") | permission("write:all"));
/// assert_eq!(
///     policy.to_string(),
///     r#"scope("orders/write") & (group("admin") | permission("write:all"))"#
/// );
/// ```
#[derive(Clone, PartialEq)]
#[must_use]
pub struct Policy(Node);

/// One requirement, or several that are joined.
#[derive(Clone, PartialEq)]
pub(crate) enum Node {
    Authenticated,
    Scope(String),
    Group(String),
    Permission(String),
    Claim(String, Value),
    ClaimContains(String, ListForm, String),
    TokenUse(TokenUse),
    Client(String),
    Pool(String),
    Function(Predicate),
    Any(Vec<Policy>),
    All(Vec<Policy>),
}

/// Error returned when a token does not meet a [`Policy`].
///
/// A handler can return it, as the error of [`Refusal`](crate::Refusal) or [`AuthError`]: the response is that of
/// [`require`](crate::require()).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Denied<'p> {
    failed: &'p Policy,
}

impl Policy {
    /// Creates a policy from a function, for example to read a claim that is an object, or to compare a time.
    ///
    /// The name is displayed and logged in place of the function. The function runs at each request and must not block.
    /// Another grant of the token should not make it return `false`: see [`policy`](crate::policy).
    ///
    /// ```
    /// # use tower_cognito::{Policy, Verified, group};
    /// let has_plan = |token: &Verified| {
    ///     token.claim("plan").and_then(|plan| plan.get("name")).is_some_and(|name| name == "pro")
    /// };
    /// let policy = Policy::from_fn("has plan pro", has_plan) | group("admin");
    /// assert_eq!(policy.to_string(), r#"from_fn("has plan pro") | group("admin")"#);
    /// ```
    pub fn from_fn(
        name: impl Into<String>,
        check: impl Fn(&Verified) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Node::Function(Predicate::new(name.into(), check)))
    }

    /// Checks whether a token meets the policy.
    ///
    /// # Errors
    /// [`Denied`] with the first part that is not met: a part of an `all`, or the whole of an `any`.
    pub fn check(&self, token: &Verified) -> Result<(), Denied<'_>> {
        let met = match &self.0 {
            Node::Authenticated => true,
            Node::Scope(name) => token.has_scope(name),
            Node::Group(name) => token.in_group(name),
            Node::Permission(name) => token.has_permission(name),
            Node::Claim(name, value) => {
                token.claim(name).is_some_and(|found| is_or_contains(found, value))
            }
            Node::ClaimContains(claim, form, name) => {
                token.claim(claim).is_some_and(|found| form.contains(claim, found, name))
            }
            Node::TokenUse(token_use) => token.token_use() == *token_use,
            Node::Client(id) => token.client_id() == id,
            Node::Pool(name) => token.pool() == name,
            Node::Function(predicate) => predicate.is_met(token),
            Node::Any(policies) => policies.iter().any(|policy| policy.check(token).is_ok()),
            Node::All(policies) if policies.is_empty() => false,
            Node::All(policies) => {
                return policies.iter().try_for_each(|policy| policy.check(token));
            }
        };
        if met { Ok(()) } else { Err(Denied { failed: self }) }
    }

    /// Returns the scopes for a challenge (RFC 6750, section 3), separated by spaces. An `all` has the scopes of all
    /// its parts, and an `any` those of the first part that names a scope.
    pub(crate) fn scopes(&self) -> String {
        let mut scopes = Vec::new();
        self.collect_scopes(&mut scopes);
        scopes.join(" ")
    }

    fn collect_scopes<'p>(&'p self, scopes: &mut Vec<&'p str>) {
        match &self.0 {
            Node::Scope(name) if is_scope_token(name) && !scopes.contains(&name.as_str()) => {
                scopes.push(name);
            }
            Node::All(policies) => {
                policies.iter().for_each(|policy| policy.collect_scopes(scopes));
            }
            Node::Any(policies) => {
                // The scopes of an alternative may all be in the list already.
                if let Some(policy) = policies.iter().find(|policy| policy.names_scopes()) {
                    policy.collect_scopes(scopes);
                }
            }
            _ => {}
        }
    }

    fn names_scopes(&self) -> bool {
        match &self.0 {
            Node::Scope(name) => is_scope_token(name),
            Node::Any(policies) | Node::All(policies) => policies.iter().any(Self::names_scopes),
            _ => false,
        }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0
    }

    /// Calls `visit` with this policy and with each of its parts.
    pub(crate) fn visit(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        if let Node::Any(parts) | Node::All(parts) = &self.0 {
            parts.iter().for_each(|part| part.visit(visit));
        }
    }

    /// Returns whether the policy is displayed with an operator. It then needs parentheses inside another policy.
    fn is_joined(&self) -> bool {
        matches!(&self.0, Node::Any(parts) | Node::All(parts) if parts.len() > 1)
    }
}

impl From<Node> for Policy {
    fn from(node: Node) -> Self {
        Self(node)
    }
}

impl BitAnd for Policy {
    type Output = Self;

    /// Requires both policies, as [`all`](crate::policy::all) does.
    fn bitand(self, other: Self) -> Self {
        match self.0 {
            Node::All(mut policies) if !policies.is_empty() => {
                policies.push(other);
                Self(Node::All(policies))
            }
            first => Self(Node::All(vec![Self(first), other])),
        }
    }
}

impl BitOr for Policy {
    type Output = Self;

    /// Requires one of two policies, as [`any`](crate::policy::any) does.
    fn bitor(self, other: Self) -> Self {
        match self.0 {
            Node::Any(mut policies) => {
                policies.push(other);
                Self(Node::Any(policies))
            }
            first => Self(Node::Any(vec![Self(first), other])),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Node::Authenticated => f.write_str("authenticated"),
            Node::Scope(name) => write!(f, "scope({name:?})"),
            Node::Group(name) => write!(f, "group({name:?})"),
            Node::Permission(name) => write!(f, "permission({name:?})"),
            Node::Claim(name, value) => write!(f, "claim({name:?}, {value})"),
            Node::ClaimContains(claim, form, name) => {
                write!(f, "claim_contains({claim:?}, {form:?}, {name:?})")
            }
            Node::TokenUse(token_use) => write!(f, "token_use({token_use})"),
            Node::Client(id) => write!(f, "client({id:?})"),
            Node::Pool(name) => write!(f, "pool({name:?})"),
            Node::Function(predicate) => write!(f, "{predicate}"),
            Node::Any(policies) => write_joined(f, policies, "any", " | "),
            Node::All(policies) => write_joined(f, policies, "all", " & "),
        }
    }
}

fn write_joined(
    f: &mut fmt::Formatter<'_>,
    policies: &[Policy],
    function: &str,
    operator: &str,
) -> fmt::Result {
    if policies.len() < 2 {
        write!(f, "{function}(")?;
        for policy in policies {
            write!(f, "{policy}")?;
        }
        return f.write_str(")");
    }
    for (position, policy) in policies.iter().enumerate() {
        if position > 0 {
            f.write_str(operator)?;
        }
        if policy.is_joined() {
            write!(f, "({policy})")?;
        } else {
            write!(f, "{policy}")?;
        }
    }
    Ok(())
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&format_args!("{self}")).finish()
    }
}

impl<'p> Denied<'p> {
    /// Returns the part of the policy that is not met.
    pub fn failed(&self) -> &'p Policy {
        self.failed
    }
}

impl fmt::Display for Denied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token does not meet {}", self.failed)
    }
}

impl std::error::Error for Denied<'_> {}

/// Returns the error with which [`require`](crate::require()) rejects such a request: 403 `insufficient_scope`.
impl From<Denied<'_>> for AuthError {
    fn from(denied: Denied<'_>) -> Self {
        let detail = "the token does not grant access to this resource";
        let failed = denied.failed();
        Self::new(AuthErrorKind::InsufficientScope, detail)
            .with_denial(failed.to_string(), failed.scopes())
    }
}

fn is_or_contains(found: &Value, expected: &Value) -> bool {
    found == expected || found.as_array().is_some_and(|elements| elements.contains(expected))
}

/// Returns whether a name is a valid scope (`scope-token` in RFC 6749, section 3.3). A valid scope needs no escapes in
/// a quoted string.
pub(super) fn is_scope_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}
