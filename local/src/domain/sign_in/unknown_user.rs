//! Failed sign-ins with names that no user has. They are counted like those of a user, so that the lockout does not
//! reveal whether a user exists.

use crate::{
    crypto::secret::digest_of,
    domain::lockout::{self, count_mistake, update_unknown_name},
    error::Error,
    pool::Pool,
};

/// Rejects a name that is locked out.
pub(crate) fn check(pool: &Pool, name: &str) -> Result<(), Error> {
    let now = pool.now();
    pool.store.read(|data| match data.unknown_names.get(&digest_of(name)) {
        Some(known) => lockout::check(&known.failures, now),
        None => Ok(()),
    })
}

/// Counts a mistake and returns the error for it. Nothing is counted while the name is locked out, or if a user with
/// the name was added in the meantime.
pub(crate) async fn mistake(pool: &Pool, name: &str) -> Result<Error, Error> {
    let now = pool.now();
    let key = digest_of(name);
    Ok(pool
        .store
        .write_always(|data| {
            let known = data.unknown_names.get(&key);
            if let Some(Err(locked)) = known.map(|known| lockout::check(&known.failures, now)) {
                return locked;
            }
            if data.exact_user(name).is_none() {
                update_unknown_name(data, key, now, |name| count_mistake(&mut name.failures, now));
            }
            Error::wrong_password()
        })
        .await?)
}
