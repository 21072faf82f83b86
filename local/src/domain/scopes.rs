//! The scopes that a client is granted.

use crate::{
    model::{
        ATTRIBUTE_SCOPES, ResourceServer,
        settings::{ClientSettings, STANDARD_SCOPES},
    },
    store::Data,
};

/// Returns the scopes for a user: the requested scopes, or all scopes of the client if the request has none. Returns `None`
/// if the client may not use them.
pub(crate) fn of_user(
    data: &Data,
    client: &ClientSettings,
    requested: Option<&str>,
) -> Option<Vec<String>> {
    let granted = granted(client, requested, |scope| {
        STANDARD_SCOPES.contains(&scope) || is_resource_server_scope(data, scope)
    })?;
    let has = |name: &str| granted.iter().any(|scope| scope == name);
    let needs_openid = ATTRIBUTE_SCOPES.into_iter().any(has) && !has("openid");
    (!needs_openid).then_some(granted)
}

/// Returns the scopes for client credentials, as [`of_user`] does. Only scopes of resource servers are granted.
pub(crate) fn of_machine(
    data: &Data,
    client: &ClientSettings,
    requested: Option<&str>,
) -> Option<Vec<String>> {
    granted(client, requested, |scope| is_resource_server_scope(data, scope))
}

fn granted(
    client: &ClientSettings,
    requested: Option<&str>,
    exists: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let allowed = client.allowed_oauth_scopes.iter().filter(|scope| exists(scope));
    let allowed: Vec<_> = allowed.map(String::as_str).collect();
    let Some(requested) = requested else {
        return non_empty(allowed);
    };
    let mut granted = Vec::new();
    for scope in requested.split(' ').filter(|scope| !scope.is_empty()) {
        if !allowed.contains(&scope) {
            return None;
        }
        if !granted.contains(&scope) {
            granted.push(scope);
        }
    }
    non_empty(granted)
}

fn non_empty(scopes: Vec<&str>) -> Option<Vec<String>> {
    (!scopes.is_empty()).then(|| scopes.into_iter().map(str::to_owned).collect())
}

/// Returns whether a scope has the form `identifier/scope` and belongs to a resource server. The identifier can contain
/// slashes.
fn is_resource_server_scope(data: &Data, scope: &str) -> bool {
    let has = |(identifier, name): (&str, &str)| {
        let named =
            |server: &ResourceServer| server.scopes.iter().any(|scope| scope.scope_name == name);
        data.resource_servers.get(identifier).is_some_and(|server| named(server))
    };
    scope.rsplit_once('/').is_some_and(has)
}
