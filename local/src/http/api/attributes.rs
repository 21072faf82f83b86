//! What may be written into a user's attributes, by whom, and when.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    error::ApiError,
    http::api::required,
    model::{
        User,
        settings::{Alias, AttributeSchema, ClientSettings, Contact, PoolSettings},
    },
    store::Data,
    triggers::Metadata,
};

/// An attribute as requests write it. A value that is empty or missing takes the attribute away.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AttributeInput {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<String>,
}

/// Who writes.
#[derive(Clone, Copy)]
pub(crate) enum Writer<'a> {
    /// A user, by way of an app client.
    User(&'a ClientSettings),
    Admin,
}

/// Names and values that passed all checks; an empty value takes the attribute away.
pub(crate) type Attributes = BTreeMap<String, String>;

/// The moment of writing, which decides on attributes that cannot change and on how errors read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Creation,
    Change,
}

/// What is said to the trigger before a user is created.
pub(crate) fn validation_data(list: Option<&[AttributeInput]>) -> Metadata {
    let pair = |input: &AttributeInput| Some((input.name.clone()?, input.value.clone()?));
    Metadata::from_pairs(list.unwrap_or_default().iter().filter_map(pair))
}

/// What a new user begins with. Whether all required attributes are there is for [`check_required`]: an
/// administrator may leave them to the user's first sign-in.
pub(crate) fn check_new(
    settings: &PoolSettings,
    writer: Writer<'_>,
    list: Option<Vec<AttributeInput>>,
) -> Result<Attributes, ApiError> {
    let mut attributes = check(settings, writer, list, Moment::Creation)?;
    attributes.retain(|_, value| !value.is_empty());
    Ok(attributes)
}

/// What is to change in a user who is there.
pub(crate) fn check_change(
    settings: &PoolSettings,
    writer: Writer<'_>,
    list: Option<Vec<AttributeInput>>,
) -> Result<Attributes, ApiError> {
    check(settings, writer, list, Moment::Change)
}

/// What is to go from a user who is there, as a change.
pub(crate) fn check_removal(
    settings: &PoolSettings,
    writer: Writer<'_>,
    names: Vec<String>,
) -> Result<Attributes, ApiError> {
    let gone = |name| AttributeInput { name: Some(name), value: None };
    check(settings, writer, Some(names.into_iter().map(gone).collect()), Moment::Change)
}

/// Whether a sign-up brings all that the pool requires.
pub(crate) fn check_required(
    settings: &PoolSettings,
    attributes: &Attributes,
) -> Result<(), ApiError> {
    let missing: Vec<_> = missing(settings, |name| attributes.contains_key(name))
        .map(|name| format!("{name}: The attribute is required"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(nonconforming(&missing.join("\n"))) }
}

/// What the pool requires and a user does not have.
pub(crate) fn missing(
    settings: &PoolSettings,
    has: impl Fn(&str) -> bool,
) -> impl Iterator<Item = String> {
    settings.required_attributes().filter(move |name| name != "sub" && !has(name))
}

/// Writes checked attributes. A contact that changes is not proven any more, unless the change says so, and
/// codes that went to the contact before are worth nothing.
pub(crate) fn write(user: &mut User, changes: &Attributes) {
    for contact in [Contact::Email, Contact::PhoneNumber] {
        let (name, flag) = (contact.attribute(), contact.verified_attribute());
        let Some(value) = changes.get(name) else { continue };
        if user.attribute(name).unwrap_or_default() != value {
            user.codes.retain(|_, code| code.attribute != name);
            user.attributes.remove(flag);
            if !value.is_empty() {
                user.attributes.insert(flag.to_owned(), "false".to_owned());
            }
        }
    }
    for (name, value) in changes {
        if value.is_empty() {
            user.attributes.remove(name);
        } else {
            user.attributes.insert(name.clone(), value.clone());
        }
    }
}

/// Why a user, as they are to be, cannot be: what stands for their name stands for another's already.
pub(crate) fn alias_clash(data: &Data, user: &User) -> Option<ApiError> {
    let settings = data.settings();
    let is_taken = |contact: Contact| {
        let value = user.attribute(contact.attribute())?;
        let is_name = settings.username_attributes.contains(&contact);
        ((is_name || user.has_verified(contact)) && data.is_taken(contact, value, &user.username))
            .then(|| contact.attribute())
    };
    [Contact::Email, Contact::PhoneNumber]
        .into_iter()
        .find_map(is_taken)
        .map(alias_exists)
        .or_else(|| preferred_name_clash(data, user))
}

/// Has a proven contact stand for this user's name alone: whoever else proved it before loses it. A preferred user
/// name is nobody's to take, and then nothing is taken.
pub(crate) fn take_aliases(data: &mut Data, user: &User) -> Result<(), ApiError> {
    if let Some(clash) = preferred_name_clash(data, user) {
        return Err(clash);
    }
    let aliases = data.settings().alias_attributes;
    for contact in aliases.into_iter().filter_map(Alias::contact) {
        let value = user.attribute(contact.attribute()).filter(|_| user.has_verified(contact));
        let Some(value) = value else { continue };
        let holds = |other: &User| {
            other.username != user.username
                && other.has_verified(contact)
                && other
                    .attribute(contact.attribute())
                    .is_some_and(|held| held.eq_ignore_ascii_case(value))
        };
        let others: Vec<_> = data
            .known_as(value)
            .filter(|other| holds(other))
            .map(|other| other.username.clone())
            .collect();
        for name in others {
            if let Some(other) = data.exact_user_mut(&name) {
                other.attributes.insert(contact.verified_attribute().into(), "false".into());
            }
        }
    }
    Ok(())
}

pub(crate) fn alias_exists(attribute: &str) -> ApiError {
    ApiError::new(
        "AliasExistsException",
        format!("An account with the given {attribute} already exists."),
    )
}

fn preferred_name_clash(data: &Data, user: &User) -> Option<ApiError> {
    let name = "preferred_username";
    let value = user.attribute(name)?;
    data.settings().alias_attributes.iter().find(|alias| alias.attribute() == name)?;
    let same = |a: &str| data.user_key(a) == data.user_key(value);
    let clashes = |other: &User| {
        other.username != user.username
            && (same(&other.username) || other.attribute(name).is_some_and(same))
    };
    data.known_as(value).any(clashes).then(|| alias_exists(name))
}

fn check(
    settings: &PoolSettings,
    writer: Writer<'_>,
    list: Option<Vec<AttributeInput>>,
    moment: Moment,
) -> Result<Attributes, ApiError> {
    let mut checked = Attributes::new();
    for AttributeInput { name, value } in list.unwrap_or_default() {
        let (name, value) = (required(name, "Name")?, value.unwrap_or_default());
        check_one(settings, writer, moment, &name, &value)?;
        checked.insert(name, value);
    }
    Ok(checked)
}

fn check_one(
    settings: &PoolSettings,
    writer: Writer<'_>,
    moment: Moment,
    name: &str,
    value: &str,
) -> Result<(), ApiError> {
    let wrong = |why: &str| match moment {
        Moment::Creation => nonconforming(&format!("{name}: {why}")),
        Moment::Change => ApiError::invalid_parameter(format!("user.{name}: {why}")),
    };
    let Some(schema) = settings.attribute(name) else {
        return Err(wrong("Attribute does not exist in the schema."));
    };
    // What proves a user's identity is never in a request, whoever sends it.
    if name == "sub" || (moment == Moment::Change && !schema.mutable) {
        return Err(wrong("Attribute cannot be updated."));
    }
    if matches!(writer, Writer::User(client) if !may_write(client, &schema)) {
        return Err(ApiError::not_authorized("A client attempted to write unauthorized attribute"));
    }
    if value.is_empty() {
        let is_needed = moment == Moment::Change && schema.required;
        return if is_needed { Err(wrong("The attribute is required")) } else { Ok(()) };
    }
    match schema.violation(value) {
        None => Ok(()),
        // These messages stand alone, and clients match on them.
        Some(why) if why.starts_with("Invalid ") => Err(ApiError::invalid_parameter(why)),
        Some(why) => Err(wrong(&why)),
    }
}

/// Users say neither that a contact is proven nor what is for the developer alone.
fn may_write(client: &ClientSettings, schema: &AttributeSchema) -> bool {
    let name = schema.full_name();
    !matches!(name.as_str(), "email_verified" | "phone_number_verified")
        && !schema.developer_only_attribute
        && client.may_write(&name)
}

fn nonconforming(what: &str) -> ApiError {
    ApiError::invalid_parameter(format!("Attributes did not conform to the schema: {what}"))
}
