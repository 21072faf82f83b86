use crate::{
    error::ApiError,
    http::api::user_names::alias_of_name,
    model::{Client, User, settings::ExistenceErrors},
    pool::Shared,
    store::Data,
};

/// Who begins to sign in.
#[derive(Clone)]
pub(crate) struct Candidate {
    /// As sessions and events say it: of someone who is not there, made up.
    pub(crate) username: String,
    /// Nobody, where the client is told nothing of who is there.
    pub(crate) user: Option<User>,
}

impl Candidate {
    /// The user of a name, or someone who looks like one.
    ///
    /// # Errors
    /// There is no such user, and the client may know it.
    pub(crate) fn named(pool: &Shared, client: &Client, name: &str) -> Result<Self, ApiError> {
        pool.store.read(|data| match data.find_user(name).cloned() {
            Some(user) => Ok(Self { username: user.username.clone(), user: Some(user) }),
            None => match client.settings.prevent_user_existence_errors {
                ExistenceErrors::Enabled => {
                    Ok(Self { username: stand_in(pool, data, name), user: None })
                }
                ExistenceErrors::Legacy => Err(ApiError::user_not_found()),
            },
        })
    }
}

/// The user name of who does not exist, in a form that the pool's user names have: no contact.
pub(crate) fn stand_in(pool: &Shared, data: &Data, name: &str) -> String {
    let (key, settings) = (data.user_key(name), data.settings());
    let stands_for_a_name =
        settings.signs_in_with_contacts() || alias_of_name(&settings, name).is_some();
    if stands_for_a_name { pool.subject(&key) } else { key }
}
