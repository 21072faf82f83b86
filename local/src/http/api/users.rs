//! Operations of administrators on users: `AdminGetUser`, `ListUsers` and related operations.

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
        Output,
        attribute_list::{AttributeInput, read_attributes},
        empty_output, input, required, shapes,
    },
    model::User,
    pool::{Pool, site::Site},
    triggers::Metadata,
};

/// The input of operations that have no other members.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct UserInput {
    user_pool_id: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

impl UserInput {
    fn read(site: &Site, value: Value) -> Result<(Arc<Pool>, String, Metadata), Error> {
        let Self { user_pool_id, username, client_metadata } = input(value)?;
        let pool = site.named_pool(user_pool_id)?;
        Ok((pool, required(username, "Username")?, client_metadata.unwrap_or_default()))
    }
}

pub(crate) async fn get_user(site: &Site, value: Value) -> Output {
    let (pool, name, _) = UserInput::read(site, value)?;
    let user = users::get(&pool, &name)?;
    let mut written = shapes::user(&user, "UserAttributes");
    written.extend(shapes::mfa(&user));
    Ok(written.into())
}

pub(crate) async fn delete_user(site: &Site, value: Value) -> Output {
    let (pool, name, _) = UserInput::read(site, value)?;
    users::delete(&pool, &name).await?;
    empty_output()
}

pub(crate) async fn enable_user(site: &Site, value: Value) -> Output {
    let (pool, name, _) = UserInput::read(site, value)?;
    users::enable(&pool, &name).await?;
    empty_output()
}

pub(crate) async fn disable_user(site: &Site, value: Value) -> Output {
    let (pool, name, _) = UserInput::read(site, value)?;
    users::disable(&pool, &name).await?;
    empty_output()
}

pub(crate) async fn confirm_sign_up(site: &Site, value: Value) -> Output {
    let (pool, name, metadata) = UserInput::read(site, value)?;
    users::confirm(&pool, &name, &metadata).await?;
    empty_output()
}

pub(crate) async fn reset_user_password(site: &Site, value: Value) -> Output {
    let (pool, name, metadata) = UserInput::read(site, value)?;
    users::reset_password(&pool, &name, &metadata).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminSetUserPassword {
    user_pool_id: Option<String>,
    username: Option<String>,
    password: Option<String>,
    permanent: Option<bool>,
}

pub(crate) async fn set_user_password(site: &Site, value: Value) -> Output {
    let AdminSetUserPassword { user_pool_id, username, password, permanent } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (name, text) = (required(username, "Username")?, required(password, "Password")?);
    let kind = match permanent {
        Some(true) => PasswordKind::Permanent,
        _ => PasswordKind::Temporary,
    };
    users::set_user_password(&pool, &name, text, kind).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminUpdateUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn update_attributes(site: &Site, value: Value) -> Output {
    let request: AdminUpdateUserAttributes = input(value)?;
    let pool = site.named_pool(request.user_pool_id)?;
    let name = required(request.username, "Username")?;
    let list = read_attributes(Some(required(request.user_attributes, "UserAttributes")?))?;
    let metadata = request.client_metadata.unwrap_or_default();
    users::update_attributes(&pool, &name, list, &metadata).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AdminDeleteUserAttributes {
    user_pool_id: Option<String>,
    username: Option<String>,
    user_attribute_names: Option<Vec<String>>,
}

pub(crate) async fn delete_attributes(site: &Site, value: Value) -> Output {
    let AdminDeleteUserAttributes { user_pool_id, username, user_attribute_names } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    users::delete_attributes(&pool, &name, names).await?;
    empty_output()
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

pub(crate) async fn list_users(site: &Site, value: Value) -> Output {
    let ListUsers { user_pool_id, attributes_to_get, limit, pagination_token, filter } =
        input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let text = filter.unwrap_or_default();
    let filter = Filter::parse(&text)?;
    let list = format!("ListUsers {} {}", pool.id(), text.trim());
    let paging = Paging::new(&list, limit, pagination_token.as_deref())?;
    let requested = attributes_to_get.unwrap_or_default();
    let (users, next) = users::list(&pool, filter.as_ref(), &requested, &paging)?;
    let users: Vec<_> = users.iter().map(|user| write_user(user, &requested)).collect();
    let mut output = json!({ "Users": users });
    if let (Some(token), Value::Object(output)) = (next, &mut output) {
        output.insert("PaginationToken".to_owned(), Value::String(token));
    }
    Ok(output)
}

/// Writes a user with the requested attributes, or with all attributes if the list is empty.
fn write_user(user: &User, requested: &[String]) -> Value {
    let mut written = shapes::user(user, "Attributes");
    if let Some(Value::Array(attributes)) = written.get_mut("Attributes")
        && !requested.is_empty()
    {
        let is_requested = |name: &str| requested.iter().any(|one| one == name);
        attributes.retain(|one| one.get("Name").and_then(Value::as_str).is_some_and(is_requested));
    }
    Value::Object(written)
}
