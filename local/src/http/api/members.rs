//! Which users are in which groups.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    domain::{named_user, named_user_mut},
    error::Error,
    http::api::{Answer, input, nothing, paging::Paging, required, shapes},
    pool::site::Site,
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "AdminAddUserToGroup" => Some(add_user_to_group(site, input).await),
        "AdminRemoveUserFromGroup" => Some(remove_user_from_group(site, input).await),
        "AdminListGroupsForUser" => Some(list_groups_for_user(site, input)),
        "ListUsersInGroup" => Some(list_users_in_group(site, input)),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Membership {
    user_pool_id: Option<String>,
    username: Option<String>,
    group_name: Option<String>,
}

async fn add_user_to_group(site: &Site, value: Value) -> Answer {
    let Membership { user_pool_id, username, group_name: group } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let group = required(group, "GroupName")?;
    pool.store
        .write(|data| {
            named_user(data, &name)?;
            if !data.groups.contains(&group) {
                return Err(Error::no_group());
            }
            named_user_mut(data, &name)?.groups.insert(group);
            Ok(())
        })
        .await??;
    nothing()
}

/// Who is not in the group is out of it already.
async fn remove_user_from_group(site: &Site, value: Value) -> Answer {
    let Membership { user_pool_id, username, group_name: group } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let group = required(group, "GroupName")?;
    pool.store
        .write(|data| {
            named_user(data, &name)?;
            if !data.groups.contains(&group) {
                return Err(Error::no_group());
            }
            named_user_mut(data, &name)?.groups.remove(&group);
            Ok(())
        })
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct List {
    user_pool_id: Option<String>,
    username: Option<String>,
    group_name: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

fn list_groups_for_user(site: &Site, value: Value) -> Answer {
    let List { user_pool_id, username, limit, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let id = pool.id().as_str();
    pool.store.read(|data| {
        let user = named_user(data, &name)?;
        let list = format!("AdminListGroupsForUser {id} {}", user.sub);
        let paging = Paging::new(&list, limit, next_token.as_deref())?;
        let groups = user.groups.iter().filter_map(|name| data.groups.get(name));
        let (groups, next) = paging.page(groups.map(|group| (group.name.as_str(), group)));
        let written = groups.into_iter().map(|group| shapes::group(id, group));
        Ok(shapes::page("Groups", written, next))
    })
}

fn list_users_in_group(site: &Site, value: Value) -> Answer {
    let List { user_pool_id, group_name: group, limit, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let group = required(group, "GroupName")?;
    let list = format!("ListUsersInGroup {} {group}", pool.id());
    let paging = Paging::new(&list, limit, next_token.as_deref())?;
    pool.store.read(|data| {
        if !data.groups.contains(&group) {
            return Err(Error::no_group());
        }
        let members = data.users.iter().filter(|(_, user)| user.groups.contains(&group));
        let (users, next) = paging.page(members);
        let written = users.into_iter().map(|user| shapes::user(user, "Attributes").into());
        Ok(shapes::page("Users", written, next))
    })
}
