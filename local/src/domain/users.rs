//! Operations of administrators on single users.

use std::sync::Arc;

use crate::{
    domain::{
        attribute_change::{change, plan},
        attributes::{self, AttributeInput, Writer},
        codes,
        filter::Filter,
        find::{named_user, named_user_mut},
        new_password::{new_password, set_password},
        paging::Paging,
        sessions::sign_out_everywhere,
        temporary_password::temporary_password,
    },
    error::Error,
    model::{CodePurpose, User, UserStatus, settings::Contact},
    pool::Pool,
    store::Data,
    triggers::{Caller, ConfirmationSource, Metadata, Reason, post_confirmation},
};

/// The kind of a password that an administrator sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasswordKind {
    /// The user must change it at the next sign-in.
    Temporary,
    Permanent,
}

pub(crate) fn get(pool: &Pool, name: &str) -> Result<Arc<User>, Error> {
    pool.store.read(|data| named_user(data, name).cloned())
}

/// Returns a page of the users that match a filter, and the token of the next page.
///
/// # Errors
/// Returns an error if the pool does not have all `attributes`.
pub(crate) fn list(
    pool: &Pool,
    filter: Option<&Filter>,
    attributes: &[String],
    paging: &Paging,
) -> Result<(Vec<Arc<User>>, Option<String>), Error> {
    pool.store.read(|data| {
        let settings = data.settings();
        if !attributes.iter().all(|name| settings.attribute(name).is_some()) {
            return Err(Error::invalid_parameter("One or more requested attributes do not exist."));
        }
        let matches =
            |(_, user): &(&str, &Arc<User>)| filter.is_none_or(|filter| filter.matches(user));
        let (users, next) = paging.page(data.users.iter().filter(matches));
        Ok((users.into_iter().cloned().collect(), next))
    })
}

pub(crate) async fn delete(pool: &Pool, name: &str) -> Result<(), Error> {
    pool.store
        .write(|data| {
            let username = named_user(data, name)?.username.clone();
            data.remove_user(&username);
            Ok(())
        })
        .await?
}

pub(crate) async fn enable(pool: &Pool, name: &str) -> Result<(), Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = named_user_mut(data, name)?;
            user.enabled = true;
            user.modified_at = now;
            Ok(())
        })
        .await?
}

/// Disables a user. Ends all sessions and unfinished sign-ins, so none of them becomes valid again when the user is
/// enabled.
pub(crate) async fn disable(pool: &Pool, name: &str) -> Result<(), Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = named_user_mut(data, name)?;
            user.enabled = false;
            user.modified_at = now;
            let user = user.clone();
            sign_out_everywhere(data, &user, now);
            data.end_sign_ins(&user.username);
            Ok(())
        })
        .await?
}

/// Confirms a user who signed up. It does not verify the user's contacts.
pub(crate) async fn confirm(pool: &Pool, name: &str, metadata: &Metadata) -> Result<(), Error> {
    let now = pool.now();
    let user = pool
        .store
        .write(|data| {
            let user = named_user_mut(data, name)?;
            if user.status != UserStatus::Unconfirmed {
                return Err(Error::cannot_confirm(user.status.as_str()));
            }
            user.status = UserStatus::Confirmed;
            user.codes.remove(&CodePurpose::SignUp);
            user.modified_at = now;
            Ok(user.clone())
        })
        .await??;
    let caller = Caller::administrator(metadata);
    post_confirmation(&pool.events(), &user, ConfirmationSource::SignUp, caller).await
}

pub(crate) async fn update_attributes(
    pool: &Pool,
    name: &str,
    list: Vec<AttributeInput>,
    metadata: &Metadata,
) -> Result<(), Error> {
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_change(&settings, Writer::Admin, list)?;
    let caller = Caller::administrator(metadata);
    change(pool, |data| named_user(data, name), &changes, caller).await.map(drop)
}

pub(crate) async fn delete_attributes(
    pool: &Pool,
    name: &str,
    names: Vec<String>,
) -> Result<(), Error> {
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_removal(&settings, Writer::Admin, names)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            plan(data, named_user(data, name)?, &changes, now)?.write(data);
            Ok(())
        })
        .await?
}

/// Sets a user's password, regardless of the user's status.
pub(crate) async fn set_user_password(
    pool: &Pool,
    name: &str,
    text: String,
    kind: PasswordKind,
) -> Result<(), Error> {
    let (settings, user) = pool
        .store
        .read(|data| Ok::<_, Error>((data.settings(), named_user(data, name)?.clone())))?;
    let (password, status) = match kind {
        PasswordKind::Permanent => {
            (new_password(pool, &settings, &user, &text).await?, UserStatus::Confirmed)
        }
        PasswordKind::Temporary => {
            let temporary = temporary_password(pool, &settings, &user, Some(text)).await?;
            (temporary.stored, UserStatus::ForceChangePassword)
        }
    };
    let now = pool.now();
    pool.store
        .write(|data| {
            let present = data.exact_user_mut(&user.username).filter(|found| found.sub == user.sub);
            let present = present.ok_or_else(Error::user_not_found)?;
            set_password(present, &settings, password);
            present.status = status;
            present.codes.remove(&CodePurpose::SignUp);
            present.modified_at = now;
            Ok(())
        })
        .await?
}

/// Invalidates a user's password, and sends a code to set a new one.
pub(crate) async fn reset_password(
    pool: &Pool,
    name: &str,
    metadata: &Metadata,
) -> Result<(), Error> {
    let (user, contact) = pool.store.read(|data| reset_recipient(data, name))?;
    let caller = Caller::administrator(metadata);
    let (purpose, reason) = (CodePurpose::Forgot, Reason::ForgotPassword);
    let message = codes::compose(pool, &user, purpose, contact, reason, caller).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let (recipient, contact) = reset_recipient(data, name)?;
            message.check_recipient(&recipient, contact)?;
            codes::send(data, &message, now)?;
            let user = named_user_mut(data, &user.username)?;
            user.status = UserStatus::ResetRequired;
            user.modified_at = now;
            Ok(())
        })
        .await?
}

/// Returns a user whose password can be reset, and the contact to which the code is sent.
fn reset_recipient(data: &Data, name: &str) -> Result<(Arc<User>, Contact), Error> {
    let user = named_user(data, name)?;
    if !user.enabled {
        return Err(Error::user_disabled());
    }
    if matches!(user.status, UserStatus::ForceChangePassword | UserStatus::ExternalProvider) {
        return Err(Error::cannot_reset());
    }
    let contact = codes::recovery_contact(user).ok_or_else(Error::no_recovery_contact)?;
    Ok((user.clone(), contact))
}
