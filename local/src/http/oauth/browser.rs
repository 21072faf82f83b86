//! Who sits at a browser: the cookie of those who are signed in.

use std::sync::Arc;

use std::io;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::{
    crypto::secret,
    domain::sign_in::may_enter,
    http::oauth::request::Asking,
    model::{BrowserSession, User},
    pool::{Shared, issue::digest_of},
};

/// For how long a browser stays signed in, in seconds: an hour, as at Cognito.
const LIFETIME: u64 = 60 * 60;

/// A user who is signed in at a browser.
pub(crate) struct SignedIn {
    pub(crate) user: Arc<User>,
    pub(crate) session: BrowserSession,
}

/// Returns the user who is signed in, if they may still sign in, and in a way that the app accepts. For an app that
/// asks for a new sign-in it is nobody.
pub(crate) fn signed_in(asking: &Asking, headers: &HeaderMap) -> Option<SignedIn> {
    let Asking { pool, client, request, .. } = asking;
    if request.prompt.requires_login() {
        return None;
    }
    let cookie = cookie(headers, &session_name(pool))?;
    let now = pool.now();
    pool.store.read(|data| {
        let session = data.browser_sessions.get(&digest_of(cookie))?;
        let user = may_enter(data, &session.username, &session.proof)?;
        let providers = &client.settings.supported_identity_providers;
        (now < session.expires_at && providers.contains(&session.provider))
            .then(|| SignedIn { user: user.clone(), session: BrowserSession::clone(session) })
    })
}

/// Signs a user in at a browser, and gives the cookie that says so. It is a new one each time, whatever the browser
/// had before.
pub(crate) async fn sign_in(
    pool: &Shared,
    user: &User,
    provider: &str,
) -> io::Result<(HeaderValue, BrowserSession)> {
    let now = pool.now();
    let value = secret::random_text();
    let session = BrowserSession {
        username: user.username.clone(),
        proof: user.proof(),
        provider: provider.to_owned(),
        auth_time: now,
        expires_at: now.saturating_add(LIFETIME * 1000),
    };
    pool.store
        .write(|data| {
            data.browser_sessions.retain(|_, session| now < session.expires_at);
            data.browser_sessions.insert(digest_of(&value), session.clone());
            Ok::<_, io::Error>(())
        })
        .await??;
    Ok((set_cookie(&session_name(pool), &value, LIFETIME), session))
}

/// Signs out, and returns the header that takes the cookie away.
pub(crate) async fn sign_out(pool: &Shared, headers: &HeaderMap) -> io::Result<HeaderValue> {
    let name = session_name(pool);
    if let Some(cookie) = cookie(headers, &name) {
        pool.store
            .write(|data| {
                data.browser_sessions.remove(&digest_of(cookie));
                Ok::<_, io::Error>(())
            })
            .await??;
    }
    Ok(set_cookie(&name, "", 0))
}

/// A cookie of this pool's. Browsers send the cookies of a host to all its ports, so that the name tells pools of
/// one machine apart.
pub(crate) fn cookie_name(pool: &Shared, purpose: &str) -> String {
    format!("{purpose}-{}-{}", pool.id(), pool.address().port())
}

/// The value of a cookie. If it is there twice, somebody else set one of them, and neither is taken.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let value = found.next().filter(|value| !value.is_empty())?;
    found.next().is_none().then_some(value)
}

/// A cookie that scripts cannot read, and that other sites cannot send along with a form. The pool speaks plain
/// HTTP on loopback, so that it is not `Secure`.
pub(crate) fn set_cookie(name: &str, value: &str, seconds: u64) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax");
    // Names and values are letters, digits, `-` and `_`.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn session_name(pool: &Shared) -> String {
    cookie_name(pool, "cognito")
}
