use serde_json::Value;

use super::{
    super::{
        super::{
            issue::Grantee,
            shared::Shared,
            store::{Client, Data, Failures, User, UserStatus},
        },
        ApiError,
    },
    password::proof,
};

/// For how long a session is remembered after its end: as long as an access token of it can live.
const REMEMBERED: u64 = 24 * 60 * 60 * 1000;

/// A user who did all that they had to, on the way in.
pub(in crate::local) struct Entry<'a> {
    pub(in crate::local) client: &'a Client,
    pub(in crate::local) user: &'a User,
    /// In milliseconds: before now, where a browser was signed in already.
    pub(in crate::local) auth_time: u64,
    /// Of a sign-in at the hosted pages.
    pub(in crate::local) scopes: Option<Vec<String>>,
    pub(in crate::local) nonce: Option<String>,
}

/// Begins a session, and makes its tokens.
pub(in crate::local) async fn sign_in(pool: &Shared, entry: Entry<'_>) -> Result<Value, ApiError> {
    let Entry { client, user, auth_time, scopes, nonce } = entry;
    let now = pool.now();
    let (user, groups, origin_jti, refresh_token) = pool.store.write(|data| {
        // Whoever was disabled or given another password in the meantime does not get in.
        let may_enter = |present: &&User| {
            let is_ready =
                matches!(present.status, UserStatus::Confirmed | UserStatus::ExternalProvider);
            is_ready && present.enabled && proof(present) == proof(user)
        };
        let Some(present) = data.exact_user(&user.username).filter(may_enter).cloned() else {
            return Err(ApiError::wrong_password());
        };
        if present.failures != Failures::default()
            && let Some(user) = data.exact_user_mut(&present.username)
        {
            user.failures = Failures::default();
        }
        prune(data, now);
        let (origin_jti, refresh_token) = data.begin_session(&present, client, scopes.clone(), now);
        if let Some(session) = data.sessions.get_mut(&origin_jti) {
            session.auth_time = auth_time;
        }
        let groups = data.groups_of(&present);
        Ok((present, groups, origin_jti, refresh_token))
    })??;
    let grantee = Grantee {
        user: &user,
        client,
        origin_jti: &origin_jti,
        auth_time,
        scopes: scopes.as_deref(),
        nonce: nonce.as_deref(),
    };
    let claims = pool.claims(&grantee, &groups);
    Ok(pool.authentication_result(client, claims, Some(refresh_token)))
}

/// Forgets sessions none of whose tokens is good any more, with their refresh tokens.
fn prune(data: &mut Data, now: u64) {
    let before = data.sessions.len();
    data.sessions.retain(|_, session| now < session.expires_at.saturating_add(REMEMBERED));
    if data.sessions.len() < before {
        let Data { sessions, refresh_tokens, .. } = data;
        refresh_tokens.retain(|_, token| sessions.contains(&token.origin_jti));
    }
}
