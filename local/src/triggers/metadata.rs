use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The client's metadata for triggers: `ClientMetadata`. Values that are null are absent.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Metadata(BTreeMap<String, Option<String>>);

/// On whose behalf a trigger runs.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) metadata: &'a Metadata,
}

impl<'a> Caller<'a> {
    /// An administrator, who acts without an app client.
    pub(crate) fn administrator(metadata: &'a Metadata) -> Self {
        Self { client_id: "CLIENT_ID_NOT_APPLICABLE", metadata }
    }
}

impl Metadata {
    /// Of a request that says nothing to triggers.
    pub(crate) const NONE: &'static Self = &Self(BTreeMap::new());

    pub(crate) fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }

    pub(crate) fn to_value(&self) -> Value {
        let said = |(name, value): (&String, &Option<String>)| {
            Some((name.clone(), Value::String(value.clone()?)))
        };
        Value::Object(self.0.iter().filter_map(said).collect::<Map<_, _>>())
    }
}
