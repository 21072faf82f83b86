//! Sessions of signed-in users: token refresh, revocation and sign-out.

use std::{sync::Arc, time::Duration};

use crate::{
    crypto::secret::digest_of,
    domain::find::named_user,
    error::{Error, ErrorKind},
    model::{API_SCOPE, Client, Group, Session, User, UserStatus},
    pool::{
        Pool,
        issue::{TokenRequest, Tokens},
    },
    store::Data,
    time::milliseconds,
    triggers::{Caller, Metadata, TokenSource, TokenUser, user_overrides},
};

/// Issues new tokens for the session of a refresh token. With rotation, they include a new refresh token.
///
/// `is_caller` checks whether the caller may use the user's tokens. It runs as soon as the user is found. `check`
/// checks the session. It runs last, after the check for reuse of a rotated token. `metadata` is passed to the token
/// trigger.
pub(crate) async fn refresh(
    pool: &Pool,
    client: &Client,
    token: &str,
    metadata: &Metadata,
    is_caller: impl Fn(&User) -> Result<(), Error> + Sync,
    check: impl Fn(&Session) -> Result<(), Error> + Sync,
) -> Result<Tokens, Error> {
    let now = pool.now();
    // The token is rotated after the trigger runs. If the function fails, the client can still use its refresh token.
    // The reuse of a rotated token revokes the session, which must be saved even though the request fails.
    let found = pool
        .store
        .write_always(|data| find_token(data, client, token, (&is_caller, &check), None, now))
        .await??;
    let api_scope = [API_SCOPE.to_owned()];
    let token_user = TokenUser {
        user: &found.user,
        groups: &found.groups,
        scopes: found.session.scopes.as_deref().unwrap_or(&api_scope),
    };
    let caller = Caller::of(client, metadata);
    let overrides =
        user_overrides(&pool.events(), token_user, TokenSource::RefreshTokens, caller).await?;
    let now = pool.now();
    let (refreshed, next) = pool
        .store
        .write_always(|data| {
            // A token that was in its grace period before the trigger stays valid, even if the function was slow.
            let accepted = found.rotated_at;
            let refreshed = find_token(data, client, token, (&is_caller, &check), accepted, now)?;
            let next = rotate(data, client, token, &refreshed.origin_jti, now);
            Ok::<_, Error>((refreshed, next))
        })
        .await??;
    let request = TokenRequest {
        user: &refreshed.user,
        client,
        origin_jti: &refreshed.origin_jti,
        auth_time: refreshed.session.auth_time,
        scopes: refreshed.session.scopes.as_deref(),
        nonce: None,
        resource: refreshed.session.resource.as_deref(),
    };
    let mut claims = pool.claims(&request, &refreshed.groups);
    overrides.apply(&mut claims, &client.settings.client_id);
    Ok(pool.issue(client, claims, next).await)
}

/// Ends all sessions of a user, and removes authorization codes that were not exchanged yet.
pub(crate) fn sign_out_everywhere(data: &mut Data, user: &User, now: u64) {
    if let Some(user) = data.exact_user_mut(&user.username) {
        user.signed_out_at = Some(now);
    }
    data.grants.retain(|_, grant| grant.username != user.username);
    let is_active = |session: &Session| session.sub == user.sub && !session.revoked;
    let keys: Vec<_> = data
        .sessions
        .iter()
        .filter(|(_, session)| is_active(session))
        .map(|(key, _)| key.to_owned())
        .collect();
    for key in keys {
        if let Some(session) = data.sessions.get_mut(&key) {
            session.revoked = true;
        }
    }
}

/// Revokes a refresh token for its app client, and ends the token's session. An unknown token is not an error (RFC
/// 7009, section 2.2).
///
/// # Errors
/// Returns an error if the client does not support revocation, if the token is not a refresh token, or if it belongs to
/// another client.
pub(crate) async fn revoke_token(pool: &Pool, client: &Client, token: &str) -> Result<(), Error> {
    if !client.settings.enable_token_revocation {
        return Err(Error::new(
            ErrorKind::UnsupportedOperation,
            "Revoke is not enabled for the client",
        ));
    }
    // Refresh tokens have five parts; access and ID tokens have three.
    if token.split('.').count() != 5 {
        return Err(Error::new(ErrorKind::UnsupportedTokenType, "Unsupported token type"));
    }
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

/// Ends all sessions of a user.
pub(crate) async fn sign_out(pool: &Pool, user: &User) -> Result<(), Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            sign_out_everywhere(data, user, now);
            Ok(())
        })
        .await?
}

/// Ends all sessions of a user, for an administrator.
pub(crate) async fn sign_out_named(pool: &Pool, name: &str) -> Result<(), Error> {
    let now = pool.now();
    pool.store
        .write(|data| {
            let user = named_user(data, name)?.clone();
            sign_out_everywhere(data, &user, now);
            Ok(())
        })
        .await?
}

/// A valid refresh token: its user and its session.
struct Refreshed {
    user: Arc<User>,
    session: Arc<Session>,
    origin_jti: String,
    groups: Vec<Arc<Group>>,
    /// When the token was rotated, if it is valid because of the grace period.
    rotated_at: Option<u64>,
}

/// Returns the session of a refresh token. `accepted` is the time of a rotation whose grace period was already checked.
fn find_token(
    data: &mut Data,
    client: &Client,
    token: &str,
    (is_caller, check): (
        impl Fn(&User) -> Result<(), Error> + Sync,
        impl Fn(&Session) -> Result<(), Error> + Sync,
    ),
    accepted: Option<u64>,
    now: u64,
) -> Result<Refreshed, Error> {
    let invalid = || Error::not_authorized("Invalid Refresh Token");
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
        return Err(Error::not_authorized("Refresh Token has been revoked"));
    }
    if !user.enabled {
        return Err(Error::not_authorized("User is disabled."));
    }
    if user.status == UserStatus::ResetRequired {
        return Err(Error::reset_required());
    }
    let grace = client.settings.rotation_grace();
    let is_valid = |at| accepted == Some(at) || is_in_grace(at, grace, now);
    if row.rotated_at.is_some_and(|at| !is_valid(at)) {
        // Two clients have the token, and one of them may have stolen it. End the session for both.
        if let Some(session) = data.sessions.get_mut(&row.origin_jti) {
            session.revoked = true;
        }
        return Err(Error::new(
            ErrorKind::RefreshTokenReuse,
            "Refresh Token has been invalidated by rotation",
        ));
    }
    check(&session)?;
    let groups = data.groups_of(&user);
    let (origin_jti, rotated_at) = (row.origin_jti.clone(), row.rotated_at);
    Ok(Refreshed { user, session, origin_jti, groups, rotated_at })
}

/// Rotates a refresh token if the app client uses rotation, and returns the new token.
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

/// Returns the error for an app client that may not revoke a token.
pub(crate) fn unauthorized() -> Error {
    Error::new(ErrorKind::Unauthorized, "The client may not revoke this token")
}
