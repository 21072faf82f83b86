//! Sign-in with a password: the check, and the lock after wrong ones.

use std::sync::Arc;

use crate::{
    crypto::srp::Password,
    domain::{
        lockout::{self, count_mistake},
        migration::migrate,
        sign_in::{named::stand_in, unknown_user},
    },
    error::{Error, ErrorKind},
    model::{Client, User, UserStatus, settings::ExistenceErrors},
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, pre_authentication},
};

/// Returns the user of a name and a password, who may sign in: enabled, confirmed and not locked.
///
/// `validation` is the client's metadata for the triggers that run before the password is checked.
pub(crate) async fn check_password(
    pool: &Pool,
    client: &Client,
    name: &str,
    password: &str,
    validation: &Metadata,
) -> Result<Arc<User>, Error> {
    let caller = Caller { client_id: &client.settings.client_id, metadata: validation };
    let user = match pool.store.read(|data| data.find_user(name).cloned()) {
        Some(user) => Some(user),
        None => migrate(pool, name, Some(password), caller).await?,
    };
    let Some(user) = user else {
        if client.settings.prevent_user_existence_errors == ExistenceErrors::Legacy {
            return Err(Error::user_not_found());
        }
        let stand_in = pool.store.read(|data| stand_in(pool, data, name));
        unknown_user::check(pool, &stand_in)?;
        pre_authentication(&pool.events(), name, None, caller).await?;
        // The check takes as long as for an existing user.
        Password::unknown(name.as_bytes()).is(pool.short_name(), name, password).await;
        return Err(unknown_user::mistake(pool, &stand_in).await?);
    };
    lockout::check(&user.failures, pool.now())?;
    pre_authentication(&pool.events(), name, Some(&user), caller).await?;
    let is_right = match &user.password {
        Some(known) => known.is(pool.short_name(), &user.username, password).await,
        None => false,
    };
    judge(pool, &user, is_right).await
}

/// Counts a wrong password, or returns the user with the right one. Only a caller who knows the password learns why the
/// user may not sign in.
pub(crate) async fn judge(pool: &Pool, user: &User, is_right: bool) -> Result<Arc<User>, Error> {
    let now = pool.now();
    if !is_right {
        return Err(pool.store.write_always(|data| wrong(data, user, now)).await?);
    }
    let present = pool.store.read(|data| data.exact_user(&user.username).cloned());
    // Concurrent attempts may have locked the account, and the password may have changed.
    let present = present
        .filter(|present| present.proof() == user.proof())
        .ok_or_else(Error::wrong_password)?;
    lockout::check(&present.failures, now)?;
    may_sign_in(&present, now)?;
    Ok(present)
}

fn wrong(data: &mut Data, user: &User, now: u64) -> Error {
    let present = data.exact_user(&user.username).filter(|present| present.sub == user.sub);
    let Some(present) = present else {
        return Error::wrong_password();
    };
    if let Err(error) = lockout::check(&present.failures, now) {
        return error;
    }
    if present.password.is_none() {
        // Nobody can know a password that does not exist, so that nothing is counted.
        return match present.status {
            UserStatus::ResetRequired => Error::reset_required(),
            _ => Error::wrong_password(),
        };
    }
    if let Some(user) = data.exact_user_mut(&user.username) {
        count_mistake(&mut user.failures, now);
    }
    Error::wrong_password()
}

pub(crate) fn may_sign_in(user: &User, now: u64) -> Result<(), Error> {
    if !user.enabled {
        return Err(Error::not_authorized("User is disabled."));
    }
    match user.status {
        UserStatus::ResetRequired => Err(Error::reset_required()),
        UserStatus::Unconfirmed => {
            Err(Error::new(ErrorKind::UserNotConfirmed, "User is not confirmed."))
        }
        UserStatus::ForceChangePassword if has_expired(user, now) => Err(Error::not_authorized(
            "Temporary password has expired and must be reset by an administrator.",
        )),
        UserStatus::ForceChangePassword | UserStatus::Confirmed => Ok(()),
        UserStatus::ExternalProvider => Err(Error::wrong_password()),
    }
}

fn has_expired(user: &User, now: u64) -> bool {
    let ends = user.password.as_ref().and_then(|password| password.expires_at);
    ends.is_some_and(|at| at <= now)
}
