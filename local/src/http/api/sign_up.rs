//! `SignUp`, `ConfirmSignUp` and `ResendConfirmationCode`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        client_auth::check_secret_hash,
        sign_up::{self, NewUser, TakesAliases},
    },
    http::api::{
        Output,
        attribute_list::{AttributeInput, read_attributes, read_validation_data},
        empty_output, input, required, shapes,
    },
    pool::site::Site,
    triggers::Metadata,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SignUp {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    password: Option<String>,
    user_attributes: Option<Vec<AttributeInput>>,
    validation_data: Option<Vec<AttributeInput>>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn sign_up(site: &Site, value: Value) -> Output {
    let input: SignUp = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let name = required(input.username, "Username")?;
    check_secret_hash(&client, &name, input.secret_hash.as_deref())?;
    let new = NewUser {
        name: &name,
        password: input.password.as_deref(),
        attributes: read_attributes(input.user_attributes)?,
        validation: &read_validation_data(input.validation_data),
    };
    let metadata = input.client_metadata.unwrap_or_default();
    let signed_up = sign_up::sign_up(&pool, &client, new, &metadata).await?;
    let mut output = Map::new();
    output.insert("UserConfirmed".to_owned(), json!(signed_up.is_confirmed));
    output.insert("UserSub".to_owned(), json!(signed_up.sub));
    let delivery = signed_up.delivery.as_ref().map(shapes::delivery);
    output.extend(delivery.map(|delivery| ("CodeDeliveryDetails".to_owned(), delivery)));
    Ok(Value::Object(output))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ConfirmSignUp {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    force_alias_creation: Option<bool>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn confirm_sign_up(site: &Site, value: Value) -> Output {
    let input: ConfirmSignUp = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let name = required(input.username, "Username")?;
    let code = required(input.confirmation_code, "ConfirmationCode")?;
    check_secret_hash(&client, &name, input.secret_hash.as_deref())?;
    let takes_aliases = match input.force_alias_creation {
        Some(true) => TakesAliases::Yes,
        _ => TakesAliases::No,
    };
    let metadata = input.client_metadata.unwrap_or_default();
    sign_up::confirm(&pool, &client, &name, &code, takes_aliases, &metadata).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ResendConfirmationCode {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn resend_confirmation_code(site: &Site, value: Value) -> Output {
    let ResendConfirmationCode { client_id, secret_hash, username, client_metadata } =
        input(value)?;
    let (pool, client) = site.named_client(client_id)?;
    let name = required(username, "Username")?;
    check_secret_hash(&client, &name, secret_hash.as_deref())?;
    let metadata = client_metadata.unwrap_or_default();
    let delivery = sign_up::resend_code(&pool, &client, &name, &metadata).await?;
    Ok(json!({ "CodeDeliveryDetails": shapes::delivery(&delivery) }))
}
