//! What the operations on pools, app clients and resource servers have in common.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    config::{Reason, SettingError},
    domain::violations::member_path,
    error::Error,
    http::api::input,
    model::{
        OtherSettings,
        settings::{BrokenRule, Violation},
    },
};

/// The input of list operations.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct List {
    pub(crate) user_pool_id: Option<String>,
    pub(crate) max_results: Option<i64>,
    pub(crate) next_token: Option<String>,
}

/// Reads a string member.
pub(crate) fn read_text(value: &Value, member: &str) -> Result<Option<String>, Error> {
    input(value.get(member).cloned().unwrap_or_default())
}

/// Reads a string member and removes it.
pub(crate) fn take_text(value: &mut Value, member: &str) -> Result<Option<String>, Error> {
    let members = value.as_object_mut();
    input(members.and_then(|members| members.remove(member)).unwrap_or_default())
}

/// Splits members into those with the given names and all others.
pub(crate) fn split_members(
    value: Value,
    names: &[&str],
) -> (Map<String, Value>, Map<String, Value>) {
    let Value::Object(members) = value else { return Default::default() };
    members.into_iter().partition(|(name, _)| names.contains(&name.as_str()))
}

/// Adds the settings that have no effect, without replacing members of `written`.
pub(crate) fn with_others(written: Map<String, Value>, others: &OtherSettings) -> Value {
    let mut all = others.clone();
    all.extend(written);
    Value::Object(all)
}

/// Removes the members that are null, at every depth.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        plain => plain,
    }
}

impl From<SettingError> for Error {
    fn from(error: SettingError) -> Self {
        let path = error.place().path.clone();
        match error.reason {
            Reason::Missing(_) => Self::missing(&member_path(&path)),
            Reason::Type { .. } => Self::wrong_type(),
            // The local pool supports fewer values than the service model.
            Reason::Word { found, allowed } => {
                let allowed = allowed.join(", ");
                let constraint = format!("Member must satisfy enum value set: [{allowed}]");
                Self::broken(&member_path(&path), &found.unwrap_or_default(), &constraint)
            }
            Reason::Unknown { .. } | Reason::Misspelled { .. } => {
                Self::invalid_parameter(member_path(&path))
            }
            Reason::Range { found, allowed } => {
                Violation { path, rule: BrokenRule::Range { found, allowed } }.into()
            }
            Reason::Rule { kind, message } => Self::new(kind, message),
        }
    }
}
