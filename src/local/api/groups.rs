//! Groups: made, changed, listed and deleted.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{site::Site, store::Group},
    Answer, ApiError, input, nothing,
    paging::Paging,
    required, shapes, validate,
};

const MAX_NAME: usize = 128;
const MAX_TEXT: usize = 2048;

/// The operations of this group; nothing for others.
pub(super) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "CreateGroup" => Some(create_group(site, input).await),
        "GetGroup" => Some(get_group(site, input)),
        "UpdateGroup" => Some(update_group(site, input).await),
        "DeleteGroup" => Some(delete_group(site, input).await),
        "ListGroups" => Some(list_groups(site, input)),
        _ => None,
    }
}

/// A group's name as requests write it.
pub(super) fn group_name(name: Option<String>) -> Result<String, ApiError> {
    let name = required(name, "GroupName")?;
    validate::not_empty("groupName", &name)?;
    validate::at_most("groupName", &name, MAX_NAME)?;
    if name.contains(|sign: char| sign.is_whitespace() || sign.is_control()) {
        let constraint =
            r"Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+";
        return Err(validate::broken("groupName", &name, constraint));
    }
    Ok(name)
}

/// What groups are given and asked by.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    user_pool_id: Option<String>,
    group_name: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<i64>,
}

/// What a group says beside its name.
struct Details {
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<u32>,
}

async fn create_group(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, group_name: name, description, role_arn, precedence } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = group_name(name)?;
    let details = checked(description, role_arn, precedence)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            if data.groups.contains(&name) {
                return Err(ApiError::new(
                    "GroupExistsException",
                    "A group with the name already exists.",
                ));
            }
            let Details { description, role_arn, precedence } = details;
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
    let name = group_name(name)?;
    let group = pool
        .store
        .read(|data| data.groups.get(&name).map(|group| shapes::group(pool.id().as_str(), group)));
    Ok(json!({ "Group": group.ok_or_else(ApiError::no_group)? }))
}

/// What the request does not say stays as it is.
async fn update_group(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, group_name: name, description, role_arn, precedence } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = group_name(name)?;
    let Details { description, role_arn, precedence } = checked(description, role_arn, precedence)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let group = data.groups.get_mut(&name).ok_or_else(ApiError::no_group)?;
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
    let name = group_name(name)?;
    pool.store
        .write(|data| {
            data.remove_group(&name).ok_or_else(ApiError::no_group)?;
            Ok::<_, ApiError>(())
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

fn checked(
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<i64>,
) -> Result<Details, ApiError> {
    if let Some(text) = &description {
        validate::at_most("description", text, MAX_TEXT)?;
    }
    if let Some(arn) = &role_arn {
        check_arn(arn)?;
    }
    let precedence = precedence.map(check_precedence).transpose()?;
    Ok(Details { description, role_arn, precedence })
}

/// A number as Java's, from 0 on.
fn check_precedence(number: i64) -> Result<u32, ApiError> {
    let wrong = |constraint: &str| validate::broken("precedence", &number.to_string(), constraint);
    if number > i64::from(i32::MAX) {
        return Err(wrong("Member must have value less than or equal to 2147483647"));
    }
    let least = "Member must have value greater than or equal to 0";
    u32::try_from(number).map_err(|_| wrong(least))
}

fn check_arn(arn: &str) -> Result<(), ApiError> {
    let wrong = |constraint: &str| validate::broken("roleArn", arn, constraint);
    validate::at_most("roleArn", arn, MAX_TEXT)?;
    if arn.chars().count() < 20 {
        return Err(wrong("Member must have length greater than or equal to 20"));
    }
    if is_arn(arn) {
        return Ok(());
    }
    Err(wrong(
        r"Member must satisfy regular expression pattern: arn:[\w+=/,.@-]+:[\w+=/,.@-]+:([\w+=/,.@-]*)?:[0-9]+:[\w+=/,.@-]+(:[\w+=/,.@-]+)?(:[\w+=/,.@-]+)?",
    ))
}

/// Six to eight parts, of which the region may be empty and the account is a number.
fn is_arn(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "_+=/,.@-".contains(sign);
    (6..=8).contains(&parts.len())
        && parts.iter().enumerate().all(|(place, part)| match place {
            0 => *part == "arn",
            3 => part.chars().all(is_sign),
            4 => !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit()),
            _ => !part.is_empty() && part.chars().all(is_sign),
        })
}
