//! What administrators see and do of single users.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::{
        attribute_change::{change, plan},
        attributes::{self, Writer},
        named_user, named_user_mut,
        sessions::sign_out_everywhere,
    },
    error::Error,
    http::api::{
        Answer,
        attribute_list::{AttributeInput, read_attributes},
        input, nothing, required, shapes,
    },
    model::{CodePurpose, UserStatus},
    pool::{Pool, site::Site},
    store::Data,
    triggers::{Caller, Confirmation, Metadata, post_confirmation},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "AdminGetUser" => Some(get_user(site, input)),
        "AdminDeleteUser" => Some(delete_user(site, input).await),
        "AdminEnableUser" => Some(enable_user(site, input).await),
        "AdminDisableUser" => Some(disable_user(site, input).await),
        "AdminConfirmSignUp" => Some(confirm_sign_up(site, input).await),
        "AdminUpdateUserAttributes" => Some(update_attributes(site, input).await),
        "AdminDeleteUserAttributes" => Some(delete_attributes(site, input).await),
        _ => None,
    }
}

/// How requests name a user.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    user_pool_id: Option<String>,
    username: Option<String>,
}

fn named(site: &Site, value: Value) -> Result<(Arc<Pool>, String), Error> {
    let Named { user_pool_id, username } = input(value)?;
    Ok((site.named_pool(user_pool_id)?, required(username, "Username")?))
}

fn get_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    pool.store.read(|data| {
        let user = named_user(data, &name)?;
        let mut written = shapes::user(user, "UserAttributes");
        written.extend(shapes::mfa(user));
        Ok(written.into())
    })
}

async fn delete_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    pool.store
        .write(|data| {
            let username = named_user(data, &name)?.username.clone();
            data.remove_user(&username);
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

async fn enable_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = named_user_mut(data, &name)?;
            user.enabled = true;
            user.modified_at = now;
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

/// All that the user began ends, so that none of it comes back when they are enabled again.
async fn disable_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = named_user_mut(data, &name)?;
            user.enabled = false;
            user.modified_at = now;
            let user = user.clone();
            sign_out_everywhere(data, &user, now);
            data.end_sign_ins(&user.username);
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminConfirmSignUp {
    user_pool_id: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

/// The administrator vouches for the user, not for what the user gave as their address.
async fn confirm_sign_up(site: &Site, value: Value) -> Answer {
    let AdminConfirmSignUp { user_pool_id, username, client_metadata } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let now = pool.now();
    let user = pool
        .store
        .write(|data| {
            let user = named_user_mut(data, &name)?;
            if user.status != UserStatus::Unconfirmed {
                return Err(Error::not_authorized(format!(
                    "User cannot be confirmed. Current status is {}",
                    user.status.as_str()
                )));
            }
            user.status = UserStatus::Confirmed;
            user.codes.remove(&CodePurpose::SignUp);
            user.modified_at = now;
            Ok(user.clone())
        })
        .await??;
    let metadata = client_metadata.unwrap_or_default();
    let caller = Caller::administrator(&metadata);
    post_confirmation(&pool.events(), &user, Confirmation::SignUp, caller).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminUpdateUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

async fn update_attributes(site: &Site, value: Value) -> Answer {
    let request: AdminUpdateUserAttributes = input(value)?;
    let pool = site.named_pool(request.user_pool_id)?;
    let name = required(request.username, "Username")?;
    let list = read_attributes(Some(required(request.user_attributes, "UserAttributes")?))?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_change(&settings, Writer::Admin, list)?;
    let metadata = request.client_metadata.unwrap_or_default();
    let caller = Caller::administrator(&metadata);
    change(&pool, |data| named_user(data, &name), &changes, caller).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminDeleteUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attribute_names: Option<Vec<String>>,
}

async fn delete_attributes(site: &Site, value: Value) -> Answer {
    let AdminDeleteUserAttributes { user_pool_id, username, user_attribute_names } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_removal(&settings, Writer::Admin, names)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            plan(data, named_user(data, &name)?, &changes, now)?.write(data);
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}
