//! Completes a sign-in: begins a session and issues its first tokens.

use std::sync::Arc;

use crate::{
    error::Error,
    model::{API_SCOPE, Client, Failures, Group, Session, User, UserStatus},
    pool::{
        Pool,
        issue::{TokenRequest, Tokens},
    },
    store::Data,
    triggers::{Caller, Metadata, TokenSource, TokenUser, post_authentication, user_overrides},
};

/// How long a session is kept after it expired, in milliseconds: the longest lifetime of an access token.
const KEPT_AFTER_EXPIRY: u64 = 24 * 60 * 60 * 1000;

/// A user who completed all steps, and the session that begins.
pub(crate) struct CompletedSignIn<'a> {
    pub(crate) client: &'a Client,
    pub(crate) user: &'a User,
    /// When the user signed in, in milliseconds. It is in the past if the browser was already signed in.
    pub(crate) auth_time: u64,
    /// The scopes of a sign-in at the hosted pages. `None` for a sign-in by the API.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) nonce: Option<String>,
    /// The API to which access tokens are bound (RFC 8707).
    pub(crate) resource: Option<String>,
    /// The client's metadata for triggers.
    pub(crate) metadata: &'a Metadata,
    pub(crate) source: TokenSource,
}

impl<'a> CompletedSignIn<'a> {
    fn caller(&self) -> Caller<'a> {
        Caller::of(self.client, self.metadata)
    }
}

/// A session that has begun.
pub(crate) struct StartedSession {
    user: Arc<User>,
    groups: Vec<Arc<Group>>,
    pub(crate) origin_jti: String,
    refresh_token: String,
}

/// Begins a session and issues its tokens.
pub(crate) async fn finish_sign_in(
    pool: &Pool,
    completed: CompletedSignIn<'_>,
) -> Result<Tokens, Error> {
    post_authentication(&pool.events(), completed.user, completed.caller()).await?;
    let now = pool.now();
    let started = pool.store.write(|data| start_session(data, &completed, now)).await??;
    first_tokens(pool, &completed, started).await
}

/// Begins a session, unless the user was disabled or the password changed in the meantime.
pub(crate) fn start_session(
    data: &mut Data,
    completed: &CompletedSignIn<'_>,
    now: u64,
) -> Result<StartedSession, Error> {
    let CompletedSignIn { client, user, auth_time, scopes, resource, .. } = completed;
    let user = find_ready_user(data, &user.username, &user.proof()).cloned();
    let user = user.ok_or_else(Error::wrong_password)?;
    if user.failures != Failures::default()
        && let Some(user) = data.exact_user_mut(&user.username)
    {
        user.failures = Failures::default();
    }
    prune(data, now);
    let (origin_jti, refresh_token) = data.begin_session(&user, client, scopes.clone(), now);
    if let Some(session) = data.sessions.get_mut(&origin_jti) {
        session.auth_time = *auth_time;
        session.resource.clone_from(resource);
    }
    let groups = data.groups_of(&user);
    Ok(StartedSession { user, groups, origin_jti, refresh_token })
}

/// Issues the first tokens of a session. If that fails, the session is removed.
pub(crate) async fn first_tokens(
    pool: &Pool,
    completed: &CompletedSignIn<'_>,
    started: StartedSession,
) -> Result<Tokens, Error> {
    let api_scope = [API_SCOPE.to_owned()];
    let token_user = TokenUser {
        user: &started.user,
        groups: &started.groups,
        scopes: completed.scopes.as_deref().unwrap_or(&api_scope),
    };
    let overrides = match user_overrides(
        &pool.events(),
        token_user,
        completed.source,
        completed.caller(),
    )
    .await
    {
        Ok(overrides) => overrides,
        Err(error) => {
            pool.store
                .write(|data| {
                    data.remove_session(&started.origin_jti);
                    Ok::<_, Error>(())
                })
                .await??;
            return Err(error);
        }
    };
    // The user may have been signed out or removed while the function ran.
    let (user, groups) = pool
        .store
        .read(|data| {
            let user = data.session_user(&started.origin_jti)?.clone();
            let groups = data.groups_of(&user);
            Some((user, groups))
        })
        .ok_or_else(Error::wrong_password)?;
    let request = TokenRequest {
        user: &user,
        client: completed.client,
        origin_jti: &started.origin_jti,
        auth_time: completed.auth_time,
        scopes: completed.scopes.as_deref(),
        nonce: completed.nonce.as_deref(),
        resource: completed.resource.as_deref(),
    };
    let mut claims = pool.claims(&request, &groups);
    overrides.apply(&mut claims, &completed.client.settings.client_id);
    Ok(pool.issue(completed.client, claims, Some(started.refresh_token)).await)
}

/// Returns the user with the given name, if the user may sign in and has not changed since the sign-in began. `proven`
/// is the value of [`User::proof`] at that time.
pub(crate) fn find_ready_user<'a>(
    data: &'a Data,
    username: &str,
    proven: &str,
) -> Option<&'a Arc<User>> {
    let is_ready = |user: &&Arc<User>| {
        let is_complete =
            matches!(user.status, UserStatus::Confirmed | UserStatus::ExternalProvider);
        is_complete && user.enabled && user.proof() == proven
    };
    data.exact_user(username).filter(is_ready)
}

/// Removes sessions without valid tokens, with their refresh tokens.
fn prune(data: &mut Data, now: u64) {
    let is_kept = |session: &Session| now < session.expires_at.saturating_add(KEPT_AFTER_EXPIRY);
    if data.sessions.prune(|_, session| is_kept(session)) {
        let Data { sessions, refresh_tokens, .. } = data;
        refresh_tokens.retain(|_, token| sessions.contains(&token.origin_jti));
    }
}
