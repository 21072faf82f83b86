//! Sign-in with a password: the check of the password, and the lockout after wrong passwords.

use std::sync::Arc;

use crate::{
    domain::{
        lockout::{self, count_mistake},
        migration::migrate,
        sign_in::unknown_user,
        simulation,
    },
    error::{Error, ErrorKind},
    model::{Client, User, UserStatus},
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, pre_authentication},
};

/// Verifies a name and a password, and returns the user if they may sign in.
///
/// `validation` is the client's metadata for the triggers that run before the password is checked.
pub(crate) async fn check_password(
    pool: &Pool,
    client: &Client,
    name: &str,
    password: &str,
    validation: &Metadata,
) -> Result<Arc<User>, Error> {
    let caller = Caller::of(client, validation);
    let user = match pool.store.read(|data| data.find_user(name).cloned()) {
        Some(user) => user,
        None => match migrated_user(pool, name, password, caller).await? {
            Some(user) => user,
            None => return Err(unknown_user_error(pool, client, name, password, caller).await?),
        },
    };
    lockout::check(&user.failures, pool.now())?;
    pre_authentication(&pool.events(), name, Some(&user), caller).await?;
    // The check must take as long for a user without a password.
    let is_right = match &user.password {
        Some(known) => known.is(pool.short_name(), &user.username, password).await,
        None => {
            let simulated = simulation::password(pool, &user.username);
            simulated.is(pool.short_name(), &user.username, password).await
        }
    };
    if is_right { accept_password(pool, &user) } else { Err(reject_password(pool, &user).await?) }
}

/// Returns the user if the migration trigger knows them. A failed call counts as a wrong password, because functions
/// report wrong passwords as errors.
async fn migrated_user(
    pool: &Pool,
    name: &str,
    password: &str,
    caller: Caller<'_>,
) -> Result<Option<Arc<User>>, Error> {
    let user_name = pool.store.read(|data| simulation::user_name(pool, data, name));
    unknown_user::check(pool, &user_name)?;
    match migrate(pool, name, Some(password), caller).await {
        Err(error) => {
            unknown_user::mistake(pool, &user_name).await?;
            Err(error)
        }
        migrated => migrated,
    }
}

/// Returns the error for a name that no user has.
async fn unknown_user_error(
    pool: &Pool,
    client: &Client,
    name: &str,
    password: &str,
    caller: Caller<'_>,
) -> Result<Error, Error> {
    if !client.settings.hides_users() {
        return Ok(Error::user_not_found());
    }
    let user_name = pool.store.read(|data| simulation::user_name(pool, data, name));
    pre_authentication(&pool.events(), name, None, caller).await?;
    // The check must take as long as for an existing user.
    simulation::password(pool, &user_name).is(pool.short_name(), &user_name, password).await;
    unknown_user::mistake(pool, &user_name).await
}

/// Returns the user after the password was verified, if they may sign in. This is checked last, because only a caller
/// who knows the password may learn why the user cannot sign in.
pub(crate) fn accept_password(pool: &Pool, user: &User) -> Result<Arc<User>, Error> {
    let now = pool.now();
    let present = pool.store.read(|data| data.exact_user(&user.username).cloned());
    // Concurrent attempts may have locked the account, and the password may have changed.
    let present = present
        .filter(|present| present.proof() == user.proof())
        .ok_or_else(Error::wrong_password)?;
    lockout::check(&present.failures, now)?;
    may_sign_in(&present, now)?;
    Ok(present)
}

/// Counts a wrong password, and returns the error for it.
pub(crate) async fn reject_password(pool: &Pool, user: &User) -> Result<Error, Error> {
    let now = pool.now();
    Ok(pool.store.write_always(|data| count_wrong_password(data, user, now)).await?)
}

fn count_wrong_password(data: &mut Data, user: &User, now: u64) -> Error {
    let present = data.exact_user_mut(&user.username).filter(|present| present.sub == user.sub);
    let Some(present) = present else {
        return Error::wrong_password();
    };
    if let Err(error) = lockout::check(&present.failures, now) {
        return error;
    }
    if present.password.is_none() && present.status == UserStatus::ResetRequired {
        return Error::reset_required();
    }
    count_mistake(&mut present.failures, now);
    Error::wrong_password()
}

/// Checks that a user may sign in.
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
    let expires_at = user.password.as_ref().and_then(|password| password.expires_at);
    expires_at.is_some_and(|at| at <= now)
}
