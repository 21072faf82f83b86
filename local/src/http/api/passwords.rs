//! `ChangePassword`, `ForgotPassword` and `ConfirmForgotPassword`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{client_auth::check_secret_hash, passwords},
    http::api::{Output, empty_output, input, required, shapes},
    pool::site::Site,
    triggers::Metadata,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ChangePassword {
    access_token: Option<String>,
    previous_password: Option<String>,
    proposed_password: Option<String>,
}

pub(crate) async fn change_password(site: &Site, value: Value) -> Output {
    let ChangePassword { access_token, previous_password, proposed_password } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    let proposed = required(proposed_password, "ProposedPassword")?;
    passwords::change(&pool, &user, previous_password.as_deref(), &proposed).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ForgotPassword {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn forgot_password(site: &Site, value: Value) -> Output {
    let ForgotPassword { client_id, secret_hash, username, client_metadata } = input(value)?;
    let (pool, client) = site.named_client(client_id)?;
    let name = required(username, "Username")?;
    check_secret_hash(&client, &name, secret_hash.as_deref())?;
    let metadata = client_metadata.unwrap_or_default();
    let delivery = passwords::forgot(&pool, &client, &name, &metadata).await?;
    Ok(json!({ "CodeDeliveryDetails": shapes::delivery(&delivery) }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ConfirmForgotPassword {
    client_id: Option<String>,
    secret_hash: Option<String>,
    username: Option<String>,
    confirmation_code: Option<String>,
    password: Option<String>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn confirm_forgot_password(site: &Site, value: Value) -> Output {
    let input: ConfirmForgotPassword = input(value)?;
    let (pool, client) = site.named_client(input.client_id)?;
    let name = required(input.username, "Username")?;
    let code = required(input.confirmation_code, "ConfirmationCode")?;
    let password = required(input.password, "Password")?;
    check_secret_hash(&client, &name, input.secret_hash.as_deref())?;
    let metadata = input.client_metadata.unwrap_or_default();
    passwords::reset(&pool, &client, &name, &code, &password, &metadata).await?;
    empty_output()
}
