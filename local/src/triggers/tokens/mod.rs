//! The trigger that changes tokens before they are signed.

mod overrides;
mod response;

use std::sync::Arc;

use serde_json::{Value, json};

pub(crate) use self::overrides::Overrides;
use crate::{
    error::Error,
    model::{Client, Group, User, preferred_role, roles},
    triggers::{Caller, Event, EventContext, Metadata, Trigger},
};

/// Why tokens are issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenSource {
    Authentication,
    HostedAuth,
    NewPasswordChallenge,
    RefreshTokens,
}

/// The user of the tokens.
#[derive(Clone, Copy)]
pub(crate) struct TokenUser<'a> {
    pub(crate) user: &'a User,
    pub(crate) groups: &'a [Arc<Group>],
    pub(crate) scopes: &'a [String],
}

/// Returns what the function changes in a user's tokens. Without a function, nothing is changed.
pub(crate) async fn user_overrides(
    context: &EventContext<'_>,
    token_user: TokenUser<'_>,
    source: TokenSource,
    caller: Caller<'_>,
) -> Result<Overrides, Error> {
    let Some(trigger) = context.token_trigger() else {
        return Ok(Overrides::default());
    };
    let TokenUser { user, groups, scopes } = token_user;
    let subject = TokenSubject { source: source.as_str(), username: &user.username, scopes };
    fire(context, trigger, &subject, context.user_attributes(user), groups, caller).await
}

/// Returns what the function changes in the token of client credentials. Only the third version of the trigger runs for
/// them.
pub(crate) async fn machine_overrides(
    context: &EventContext<'_>,
    client: &Client,
    scopes: &[String],
    metadata: &Metadata,
) -> Result<Overrides, Error> {
    let trigger =
        context.token_trigger().filter(|version| *version == Trigger::PreTokenGenerationV3);
    let Some(trigger) = trigger else {
        return Ok(Overrides::default());
    };
    let username = &client.settings.client_id;
    let subject = TokenSubject { source: "ClientCredentials", username, scopes };
    let caller = Caller::of(client, metadata);
    fire(context, trigger, &subject, json!({}), &[], caller).await
}

/// The subject of the tokens in the event.
struct TokenSubject<'a> {
    source: &'static str,
    username: &'a str,
    scopes: &'a [String],
}

async fn fire(
    context: &EventContext<'_>,
    trigger: Trigger,
    subject: &TokenSubject<'_>,
    user_attributes: Value,
    groups: &[Arc<Group>],
    caller: Caller<'_>,
) -> Result<Overrides, Error> {
    let names: Vec<_> = groups.iter().map(|group| &group.name).collect();
    let mut request = caller.metadata.add_to(json!({
        "userAttributes": user_attributes,
        "groupConfiguration": {
            "groupsToOverride": names,
            "iamRolesToOverride": roles(groups),
            "preferredRole": preferred_role(groups),
        },
    }));
    let is_first = trigger == Trigger::PreTokenGeneration;
    if let (Value::Object(request), false) = (&mut request, is_first) {
        request.insert("scopes".to_owned(), json!(subject.scopes));
    }
    let member = if is_first { "claimsOverrideDetails" } else { "claimsAndScopeOverrideDetails" };
    let event = Event {
        trigger,
        source: subject.source,
        username: subject.username,
        caller,
        request,
        response: json!({ member: null }),
    };
    if is_first {
        let response = context.fire::<response::FirstVersion>(event).await?.unwrap_or_default();
        response.overrides()
    } else {
        let response = context.fire::<response::LaterVersion>(event).await?.unwrap_or_default();
        response.overrides()
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
