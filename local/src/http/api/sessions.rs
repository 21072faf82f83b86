//! Tokens after the sign-in: refreshed, revoked, signed out.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    crypto::secret::same,
    error::ApiError,
    http::api::{Answer, input, nothing, required},
    model::{Client, Group, Session, User, UserStatus},
    pool::{
        Shared,
        issue::{API_SCOPE, Grantee, digest_of, milliseconds},
        site::Site,
    },
    store::Data,
    triggers::{Caller, Holder, Metadata, TokenSource, user_overrides},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    Some(match operation {
        "GetTokensFromRefreshToken" => get_tokens(site, input).await,
        "RevokeToken" => revoke_token(site, input).await,
        "GlobalSignOut" => global_sign_out(site, input).await,
        "AdminUserGlobalSignOut" => admin_user_global_sign_out(site, input).await,
        _ => return None,
    })
}

/// Makes new tokens for the session of a refresh token: with rotation, a new refresh token too.
///
/// `is_caller` rejects who may not use the user's tokens, before anything else. `check` rejects what is asked of the
/// session, after the reuse of a rotated token was detected. `metadata` is for the trigger that sees tokens.
pub(crate) async fn refresh(
    pool: &Shared,
    client: &Client,
    token: &str,
    metadata: &Metadata,
    is_caller: impl Fn(&User) -> Result<(), ApiError> + Sync,
    check: impl Fn(&Session) -> Result<(), ApiError> + Sync,
) -> Result<Value, ApiError> {
    let now = pool.now();
    // A function that fails does not cost the client its refresh token. One that was rotated
    // before ends its session.
    let found = pool
        .store
        .write_always(|data| find_token(data, client, token, (&is_caller, &check), now))
        .await??;
    let api_scope = [API_SCOPE.to_owned()];
    let holder = Holder {
        user: &found.user,
        groups: &found.groups,
        scopes: found.session.scopes.as_deref().unwrap_or(&api_scope),
    };
    let caller = Caller { client_id: &client.settings.client_id, metadata };
    let overrides = user_overrides(pool, holder, TokenSource::RefreshTokens, caller).await?;
    let now = pool.now();
    let (refreshed, next) = pool
        .store
        .write_always(|data| {
            let refreshed = find_token(data, client, token, (&is_caller, &check), now)?;
            let next = rotate(data, client, token, &refreshed.origin_jti, now);
            Ok::<_, ApiError>((refreshed, next))
        })
        .await??;
    let grantee = Grantee {
        user: &refreshed.user,
        client,
        origin_jti: &refreshed.origin_jti,
        auth_time: refreshed.session.auth_time,
        scopes: refreshed.session.scopes.as_deref(),
        nonce: None,
        resource: refreshed.session.resource.as_deref(),
    };
    let mut claims = pool.claims(&grantee, &refreshed.groups);
    overrides.apply(&mut claims, &client.settings.client_id);
    Ok(pool.authentication_result(client, claims, next).await)
}

/// Ends the session of a refresh token, if it is one of the client's. Whether there was one is not told.
///
/// # Errors
/// The token is another client's.
pub(crate) async fn revoke(pool: &Shared, client: &Client, token: &str) -> Result<(), ApiError> {
    pool.store
        .write(|data| {
            let row = data.refresh_tokens.get(&digest_of(token));
            let Some(origin_jti) = row.map(|row| row.origin_jti.clone()) else {
                return Ok(());
            };
            match data.sessions.get_mut(&origin_jti) {
                Some(session) if session.client_id == client.settings.client_id => {
                    session.revoked = true;
                    Ok(())
                }
                Some(_) => Err(unauthorized()),
                None => Ok(()),
            }
        })
        .await?
}

/// Ends all sessions that a user has, and those that codes on their way to apps would begin.
pub(crate) fn sign_out_everywhere(data: &mut Data, user: &User, now: u64) {
    if let Some(user) = data.exact_user_mut(&user.username) {
        user.signed_out_at = Some(now);
    }
    data.grants.retain(|_, grant| grant.username != user.username);
    let theirs = |session: &Session| session.sub == user.sub && !session.revoked;
    let keys: Vec<_> = data
        .sessions
        .iter()
        .filter(|(_, session)| theirs(session))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in keys {
        if let Some(session) = data.sessions.get_mut(&key) {
            session.revoked = true;
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct GetTokens {
    refresh_token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_metadata: Option<Metadata>,
}

async fn get_tokens(site: &Site, value: Value) -> Answer {
    let GetTokens { refresh_token, client_id, client_secret, client_metadata } = input(value)?;
    let token = required(refresh_token, "RefreshToken")?;
    let (pool, client) = site.named_client(client_id)?;
    if !has_secret(&client, client_secret.as_deref()) {
        return Err(ApiError::not_authorized(format!(
            "Unable to verify secret for client {}",
            client.settings.client_id
        )));
    }
    let metadata = client_metadata.unwrap_or_default();
    let result = refresh(&pool, &client, &token, &metadata, |_| Ok(()), |_| Ok(())).await?;
    Ok(json!({ "AuthenticationResult": result }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RevokeToken {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

async fn revoke_token(site: &Site, value: Value) -> Answer {
    let RevokeToken { token, client_id, client_secret } = input(value)?;
    let token = required(token, "Token")?;
    let id = required(client_id, "ClientId")?;
    let (pool, client) = site.client(&id).ok_or_else(unauthorized)?;
    if !has_secret(&client, client_secret.as_deref()) {
        return Err(unauthorized());
    }
    if !client.settings.enable_token_revocation {
        return Err(ApiError::new(
            "UnsupportedOperationException",
            "Revoke is not enabled for the client",
        ));
    }
    // Refresh tokens have five parts; access and ID tokens have three.
    if token.split('.').count() != 5 {
        return Err(ApiError::new("UnsupportedTokenTypeException", "Unsupported token type"));
    }
    revoke(&pool, &client, &token).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SignOut {
    access_token: Option<String>,
    user_pool_id: Option<String>,
    username: Option<String>,
}

async fn global_sign_out(site: &Site, value: Value) -> Answer {
    let SignOut { access_token, .. } = input(value)?;
    let (pool, user, _) = site.token_user(access_token).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            sign_out_everywhere(data, &user, now);
            Ok::<_, ApiError>(())
        })
        .await??;
    nothing()
}

async fn admin_user_global_sign_out(site: &Site, value: Value) -> Answer {
    let SignOut { user_pool_id, username, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(username, "Username")?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = data.find_user(&name).cloned().ok_or_else(ApiError::user_not_found)?;
            sign_out_everywhere(data, &user, now);
            Ok::<(), ApiError>(())
        })
        .await??;
    nothing()
}

/// What a refresh token is good for.
struct Refreshed {
    user: User,
    session: Session,
    origin_jti: String,
    groups: Vec<Group>,
}

fn find_token(
    data: &mut Data,
    client: &Client,
    token: &str,
    (is_caller, check): (
        impl Fn(&User) -> Result<(), ApiError> + Sync,
        impl Fn(&Session) -> Result<(), ApiError> + Sync,
    ),
    now: u64,
) -> Result<Refreshed, ApiError> {
    let invalid = || ApiError::not_authorized("Invalid Refresh Token");
    let key = digest_of(token);
    let row = data.refresh_tokens.get(&key).cloned().ok_or_else(invalid)?;
    let session = data
        .sessions
        .get(&row.origin_jti)
        .filter(|session| session.client_id == client.settings.client_id)
        .filter(|session| now < session.expires_at)
        .cloned()
        .ok_or_else(invalid)?;
    let user = data
        .exact_user(&session.username)
        .filter(|user| user.sub == session.sub)
        .cloned()
        .ok_or_else(invalid)?;
    is_caller(&user)?;
    if session.is_over(&user) {
        return Err(ApiError::not_authorized("Refresh Token has been revoked"));
    }
    if !user.enabled {
        return Err(ApiError::not_authorized("User is disabled."));
    }
    if user.status == UserStatus::ResetRequired {
        return Err(crate::http::api::auth::reset_required());
    }
    let grace = client.settings.rotation_grace();
    if row.rotated_at.is_some_and(|at| !is_in_grace(at, grace, now)) {
        // Two hold the token, and one of them is a thief: neither keeps the session.
        if let Some(session) = data.sessions.get_mut(&row.origin_jti) {
            session.revoked = true;
        }
        return Err(ApiError::new(
            "RefreshTokenReuseException",
            "Refresh Token has been invalidated by rotation",
        ));
    }
    check(&session)?;
    let groups = data.groups_of(&user);
    Ok(Refreshed { user, session, origin_jti: row.origin_jti, groups })
}

/// The token that follows, with rotation.
fn rotate(
    data: &mut Data,
    client: &Client,
    token: &str,
    origin_jti: &str,
    now: u64,
) -> Option<String> {
    client.settings.rotation_grace()?;
    if let Some(row) = data.refresh_tokens.get_mut(&digest_of(token)) {
        row.rotated_at.get_or_insert(now);
    }
    Some(data.add_refresh_token(origin_jti))
}

fn is_in_grace(rotated_at: u64, grace: Option<Duration>, now: u64) -> bool {
    now < rotated_at.saturating_add(grace.map_or(0, milliseconds))
}

/// Whether a client with a secret gives it, and one without gives none.
fn has_secret(client: &Client, given: Option<&str>) -> bool {
    match (&client.settings.client_secret, given) {
        (Some(secret), Some(given)) => same(secret, given),
        (None, None) => true,
        _ => false,
    }
}

fn unauthorized() -> ApiError {
    ApiError::new("UnauthorizedException", "The client may not revoke this token")
}
