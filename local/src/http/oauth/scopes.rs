//! Which scopes a client is granted.

use crate::{
    model::{ResourceServer, settings::ClientSettings},
    pool::issue::API_SCOPE as SELF_SERVICE_SCOPE,
    store::Data,
};

/// Scopes that every pool has.
const OF_ALL_POOLS: [&str; 5] = ["openid", "email", "phone", "profile", SELF_SERVICE_SCOPE];

/// Scopes that say which attributes a sign-in tells, which makes sense with `openid` alone.
const OF_ATTRIBUTES: [&str; 3] = ["email", "phone", "profile"];

/// The scopes that a user's sign-in is granted: those asked for, or all that the client may have. Nothing, if it
/// may not have them.
pub(crate) fn of_user(
    data: &Data,
    client: &ClientSettings,
    asked: Option<&str>,
) -> Option<Vec<String>> {
    let granted = granted(client, asked, |scope| {
        OF_ALL_POOLS.contains(&scope) || is_of_a_resource_server(data, scope)
    })?;
    let has = |name: &str| granted.iter().any(|scope| scope == name);
    let lacks_openid = OF_ATTRIBUTES.into_iter().any(has) && !has("openid");
    (!lacks_openid).then_some(granted)
}

/// The scopes that a machine is granted: its own resource servers' alone.
pub(crate) fn of_machine(
    data: &Data,
    client: &ClientSettings,
    asked: Option<&str>,
) -> Option<Vec<String>> {
    granted(client, asked, |scope| is_of_a_resource_server(data, scope))
}

fn granted(
    client: &ClientSettings,
    asked: Option<&str>,
    exists: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let allowed = client.allowed_oauth_scopes.iter().filter(|scope| exists(scope));
    let allowed: Vec<_> = allowed.map(String::as_str).collect();
    let Some(asked) = asked else {
        return some(allowed);
    };
    let mut granted = Vec::new();
    for scope in asked.split(' ').filter(|scope| !scope.is_empty()) {
        if !allowed.contains(&scope) {
            return None;
        }
        if !granted.contains(&scope) {
            granted.push(scope);
        }
    }
    some(granted)
}

fn some(scopes: Vec<&str>) -> Option<Vec<String>> {
    (!scopes.is_empty()).then(|| scopes.into_iter().map(str::to_owned).collect())
}

/// `identifier/scope`, of which the identifier may hold slashes of its own.
fn is_of_a_resource_server(data: &Data, scope: &str) -> bool {
    let has = |(identifier, name): (&str, &str)| {
        let named =
            |server: &ResourceServer| server.scopes.iter().any(|scope| scope.scope_name == name);
        data.resource_servers.get(identifier).is_some_and(|server| named(server))
    };
    scope.rsplit_once('/').is_some_and(has)
}
