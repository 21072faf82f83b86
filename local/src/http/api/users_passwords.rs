//! Passwords that administrators set and reset.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::{
        codes, named_user, named_user_mut,
        new_password::{new_password, set_password},
        temporary_password::temporary_password,
    },
    error::Error,
    http::api::{Answer, input, nothing, required},
    model::{CodePurpose, User, UserStatus, settings::Contact},
    pool::site::Site,
    store::Data,
    triggers::{Caller, Metadata, Reason},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "AdminSetUserPassword" => Some(set_user_password(site, input).await),
        "AdminResetUserPassword" => Some(reset_user_password(site, input).await),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminSetUserPassword {
    user_pool_id: Option<String>,
    username: Option<String>,
    password: Option<String>,
    permanent: Option<bool>,
}

/// Whatever the user's state was, the password takes them out of it: for good, or until they change it.
async fn set_user_password(site: &Site, value: Value) -> Answer {
    let AdminSetUserPassword { user_pool_id, username, password, permanent } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let text = required(password, "Password")?;
    let (settings, user) = pool
        .store
        .read(|data| Ok::<_, Error>((data.settings(), named_user(data, &name)?.clone())))?;
    let (password, status) = if permanent.unwrap_or_default() {
        (new_password(&pool, &settings, &user, &text).await?, UserStatus::Confirmed)
    } else {
        let first = temporary_password(&pool, &settings, &user, Some(text)).await?;
        (first.stored, UserStatus::ForceChangePassword)
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
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminResetUserPassword {
    user_pool_id: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

/// The password that the user has does not let them in any more; a code lets them choose another.
async fn reset_user_password(site: &Site, value: Value) -> Answer {
    let AdminResetUserPassword { user_pool_id, username, client_metadata } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let (user, contact) = pool.store.read(|data| to_reset(data, &name))?;
    let metadata = client_metadata.unwrap_or_default();
    let caller = Caller::administrator(&metadata);
    let (purpose, reason) = (CodePurpose::Forgot, Reason::ForgotPassword);
    let message = codes::compose(&pool, &user, purpose, contact, reason, caller).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            to_reset(data, &name)?;
            codes::send(data, &message, now)?;
            let user = named_user_mut(data, &user.username)?;
            user.status = UserStatus::ResetRequired;
            user.modified_at = now;
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

/// A user whose password can be reset, and where the code goes.
fn to_reset(data: &Data, name: &str) -> Result<(User, Contact), Error> {
    let user = named_user(data, name)?.clone();
    if !user.enabled {
        return Err(Error::user_disabled());
    }
    if matches!(user.status, UserStatus::ForceChangePassword | UserStatus::ExternalProvider) {
        return Err(Error::cannot_reset());
    }
    let contact = codes::recovery_contact(&user).ok_or_else(Error::no_recovery_contact)?;
    Ok((user, contact))
}
