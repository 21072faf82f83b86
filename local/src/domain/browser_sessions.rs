//! Browser sessions of users who signed in on the hosted pages.

use std::sync::Arc;

use crate::{
    crypto::secret::{self, digest_of},
    domain::sign_in::find_ready_user,
    error::Error,
    model::{BrowserSession, Client, User, settings::ClientSettings},
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, post_authentication},
};

/// How long a browser stays signed in, in seconds: one hour, as in Cognito.
pub(crate) const LIFETIME: u32 = 60 * 60;

/// A user with a browser session.
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    pub(crate) session: Arc<BrowserSession>,
}

/// A new session.
pub(crate) struct NewSession {
    /// The value of the browser's cookie. The pool stores only its digest.
    pub(crate) cookie: String,
    pub(crate) session: BrowserSession,
}

/// Returns the user of a session, if the user may still sign in and the app client accepts the provider of the session.
pub(crate) fn find(pool: &Pool, client: &ClientSettings, cookie: &str) -> Option<SignedIn> {
    let now = pool.now();
    pool.store.read(|data| {
        let session = data.browser_sessions.get(&digest_of(cookie))?;
        let user = find_ready_user(data, &session.username, &session.proof)?;
        let is_valid = now < session.expires_at && client.allows_provider(&session.provider);
        is_valid.then(|| SignedIn { user: user.clone(), session: session.clone() })
    })
}

/// Creates the session of a user who completed all challenges, or who signed in at a provider.
///
/// # Errors
/// Returns an error if the app client does not accept the provider, if a trigger rejects the sign-in, or if the user
/// may no longer sign in.
pub(crate) async fn create(
    pool: &Pool,
    client: &Client,
    user: &User,
    provider: &str,
) -> Result<NewSession, Error> {
    if !client.settings.allows_provider(provider) {
        return Err(not_accepted());
    }
    let caller = Caller::of(client, Metadata::NONE);
    post_authentication(&pool.events(), user, caller).await?;
    // An attacker may have set a cookie in this browser (session fixation). A new value makes the old one useless.
    let cookie = secret::random_text();
    let now = pool.now();
    let session = BrowserSession {
        username: user.username.clone(),
        proof: user.proof(),
        provider: provider.to_owned(),
        auth_time: now,
        expires_at: now.saturating_add(u64::from(LIFETIME) * 1000),
    };
    pool.store
        .write(|data: &mut Data| {
            // While the trigger ran, the provider may have been deleted, the user disabled, or the password changed.
            if !data.has_provider(provider) {
                return Err(not_accepted());
            }
            if find_ready_user(data, &user.username, &session.proof).is_none() {
                return Err(Error::wrong_password());
            }
            data.browser_sessions.retain(|_, session| now < session.expires_at);
            data.browser_sessions.insert(digest_of(&cookie), session.clone());
            Ok(())
        })
        .await??;
    Ok(NewSession { cookie, session })
}

fn not_accepted() -> Error {
    Error::not_authorized("The app does not accept this identity provider.")
}

/// Deletes the session of a cookie. An unknown cookie is not an error.
pub(crate) async fn delete(pool: &Pool, cookie: &str) -> Result<(), Error> {
    pool.store
        .write(|data| {
            data.browser_sessions.remove(&digest_of(cookie));
            Ok(())
        })
        .await?
}
