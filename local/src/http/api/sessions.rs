//! `GetTokensFromRefreshToken`, `RevokeToken`, `GlobalSignOut` and `AdminUserGlobalSignOut`.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{client_auth::check_secret, sessions},
    http::api::{Output, empty_output, input, required, shapes},
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

pub(crate) async fn get_tokens(site: &Site, value: Value) -> Output {
    let GetTokens { refresh_token, client_id, client_secret, client_metadata } = input(value)?;
    let token = required(refresh_token, "RefreshToken")?;
    let (pool, client) = site.named_client(client_id)?;
    check_secret(&client, client_secret.as_deref())?;
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

pub(crate) async fn revoke_token(site: &Site, value: Value) -> Output {
    let RevokeToken { token, client_id, client_secret } = input(value)?;
    let token = required(token, "Token")?;
    let id = required(client_id, "ClientId")?;
    let (pool, client) = site.client(&id).ok_or_else(sessions::unauthorized)?;
    check_secret(&client, client_secret.as_deref()).map_err(|_| sessions::unauthorized())?;
    sessions::revoke_token(&pool, &client, &token).await?;
    empty_output()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SignOut {
    access_token: Option<String>,
    user_pool_id: Option<String>,
    username: Option<String>,
}

pub(crate) async fn global_sign_out(site: &Site, value: Value) -> Output {
    let SignOut { access_token, .. } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    sessions::sign_out(&pool, &user).await?;
    empty_output()
}

pub(crate) async fn admin_user_global_sign_out(site: &Site, value: Value) -> Output {
    let SignOut { user_pool_id, username, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    sessions::sign_out_named(&pool, &name).await?;
    empty_output()
}
