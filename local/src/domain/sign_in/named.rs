//! The name that a client sends at the start of a sign-in, and its user.

use std::sync::Arc;

use crate::{
    domain::{sign_in::challenges::is_named, simulation},
    error::Error,
    model::{Client, User},
    pool::Pool,
    store::Data,
};

/// The name at the start of a sign-in, with its user.
pub(crate) struct NamedUser {
    /// The user name for sessions and events. It is simulated if no user has the name.
    pub(crate) username: String,
    /// `None` if no user has the name and the app client hides that.
    pub(crate) user: Option<Arc<User>>,
}

impl NamedUser {
    /// Finds the user of a name.
    ///
    /// # Errors
    /// Returns an error if no user has the name and the app client does not hide that.
    pub(crate) fn find(pool: &Pool, client: &Client, name: &str) -> Result<Self, Error> {
        pool.store.read(|data| match data.find_user(name).cloned() {
            Some(user) => Ok(Self { username: user.username.clone(), user: Some(user) }),
            None if client.settings.hides_users() => {
                Ok(Self { username: simulation::user_name(pool, data, name), user: None })
            }
            None => Err(Error::user_not_found()),
        })
    }

    /// Returns whether a client may send this name in its response to a challenge.
    pub(crate) fn is_named(&self, pool: &Pool, data: &Data, name: &str) -> bool {
        match &self.user {
            Some(user) => is_named(data, user, name),
            None => {
                self.username == name || self.username == simulation::user_name(pool, data, name)
            }
        }
    }
}
