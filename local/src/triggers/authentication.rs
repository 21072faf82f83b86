//! The triggers before and after a sign-in.

use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    error::Error,
    model::User,
    triggers::{Caller, Event, EventContext, Trigger},
};

/// Runs before the password is checked. The function receives the client's metadata as `validationData`. The trigger
/// also runs for an unknown user, if the client must not learn that the user does not exist.
pub(crate) async fn pre_authentication(
    context: &EventContext<'_>,
    name: &str,
    user: Option<&User>,
    caller: Caller<'_>,
) -> Result<(), Error> {
    let attributes = user.map_or_else(|| json!({}), |user| context.user_attributes(user));
    let request =
        json!({ "userAttributes": attributes, "validationData": caller.metadata.to_value() });
    let event = Event {
        trigger: Trigger::PreAuthentication,
        source: "Authentication",
        username: user.map_or(name, |user| &user.username),
        caller,
        request: caller.add_user_not_found(request, user.is_none()),
        response: json!({}),
    };
    context.fire::<IgnoredAny>(event).await.map(drop)
}

/// Runs after all steps of a sign-in, before tokens are issued.
pub(crate) async fn post_authentication(
    context: &EventContext<'_>,
    user: &User,
    caller: Caller<'_>,
) -> Result<(), Error> {
    let event = Event {
        trigger: Trigger::PostAuthentication,
        source: "Authentication",
        username: &user.username,
        caller,
        request: caller.metadata.add_to(json!({
            "userAttributes": context.user_attributes(user),
            "newDeviceUsed": false,
        })),
        response: json!({}),
    };
    context.fire::<IgnoredAny>(event).await.map(drop)
}
