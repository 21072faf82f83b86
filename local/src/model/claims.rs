use std::sync::Arc;

use serde_json::{Map, Value};

use crate::model::records::Group;

/// The claims of both tokens before they are signed.
pub(crate) struct Claims {
    pub(crate) access: Map<String, Value>,
    pub(crate) id: Map<String, Value>,
    /// Whether the user signed in at the hosted pages.
    pub(crate) is_hosted: bool,
    /// Whether an ID token is issued. The hosted pages require the scope `openid` for it.
    pub(crate) has_id_token: bool,
}

/// Returns the distinct roles of groups.
pub(crate) fn roles(groups: &[Arc<Group>]) -> Vec<&str> {
    let mut roles = Vec::new();
    for role in groups.iter().filter_map(|group| group.role_arn.as_deref()) {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles
}

/// Returns the role of the group with the highest precedence, unless two such groups have different roles.
pub(crate) fn preferred_role(groups: &[Arc<Group>]) -> Option<&str> {
    let with_role = || groups.iter().filter(|group| group.role_arn.is_some());
    let first = with_role().min_by_key(|group| group.precedence.unwrap_or(u32::MAX))?;
    let agree = with_role()
        .filter(|group| group.precedence == first.precedence)
        .all(|group| group.role_arn == first.role_arn);
    first.role_arn.as_deref().filter(|_| agree)
}
