//! The mapping of a provider's claims to user attributes.

use serde_json::{Map, Value};

use crate::{
    domain::attributes::{Attributes, missing, write},
    model::{
        User,
        settings::{Contact, PoolSettings, ProviderSettings},
    },
};

/// The maximum length of an attribute's value, in characters.
const MAX_VALUE: usize = 2048;

/// Maps the provider's claims to user attributes.
///
/// # Errors
/// Returns a description of the first value that the pool's schema does not allow.
pub(crate) fn from_claims(
    provider: &ProviderSettings,
    pool: &PoolSettings,
    claims: &Map<String, Value>,
) -> Result<Attributes, String> {
    let mut attributes = Attributes::new();
    for (name, claim) in &provider.attribute_mapping {
        // The account determines these two, so they cannot be mapped.
        if name == "username" || name == "sub" {
            continue;
        }
        let Some(value) = claims.get(claim).and_then(text_of) else { continue };
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

/// Writes the attributes from a provider to a user. An e-mail address or phone number of an external user counts as
/// verified only if the provider reports it as verified at this sign-in.
pub(crate) fn apply(user: &mut User, provider: &ProviderSettings, attributes: &Attributes) {
    write(user, attributes);
    for contact in [Contact::Email, Contact::PhoneNumber] {
        let flag = contact.verified_attribute();
        let is_unverified = attributes.contains_key(contact.attribute())
            && !provider.attribute_mapping.contains_key(flag);
        if user.is_external() && is_unverified {
            user.attributes.insert(flag.to_owned(), "false".to_owned());
        }
    }
}

/// Checks that a user has all required attributes and that no immutable attribute changes.
///
/// # Errors
/// Returns a description of the rule that is broken.
pub(crate) fn check(
    pool: &PoolSettings,
    before: Option<&User>,
    after: &User,
) -> Result<(), String> {
    let absent: Vec<_> = missing(pool, |name| after.attribute(name).is_some()).collect();
    if !absent.is_empty() {
        return Err(format!("attributes required: [{}]", absent.join(", ")));
    }
    let Some(before) = before else { return Ok(()) };
    let is_changed_but_immutable = |name: &&String| {
        before.attribute(name).is_some_and(|value| Some(value) != after.attribute(name))
            && pool.attribute(name).is_some_and(|schema| !schema.mutable)
    };
    match after.attributes.keys().find(is_changed_but_immutable) {
        Some(name) => Err(format!("user.{name}: Attribute cannot be updated.")),
        None => Ok(()),
    }
}

/// Converts a claim to the value of an attribute. The values of an array are form-encoded and joined by commas.
fn text_of(value: &Value) -> Option<String> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(values) => values
            .iter()
            .filter_map(text_of)
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
