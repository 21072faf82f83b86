use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::Client;

/// `ClientMetadata`: the client's metadata for triggers. A null value counts as absent.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Metadata(BTreeMap<String, Option<String>>);

/// The caller of the operation that runs a trigger.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) metadata: &'a Metadata,
    /// Whether the app client hides which users exist.
    hides_users: bool,
}

impl<'a> Caller<'a> {
    /// Returns the caller for a request of an app client.
    pub(crate) fn of(client: &'a Client, metadata: &'a Metadata) -> Self {
        let settings = &client.settings;
        let (client_id, hides_users) = (&*settings.client_id, settings.hides_users());
        Self { client_id, metadata, hides_users }
    }

    /// Adds `userNotFound` to the request of an event. Cognito sends it only if the app client hides which users exist.
    pub(crate) fn add_user_not_found(self, mut request: Value, is_unknown: bool) -> Value {
        if let (Value::Object(members), true) = (&mut request, self.hides_users) {
            members.insert("userNotFound".to_owned(), Value::Bool(is_unknown));
        }
        request
    }

    /// Returns the caller for an administrator, who uses no app client.
    pub(crate) fn administrator(metadata: &'a Metadata) -> Self {
        Self { client_id: "CLIENT_ID_NOT_APPLICABLE", metadata, hides_users: false }
    }
}

impl Metadata {
    /// The metadata of a request without metadata.
    pub(crate) const NONE: &'static Self = &Self(BTreeMap::new());

    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }

    /// Returns the metadata as an object, or null if there is none.
    pub(crate) fn to_value(&self) -> Value {
        let present = |(name, value): (&String, &Option<String>)| {
            Some((name.clone(), Value::String(value.clone()?)))
        };
        let present: Map<_, _> = self.0.iter().filter_map(present).collect();
        if present.is_empty() { Value::Null } else { Value::Object(present) }
    }

    /// Adds the metadata to the request of an event as `clientMetadata`. Without metadata, the request has no such
    /// member.
    pub(crate) fn add_to(&self, mut request: Value) -> Value {
        let metadata = self.to_value();
        if let (Value::Object(members), false) = (&mut request, metadata.is_null()) {
            members.insert("clientMetadata".to_owned(), metadata);
        }
        request
    }
}
