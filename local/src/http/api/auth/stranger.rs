//! Mistakes with names that are nobody's. They count as those with a user's, so that clients which may not know who
//! is there do not learn it from the lock.

use crate::{
    error::ApiError,
    http::api::{
        auth::password::check_lock,
        lockout::{count_mistake, knows},
    },
    pool::{Shared, issue::digest_of},
};

/// Refuses a name that too many mistakes were made with.
pub(crate) fn check(pool: &Shared, name: &str) -> Result<(), ApiError> {
    let now = pool.now();
    pool.store.read(|data| match data.strangers.get(&digest_of(name)) {
        Some(stranger) => check_lock(&stranger.failures, now),
        None => Ok(()),
    })
}

/// Counts a mistake, unless the name is locked or somebody's by now, and gives what is said to it.
pub(crate) async fn mistake(pool: &Shared, name: &str) -> Result<ApiError, ApiError> {
    let now = pool.now();
    let key = digest_of(name);
    Ok(pool
        .store
        .write_always(|data| {
            let mut stranger = data.strangers.get(&key).cloned().unwrap_or_default();
            if let Err(locked) = check_lock(&stranger.failures, now) {
                return locked;
            }
            if data.exact_user(name).is_none() {
                count_mistake(&mut stranger.failures, now);
                data.strangers.prune(|_, stranger| knows(stranger, now));
                data.strangers.insert(key, stranger);
            }
            ApiError::wrong_password()
        })
        .await?)
}
