//! What a new user may be called.

use crate::{
    error::ApiError,
    http::api::{attributes, validate},
    model::settings::{Contact, PoolSettings},
    pool::keys::random_uuid,
    store::Data,
};

/// The names of a new user.
pub(crate) struct NewName {
    pub(crate) username: String,
    pub(crate) sub: String,
    /// The contact that was given in place of a user name.
    pub(crate) contact: Option<(Contact, String)>,
}

/// Whether a name can be a new user's, and what it stands for.
pub(crate) fn new_name(settings: &PoolSettings, given: &str) -> Result<NewName, ApiError> {
    // Names in configuration files are checked here as well.
    validate::check_text("UsernameType", "username", given)?;
    let contact = contact_of_name(settings, given);
    let sub = random_uuid();
    if settings.signs_in_with_contacts() {
        return match contact.filter(|contact| settings.username_attributes.contains(contact)) {
            Some(contact) => Ok(NewName {
                username: sub.clone(),
                sub,
                contact: Some((contact, given.to_owned())),
            }),
            None => Err(ApiError::invalid_parameter(wanted(&settings.username_attributes))),
        };
    }
    if let Some(contact) = alias_of_name(settings, given) {
        let (format, alias) = match contact {
            Contact::Email => ("email", "email"),
            Contact::PhoneNumber => ("phone number", "phone number"),
        };
        return Err(ApiError::invalid_parameter(format!(
            "Username cannot be of {format} format, since user pool is configured for {alias} alias."
        )));
    }
    Ok(NewName { username: given.to_owned(), sub, contact: None })
}

/// Whether a new user's name is nobody's yet. Operations say in words of their own that it is not.
pub(crate) fn check_name_free(
    data: &Data,
    settings: &PoolSettings,
    given: &str,
    otherwise: &str,
) -> Result<(), ApiError> {
    if data.find_user(given).is_none() {
        return Ok(());
    }
    Err(user_exists(match contact_of_name(settings, given) {
        Some(contact) if settings.signs_in_with_contacts() => {
            attributes::alias_exists(contact.attribute()).message
        }
        _ => otherwise.to_owned(),
    }))
}

pub(crate) fn user_exists(message: impl Into<String>) -> ApiError {
    ApiError::new("UsernameExistsException", message)
}

/// What a name stands for that no user name is like, since contacts of its form stand for user names.
pub(crate) fn alias_of_name(settings: &PoolSettings, name: &str) -> Option<Contact> {
    let contact = contact_of_name(settings, name)?;
    let mut aliases = settings.alias_attributes.iter().filter_map(|alias| alias.contact());
    aliases.any(|alias| alias == contact).then_some(contact)
}

/// What a name looks like, if it looks like a contact.
pub(crate) fn contact_of_name(settings: &PoolSettings, name: &str) -> Option<Contact> {
    [Contact::Email, Contact::PhoneNumber].into_iter().find(|contact| {
        settings
            .attribute(contact.attribute())
            .is_some_and(|schema| schema.violation(name).is_none())
    })
}

fn wanted(contacts: &[Contact]) -> &'static str {
    match contacts {
        [Contact::Email] => "Username should be an email.",
        [Contact::PhoneNumber] => "Username should be a phone number.",
        _ => "Username should be either an email or a phone number.",
    }
}
