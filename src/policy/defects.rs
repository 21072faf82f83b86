//! Finds policies that are probably a mistake.

use crate::{
    claims::TokenUse,
    policy::{Node, Policy, node::is_scope_token},
};

impl Policy {
    /// Returns the probable mistakes in this policy, for the log: each part that no token can meet, and each name that
    /// looks like a pattern.
    pub(crate) fn defects(&self) -> Vec<String> {
        let mut defects = Vec::new();
        self.visit(&mut |part| {
            if let Some(defect) = defect_of(part.node()) {
                defects.push(format!("{part}: {defect}"));
            }
        });
        defects
    }
}

/// Returns the defect of one part of a policy. The parts inside it are not examined.
fn defect_of(node: &Node) -> Option<&'static str> {
    const EMPTY: &str = "no token can meet it, because the name is empty";
    const PATTERN: &str = "names must match exactly; `*` is not a wildcard";
    match node {
        Node::Any(parts) | Node::All(parts) if parts.is_empty() => {
            Some("no token can meet it, because an empty `any` or `all` rejects every token")
        }
        Node::All(parts) => contradiction(parts),
        Node::Scope(name)
        | Node::Group(name)
        | Node::Permission(name)
        | Node::Client(name)
        | Node::Pool(name)
        | Node::Claim(name, _)
        | Node::ClaimContains(name, _, _)
            if name.is_empty() =>
        {
            Some(EMPTY)
        }
        Node::Scope(name) if !is_scope_token(name) => Some(
            "no token can meet it, because a scope contains only visible ASCII characters without \
             quotes and backslashes; join several scopes with `&` or `|`",
        ),
        Node::Group(name) if name.contains(char::is_whitespace) => Some(
            "the name of a Cognito group contains no white space; only a trigger could write it",
        ),
        Node::Client(id) if !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') => {
            Some("no app client can have this id; join several clients with `|`")
        }
        Node::Scope(name) | Node::Group(name) | Node::Permission(name) if name.contains('*') => {
            Some(PATTERN)
        }
        _ => None,
    }
}

/// Returns why no token can meet all parts of an `all`, if that is certain.
fn contradiction(parts: &[Policy]) -> Option<&'static str> {
    let mut token_uses = Vec::new();
    let mut clients = Vec::new();
    let mut pools = Vec::new();
    let mut requires_scope = false;
    // Only the parts of nested `all`s are certain to be required.
    let mut pending: Vec<&Policy> = parts.iter().collect();
    while let Some(part) = pending.pop() {
        match part.node() {
            Node::All(parts) => pending.extend(parts),
            Node::TokenUse(token_use) => token_uses.push(*token_use),
            Node::Client(id) => clients.push(id),
            Node::Pool(name) => pools.push(name),
            Node::Scope(_) => requires_scope = true,
            _ => {}
        }
    }
    if requires_scope && token_uses.contains(&TokenUse::Id) {
        return Some("no token can meet it, because an ID token has no scopes");
    }
    if differ(&token_uses) || differ(&clients) || differ(&pools) {
        return Some(
            "no token can meet it, because a token has only one kind, one client and one pool",
        );
    }
    None
}

fn differ<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).any(|pair| matches!(pair, [a, b] if a != b))
}
