//! What a provider's claims make of a user's attributes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    domain::attributes::{missing, write},
    model::{
        User,
        settings::{Contact, PoolSettings, ProviderSettings},
    },
};

/// The longest value of an attribute.
const MAX_VALUE: usize = 2048;

/// The attributes that the claims say, by the provider's mapping. What a provider does not say stays as it is.
pub(crate) fn mapped(
    provider: &ProviderSettings,
    pool: &PoolSettings,
    claims: &Map<String, Value>,
) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    for (name, claim) in &provider.attribute_mapping {
        // The user name is the account's always.
        if name == "username" || name == "sub" {
            continue;
        }
        let Some(value) = claims.get(claim).and_then(written) else { continue };
        let Some(schema) = pool.attribute(name) else { continue };
        if value.chars().count() > MAX_VALUE {
            return Err(format!("{name}: the value is too long"));
        }
        if let Some(why) = schema.violation(&value) {
            return Err(format!("{name}: {why}"));
        }
        attributes.insert(name.clone(), value);
    }
    Ok(attributes)
}

/// Writes what a provider says. A contact of those who come from there is proven by its word alone, each time.
pub(crate) fn apply(user: &mut User, provider: &ProviderSettings, said: &BTreeMap<String, String>) {
    write(user, said);
    for contact in [Contact::Email, Contact::PhoneNumber] {
        let flag = contact.verified_attribute();
        let is_unproven = said.contains_key(contact.attribute())
            && !provider.attribute_mapping.contains_key(flag);
        if user.is_external() && is_unproven {
            user.attributes.insert(flag.to_owned(), "false".to_owned());
        }
    }
}

/// Whether a user can be as they are to be.
pub(crate) fn check(
    pool: &PoolSettings,
    before: Option<&User>,
    after: &User,
) -> Result<(), String> {
    let lacking: Vec<_> = missing(pool, |name| after.attribute(name).is_some()).collect();
    if !lacking.is_empty() {
        return Err(format!("attributes required: [{}]", lacking.join(", ")));
    }
    let Some(before) = before else { return Ok(()) };
    let is_fixed = |name: &&String| {
        before.attribute(name).is_some_and(|held| Some(held) != after.attribute(name))
            && pool.attribute(name).is_some_and(|schema| !schema.mutable)
    };
    match after.attributes.keys().find(is_fixed) {
        Some(name) => Err(format!("user.{name}: Attribute cannot be updated.")),
        None => Ok(()),
    }
}

/// A claim as an attribute: all are texts, and of several values each is written as in a form.
fn written(value: &Value) -> Option<String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(values) => values
            .iter()
            .filter_map(written)
            .map(|text| encoded(&text))
            .collect::<Vec<_>>()
            .join(","),
        Value::Object(members) => match members.get("formatted") {
            Some(Value::String(text)) => text.clone(),
            _ => value.to_string(),
        },
        Value::Null => return None,
    };
    (!text.is_empty()).then_some(text)
}
