//! `GetTokensFromRefreshToken`, `RevokeToken` and sign-out.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    crypto::secret::same,
    domain::sessions,
    error::Error,
    http::api::{Answer, input, nothing, required, shapes},
    model::Client,
    pool::site::Site,
    triggers::Metadata,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetTokens {
    refresh_token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_metadata: Option<Metadata>,
}

pub(crate) async fn get_tokens(site: &Site, value: Value) -> Answer {
    let GetTokens { refresh_token, client_id, client_secret, client_metadata } = input(value)?;
    let token = required(refresh_token, "RefreshToken")?;
    let (pool, client) = site.named_client(client_id)?;
    if !has_secret(&client, client_secret.as_deref()) {
        return Err(Error::not_authorized(format!(
            "Unable to verify secret for client {}",
            client.settings.client_id
        )));
    }
    let metadata = client_metadata.unwrap_or_default();
    let tokens =
        sessions::refresh(&pool, &client, &token, &metadata, |_| Ok(()), |_| Ok(())).await?;
    Ok(json!({ "AuthenticationResult": shapes::tokens(tokens) }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RevokeToken {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

pub(crate) async fn revoke_token(site: &Site, value: Value) -> Answer {
    let RevokeToken { token, client_id, client_secret } = input(value)?;
    let token = required(token, "Token")?;
    let id = required(client_id, "ClientId")?;
    let (pool, client) = site.client(&id).ok_or_else(sessions::unauthorized)?;
    if !has_secret(&client, client_secret.as_deref()) {
        return Err(sessions::unauthorized());
    }
    sessions::revoke_token(&pool, &client, &token).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SignOut {
    access_token: Option<String>,
    user_pool_id: Option<String>,
    username: Option<String>,
}

pub(crate) async fn global_sign_out(site: &Site, value: Value) -> Answer {
    let SignOut { access_token, .. } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    sessions::sign_out(&pool, &user).await?;
    nothing()
}

pub(crate) async fn admin_user_global_sign_out(site: &Site, value: Value) -> Answer {
    let SignOut { user_pool_id, username, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    sessions::sign_out_named(&pool, &name).await?;
    nothing()
}

/// Whether a client with a secret gives it, and one without gives none.
fn has_secret(client: &Client, given: Option<&str>) -> bool {
    match (&client.settings.client_secret, given) {
        (Some(secret), Some(given)) => same(secret, given),
        (None, None) => true,
        _ => false,
    }
}
