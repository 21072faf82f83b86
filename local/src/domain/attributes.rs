//! The rules for a user's attributes: which of them a caller may write, and which values are valid.

use std::collections::BTreeMap;

use crate::{
    error::Error,
    model::{
        User,
        settings::{Alias, AttributeSchema, ClientSettings, Contact, PoolSettings},
    },
    store::Data,
};

/// An attribute that a caller wants to write. An empty value removes the attribute.
pub(crate) struct AttributeInput {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The caller who writes attributes.
#[derive(Clone, Copy)]
pub(crate) enum Writer<'a> {
    /// A user, through an app client.
    User(&'a ClientSettings),
    Admin,
}

/// Names and values that passed all checks. An empty value removes the attribute.
pub(crate) type Attributes = BTreeMap<String, String>;

/// The kind of check. It determines which attributes can be written, and the wording of errors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    NewUser,
    Change,
}

/// Checks the attributes of a new user. It does not check whether all required attributes are present, because an
/// administrator can leave them to the user's first sign-in. See [`check_required`].
pub(crate) fn check_new(
    settings: &PoolSettings,
    writer: Writer<'_>,
    list: Vec<AttributeInput>,
) -> Result<Attributes, Error> {
    let mut attributes = check(settings, writer, list, Check::NewUser)?;
    attributes.retain(|_, value| !value.is_empty());
    Ok(attributes)
}

/// Checks changes of an existing user's attributes.
pub(crate) fn check_change(
    settings: &PoolSettings,
    writer: Writer<'_>,
    list: Vec<AttributeInput>,
) -> Result<Attributes, Error> {
    check(settings, writer, list, Check::Change)
}

/// Checks the removal of an existing user's attributes.
pub(crate) fn check_removal(
    settings: &PoolSettings,
    writer: Writer<'_>,
    names: Vec<String>,
) -> Result<Attributes, Error> {
    let removed = |name| AttributeInput { name, value: String::new() };
    check(settings, writer, names.into_iter().map(removed).collect(), Check::Change)
}

/// Checks that a sign-up has all attributes that the pool requires.
pub(crate) fn check_required(
    settings: &PoolSettings,
    attributes: &Attributes,
) -> Result<(), Error> {
    let missing: Vec<_> = missing(settings, |name| attributes.contains_key(name))
        .map(|name| format!("{name}: The attribute is required"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(nonconforming(&missing.join("\n"))) }
}

/// Returns the attributes that the pool requires and a user does not have.
pub(crate) fn missing(
    settings: &PoolSettings,
    has: impl Fn(&str) -> bool,
) -> impl Iterator<Item = String> {
    settings.required_attributes().filter(move |name| name != "sub" && !has(name))
}

/// Writes checked attributes. A contact that changes becomes unverified, unless the change also marks it as verified.
/// Codes that were sent to the old contact become invalid.
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

/// Returns an error if one of the user's aliases already belongs to another user.
pub(crate) fn alias_clash(data: &Data, user: &User) -> Option<Error> {
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
        .map(Error::alias_exists)
        .or_else(|| preferred_name_clash(data, user))
}

/// Moves aliases to this user. The same contact is marked as unverified for all other users.
///
/// # Errors
/// Returns an error, and moves nothing, if another user has the same preferred user name.
pub(crate) fn take_aliases(data: &mut Data, user: &User) -> Result<(), Error> {
    if let Some(clash) = preferred_name_clash(data, user) {
        return Err(clash);
    }
    let settings = data.settings();
    for contact in settings.alias_attributes.iter().copied().filter_map(Alias::contact) {
        let value = user.attribute(contact.attribute()).filter(|_| user.has_verified(contact));
        let Some(value) = value else { continue };
        let has_alias = |other: &User| {
            other.username != user.username
                && other.has_verified(contact)
                && other
                    .attribute(contact.attribute())
                    .is_some_and(|found| data.user_key(found) == data.user_key(value))
        };
        let others: Vec<_> = data
            .known_as(value)
            .filter(|other| has_alias(other))
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

fn preferred_name_clash(data: &Data, user: &User) -> Option<Error> {
    let name = "preferred_username";
    let value = user.attribute(name)?;
    data.settings().alias_attributes.iter().find(|alias| alias.attribute() == name)?;
    let same = |a: &str| data.user_key(a) == data.user_key(value);
    let clashes = |other: &User| {
        other.username != user.username
            && (same(&other.username)
                || same(&other.sub)
                || other.attribute(name).is_some_and(same))
    };
    data.known_as(value).any(|other| clashes(other)).then(|| Error::alias_exists(name))
}

fn check(
    settings: &PoolSettings,
    writer: Writer<'_>,
    list: Vec<AttributeInput>,
    kind: Check,
) -> Result<Attributes, Error> {
    let mut checked = Attributes::new();
    for AttributeInput { name, value } in list {
        check_one(settings, writer, kind, &name, &value)?;
        checked.insert(name, value);
    }
    Ok(checked)
}

fn check_one(
    settings: &PoolSettings,
    writer: Writer<'_>,
    kind: Check,
    name: &str,
    value: &str,
) -> Result<(), Error> {
    let wrong = |why: &str| match kind {
        Check::NewUser => nonconforming(&format!("{name}: {why}")),
        Check::Change => Error::invalid_parameter(format!("user.{name}: {why}")),
    };
    let Some(schema) = settings.attribute(name) else {
        return Err(wrong("Attribute does not exist in the schema."));
    };
    // The `sub` identifies a user and never changes.
    if name == "sub" || (kind == Check::Change && !schema.mutable) {
        return Err(wrong("Attribute cannot be updated."));
    }
    if matches!(writer, Writer::User(client) if !may_write(client, &schema)) {
        return Err(Error::not_authorized("A client attempted to write unauthorized attribute"));
    }
    if value.is_empty() {
        let is_required = kind == Check::Change && schema.required;
        return if is_required { Err(wrong("The attribute is required")) } else { Ok(()) };
    }
    match schema.violation(value) {
        None => Ok(()),
        // Cognito writes these messages without the attribute's name, and clients compare them.
        Some(why) if why.starts_with("Invalid ") => Err(Error::invalid_parameter(why)),
        Some(why) => Err(wrong(&why)),
    }
}

/// Users cannot mark contacts as verified, and cannot write developer-only attributes.
fn may_write(client: &ClientSettings, schema: &AttributeSchema) -> bool {
    let name = schema.full_name();
    !matches!(name.as_str(), "email_verified" | "phone_number_verified")
        && !schema.developer_only_attribute
        && client.may_write(&name)
}

fn nonconforming(violation: &str) -> Error {
    Error::invalid_parameter(format!("Attributes did not conform to the schema: {violation}"))
}
