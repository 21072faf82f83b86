//! Groups: made, changed, listed and deleted.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    http::api::{Answer, input, nothing, paging::Paging, required, shapes},
    model::Group,
    pool::site::Site,
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "CreateGroup" => Some(create_group(site, input).await),
        "GetGroup" => Some(get_group(site, input)),
        "UpdateGroup" => Some(update_group(site, input).await),
        "DeleteGroup" => Some(delete_group(site, input).await),
        "ListGroups" => Some(list_groups(site, input)),
        _ => None,
    }
}

/// What groups are given and asked by.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    user_pool_id: Option<String>,
    group_name: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<u32>,
}

async fn create_group(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, group_name: name, description, role_arn, precedence } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(name, "GroupName")?;
    let now = pool.now();
    pool.store
        .write(|data| {
            if data.groups.contains(&name) {
                return Err(Error::new(
                    "GroupExistsException",
                    "A group with the name already exists.",
                ));
            }
            let group = Group {
                name,
                description,
                role_arn,
                precedence,
                created_at: now,
                modified_at: now,
            };
            let written = shapes::group(pool.id().as_str(), &group);
            data.groups.insert(group.name.clone(), group);
            Ok(json!({ "Group": written }))
        })
        .await?
}

fn get_group(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, group_name: name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(name, "GroupName")?;
    let group = pool
        .store
        .read(|data| data.groups.get(&name).map(|group| shapes::group(pool.id().as_str(), group)));
    Ok(json!({ "Group": group.ok_or_else(Error::no_group)? }))
}

/// What the request does not say stays as it is.
async fn update_group(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, group_name: name, description, role_arn, precedence } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(name, "GroupName")?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let group = data.groups.get_mut(&name).ok_or_else(Error::no_group)?;
            group.description = description.or_else(|| group.description.take());
            group.role_arn = role_arn.or_else(|| group.role_arn.take());
            group.precedence = precedence.or(group.precedence);
            group.modified_at = now;
            Ok(json!({ "Group": shapes::group(pool.id().as_str(), group) }))
        })
        .await?
}

async fn delete_group(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, group_name: name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(name, "GroupName")?;
    pool.store
        .write(|data| {
            data.remove_group(&name).ok_or_else(Error::no_group)?;
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListGroups {
    user_pool_id: Option<String>,
    limit: Option<i64>,
    next_token: Option<String>,
}

fn list_groups(site: &Site, value: Value) -> Answer {
    let ListGroups { user_pool_id, limit, next_token } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let id = pool.id().as_str();
    let paging = Paging::new(&format!("ListGroups {id}"), limit, next_token.as_deref())?;
    Ok(pool.store.read(|data| {
        let (groups, next) = paging.page(data.groups.iter());
        shapes::page("Groups", groups.into_iter().map(|group| shapes::group(id, group)), next)
    }))
}
