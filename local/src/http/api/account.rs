//! What users see and change of themselves.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use tower_cognito::Verified;

use crate::{
    domain::{
        attribute_change::{change, plan},
        attributes::{self, Writer},
        codes, still_as, still_there,
    },
    error::Error,
    http::api::{
        Answer,
        attribute_list::{AttributeInput, read_attributes},
        input, nothing, required, shapes,
    },
    model::{
        CodePurpose,
        settings::{ClientSettings, Contact},
    },
    pool::{Pool, site::Site},
    store::Data,
    triggers::{Caller, Metadata, Reason},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "GetUser" => Some(get_user(site, input).await),
        "UpdateUserAttributes" => Some(update_attributes(site, input).await),
        "DeleteUserAttributes" => Some(delete_attributes(site, input).await),
        "GetUserAttributeVerificationCode" => Some(send_code(site, input).await),
        "VerifyUserAttribute" => Some(verify_attribute(site, input).await),
        "DeleteUser" => Some(delete_user(site, input).await),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TokenAlone {
    access_token: Option<String>,
}

async fn get_user(site: &Site, value: Value) -> Answer {
    let TokenAlone { access_token } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let client = client_of(&pool, &verified)?;
    let mut answer = Map::new();
    answer.insert("Username".into(), json!(user.username));
    let attributes = shapes::attributes(&user, |name| client.may_read(name));
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

async fn update_attributes(site: &Site, value: Value) -> Answer {
    let UpdateUserAttributes { access_token, user_attributes, client_metadata } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let list = read_attributes(Some(required(user_attributes, "UserAttributes")?))?;
    let client = client_of(&pool, &verified)?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_change(&settings, Writer::User(&client), list)?;
    let metadata = client_metadata.unwrap_or_default();
    let caller = Caller { client_id: verified.client_id(), metadata: &metadata };
    let sent = change(&pool, |data| still_as(data, &user), &changes, caller).await?;
    let sent: Vec<_> = sent.iter().map(shapes::delivery).collect();
    Ok(json!({ "CodeDeliveryDetailsList": sent }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeleteUserAttributes {
    access_token: Option<String>,
    user_attribute_names: Option<Vec<String>>,
}

async fn delete_attributes(site: &Site, value: Value) -> Answer {
    let DeleteUserAttributes { access_token, user_attribute_names } = input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let names = required(user_attribute_names, "UserAttributeNames")?;
    let client = client_of(&pool, &verified)?;
    let settings = pool.store.read(Data::settings);
    let changes = attributes::check_removal(&settings, Writer::User(&client), names)?;
    let now = pool.now();
    pool.store
        .write(|data| {
            plan(data, still_as(data, &user)?, &changes, now)?.write(data);
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetUserAttributeVerificationCode {
    access_token: Option<String>,
    attribute_name: Option<String>,
    client_metadata: Option<Metadata>,
}

async fn send_code(site: &Site, value: Value) -> Answer {
    let GetUserAttributeVerificationCode { access_token, attribute_name, client_metadata } =
        input(value)?;
    let (pool, user, verified) = site.token_user(access_token).await?;
    let contact = contact(attribute_name)?;
    if user.attribute(contact.attribute()).is_none() {
        return Err(Error::invalid_parameter(format!(
            "user.{}: The user has no such attribute",
            contact.attribute()
        )));
    }
    let metadata = client_metadata.unwrap_or_default();
    let caller = Caller { client_id: verified.client_id(), metadata: &metadata };
    let (purpose, reason) = (CodePurpose::verification_of(contact), Reason::VerifyUserAttribute);
    let message = codes::compose(&pool, &user, purpose, contact, reason, caller).await?;
    let now = pool.now();
    let details = pool
        .store
        .write(|data| {
            still_there(data, &user)?;
            codes::send(data, &message, now)
        })
        .await??;
    Ok(json!({ "CodeDeliveryDetails": shapes::delivery(&details) }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VerifyUserAttribute {
    access_token: Option<String>,
    attribute_name: Option<String>,
    code: Option<String>,
}

async fn verify_attribute(site: &Site, value: Value) -> Answer {
    let VerifyUserAttribute { access_token, attribute_name, code } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    let contact = contact(attribute_name)?;
    let code = required(code, "Code")?;
    let now = pool.now();
    let purpose = CodePurpose::verification_of(contact);
    // A wrong code is counted. Nothing else changes before all checks passed.
    pool.store
        .write_always(|data| {
            let user = still_there(data, &user)?;
            codes::check(&mut user.codes, purpose, &code, now)?;
            let mut proven = user.clone();
            proven.codes.remove(&purpose);
            proven.attributes.insert(contact.verified_attribute().to_owned(), "true".to_owned());
            proven.modified_at = now;
            if let Some(clash) = attributes::alias_clash(data, &proven) {
                return Err(clash);
            }
            let key = data.user_key(&proven.username);
            data.users.insert(key, proven);
            Ok(())
        })
        .await??;
    nothing()
}

async fn delete_user(site: &Site, value: Value) -> Answer {
    let TokenAlone { access_token } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    pool.store
        .write(|data| {
            still_there(data, &user)?;
            data.remove_user(&user.username);
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

/// The settings of the app client that a token was made for.
fn client_of(pool: &Pool, verified: &Verified) -> Result<ClientSettings, Error> {
    let client =
        |data: &Data| data.clients.get(verified.client_id()).map(|client| client.settings.clone());
    pool.store.read(client).ok_or_else(|| Error::not_authorized("Invalid Access Token"))
}

/// An attribute that a code can prove.
fn contact(attribute: Option<String>) -> Result<Contact, Error> {
    let name = required(attribute, "AttributeName")?;
    Contact::of_attribute(&name).ok_or_else(|| {
        Error::invalid_parameter(format!("user.{name}: Attribute cannot be verified."))
    })
}
