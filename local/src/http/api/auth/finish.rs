use serde_json::Value;

use crate::{
    error::ApiError,
    http::api::auth::password::proof,
    model::{Client, Failures, Group, Session, User, UserStatus},
    pool::{
        Shared,
        issue::{API_SCOPE, Grantee},
    },
    store::Data,
    triggers::{Caller, Holder, Metadata, TokenSource, post_authentication, user_overrides},
};

/// For how long a session is remembered after its end: as long as an access token of it can live.
const REMEMBERED: u64 = 24 * 60 * 60 * 1000;

/// A user who did all that they had to, on the way in.
pub(crate) struct Entry<'a> {
    pub(crate) client: &'a Client,
    pub(crate) user: &'a User,
    /// In milliseconds: before now, where a browser was signed in already.
    pub(crate) auth_time: u64,
    /// Of a sign-in at the hosted pages.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) nonce: Option<String>,
    /// The API that access tokens of this sign-in are for.
    pub(crate) resource: Option<String>,
    /// What the client says to triggers.
    pub(crate) metadata: &'a Metadata,
    pub(crate) source: TokenSource,
}

impl<'a> Entry<'a> {
    fn caller(&self) -> Caller<'a> {
        Caller { client_id: &self.client.settings.client_id, metadata: self.metadata }
    }
}

/// A session that has begun.
pub(crate) struct Entered {
    user: User,
    groups: Vec<Group>,
    pub(crate) origin_jti: String,
    refresh_token: String,
}

/// Begins a session, and makes its tokens.
pub(crate) async fn sign_in(pool: &Shared, entry: Entry<'_>) -> Result<Value, ApiError> {
    post_authentication(pool, entry.user, entry.caller()).await?;
    let now = pool.now();
    let entered = pool.store.write(|data| enter(data, &entry, now)).await??;
    tokens(pool, &entry, entered).await
}

/// Begins a session. Whoever was disabled or given another password in the meantime does not get in.
pub(crate) fn enter(data: &mut Data, entry: &Entry<'_>, now: u64) -> Result<Entered, ApiError> {
    let Entry { client, user, auth_time, scopes, resource, .. } = entry;
    let present = may_enter(data, &user.username, &proof(user)).cloned();
    let user = present.ok_or_else(ApiError::wrong_password)?;
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
    Ok(Entered { user, groups, origin_jti, refresh_token })
}

/// Makes the first tokens of a session. A session that gets none is over.
pub(crate) async fn tokens(
    pool: &Shared,
    entry: &Entry<'_>,
    entered: Entered,
) -> Result<Value, ApiError> {
    let api_scope = [API_SCOPE.to_owned()];
    let holder = Holder {
        user: &entered.user,
        groups: &entered.groups,
        scopes: entry.scopes.as_deref().unwrap_or(&api_scope),
    };
    let overrides = match user_overrides(pool, holder, entry.source, entry.caller()).await {
        Ok(overrides) => overrides,
        Err(error) => {
            pool.store
                .write(|data| {
                    data.remove_session(&entered.origin_jti);
                    Ok::<_, ApiError>(())
                })
                .await??;
            return Err(error);
        }
    };
    // The function took its time: whoever was signed out or removed meanwhile gets no tokens.
    let (user, groups) = pool
        .store
        .read(|data| {
            let user = data.holder(&entered.origin_jti)?.clone();
            let groups = data.groups_of(&user);
            Some((user, groups))
        })
        .ok_or_else(ApiError::wrong_password)?;
    let grantee = Grantee {
        user: &user,
        client: entry.client,
        origin_jti: &entered.origin_jti,
        auth_time: entry.auth_time,
        scopes: entry.scopes.as_deref(),
        nonce: entry.nonce.as_deref(),
        resource: entry.resource.as_deref(),
    };
    let mut claims = pool.claims(&grantee, &groups);
    overrides.apply(&mut claims, &entry.client.settings.client_id);
    Ok(pool.authentication_result(entry.client, claims, Some(entered.refresh_token)).await)
}

/// A user who proved who they are, if they still are that user with that password, and may sign in.
pub(crate) fn may_enter<'a>(data: &'a Data, username: &str, proven: &str) -> Option<&'a User> {
    let is_ready = |user: &&User| {
        let is_complete =
            matches!(user.status, UserStatus::Confirmed | UserStatus::ExternalProvider);
        is_complete && user.enabled && proof(user) == proven
    };
    data.exact_user(username).filter(is_ready)
}

/// Forgets sessions none of whose tokens is good any more, with their refresh tokens.
fn prune(data: &mut Data, now: u64) {
    let is_known = |session: &Session| now < session.expires_at.saturating_add(REMEMBERED);
    if data.sessions.prune(|_, session| is_known(session)) {
        let Data { sessions, refresh_tokens, .. } = data;
        refresh_tokens.retain(|_, token| sessions.contains(&token.origin_jti));
    }
}
