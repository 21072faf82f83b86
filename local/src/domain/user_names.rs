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
    /// The contact that was sent instead of a user name.
    pub(crate) contact: Option<(Contact, String)>,
}

/// Checks the name that was sent for a new user, and returns the names that the user gets.
pub(crate) fn new_name(settings: &PoolSettings, given: &str) -> Result<NewName, Error> {
    service_model::check_text("UsernameType", "username", given)?;
    let contact = settings.check_new_username(given).map_err(Error::invalid_parameter)?;
    let sub = random_uuid();
    let username = if contact.is_some() { sub.clone() } else { given.to_owned() };
    Ok(NewName { username, sub, contact: contact.map(|contact| (contact, given.to_owned())) })
}

/// Checks that no user has this name yet. `message` is the text of the error, which differs between operations.
pub(crate) fn check_name_free(
    data: &Data,
    settings: &PoolSettings,
    given: &str,
    message: &str,
) -> Result<(), Error> {
    if data.find_user(given).is_none() {
        return Ok(());
    }
    Err(Error::user_exists(match settings.contact_of_name(given) {
        Some(contact) if settings.signs_in_with_contacts() => {
            Error::alias_exists(contact.attribute()).message
        }
        _ => message.to_owned(),
    }))
}
