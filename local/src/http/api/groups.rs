//! Groups and their members: `CreateGroup`, `AdminAddUserToGroup` and related operations.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        groups::{self, GroupSettings},
        paging::Paging,
    },
    error::Error,
    http::api::{Output, empty_output, input, required, shapes},
    pool::site::Site,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    user_pool_id: Option<String>,
    group_name: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<u32>,
}

impl Input {
    fn settings(self) -> Result<GroupSettings, Error> {
        let Self { group_name, description, role_arn, precedence, .. } = self;
        let name = required(group_name, "GroupName")?;
        Ok(GroupSettings { name, description, role_arn, precedence })
    }
}

pub(crate) async fn create_group(site: &Site, value: Value) -> Output {
    let input: Input = input(value)?;
    let pool = site.named_pool(input.user_pool_id.clone())?;
    let group = groups::create(&pool, input.settings()?).await?;
    Ok(json!({ "Group": shapes::group(pool.id().as_str(), &group) }))
}

pub(crate) async fn get_group(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, group_name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let group = groups::get(&pool, &required(group_name, "GroupName")?)?;
    Ok(json!({ "Group": shapes::group(pool.id().as_str(), &group) }))
}

pub(crate) async fn update_group(site: &Site, value: Value) -> Output {
    let input: Input = input(value)?;
    let pool = site.named_pool(input.user_pool_id.clone())?;
    let group = groups::update(&pool, input.settings()?).await?;
    Ok(json!({ "Group": shapes::group(pool.id().as_str(), &group) }))
}

pub(crate) async fn delete_group(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, group_name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    groups::delete(&pool, &required(group_name, "GroupName")?).await?;
    empty_output()
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

pub(crate) async fn list_groups(site: &Site, value: Value) -> Output {
    let List { user_pool_id, limit, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let id = pool.id().as_str();
    let paging = Paging::new(&format!("ListGroups {id}"), limit, next_token.as_deref())?;
    let (groups, next) = groups::list(&pool, &paging);
    Ok(shapes::page("Groups", groups.iter().map(|group| shapes::group(id, group)), next))
}

pub(crate) async fn list_groups_for_user(site: &Site, value: Value) -> Output {
    let List { user_pool_id, username, limit, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let (groups, next) = groups::list_of_user(&pool, &name, limit, next_token.as_deref())?;
    let id = pool.id().as_str();
    Ok(shapes::page("Groups", groups.iter().map(|group| shapes::group(id, group)), next))
}

pub(crate) async fn list_users_in_group(site: &Site, value: Value) -> Output {
    let List { user_pool_id, group_name, limit, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let group = required(group_name, "GroupName")?;
    let list = format!("ListUsersInGroup {} {group}", pool.id());
    let paging = Paging::new(&list, limit, next_token.as_deref())?;
    let (users, next) = groups::list_users(&pool, &group, &paging)?;
    let written = users.iter().map(|user| shapes::user(user, "Attributes").into());
    Ok(shapes::page("Users", written, next))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Membership {
    user_pool_id: Option<String>,
    username: Option<String>,
    group_name: Option<String>,
}

pub(crate) async fn add_user(site: &Site, value: Value) -> Output {
    let Membership { user_pool_id, username, group_name } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (name, group) = (required(username, "Username")?, required(group_name, "GroupName")?);
    groups::add_user(&pool, &name, &group).await?;
    empty_output()
}

pub(crate) async fn remove_user(site: &Site, value: Value) -> Output {
    let Membership { user_pool_id, username, group_name } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (name, group) = (required(username, "Username")?, required(group_name, "GroupName")?);
    groups::remove_user(&pool, &name, &group).await?;
    empty_output()
}
