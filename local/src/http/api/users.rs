//! Users as administrators see and change them: `AdminGetUser`, `ListUsers` and related operations.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        filter::Filter,
        paging::Paging,
        users::{self, PasswordKind},
    },
    error::Error,
    http::api::{
        Answer,
        attribute_list::{AttributeInput, read_attributes},
        input, nothing, required, shapes,
    },
    model::User,
    pool::{Pool, site::Site},
    triggers::Metadata,
};

/// The members by which requests name a user.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    user_pool_id: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

impl Named {
    fn read(site: &Site, value: Value) -> Result<(Arc<Pool>, String, Metadata), Error> {
        let Self { user_pool_id, username, client_metadata } = input(value)?;
        let pool = site.named_pool(user_pool_id)?;
        Ok((pool, required(username, "Username")?, client_metadata.unwrap_or_default()))
    }
}

pub(crate) async fn get_user(site: &Site, value: Value) -> Answer {
    let (pool, name, _) = Named::read(site, value)?;
    let user = users::get(&pool, &name)?;
    let mut written = shapes::user(&user, "UserAttributes");
    written.extend(shapes::mfa(&user));
    Ok(written.into())
}

pub(crate) async fn delete_user(site: &Site, value: Value) -> Answer {
    let (pool, name, _) = Named::read(site, value)?;
    users::delete(&pool, &name).await?;
    nothing()
}

pub(crate) async fn enable_user(site: &Site, value: Value) -> Answer {
    let (pool, name, _) = Named::read(site, value)?;
    users::enable(&pool, &name).await?;
    nothing()
}

pub(crate) async fn disable_user(site: &Site, value: Value) -> Answer {
    let (pool, name, _) = Named::read(site, value)?;
    users::disable(&pool, &name).await?;
    nothing()
}

pub(crate) async fn confirm_sign_up(site: &Site, value: Value) -> Answer {
    let (pool, name, metadata) = Named::read(site, value)?;
    users::confirm(&pool, &name, &metadata).await?;
    nothing()
}

pub(crate) async fn reset_user_password(site: &Site, value: Value) -> Answer {
    let (pool, name, metadata) = Named::read(site, value)?;
    users::reset_password(&pool, &name, &metadata).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminSetUserPassword {
    user_pool_id: Option<String>,
    username: Option<String>,
    password: Option<String>,
    permanent: Option<bool>,
}

pub(crate) async fn set_user_password(site: &Site, value: Value) -> Answer {
    let AdminSetUserPassword { user_pool_id, username, password, permanent } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (name, text) = (required(username, "Username")?, required(password, "Password")?);
    let kind = match permanent {
        Some(true) => PasswordKind::Permanent,
        _ => PasswordKind::Temporary,
    };
    users::set_user_password(&pool, &name, text, kind).await?;
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

pub(crate) async fn update_attributes(site: &Site, value: Value) -> Answer {
    let request: AdminUpdateUserAttributes = input(value)?;
    let pool = site.named_pool(request.user_pool_id)?;
    let name = required(request.username, "Username")?;
    let list = read_attributes(Some(required(request.user_attributes, "UserAttributes")?))?;
    let metadata = request.client_metadata.unwrap_or_default();
    users::update_attributes(&pool, &name, list, &metadata).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminDeleteUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attribute_names: Option<Vec<String>>,
}

pub(crate) async fn delete_attributes(site: &Site, value: Value) -> Answer {
    let AdminDeleteUserAttributes { user_pool_id, username, user_attribute_names } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    users::delete_attributes(&pool, &name, names).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListUsers {
    user_pool_id: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<i64>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

pub(crate) async fn list_users(site: &Site, value: Value) -> Answer {
    let ListUsers { user_pool_id, attributes_to_get, limit, pagination_token, filter } =
        input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let text = filter.unwrap_or_default();
    let filter = Filter::parse(&text)?;
    let list = format!("ListUsers {} {}", pool.id(), text.trim());
    let paging = Paging::new(&list, limit, pagination_token.as_deref())?;
    let wanted = attributes_to_get.unwrap_or_default();
    let (users, next) = users::list(&pool, filter.as_ref(), &wanted, &paging)?;
    let users: Vec<_> = users.iter().map(|user| written(user, &wanted)).collect();
    let mut answer = json!({ "Users": users });
    if let (Some(token), Value::Object(answer)) = (next, &mut answer) {
        answer.insert("PaginationToken".to_owned(), Value::String(token));
    }
    Ok(answer)
}

/// A user with the wanted attributes, or with all if the list is empty.
fn written(user: &User, wanted: &[String]) -> Value {
    let mut written = shapes::user(user, "Attributes");
    if let Some(Value::Array(attributes)) = written.get_mut("Attributes")
        && !wanted.is_empty()
    {
        let is_wanted = |name: &str| wanted.iter().any(|wanted| wanted == name);
        attributes.retain(|one| one.get("Name").and_then(Value::as_str).is_some_and(is_wanted));
    }
    Value::Object(written)
}
