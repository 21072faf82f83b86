//! Looks up users: by the name that a caller sends, or again for a user who was verified earlier.

use std::sync::Arc;

use crate::{
    error::Error,
    model::{Client, User},
    store::Data,
};

/// Returns the current record of a user whose token or password was verified before the store was locked.
///
/// # Errors
/// Returns an error if the user is disabled or no longer exists. A new user with the same name is a different user.
pub(crate) fn present_user_mut<'a>(data: &'a mut Data, user: &User) -> Result<&'a mut User, Error> {
    present_user(data, user)?;
    data.exact_user_mut(&user.username).ok_or_else(Error::user_not_found)
}

/// Returns the user as [`present_user_mut`] does, for reading only.
pub(crate) fn present_user<'a>(data: &'a Data, user: &User) -> Result<&'a Arc<User>, Error> {
    match data.exact_user(&user.username).filter(|found| found.sub == user.sub) {
        Some(found) if found.enabled => Ok(found),
        Some(_) => Err(Error::user_disabled()),
        None => Err(Error::user_not_found()),
    }
}

/// Returns the user that an administrator's request names.
pub(crate) fn named_user<'a>(data: &'a Data, name: &str) -> Result<&'a Arc<User>, Error> {
    data.find_user(name).ok_or_else(Error::user_not_found)
}

/// Returns the user for a change, as [`named_user`] does.
pub(crate) fn named_user_mut<'a>(data: &'a mut Data, name: &str) -> Result<&'a mut User, Error> {
    data.find_user_mut(name).ok_or_else(Error::user_not_found)
}

/// Returns the error for a user who does not exist. It is `instead` if the app client hides which users exist.
pub(crate) fn unknown_user(client: &Client, instead: Error) -> Error {
    if client.settings.hides_users() { instead } else { Error::user_not_found() }
}
