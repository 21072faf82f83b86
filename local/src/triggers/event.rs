use serde_json::{Map, Value, json};

use crate::{
    model::settings::{Contact, PoolSettings},
    model::{Trigger, User},
    triggers::metadata::Caller,
};

/// The names under which events contain contacts that are aliases.
pub(crate) const ALIASES: [(Contact, &str); 2] =
    [(Contact::Email, "cognito:email_alias"), (Contact::PhoneNumber, "cognito:phone_number_alias")];

/// The event of a trigger.
pub(crate) struct Event<'a> {
    pub(crate) trigger: Trigger,
    /// The part of `triggerSource` after the underscore.
    pub(crate) source: &'static str,
    pub(crate) username: &'a str,
    pub(crate) caller: Caller<'a>,
    pub(crate) request: Value,
    /// The members that the function fills in.
    pub(crate) response: Value,
}

impl Event<'_> {
    /// Returns the document that the function receives.
    pub(crate) fn document(&self, pool_id: &str) -> Value {
        json!({
            "version": self.trigger.version(),
            "triggerSource": format!("{}_{}", self.trigger.source(), self.source),
            "region": pool_id.split_once('_').map_or(pool_id, |(region, _)| region),
            "userPoolId": pool_id,
            "userName": self.username,
            "callerContext": {
                "awsSdkVersion": "aws-sdk-unknown-unknown",
                "clientId": self.caller.client_id,
            },
            "request": self.request,
            "response": self.response,
        })
    }
}

/// Returns a user's attributes as functions receive them. As in Cognito, a contact with which the user can sign in also
/// occurs as an alias.
pub(crate) fn user_attributes(settings: &PoolSettings, user: &User) -> Value {
    let mut attributes: Map<_, _> =
        user.attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    for (contact, name) in ALIASES {
        let is_alias = settings.username_attributes.contains(&contact)
            || (settings.has_alias(contact) && user.has_verified(contact));
        let value = user.attribute(contact.attribute()).filter(|_| is_alias);
        attributes.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    attributes.insert("sub".to_owned(), json!(user.sub));
    attributes.insert("cognito:user_status".to_owned(), json!(user.status.as_str()));
    if !user.identities.is_empty() {
        let identities = serde_json::to_string(&user.identities).unwrap_or_default();
        attributes.insert("identities".to_owned(), json!(identities));
    }
    Value::Object(attributes)
}
