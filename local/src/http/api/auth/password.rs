//! Passwords: who may sign in with one, and how often one may be wrong.

use crate::{
    crypto::srp::Password,
    error::ApiError,
    http::api::{
        auth::{candidate::stand_in, stranger},
        lockout::{count_mistake, is_locked},
        migration::migrate,
    },
    model::{Client, Failures, User, UserStatus, settings::ExistenceErrors},
    pool::Shared,
    store::Data,
    triggers::{Caller, Metadata, pre_authentication},
};

/// The user of a name and a password, who may sign in: enabled, confirmed, not locked out.
///
/// `validation` is what the client says to the trigger that runs before.
pub(crate) async fn check_password(
    pool: &Shared,
    client: &Client,
    name: &str,
    password: &str,
    validation: &Metadata,
) -> Result<User, ApiError> {
    let caller = Caller { client_id: &client.settings.client_id, metadata: validation };
    let user = match pool.store.read(|data| data.find_user(name).cloned()) {
        Some(user) => Some(user),
        None => migrate(pool, name, Some(password), caller).await?,
    };
    let Some(user) = user else {
        if client.settings.prevent_user_existence_errors == ExistenceErrors::Legacy {
            return Err(ApiError::user_not_found());
        }
        let stranger = pool.store.read(|data| stand_in(pool, data, name));
        stranger::check(pool, &stranger)?;
        pre_authentication(pool, name, None, caller).await?;
        // It takes as long as for a user who is there.
        Password::unknown(name.as_bytes()).is(pool.short_name(), name, password).await;
        return Err(stranger::mistake(pool, &stranger).await?);
    };
    check_lock(&user.failures, pool.now())?;
    pre_authentication(pool, name, Some(&user), caller).await?;
    let is_right = match &user.password {
        Some(known) => known.is(pool.short_name(), &user.username, password).await,
        None => false,
    };
    judge(pool, &user, is_right).await
}

/// What a try with a password comes to. Only who knows it hears why they may not sign in.
pub(crate) async fn judge(pool: &Shared, user: &User, is_right: bool) -> Result<User, ApiError> {
    let now = pool.now();
    if !is_right {
        return Err(pool.store.write_always(|data| wrong(data, user, now)).await?);
    }
    let present = pool.store.read(|data| data.exact_user(&user.username).cloned());
    // Tries at the same time may have locked the account, and the password may be another by now.
    let present = present
        .filter(|present| proof(present) == proof(user))
        .ok_or_else(ApiError::wrong_password)?;
    check_lock(&present.failures, now)?;
    may_sign_in(&present, now)?;
    Ok(present)
}

/// What identifies a user together with the password that they have.
pub(crate) fn proof(user: &User) -> String {
    format!("{} {}", user.sub, user.password.as_ref().map_or("", Password::salt))
}

pub(crate) fn check_lock(failures: &Failures, now: u64) -> Result<(), ApiError> {
    if is_locked(failures, now) {
        return Err(ApiError::not_authorized("Password attempts exceeded"));
    }
    Ok(())
}

fn wrong(data: &mut Data, user: &User, now: u64) -> ApiError {
    let present = data.exact_user(&user.username).filter(|present| present.sub == user.sub);
    let Some(present) = present else {
        return ApiError::wrong_password();
    };
    if let Err(error) = check_lock(&present.failures, now) {
        return error;
    }
    if present.password.is_none() {
        // Nobody can know a password that is not there, neither to sign in nor to be told more.
        return match present.status {
            UserStatus::ResetRequired => reset_required(),
            _ => ApiError::wrong_password(),
        };
    }
    if let Some(user) = data.exact_user_mut(&user.username) {
        count_mistake(&mut user.failures, now);
    }
    ApiError::wrong_password()
}

pub(crate) fn may_sign_in(user: &User, now: u64) -> Result<(), ApiError> {
    if !user.enabled {
        return Err(ApiError::not_authorized("User is disabled."));
    }
    match user.status {
        UserStatus::ResetRequired => Err(reset_required()),
        UserStatus::Unconfirmed => {
            Err(ApiError::new("UserNotConfirmedException", "User is not confirmed."))
        }
        UserStatus::ForceChangePassword if has_expired(user, now) => Err(ApiError::not_authorized(
            "Temporary password has expired and must be reset by an administrator.",
        )),
        UserStatus::ForceChangePassword | UserStatus::Confirmed => Ok(()),
        UserStatus::ExternalProvider => Err(ApiError::wrong_password()),
    }
}

fn has_expired(user: &User, now: u64) -> bool {
    let ends = user.password.as_ref().and_then(|password| password.expires_at);
    ends.is_some_and(|at| at <= now)
}

pub(crate) fn reset_required() -> ApiError {
    ApiError::new("PasswordResetRequiredException", "Password reset required for the user")
}
