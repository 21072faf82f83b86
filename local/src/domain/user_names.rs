//! The names of new users.

use crate::{
    error::Error,
    ids::random_uuid,
    model::settings::{Contact, PoolSettings},
    service_model,
    store::Data,
};

/// The names of a new user.
pub(crate) struct NewName {
    pub(crate) username: String,
    pub(crate) sub: String,
    /// The contact that was given instead of a user name.
    pub(crate) contact: Option<(Contact, String)>,
}

/// Checks the name of a new user.
pub(crate) fn new_name(settings: &PoolSettings, given: &str) -> Result<NewName, Error> {
    // Names in configuration files are checked here as well.
    service_model::check_text("UsernameType", "username", given)?;
    let contact = contact_of_name(settings, given);
    let sub = random_uuid();
    if settings.signs_in_with_contacts() {
        return match contact.filter(|contact| settings.username_attributes.contains(contact)) {
            Some(contact) => Ok(NewName {
                username: sub.clone(),
                sub,
                contact: Some((contact, given.to_owned())),
            }),
            None => Err(Error::invalid_parameter(wanted(&settings.username_attributes))),
        };
    }
    if let Some(contact) = alias_of_name(settings, given) {
        let (format, alias) = match contact {
            Contact::Email => ("email", "email"),
            Contact::PhoneNumber => ("phone number", "phone number"),
        };
        return Err(Error::invalid_parameter(format!(
            "Username cannot be of {format} format, since user pool is configured for {alias} alias."
        )));
    }
    Ok(NewName { username: given.to_owned(), sub, contact: None })
}

/// Checks that no user has this name yet. `otherwise` is the message of the error, which differs between operations.
pub(crate) fn check_name_free(
    data: &Data,
    settings: &PoolSettings,
    given: &str,
    otherwise: &str,
) -> Result<(), Error> {
    if data.find_user(given).is_none() {
        return Ok(());
    }
    Err(Error::user_exists(match contact_of_name(settings, given) {
        Some(contact) if settings.signs_in_with_contacts() => {
            Error::alias_exists(contact.attribute()).message
        }
        _ => otherwise.to_owned(),
    }))
}

/// Returns the contact whose form a name has, if such contacts are aliases in this pool: no user name has this form.
pub(crate) fn alias_of_name(settings: &PoolSettings, name: &str) -> Option<Contact> {
    let contact = contact_of_name(settings, name)?;
    let mut aliases = settings.alias_attributes.iter().filter_map(|alias| alias.contact());
    aliases.any(|alias| alias == contact).then_some(contact)
}

/// Returns the contact whose form a name has.
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
