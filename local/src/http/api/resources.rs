//! What the operations on pools and on what belongs to pools share.

use serde_json::{Map, Value};

use crate::{
    config::{Reason, SettingError},
    error::Error,
    text::words::api_word,
};

/// Takes a text out of the input.
pub(crate) fn take_text(
    value: &mut Value,
    member: &str,
    out: bool,
) -> Result<Option<String>, Error> {
    let Value::Object(members) = value else { return Ok(None) };
    let found = if out { members.remove(member) } else { members.get(member).cloned() };
    crate::http::api::input(found.unwrap_or_default())
}

/// The members that have a meaning here, and the others.
pub(crate) fn parted(value: Value, names: &[&str]) -> (Map<String, Value>, Map<String, Value>) {
    let Value::Object(members) = value else { return Default::default() };
    members.into_iter().partition(|(name, _)| names.contains(&name.as_str()))
}

/// Adds the settings without effect; known members take precedence.
pub(crate) fn after(others: &Map<String, Value>, written: Map<String, Value>) -> Value {
    let mut all = others.clone();
    all.extend(written);
    Value::Object(all)
}

/// Members that are null are absent, at every depth.
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
        let member = error.place().path.split('.').map(member_word).collect::<Vec<_>>().join(".");
        match error.reason {
            Reason::Missing(_) => Self::missing(&member),
            Reason::Type { .. } => Self::wrong_type(),
            // The local pool knows fewer words than the model has.
            Reason::Word { found, allowed } => {
                let words = allowed.join(", ");
                let constraint = format!("Member must satisfy enum value set: [{words}]");
                Self::broken(&member, &found.unwrap_or_default(), &constraint)
            }
            Reason::Range { found, allowed } => {
                let constraint = if found < *allowed.start() {
                    format!("Member must have value greater than or equal to {}", allowed.start())
                } else {
                    format!("Member must have value less than or equal to {}", allowed.end())
                };
                Self::broken(&member, &found.to_string(), &constraint)
            }
            Reason::Unknown { .. } => Self::invalid_parameter(member),
            Reason::Rule { kind, message } => Self::new(kind, message),
        }
    }
}

/// Returns a member's name as the API's errors write it.
fn member_word(word: &str) -> String {
    let word = api_word(word);
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_ascii_lowercase() + rest
}
