use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::Claims;

/// What a function changes in tokens.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) id: Changes,
    pub(crate) access: Changes,
    pub(crate) scopes_to_add: Vec<String>,
    pub(crate) scopes_to_suppress: Vec<String>,
    /// Replace the user's groups.
    pub(crate) groups: Option<Groups>,
}

#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) add: Map<String, Value>,
    pub(crate) suppress: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Groups {
    groups_to_override: Option<Vec<String>>,
    iam_roles_to_override: Option<Vec<String>>,
    preferred_role: Option<String>,
}

/// Claims that no function can change in either token. Groups are changed by a separate member.
const FIXED: [&str; 17] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "sub",
    "token_use",
    "cognito:username",
];

/// Further claims that no function can change in the access token. Scopes are changed by separate members.
const FIXED_IN_ACCESS_TOKEN: [&str; 6] =
    ["client_id", "device_key", "event_id", "scope", "username", "version"];

impl Overrides {
    /// Changes both tokens of a user.
    pub(crate) fn apply(self, claims: &mut Claims, client_id: &str) {
        if let Some(groups) = &self.groups {
            groups.apply(claims);
        }
        self.id.apply(&mut claims.id, is_fixed);
        let Self { access, scopes_to_add, scopes_to_suppress, .. } = self;
        access.apply_to_access(&mut claims.access, client_id);
        change_scopes(&mut claims.access, &scopes_to_add, &scopes_to_suppress);
    }

    /// Changes a machine's token.
    pub(crate) fn apply_to_machine(self, claims: &mut Map<String, Value>, client_id: &str) {
        self.access.apply_to_access(claims, client_id);
        change_scopes(claims, &self.scopes_to_add, &self.scopes_to_suppress);
    }
}

impl Changes {
    /// Adds claims, then suppresses claims. A claim in both lists is suppressed.
    fn apply(self, claims: &mut Map<String, Value>, is_fixed: impl Fn(&str) -> bool) {
        claims.extend(self.add.into_iter().filter(|(name, _)| !is_fixed(name)));
        for name in self.suppress.iter().filter(|name| !is_fixed(name)) {
            claims.remove(name);
        }
    }

    fn apply_to_access(mut self, claims: &mut Map<String, Value>, client_id: &str) {
        // The audience can only be the client, and never replaces the API to which the token is bound.
        if self.add.remove("aud").is_some_and(|audience| audience == client_id) {
            claims.entry("aud").or_insert_with(|| json!(client_id));
        }
        self.apply(claims, |name| is_fixed(name) || FIXED_IN_ACCESS_TOKEN.contains(&name));
    }
}

impl Groups {
    fn apply(&self, claims: &mut Claims) {
        let groups = self.groups_to_override.as_deref().unwrap_or_default();
        let roles = self.iam_roles_to_override.as_deref().unwrap_or_default();
        for claims in [&mut claims.access, &mut claims.id] {
            set(claims, "cognito:groups", (!groups.is_empty()).then(|| json!(groups)));
        }
        set(&mut claims.id, "cognito:roles", (!roles.is_empty()).then(|| json!(roles)));
        let preferred = self.preferred_role.as_ref().map(|role| json!(role));
        set(&mut claims.id, "cognito:preferred_role", preferred);
    }
}

/// Returns whether a claim is reserved by Cognito.
fn is_fixed(name: &str) -> bool {
    FIXED.contains(&name)
        || ["aws:", "cognito:", "dev:"].iter().any(|prefix| name.starts_with(prefix))
}

fn set(claims: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => claims.insert(name.to_owned(), value),
        None => claims.remove(name),
    };
}

/// Adds and suppresses scopes. Cognito's own scopes and texts that are not one scope are not added.
fn change_scopes(claims: &mut Map<String, Value>, add: &[String], suppress: &[String]) {
    let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut scopes: Vec<_> = scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    let is_scope = |scope: &&str| {
        !scope.is_empty()
            && !scope.contains(char::is_whitespace)
            && !scope.starts_with("aws.cognito.")
    };
    for scope in add.iter().map(String::as_str).filter(is_scope) {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.retain(|scope| !suppress.iter().any(|suppressed| suppressed == scope));
    claims.insert("scope".to_owned(), json!(scopes.join(" ")));
}
