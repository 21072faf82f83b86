//! Groups and their members.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    domain::{
        find::{named_user, named_user_mut},
        paging::Paging,
    },
    error::{Error, ErrorKind},
    model::{Group, User},
    pool::Pool,
};

/// The settings of a group. In an update, a setting that is `None` does not change.
pub(crate) struct GroupSettings {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) precedence: Option<u32>,
}

pub(crate) async fn create(pool: &Pool, settings: GroupSettings) -> Result<Group, Error> {
    let GroupSettings { name, description, role_arn, precedence } = settings;
    let now = pool.now();
    let group =
        Group { name, description, role_arn, precedence, created_at: now, modified_at: now };
    pool.store
        .write(|data| {
            if data.groups.contains(&group.name) {
                return Err(Error::new(
                    ErrorKind::GroupExists,
                    "A group with the name already exists.",
                ));
            }
            data.groups.insert(group.name.clone(), group.clone());
            Ok(group)
        })
        .await?
}

pub(crate) fn get(pool: &Pool, name: &str) -> Result<Arc<Group>, Error> {
    pool.store.read(|data| data.groups.get(name).cloned()).ok_or_else(Error::no_group)
}

pub(crate) async fn update(pool: &Pool, settings: GroupSettings) -> Result<Group, Error> {
    let GroupSettings { name, description, role_arn, precedence } = settings;
    let now = pool.now();
    pool.store
        .write(|data| {
            let group = data.groups.get_mut(&name).ok_or_else(Error::no_group)?;
            group.description = description.or_else(|| group.description.take());
            group.role_arn = role_arn.or_else(|| group.role_arn.take());
            group.precedence = precedence.or(group.precedence);
            group.modified_at = now;
            Ok(group.clone())
        })
        .await?
}

/// Deletes a group, and removes its members from it.
pub(crate) async fn delete(pool: &Pool, name: &str) -> Result<(), Error> {
    pool.store.write(|data| data.remove_group(name).map(drop).ok_or_else(Error::no_group)).await?
}

/// Returns a page of the pool's groups, and the token of the next page.
pub(crate) fn list(pool: &Pool, paging: &Paging) -> (Vec<Arc<Group>>, Option<String>) {
    pool.store.read(|data| {
        let (groups, next) = paging.page(data.groups.iter());
        (groups.into_iter().cloned().collect(), next)
    })
}

/// Adds a user to a group.
pub(crate) async fn add_user(pool: &Pool, username: &str, group: &str) -> Result<(), Error> {
    change_membership(pool, username, group, |groups| groups.insert(group.to_owned())).await
}

/// Removes a user from a group. It is not an error if the user is not in the group.
pub(crate) async fn remove_user(pool: &Pool, username: &str, group: &str) -> Result<(), Error> {
    change_membership(pool, username, group, |groups| groups.remove(group)).await
}

async fn change_membership(
    pool: &Pool,
    username: &str,
    group: &str,
    change: impl FnOnce(&mut BTreeSet<String>) -> bool + Send,
) -> Result<(), Error> {
    pool.store
        .write(|data| {
            named_user(data, username)?;
            if !data.groups.contains(group) {
                return Err(Error::no_group());
            }
            change(&mut named_user_mut(data, username)?.groups);
            Ok(())
        })
        .await?
}

/// Returns a page of the groups of a user, and the token of the next page.
pub(crate) fn list_of_user(
    pool: &Pool,
    username: &str,
    limit: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<Arc<Group>>, Option<String>), Error> {
    pool.store.read(|data| {
        let user = named_user(data, username)?;
        let list = format!("AdminListGroupsForUser {} {}", pool.id(), user.sub);
        let paging = Paging::new(&list, limit, token)?;
        let groups = user.groups.iter().filter_map(|name| data.groups.get(name));
        let (groups, next) = paging.page(groups.map(|group| (group.name.as_str(), group)));
        Ok((groups.into_iter().cloned().collect(), next))
    })
}

/// Returns a page of the users in a group, and the token of the next page.
pub(crate) fn list_users(
    pool: &Pool,
    group: &str,
    paging: &Paging,
) -> Result<(Vec<Arc<User>>, Option<String>), Error> {
    pool.store.read(|data| {
        if !data.groups.contains(group) {
            return Err(Error::no_group());
        }
        let members = data.users.iter().filter(|(_, user)| user.groups.contains(group));
        let (users, next) = paging.page(members);
        Ok((users.into_iter().cloned().collect(), next))
    })
}
