//! The user of the name that a client gives at the start of a sign-in.

use crate::{
    error::Error,
    model::{Client, User, settings::ExistenceErrors},
    pool::Pool,
    store::Data,
};

/// The name at the start of a sign-in, with its user.
#[derive(Clone)]
pub(crate) struct NamedUser {
    /// The user name for sessions and events. It is made up if there is no such user.
    pub(crate) username: String,
    /// `None` if there is no such user and the client must not learn that.
    pub(crate) user: Option<User>,
}

impl NamedUser {
    /// Finds the user of a name.
    ///
    /// # Errors
    /// There is no such user, and the client may learn it.
    pub(crate) fn find(pool: &Pool, client: &Client, name: &str) -> Result<Self, Error> {
        pool.store.read(|data| match data.find_user(name).cloned() {
            Some(user) => Ok(Self { username: user.username.clone(), user: Some(user) }),
            None => match client.settings.prevent_user_existence_errors {
                ExistenceErrors::Enabled => {
                    Ok(Self { username: stand_in(pool, data, name), user: None })
                }
                ExistenceErrors::Legacy => Err(Error::user_not_found()),
            },
        })
    }
}

/// Returns a user name for a name without a user, in a form that the pool's user names have: never a contact.
pub(crate) fn stand_in(pool: &Pool, data: &Data, name: &str) -> String {
    let (key, settings) = (data.user_key(name), data.settings());
    let is_contact = settings.signs_in_with_contacts() || settings.alias_of_name(name).is_some();
    if is_contact { pool.subject(&key) } else { key }
}
