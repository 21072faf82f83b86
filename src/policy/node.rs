use std::{
    fmt,
    ops::{BitAnd, BitOr},
};

use serde_json::Value;

use crate::claims::{TokenUse, Verified};

/// What a route asks of a token.
///
/// A policy is a value made of [`scope`], [`group`], [`permission`], [`claim`], [`token_use`],
/// [`client`], [`pool`] and [`authenticated`], joined by `&` and `|` or by [`all`] and [`any`]. There is no
/// negation: more grants never mean less access.
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
///
/// Names are compared as a whole, letter by letter: `*` and other signs match nothing but
/// themselves.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
#[non_exhaustive]
pub enum Policy {
    /// Any verified token.
    Authenticated,
    /// An access token with this scope.
    Scope(String),
    /// A member of this group.
    Group(String),
    /// A holder of this permission.
    Permission(String),
    /// A top-level claim that equals this value, or an array that contains it.
    Claim(String, Value),
    /// A token of this kind.
    TokenUse(TokenUse),
    /// A token made for this app client.
    Client(String),
    /// A token that the pool of this name signed.
    Pool(String),
    /// At least one of these. An empty list refuses.
    Any(Vec<Self>),
    /// Each one of these. An empty list refuses: a list that was to be read from somewhere and
    /// came out empty must not open a route.
    All(Vec<Self>),
}

/// Which part of a policy was not met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Denied<'p> {
    failed: &'p Policy,
}

/// Any verified token will do.
pub fn authenticated() -> Policy {
    Policy::Authenticated
}

/// The access token has this scope (RFC 6749, section 3.3): `orders/write`, `openid`. A name with
/// a space in it can never be met.
pub fn scope(name: impl Into<String>) -> Policy {
    Policy::Scope(name.into())
}

/// The user is in this group (claim `cognito:groups`).
pub fn group(name: impl Into<String>) -> Policy {
    Policy::Group(name.into())
}

/// The permission is in the claim that was named by
/// [`permissions_claim`](crate::VerifierBuilder::permissions_claim), or granted to one of the
/// user's groups by [`grants`](crate::Pool::grants).
pub fn permission(name: impl Into<String>) -> Policy {
    Policy::Permission(name.into())
}

/// A top-level claim equals a value, type included, or is an array that contains it.
///
/// Mind that Cognito writes every custom attribute as a string: `claim("custom:level", "3")`; and
/// that users can write each attribute that is among their app client's write attributes, so that
/// such a claim grants nothing but what the user wants.
pub fn claim(name: impl Into<String>, value: impl Into<Value>) -> Policy {
    Policy::Claim(name.into(), value.into())
}

/// The token is of this kind.
pub fn token_use(kind: TokenUse) -> Policy {
    Policy::TokenUse(kind)
}

/// The token was made for this app client (claim `client_id`, or `aud` of an ID token).
pub fn client(id: impl Into<String>) -> Policy {
    Policy::Client(id.into())
}

/// The token was signed by the pool of this [name](crate::Pool::name). With several pools, groups and
/// permissions of one say nothing of those of another: join them with the pool that is meant.
pub fn pool(name: impl Into<String>) -> Policy {
    Policy::Pool(name.into())
}

/// At least one of these is met. An empty list refuses.
pub fn any(policies: impl IntoIterator<Item = Policy>) -> Policy {
    Policy::Any(policies.into_iter().collect())
}

/// Each of these is met. An empty list refuses, so that a list which came out empty by mistake
/// does not open a route.
pub fn all(policies: impl IntoIterator<Item = Policy>) -> Policy {
    Policy::All(policies.into_iter().collect())
}

impl Policy {
    /// Holds the policy against a token.
    ///
    /// # Errors
    /// [`Denied`] with the first part that was not met: the failing member of an `all`, the whole
    /// of an `any`.
    pub fn check(&self, token: &Verified) -> Result<(), Denied<'_>> {
        let met = match self {
            Self::Authenticated => true,
            Self::Scope(name) => token.has_scope(name),
            Self::Group(name) => token.in_group(name),
            Self::Permission(name) => token.has_permission(name),
            Self::Claim(name, value) => token.claim(name).is_some_and(|found| holds(found, value)),
            Self::TokenUse(kind) => token.token_use() == *kind,
            Self::Client(id) => token.client_id() == id,
            Self::Pool(name) => token.pool() == name,
            Self::Any(policies) => policies.iter().any(|policy| policy.check(token).is_ok()),
            Self::All(policies) if policies.is_empty() => false,
            Self::All(policies) => {
                return policies.iter().try_for_each(|policy| policy.check(token));
            }
        };
        if met { Ok(()) } else { Err(Denied { failed: self }) }
    }

    /// The scopes that a challenge should name (RFC 6750, section 3), separated by spaces: all of
    /// an `all`, those of the first alternative that has any of an `any`.
    pub(crate) fn scopes(&self) -> String {
        let mut scopes = Vec::new();
        self.collect_scopes(&mut scopes);
        scopes.join(" ")
    }

    fn collect_scopes<'p>(&'p self, scopes: &mut Vec<&'p str>) {
        match self {
            Self::Scope(name) if is_scope_token(name) && !scopes.contains(&name.as_str()) => {
                scopes.push(name);
            }
            Self::All(policies) => {
                policies.iter().for_each(|policy| policy.collect_scopes(scopes));
            }
            Self::Any(policies) => {
                let before = scopes.len();
                for policy in policies {
                    policy.collect_scopes(scopes);
                    if scopes.len() > before {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

impl Policy {
    /// What is likely wrong with this policy, for the log when it is built: each part that no token can
    /// meet, and each name that looks like a pattern but is compared literally.
    pub(crate) fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        self.visit(&mut |part| {
            if let Some(defect) = part.own_defect() {
                defects.push(format!("{part}: {defect}"));
            }
        });
        defects
    }

    /// Calls `visit` with this policy and with each part of it.
    pub(crate) fn visit(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        if let Self::Any(parts) | Self::All(parts) = self {
            parts.iter().for_each(|part| part.visit(visit));
        }
    }

    fn own_defect(&self) -> Option<&'static str> {
        const EMPTY: &str = "no token can meet it, because the name is empty";
        const PATTERN: &str = "names are compared literally; `*` is no wildcard";
        match self {
            Self::Any(parts) | Self::All(parts) if parts.is_empty() => {
                Some("no token can meet it, because an empty `any` or `all` is never met")
            }
            Self::All(parts) => contradiction(parts),
            Self::Scope(name)
            | Self::Group(name)
            | Self::Permission(name)
            | Self::Client(name)
            | Self::Pool(name)
            | Self::Claim(name, _)
                if name.is_empty() =>
            {
                Some(EMPTY)
            }
            Self::Scope(name) if !is_scope_token(name) => Some(
                "no token can meet it, because a scope has neither spaces nor quotes; join several \
                 with `&` or `|`",
            ),
            Self::Group(name) if name.contains(char::is_whitespace) => Some(
                "a group of Cognito has no white space in its name; only a trigger could write one",
            ),
            Self::Client(id) if !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') => {
                Some("no app client can have this id; list several clients with `|`")
            }
            Self::Scope(name) | Self::Group(name) | Self::Permission(name)
                if name.contains('*') =>
            {
                Some(PATTERN)
            }
            _ => None,
        }
    }
}

/// Why the parts of an `all` can never be met together.
fn contradiction(parts: &[Policy]) -> Option<&'static str> {
    let mut token_uses = Vec::new();
    let mut clients = Vec::new();
    let mut pools = Vec::new();
    let mut wants_scope = false;
    // Of nested lists only an `all` is certain to apply.
    let mut open: Vec<&Policy> = parts.iter().collect();
    while let Some(part) = open.pop() {
        match part {
            Policy::All(parts) => open.extend(parts),
            Policy::TokenUse(kind) => token_uses.push(*kind),
            Policy::Client(id) => clients.push(id),
            Policy::Pool(name) => pools.push(name),
            Policy::Scope(_) => wants_scope = true,
            _ => {}
        }
    }
    if wants_scope && token_uses.contains(&TokenUse::Id) {
        return Some("no token can meet it, because an ID token has no scopes");
    }
    if differ(&token_uses) || differ(&clients) || differ(&pools) {
        return Some("no token can meet it, because a token has one kind, one client and one pool");
    }
    None
}

fn differ<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).any(|pair| matches!(pair, [a, b] if a != b))
}

impl<'p> Denied<'p> {
    /// The part of the policy that was not met.
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

impl BitAnd for Policy {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        match self {
            Self::All(mut policies) if !policies.is_empty() => {
                policies.push(other);
                Self::All(policies)
            }
            first => Self::All(vec![first, other]),
        }
    }
}

impl BitOr for Policy {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        match self {
            Self::Any(mut policies) => {
                policies.push(other);
                Self::Any(policies)
            }
            first => Self::Any(vec![first, other]),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated => f.write_str("authenticated"),
            Self::Scope(name) => write!(f, "scope({name:?})"),
            Self::Group(name) => write!(f, "group({name:?})"),
            Self::Permission(name) => write!(f, "permission({name:?})"),
            Self::Claim(name, value) => write!(f, "claim({name:?}, {value})"),
            Self::TokenUse(kind) => write!(f, "token_use({kind})"),
            Self::Client(id) => write!(f, "client({id:?})"),
            Self::Pool(name) => write!(f, "pool({name:?})"),
            Self::Any(policies) => join(f, policies, "any", " | "),
            Self::All(policies) => join(f, policies, "all", " & "),
        }
    }
}

/// Prints what was joined; groups of two and more inside another stand in parentheses.
fn join(f: &mut fmt::Formatter<'_>, policies: &[Policy], name: &str, sign: &str) -> fmt::Result {
    if policies.len() < 2 {
        write!(f, "{name}(")?;
        for policy in policies {
            write!(f, "{policy}")?;
        }
        return f.write_str(")");
    }
    for (position, policy) in policies.iter().enumerate() {
        if position > 0 {
            f.write_str(sign)?;
        }
        match policy {
            Policy::Any(inner) | Policy::All(inner) if inner.len() > 1 => write!(f, "({policy})")?,
            _ => write!(f, "{policy}")?,
        }
    }
    Ok(())
}

fn holds(found: &Value, wanted: &Value) -> bool {
    found == wanted || found.as_array().is_some_and(|elements| elements.contains(wanted))
}

/// RFC 6749, section 3.3: what may stand in a scope, and so in a quoted string without escapes.
fn is_scope_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}
