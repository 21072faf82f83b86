use serde_json::{Map, Value, json};

use crate::{
    model::User,
    pool::Shared,
    triggers::{Caller, Trigger},
};

/// An occasion on which a trigger runs.
pub(crate) struct Event<'a> {
    pub(crate) trigger: Trigger,
    /// What stands behind the underscore in `triggerSource`.
    pub(crate) source: &'static str,
    pub(crate) username: &'a str,
    pub(crate) caller: Caller<'a>,
    pub(crate) request: Value,
    /// What the function is to fill in.
    pub(crate) response: Value,
}

impl Event<'_> {
    /// The document that the function receives.
    pub(crate) fn document(&self, pool: &Shared) -> Value {
        let id = pool.id().as_str();
        json!({
            "version": self.trigger.version(),
            "triggerSource": format!("{}_{}", self.trigger.source(), self.source),
            "region": id.split_once('_').map_or(id, |(region, _)| region),
            "userPoolId": id,
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

/// What functions see of a user.
pub(crate) fn user_attributes(user: &User) -> Value {
    let mut attributes = attribute_map(user);
    attributes.insert("sub".to_owned(), json!(user.sub));
    attributes.insert("cognito:user_status".to_owned(), json!(user.status.as_str()));
    if !user.identities.is_empty() {
        let identities = serde_json::to_string(&user.identities).unwrap_or_default();
        attributes.insert("identities".to_owned(), json!(identities));
    }
    Value::Object(attributes)
}

/// The attributes that can be written.
pub(crate) fn attribute_map(user: &User) -> Map<String, Value> {
    user.attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
}
