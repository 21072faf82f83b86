//! Passwords of users: changes with the previous password, and resets with a code.

use std::sync::Arc;

use crate::{
    domain::{
        codes,
        find::{named_user, named_user_mut, present_user, present_user_mut, unknown_user},
        lockout::{count_mistake, is_locked},
        messages::CodeDelivery,
        migration::migrate,
        new_password::{new_password, set_password},
        simulation,
    },
    error::Error,
    model::{Client, CodePurpose, User, UserStatus, settings::Contact},
    pool::Pool,
    store::Data,
    triggers::{Caller, ConfirmationSource, Metadata, Reason, post_confirmation},
};

/// Changes the password of a signed-in user. `previous` is required if the user has a password.
pub(crate) async fn change(
    pool: &Pool,
    user: &User,
    previous: Option<&str>,
    proposed: &str,
) -> Result<(), Error> {
    let now = pool.now();
    check_previous(pool, user, previous, now).await?;
    let settings = pool.store.read(Data::settings);
    let password = new_password(pool, &settings, user, proposed).await?;
    pool.store
        .write(|data| {
            let current = present_user_mut(data, user)?;
            check_not_locked(current, now)?;
            // Another request may have changed the password since it was checked.
            if current.password != user.password {
                return Err(Error::wrong_password());
            }
            set_password(current, &settings, password);
            current.modified_at = now;
            Ok(())
        })
        .await?
}

/// Sends a code to reset a forgotten password.
pub(crate) async fn forgot(
    pool: &Pool,
    client: &Client,
    name: &str,
    metadata: &Metadata,
) -> Result<CodeDelivery, Error> {
    let caller = Caller::of(client, metadata);
    if pool.store.read(|data| data.find_user(name).is_none()) {
        migrate(pool, name, None, caller).await?;
    }
    let Some((user, contact)) = pool.store.read(|data| recipient(data, client, name))? else {
        let now = pool.now();
        return pool.store.write(|data| Ok(simulate_delivery(pool, data, name, now))).await?;
    };
    let (purpose, reason) = (CodePurpose::Forgot, Reason::ForgotPassword);
    let message = codes::compose(pool, &user, purpose, contact, reason, caller).await?;
    let now = pool.now();
    pool.store
        .write(|data| match recipient(data, client, name)? {
            Some((user, contact)) => {
                message.check_recipient(&user, contact)?;
                codes::send(data, &message, now)
            }
            None => Ok(simulate_delivery(pool, data, name, now)),
        })
        .await?
}

/// Resets a password with the code that was sent.
pub(crate) async fn reset(
    pool: &Pool,
    client: &Client,
    name: &str,
    code: &str,
    text: &str,
    metadata: &Metadata,
) -> Result<(), Error> {
    let settings = pool.store.read(Data::settings);
    if let Some(violation) = settings.password_policy.violation(text) {
        return Err(Error::invalid_password(violation));
    }
    // Check the code before the password history. Otherwise a client without the code could find out earlier passwords.
    // The count of wrong codes is saved even though the request fails.
    let now = pool.now();
    let user =
        pool.store.write_always(|data| check_reset_code(data, client, name, code, now)).await??;
    let password = new_password(pool, &settings, &user, text).await?;
    let user = pool
        .store
        .write(|data| {
            let user = present_user_mut(data, &user)?;
            codes::check(&mut user.codes, CodePurpose::Forgot, code, now)?;
            // This also removes the code.
            set_password(user, &settings, password);
            user.status = UserStatus::Confirmed;
            user.modified_at = now;
            Ok::<_, Error>(user.clone())
        })
        .await??;
    let caller = Caller::of(client, metadata);
    post_confirmation(&pool.events(), &user, ConfirmationSource::ForgotPassword, caller).await
}

/// Returns the user if the code to reset the password is correct.
fn check_reset_code(
    data: &mut Data,
    client: &Client,
    name: &str,
    code: &str,
    now: u64,
) -> Result<Arc<User>, Error> {
    let has_code = |user: &User| user.enabled && user.codes.contains_key(&CodePurpose::Forgot);
    if data.find_user(name).is_some_and(|user| has_code(user)) {
        let user = named_user_mut(data, name)?;
        codes::check(&mut user.codes, CodePurpose::Forgot, code, now)?;
        return named_user(data, name).cloned();
    }
    let error = codes::reject_simulated(data, name, code, now);
    Err(match data.find_user(name) {
        Some(user) if user.enabled => error,
        _ => unknown_user(client, error),
    })
}

/// Checks the previous password. A user without a password needs none.
async fn check_previous(
    pool: &Pool,
    user: &User,
    previous: Option<&str>,
    now: u64,
) -> Result<(), Error> {
    let Some(password) = &user.password else {
        return Ok(());
    };
    let previous = previous.ok_or_else(|| Error::missing("PreviousPassword"))?;
    check_not_locked(user, now)?;
    if password.is(pool.short_name(), &user.username, previous).await {
        // If concurrent attempts locked the account, the correct password gets the same error as a wrong one.
        return pool.store.read(|data| check_not_locked(present_user(data, user)?, now));
    }
    pool.store
        .write_always(|data| {
            let present = present_user_mut(data, user)?;
            // Concurrent attempts may have locked the account.
            check_not_locked(present, now)?;
            count_mistake(&mut present.failures, now);
            Err(Error::wrong_password())
        })
        .await?
}

/// Rejects attempts while the account is locked, so that the password cannot be guessed with a stolen access token.
fn check_not_locked(user: &User, now: u64) -> Result<(), Error> {
    if is_locked(&user.failures, now) { Err(Error::attempt_limit()) } else { Ok(()) }
}

/// Stores a code without sending it, and returns a simulated delivery.
fn simulate_delivery(pool: &Pool, data: &mut Data, name: &str, now: u64) -> CodeDelivery {
    codes::simulate(data, name, now);
    simulation::delivery(pool, data, name)
}

/// Returns the user and the contact to which the reset code is sent. Returns `None` if no code is sent and the app
/// client hides that.
fn recipient(
    data: &Data,
    client: &Client,
    name: &str,
) -> Result<Option<(Arc<User>, Contact)>, Error> {
    let hides_users = client.settings.hides_users();
    let Some(user) = data.find_user(name).cloned() else {
        return if hides_users { Ok(None) } else { Err(Error::user_not_found()) };
    };
    if matches!(user.status, UserStatus::ForceChangePassword | UserStatus::ExternalProvider) {
        return Err(Error::cannot_reset());
    }
    match codes::recovery_contact(&user) {
        Some(contact) if user.enabled => Ok(Some((user, contact))),
        _ if hides_users => Ok(None),
        Some(_) => Err(Error::user_disabled()),
        None => Err(Error::no_recovery_contact()),
    }
}
