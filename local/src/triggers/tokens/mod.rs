//! The trigger that sees tokens before they are made.

mod overrides;
mod response;

use serde_json::{Value, json};

pub(crate) use self::overrides::Overrides;
use crate::{
    error::ApiError,
    model::{Client, Group, User},
    pool::{
        Shared,
        issue::{preferred_role, roles},
    },
    store::Data,
    triggers::{Caller, Event, Metadata, Trigger, user_attributes},
};

/// For what tokens are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenSource {
    Authentication,
    HostedAuth,
    NewPasswordChallenge,
    RefreshTokens,
}

/// A user whose tokens are to be made.
#[derive(Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub(crate) user: &'a User,
    pub(crate) groups: &'a [Group],
    pub(crate) scopes: &'a [String],
}

/// What the function changes of a user's tokens; nothing, if there is none.
pub(crate) async fn user_overrides(
    pool: &Shared,
    holder: Holder<'_>,
    source: TokenSource,
    caller: Caller<'_>,
) -> Result<Overrides, ApiError> {
    let Some(trigger) = pool.token_trigger() else {
        return Ok(Overrides::default());
    };
    let Holder { user, groups, scopes } = holder;
    let occasion = Occasion { source: source.as_str(), username: &user.username, scopes };
    fire(pool, trigger, &occasion, user_attributes(user), groups, caller).await
}

/// What the function changes of a machine's token: the third version of the trigger alone sees these.
pub(crate) async fn machine_overrides(
    pool: &Shared,
    client: &Client,
    scopes: &[String],
    metadata: &Metadata,
) -> Result<Overrides, ApiError> {
    let trigger = pool.token_trigger().filter(|it| *it == Trigger::PreTokenGenerationV3);
    let Some(trigger) = trigger else {
        return Ok(Overrides::default());
    };
    let client_id = &client.settings.client_id;
    let occasion = Occasion { source: "ClientCredentials", username: client_id, scopes };
    let caller = Caller { client_id, metadata };
    fire(pool, trigger, &occasion, json!({}), &[], caller).await
}

struct Occasion<'a> {
    source: &'static str,
    username: &'a str,
    scopes: &'a [String],
}

async fn fire(
    pool: &Shared,
    trigger: Trigger,
    occasion: &Occasion<'_>,
    user_attributes: Value,
    groups: &[Group],
    caller: Caller<'_>,
) -> Result<Overrides, ApiError> {
    let names: Vec<_> = groups.iter().map(|group| &group.name).collect();
    let mut request = json!({
        "userAttributes": user_attributes,
        "groupConfiguration": {
            "groupsToOverride": names,
            "iamRolesToOverride": roles(groups),
            "preferredRole": preferred_role(groups),
        },
        "clientMetadata": caller.metadata.to_value(),
    });
    let is_first = trigger == Trigger::PreTokenGeneration;
    if let (Value::Object(request), false) = (&mut request, is_first) {
        request.insert("scopes".to_owned(), json!(occasion.scopes));
    }
    let member = if is_first { "claimsOverrideDetails" } else { "claimsAndScopeOverrideDetails" };
    let event = Event {
        trigger,
        source: occasion.source,
        username: occasion.username,
        caller,
        request,
        response: json!({ member: null }),
    };
    if is_first {
        let response = pool.fire::<response::First>(event).await?.unwrap_or_default();
        response.overrides()
    } else {
        let response = pool.fire::<response::Second>(event).await?.unwrap_or_default();
        response.overrides()
    }
}

impl Shared {
    /// Which version of the trigger is set, if one is: by the pool's builder, or else by its settings.
    fn token_trigger(&self) -> Option<Trigger> {
        let own = |trigger: &Trigger| self.triggers.function(*trigger).is_some();
        Trigger::TOKEN_GENERATION.into_iter().find(own).or_else(|| {
            let config = self.store.read(Data::settings).lambda_config;
            let is_set = |trigger: &Trigger| config.function_url(*trigger).is_some();
            Trigger::TOKEN_GENERATION.into_iter().find(is_set)
        })
    }
}

impl TokenSource {
    fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "Authentication",
            Self::HostedAuth => "HostedAuth",
            Self::NewPasswordChallenge => "NewPasswordChallenge",
            Self::RefreshTokens => "RefreshTokens",
        }
    }
}
