//! What users see and change of their own accounts: `GetUser`, `UpdateUserAttributes` and related operations.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    domain::account,
    error::Error,
    http::api::{
        Answer,
        attribute_list::{AttributeInput, read_attributes},
        input, nothing, required, shapes,
    },
    model::settings::Contact,
    pool::site::Site,
    triggers::Metadata,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TokenAlone {
    access_token: Option<String>,
}

pub(crate) async fn get_user(site: &Site, value: Value) -> Answer {
    let TokenAlone { access_token } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let client = account::client_of_token(&pool, verified.client_id())?;
    let mut answer = Map::new();
    answer.insert("Username".into(), json!(user.username));
    let attributes = shapes::attributes(&user, |name| client.settings.may_read(name));
    answer.insert("UserAttributes".into(), attributes);
    answer.extend(shapes::mfa(&user));
    Ok(Value::Object(answer))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct UpdateUserAttributes {
    access_token: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn update_attributes(site: &Site, value: Value) -> Answer {
    let UpdateUserAttributes { access_token, user_attributes, client_metadata } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let list = read_attributes(Some(required(user_attributes, "UserAttributes")?))?;
    let (client_id, metadata) = (verified.client_id(), client_metadata.unwrap_or_default());
    let sent = account::update_attributes(&pool, &user, client_id, list, &metadata).await?;
    let sent: Vec<_> = sent.iter().map(shapes::delivery).collect();
    Ok(json!({ "CodeDeliveryDetailsList": sent }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeleteUserAttributes {
    access_token: Option<String>,
    user_attribute_names: Option<Vec<String>>,
}

pub(crate) async fn delete_attributes(site: &Site, value: Value) -> Answer {
    let DeleteUserAttributes { access_token, user_attribute_names } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    account::delete_attributes(&pool, &user, verified.client_id(), names).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetUserAttributeVerificationCode {
    access_token: Option<String>,
    attribute_name: Option<String>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn send_code(site: &Site, value: Value) -> Answer {
    let GetUserAttributeVerificationCode { access_token, attribute_name, client_metadata } =
        input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let contact = contact(attribute_name)?;
    let (client_id, metadata) = (verified.client_id(), client_metadata.unwrap_or_default());
    let sent = account::send_verification_code(&pool, &user, client_id, contact, &metadata).await?;
    Ok(json!({ "CodeDeliveryDetails": shapes::delivery(&sent) }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VerifyUserAttribute {
    access_token: Option<String>,
    attribute_name: Option<String>,
    code: Option<String>,
}

pub(crate) async fn verify_attribute(site: &Site, value: Value) -> Answer {
    let VerifyUserAttribute { access_token, attribute_name, code } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    let contact = contact(attribute_name)?;
    let code = required(code, "Code")?;
    account::verify_contact(&pool, &user, contact, &code).await?;
    nothing()
}

pub(crate) async fn delete_user(site: &Site, value: Value) -> Answer {
    let TokenAlone { access_token } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    account::delete(&pool, &user).await?;
    nothing()
}

/// Reads the name of an attribute that can be verified by a code.
fn contact(attribute: Option<String>) -> Result<Contact, Error> {
    let name = required(attribute, "AttributeName")?;
    Contact::of_attribute(&name).ok_or_else(|| {
        Error::invalid_parameter(format!("user.{name}: Attribute cannot be verified."))
    })
}
