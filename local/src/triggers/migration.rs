//! The trigger that migrates users from another system.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    triggers::{Caller, Event, EventContext, Metadata, Trigger, failure::unrecognizable},
};

/// A user whom the function returned.
pub(crate) struct MigratedUser {
    pub(crate) attributes: BTreeMap<String, String>,
    /// Whether the user keeps the password of this sign-in. Otherwise the user must reset it.
    pub(crate) is_confirmed: bool,
    pub(crate) sends_welcome: bool,
    pub(crate) mediums: Vec<String>,
    pub(crate) takes_aliases: bool,
    pub(crate) has_sms_mfa: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    user_attributes: Option<BTreeMap<String, Option<String>>>,
    final_user_status: Option<String>,
    message_action: Option<String>,
    desired_delivery_mediums: Option<Vec<String>>,
    force_alias_creation: Option<bool>,
    #[serde(rename = "enableSMSMFA")]
    enable_sms_mfa: Option<bool>,
}

/// Returns a user who is not in the pool, or `None` if there is no function or it does not know the user. `password` is
/// `None` if the user forgot it.
pub(crate) async fn user_migration(
    context: &EventContext<'_>,
    name: &str,
    password: Option<&str>,
    caller: Caller<'_>,
) -> Result<Option<MigratedUser>, Error> {
    // At a sign-in the function receives the client's metadata as `validationData`.
    let (source, validation, metadata) = match password {
        Some(_) => ("Authentication", caller.metadata.to_value(), Metadata::NONE),
        None => ("ForgotPassword", Value::Null, caller.metadata),
    };
    let event = Event {
        trigger: Trigger::UserMigration,
        source,
        username: name,
        caller,
        request: metadata.add_to(json!({
            "password": password,
            "validationData": validation,
            "userAttributes": null,
        })),
        response: json!({
            "userAttributes": null,
            "forceAliasCreation": null,
            "finalUserStatus": null,
            "messageAction": null,
            "desiredDeliveryMediums": null,
            "enableSMSMFA": null,
        }),
    };
    let Some(response) = context.fire::<Response>(event).await? else {
        return Ok(None);
    };
    response.migrated_user()
}

impl Response {
    fn migrated_user(self) -> Result<Option<MigratedUser>, Error> {
        // Typed functions cannot omit the map, so an empty map also means that the user is unknown.
        let attributes = self.user_attributes.filter(|attributes| !attributes.is_empty());
        let Some(attributes) = attributes else {
            return Ok(None);
        };
        let is_confirmed = match self.final_user_status.as_deref() {
            None | Some("RESET_REQUIRED") => false,
            Some("CONFIRMED") => true,
            Some(_) => return Err(unrecognizable()),
        };
        let sends_welcome = match self.message_action.as_deref() {
            None | Some("RESEND") => true,
            Some("SUPPRESS") => false,
            Some(_) => return Err(unrecognizable()),
        };
        let present = |(name, value): (String, Option<String>)| Some((name, value?));
        Ok(Some(MigratedUser {
            attributes: attributes.into_iter().filter_map(present).collect(),
            is_confirmed,
            sends_welcome,
            mediums: self.desired_delivery_mediums.unwrap_or_default(),
            takes_aliases: self.force_alias_creation.unwrap_or_default(),
            has_sms_mfa: self.enable_sms_mfa.unwrap_or_default(),
        }))
    }
}
