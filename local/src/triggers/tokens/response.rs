use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{
    error::Error,
    triggers::{
        failure::unrecognizable,
        tokens::overrides::{Changes, Groups, Overrides},
    },
};

/// The response of a function of the first version.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FirstVersion {
    claims_override_details: Option<FirstVersionDetails>,
}

/// The response of a function of a later version.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LaterVersion {
    claims_and_scope_override_details: Option<LaterVersionDetails>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FirstVersionDetails {
    claims_to_add_or_override: Option<Map<String, Value>>,
    claims_to_suppress: Option<Vec<String>>,
    #[serde(deserialize_with = "present")]
    group_override_details: Option<Groups>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LaterVersionDetails {
    id_token_generation: Option<Generation>,
    access_token_generation: Option<Generation>,
    #[serde(deserialize_with = "present")]
    group_override_details: Option<Groups>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Generation {
    claims_to_add_or_override: Option<Map<String, Value>>,
    claims_to_suppress: Option<Vec<String>>,
    scopes_to_add: Option<Vec<String>>,
    scopes_to_suppress: Option<Vec<String>>,
}

/// Claims of the ID token that cannot be lists or objects.
const SCALAR_IN_ID_TOKEN: [&str; 4] =
    ["phone_number_verified", "email_verified", "updated_at", "address"];

impl FirstVersion {
    pub(crate) fn overrides(self) -> Result<Overrides, Error> {
        let details = self.claims_override_details.unwrap_or_default();
        let mut add = details.claims_to_add_or_override.unwrap_or_default();
        add.retain(|_, value| !value.is_null());
        for value in add.values_mut() {
            *value = Value::String(as_text(value)?);
        }
        Ok(Overrides {
            id: Changes { add, suppress: details.claims_to_suppress.unwrap_or_default() },
            groups: details.group_override_details,
            ..Overrides::default()
        })
    }
}

impl LaterVersion {
    pub(crate) fn overrides(self) -> Result<Overrides, Error> {
        let details = self.claims_and_scope_override_details.unwrap_or_default();
        let id = details.id_token_generation.unwrap_or_default();
        let mut access = details.access_token_generation.unwrap_or_default();
        let has_object = |(name, value): (&String, &Value)| {
            SCALAR_IN_ID_TOKEN.contains(&name.as_str()) && (value.is_object() || value.is_array())
        };
        if id.claims_to_add_or_override.iter().flatten().any(has_object) {
            return Err(unrecognizable());
        }
        Ok(Overrides {
            scopes_to_add: access.scopes_to_add.take().unwrap_or_default(),
            scopes_to_suppress: access.scopes_to_suppress.take().unwrap_or_default(),
            id: id.changes(),
            access: access.changes(),
            groups: details.group_override_details,
        })
    }
}

impl Generation {
    fn changes(self) -> Changes {
        let mut add = self.claims_to_add_or_override.unwrap_or_default();
        add.retain(|_, value| !value.is_null());
        Changes { add, suppress: self.claims_to_suppress.unwrap_or_default() }
    }
}

/// Returns a value as text: the first version allows only texts. Lists and objects are errors.
fn as_text(value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(unrecognizable()),
    }
}

/// Deserializes the groups. A null counts as present and removes all groups.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Groups>, D::Error> {
    Option::<Groups>::deserialize(deserializer).map(|groups| Some(groups.unwrap_or_default()))
}
