//! Mistakes with names that no user has. They are counted as a user's are, so that a client which must not learn who
//! exists does not learn it from the lock.

use crate::{
    crypto::secret::digest_of,
    domain::lockout::{self, count_mistake, knows},
    error::Error,
    model::Stranger,
    pool::Pool,
};

/// Rejects a name with which too many mistakes were made.
pub(crate) fn check(pool: &Pool, name: &str) -> Result<(), Error> {
    let now = pool.now();
    pool.store.read(|data| match data.strangers.get(&digest_of(name)) {
        Some(stranger) => lockout::check(&stranger.failures, now),
        None => Ok(()),
    })
}

/// Counts a mistake and returns the error for it. Nothing is counted while the name is locked, or if a user has taken it.
pub(crate) async fn mistake(pool: &Pool, name: &str) -> Result<Error, Error> {
    let now = pool.now();
    let key = digest_of(name);
    Ok(pool
        .store
        .write_always(|data| {
            let mut stranger = data
                .strangers
                .get(&key)
                .map_or_else(Stranger::default, |known| Stranger::clone(known));
            if let Err(locked) = lockout::check(&stranger.failures, now) {
                return locked;
            }
            if data.exact_user(name).is_none() {
                count_mistake(&mut stranger.failures, now);
                data.strangers.prune(|_, stranger| knows(stranger, now));
                data.strangers.insert(key, stranger);
            }
            Error::wrong_password()
        })
        .await?)
}
