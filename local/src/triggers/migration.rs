//! The trigger that brings users of an earlier system into the pool.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    triggers::{Caller, Event, EventContext, Trigger, failure::unrecognizable},
};

/// A user as the function knows them.
pub(crate) struct Migrant {
    pub(crate) attributes: BTreeMap<String, String>,
    /// Whether the password of the sign-in is theirs from now on. Otherwise they have to choose another.
    pub(crate) is_confirmed: bool,
    pub(crate) is_welcomed: bool,
    pub(crate) mediums: Vec<String>,
    pub(crate) takes_aliases: bool,
    pub(crate) wants_sms_codes: bool,
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

/// Asks the function for a user who is not in the pool. A password comes with a sign-in; without, they forgot it.
/// Nobody, if there is no such function, or it knows no such user.
pub(crate) async fn user_migration(
    context: &EventContext<'_>,
    name: &str,
    password: Option<&str>,
    caller: Caller<'_>,
) -> Result<Option<Migrant>, Error> {
    let said = caller.metadata.to_value();
    let nothing = Value::Object(serde_json::Map::new());
    // What comes with a sign-in is `validationData`.
    let (source, validation, metadata) = match password {
        Some(_) => ("Authentication", said, nothing),
        None => ("ForgotPassword", nothing, said),
    };
    let event = Event {
        trigger: Trigger::UserMigration,
        source,
        username: name,
        caller,
        request: json!({
            "password": password,
            "validationData": validation,
            "clientMetadata": metadata,
        }),
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
    response.migrant()
}

impl Response {
    fn migrant(self) -> Result<Option<Migrant>, Error> {
        // A user has attributes. Who has none is not known: functions with types cannot leave the map out.
        let attributes = self.user_attributes.filter(|attributes| !attributes.is_empty());
        let Some(attributes) = attributes else {
            return Ok(None);
        };
        let is_confirmed = match self.final_user_status.as_deref() {
            None | Some("RESET_REQUIRED") => false,
            Some("CONFIRMED") => true,
            Some(_) => return Err(unrecognizable()),
        };
        let is_welcomed = match self.message_action.as_deref() {
            None | Some("RESEND") => true,
            Some("SUPPRESS") => false,
            Some(_) => return Err(unrecognizable()),
        };
        let is_there = |(name, value): (String, Option<String>)| Some((name, value?));
        Ok(Some(Migrant {
            attributes: attributes.into_iter().filter_map(is_there).collect(),
            is_confirmed,
            is_welcomed,
            mediums: self.desired_delivery_mediums.unwrap_or_default(),
            takes_aliases: self.force_alias_creation.unwrap_or_default(),
            wants_sms_codes: self.enable_sms_mfa.unwrap_or_default(),
        }))
    }
}
