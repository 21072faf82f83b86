//! Operations on the account of the signed-in user: `GetUser`, `UpdateUserAttributes` and related operations.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    domain::account,
    error::Error,
    http::api::{
        Output,
        attribute_list::{AttributeInput, read_attributes},
        empty_output, input, required, shapes,
    },
    model::settings::Contact,
    pool::site::Site,
    triggers::Metadata,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TokenInput {
    access_token: Option<String>,
}

pub(crate) async fn get_user(site: &Site, value: Value) -> Output {
    let TokenInput { access_token } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let client = account::client_of_token(&pool, verified.client_id())?;
    let mut output = Map::new();
    output.insert("Username".into(), json!(user.username));
    let attributes = shapes::attributes(&user, |name| client.settings.may_read(name));
    output.insert("UserAttributes".into(), attributes);
    output.extend(shapes::mfa(&user));
    Ok(Value::Object(output))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct UpdateUserAttributes {
    access_token: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn update_attributes(site: &Site, value: Value) -> Output {
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

pub(crate) async fn delete_attributes(site: &Site, value: Value) -> Output {
    let DeleteUserAttributes { access_token, user_attribute_names } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    account::delete_attributes(&pool, &user, verified.client_id(), names).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetUserAttributeVerificationCode {
    access_token: Option<String>,
    attribute_name: Option<String>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn send_code(site: &Site, value: Value) -> Output {
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

pub(crate) async fn verify_attribute(site: &Site, value: Value) -> Output {
    let VerifyUserAttribute { access_token, attribute_name, code } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    let contact = contact(attribute_name)?;
    let code = required(code, "Code")?;
    account::verify_contact(&pool, &user, contact, &code).await?;
    empty_output()
}

pub(crate) async fn delete_user(site: &Site, value: Value) -> Output {
    let TokenInput { access_token } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    account::delete(&pool, &user).await?;
    empty_output()
}

/// Returns the contact of an attribute that can be verified by a code.
fn contact(attribute: Option<String>) -> Result<Contact, Error> {
    let name = required(attribute, "AttributeName")?;
    Contact::of_attribute(&name).ok_or_else(|| {
        Error::invalid_parameter(format!("user.{name}: Attribute cannot be verified."))
    })
}
