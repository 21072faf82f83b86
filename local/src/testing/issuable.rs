//! What a sign-in or a client credentials grant of a pool would issue.

use tower_cognito::TokenUse;

use crate::{
    domain::scopes,
    model::{
        API_SCOPE, Client, Trigger,
        settings::{ClientSettings, OAuthFlow, PoolSettings},
    },
    pool::Pool,
    store::Data,
};

/// What a test adds to a minted token. The pool must be able to issue it.
pub(super) struct Additions<'a> {
    pub(super) token_use: TokenUse,
    /// Whether the token is of the client credentials grant.
    pub(super) is_machine: bool,
    pub(super) client_id: Option<&'a str>,
    pub(super) claims: Vec<&'a str>,
    pub(super) scopes: &'a [String],
    pub(super) groups: &'a [String],
}

/// The claims that Cognito itself writes, and registered ones (RFC 7519, section 4.1; RFC 7800) that a verifier has to
/// check. A test may set them to any value.
const OWN_CLAIMS: [&str; 27] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "cnf",
    "cognito:groups",
    "cognito:preferred_role",
    "cognito:roles",
    "cognito:username",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "scope",
    "sub",
    "token_use",
    "username",
    "version",
];

/// Checks that the pool could issue a token with these additions.
///
/// # Errors
/// A text that names the first addition that it could not issue, and what to do.
pub(super) fn check(pool: &Pool, additions: &Additions<'_>) -> Result<(), String> {
    if is_changed_by_trigger(pool, additions) {
        return Ok(());
    }
    if let Some(scope) = additions.scopes.first().filter(|_| additions.token_use == TokenUse::Id) {
        return Err(format!(
            "scope {scope:?}: an ID token contains no scopes; send an access token"
        ));
    }
    if let Some(group) = additions.groups.first().filter(|_| additions.is_machine) {
        return Err(format!("group {group:?}: a machine is in no group; {TRIGGER}"));
    }
    pool.store.read(|data| {
        additions.groups.iter().try_for_each(|name| check_group(data, name))?;
        let client = additions.client_id.and_then(|id| data.clients.get(id));
        let claims = additions.claims.iter().filter(|name| !OWN_CLAIMS.contains(name));
        for name in claims {
            check_claim(&data.settings(), client.map(|client| &client.settings), additions, name)?;
        }
        match client {
            Some(client) if !additions.scopes.is_empty() => check_scopes(data, client, additions),
            // The pool has no such client, so the test is about a wrong client.
            _ => Ok(()),
        }
    })
}

/// Returns whether the pool has a trigger that could write any claim or scope into such a token.
fn is_changed_by_trigger(pool: &Pool, additions: &Additions<'_>) -> bool {
    match pool.events().token_trigger() {
        Some(Trigger::PreTokenGenerationV3) => true,
        Some(Trigger::PreTokenGenerationV2) => !additions.is_machine,
        Some(_) => additions.token_use == TokenUse::Id,
        None => false,
    }
}

/// Any user can be added to a group later, but the group has to exist if the pool has groups.
fn check_group(data: &Data, name: &str) -> Result<(), String> {
    if data.groups.len() == 0 || data.groups.get(name).is_some() {
        return Ok(());
    }
    let groups: Vec<_> = data.groups.iter().map(|(name, _)| name).collect();
    Err(format!(
        "group {name:?}: the pool has no such group, only {}; add it to the configuration, or {TRIGGER}",
        groups.join(", ")
    ))
}

fn check_claim(
    settings: &PoolSettings,
    client: Option<&ClientSettings>,
    additions: &Additions<'_>,
    name: &str,
) -> Result<(), String> {
    if additions.token_use == TokenUse::Access {
        return Err(format!(
            "claim {name:?}: an access token contains no user attributes and no custom claims; send an ID token, or {TRIGGER}"
        ));
    }
    // A pool without a configuration does not define its custom attributes.
    let is_unknown = *settings == PoolSettings::default() && name.starts_with("custom:");
    if !is_unknown && settings.attribute(name).is_none() {
        return Err(format!(
            "claim {name:?}: the pool has no such attribute; add it to the `schema` of the configuration, or {TRIGGER}"
        ));
    }
    if client.is_some_and(|client| !client.may_read(name)) {
        return Err(format!(
            "claim {name:?}: the app client may not read this attribute; add it to `read_attributes`, or {TRIGGER}"
        ));
    }
    Ok(())
}

fn check_scopes(data: &Data, client: &Client, additions: &Additions<'_>) -> Result<(), String> {
    let settings = &client.settings;
    let is_api_sign_in = !additions.is_machine && additions.scopes.iter().all(|it| it == API_SCOPE);
    if is_api_sign_in || is_unconfigured(data, settings) {
        return Ok(());
    }
    let requested = additions.scopes.join(" ");
    let (granted, flows) = if additions.is_machine {
        (scopes::of_machine(data, settings, Some(&requested)), &[OAuthFlow::ClientCredentials][..])
    } else {
        (
            scopes::of_user(data, settings, Some(&requested)),
            &[OAuthFlow::Code, OAuthFlow::Implicit][..],
        )
    };
    let has_flow = settings.allowed_oauth_flows_user_pool_client
        && flows.iter().any(|flow| settings.allowed_oauth_flows.contains(flow));
    if granted.is_some() && has_flow {
        return Ok(());
    }
    let cause = if has_flow {
        "the client's `allowed_oauth_scopes` or the resource servers do not include it, or `openid` is missing"
    } else if additions.is_machine {
        "the client does not allow the flow `client_credentials`"
    } else {
        "a sign-in through the API has only the scope `aws.cognito.signin.user.admin`, and the client does not allow \
         an OAuth flow for users"
    };
    let id = &settings.client_id;
    Err(format!(
        "scope {requested:?}: app client {id:?} is not granted this scope, because {cause}; change the configuration, or {TRIGGER}"
    ))
}

/// Returns whether the configuration says nothing about scopes: it defines neither the client nor a resource server.
fn is_unconfigured(data: &Data, client: &ClientSettings) -> bool {
    let default = ClientSettings { client_id: client.client_id.clone(), ..Default::default() };
    data.resource_servers.len() == 0 && *client == default
}

const TRIGGER: &str = "call `changed_by_trigger()` on the token if a pre-token-generation trigger adds it in production";
