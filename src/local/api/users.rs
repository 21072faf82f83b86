//! What administrators see and do of single users.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        settings::Contact,
        shared::Shared,
        site::Site,
        store::{CodePurpose, Data, UserStatus},
    },
    Answer, ApiError,
    attributes::{self, AttributeInput, Writer},
    codes,
    context::{named_user, named_user_mut},
    input, nothing, required,
    sessions::sign_out_everywhere,
    shapes,
};

/// The operations of this group; nothing for others.
pub(super) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "AdminGetUser" => Some(get_user(site, input)),
        "AdminDeleteUser" => Some(delete_user(site, input)),
        "AdminEnableUser" => Some(enable_user(site, input)),
        "AdminDisableUser" => Some(disable_user(site, input)),
        "AdminConfirmSignUp" => Some(confirm_sign_up(site, input)),
        "AdminUpdateUserAttributes" => Some(update_attributes(site, input)),
        "AdminDeleteUserAttributes" => Some(delete_attributes(site, input)),
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

fn named(site: &Site, value: Value) -> Result<(Arc<Shared>, String), ApiError> {
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

fn delete_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    pool.store.write(|data| {
        let username = named_user(data, &name)?.username.clone();
        data.remove_user(&username);
        Ok::<_, ApiError>(())
    })??;
    nothing()
}

fn enable_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    let now = pool.now();
    pool.store.write(|data| {
        let user = named_user_mut(data, &name)?;
        user.enabled = true;
        user.modified_at = now;
        Ok::<_, ApiError>(())
    })??;
    nothing()
}

/// All that the user began ends, so that none of it comes back when they are enabled again.
fn disable_user(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    let now = pool.now();
    pool.store.write(|data| {
        let user = named_user_mut(data, &name)?;
        user.enabled = false;
        user.modified_at = now;
        let user = user.clone();
        sign_out_everywhere(data, &user, now);
        data.end_sign_ins(&user.username);
        Ok::<_, ApiError>(())
    })??;
    nothing()
}

/// The administrator vouches for the user, not for what the user gave as their address.
fn confirm_sign_up(site: &Site, value: Value) -> Answer {
    let (pool, name) = named(site, value)?;
    let now = pool.now();
    pool.store.write(|data| {
        let user = named_user_mut(data, &name)?;
        if user.status != UserStatus::Unconfirmed {
            return Err(ApiError::not_authorized(format!(
                "User cannot be confirmed. Current status is {}",
                user.status.as_str()
            )));
        }
        user.status = UserStatus::Confirmed;
        user.codes.remove(&CodePurpose::SignUp);
        user.modified_at = now;
        Ok(())
    })??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminUpdateUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
}

fn update_attributes(site: &Site, value: Value) -> Answer {
    let AdminUpdateUserAttributes { user_pool_id, username, user_attributes } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let list = required(user_attributes, "UserAttributes")?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_change(&settings, Writer::Admin, Some(list))?;
    let now = pool.now();
    pool.store.write(|data| {
        let present = named_user(data, &name)?.clone();
        let changed = attributes::change(data, &present, &changes, now)?;
        let user = named_user(data, &present.username)?.clone();
        // What the administrator says is proven needs no code.
        let needs_code = |contact: &Contact| {
            settings.auto_verified_attributes.contains(contact) && !user.has_verified(*contact)
        };
        for contact in changed.into_iter().filter(needs_code) {
            codes::send(data, &user, CodePurpose::proof_of(contact), contact, now)?;
        }
        Ok::<_, ApiError>(())
    })??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminDeleteUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attribute_names: Option<Vec<String>>,
}

fn delete_attributes(site: &Site, value: Value) -> Answer {
    let AdminDeleteUserAttributes { user_pool_id, username, user_attribute_names } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_removal(&settings, Writer::Admin, names)?;
    let now = pool.now();
    pool.store.write(|data| {
        let present = named_user(data, &name)?.clone();
        attributes::change(data, &present, &changes, now)
    })??;
    nothing()
}
