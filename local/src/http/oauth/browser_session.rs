//! The user who is signed in at a browser, by its session cookie.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use crate::{
    crypto::secret,
    domain::sign_in::find_ready_user,
    error::Error,
    http::oauth::{
        cookies::{cookie, cookie_name, remove_cookie, set_cookie},
        grants::authorization_response,
        redirect,
        request::AuthorizationRequest,
    },
    model::{BrowserSession, User},
    pool::{Pool, issue::digest_of},
    store::Data,
    triggers::{Caller, Metadata, post_authentication},
};

/// How long a browser stays signed in, in seconds: one hour, as in Cognito.
const LIFETIME: u32 = 60 * 60;

/// A user who is signed in at a browser.
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    pub(crate) session: Arc<BrowserSession>,
}

/// Returns the user who is signed in at a browser, if the user may still sign in and the app accepts the provider that
/// was used. Returns `None` if the app requires a new sign-in (`prompt=login`).
pub(crate) fn find(request: &AuthorizationRequest, headers: &HeaderMap) -> Option<SignedIn> {
    if request.prompt.requires_login() {
        return None;
    }
    let pool = &request.pool;
    let cookie = cookie(headers, &name(pool))?;
    let now = pool.now();
    pool.store.read(|data| {
        let session = data.browser_sessions.get(&digest_of(cookie.value()))?;
        let user = find_ready_user(data, &session.username, &session.proof)?;
        let is_valid = now < session.expires_at && request.allows_provider(&session.provider);
        is_valid.then(|| SignedIn { user: user.clone(), session: session.clone() })
    })
}

/// Signs in a user who passed all challenges, and redirects the browser to the app.
///
/// # Errors
/// The app does not accept the provider, a trigger rejects the sign-in, or the user may not sign in any more.
pub(crate) async fn complete_sign_in(
    request: &AuthorizationRequest,
    user: &User,
    provider: &str,
) -> Result<Response, Error> {
    if !request.allows_provider(provider) {
        return Err(Error::not_authorized("The app does not accept this identity provider."));
    }
    let pool = &request.pool;
    let caller = Caller { client_id: &request.client.settings.client_id, metadata: Metadata::NONE };
    post_authentication(&pool.events(), user, caller).await?;
    // The trigger takes time, in which the user can be disabled or change the password.
    let may_sign_in = |data: &Data| find_ready_user(data, &user.username, &user.proof()).is_some();
    if !pool.store.read(may_sign_in) {
        return Err(Error::wrong_password());
    }
    let (cookie, session) = create(pool, user, provider).await?;
    let mut response = redirect::to(&authorization_response(request, user, &session).await?);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Ends the session of a browser and returns the header that removes its cookie.
pub(crate) async fn sign_out(pool: &Pool, headers: &HeaderMap) -> Result<HeaderValue, Error> {
    let name = name(pool);
    if let Some(cookie) = cookie(headers, &name) {
        pool.store
            .write(|data| {
                data.browser_sessions.remove(&digest_of(cookie.value()));
                Ok::<_, Error>(())
            })
            .await??;
    }
    Ok(remove_cookie(&name))
}

/// Creates a session and its cookie. The value is always a new one, so that a value which somebody else set before
/// (session fixation) is useless.
async fn create(
    pool: &Pool,
    user: &User,
    provider: &str,
) -> Result<(HeaderValue, BrowserSession), Error> {
    let now = pool.now();
    let value = secret::random_text();
    let session = BrowserSession {
        username: user.username.clone(),
        proof: user.proof(),
        provider: provider.to_owned(),
        auth_time: now,
        expires_at: now.saturating_add(u64::from(LIFETIME) * 1000),
    };
    pool.store
        .write(|data| {
            data.browser_sessions.retain(|_, session| now < session.expires_at);
            data.browser_sessions.insert(digest_of(&value), session.clone());
            Ok::<_, Error>(())
        })
        .await??;
    Ok((set_cookie(&name(pool), &value, LIFETIME), session))
}

fn name(pool: &Pool) -> String {
    cookie_name(pool, "cognito")
}
