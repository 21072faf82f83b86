//! The cookie of a browser session.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use crate::{
    domain::browser_sessions::{self, LIFETIME, NewSession, SignedIn},
    error::Error,
    http::oauth::{
        authorization_response::authorization_response,
        cookies::{cookie, cookie_name, remove_cookie, set_cookie},
        redirect,
        request::AuthorizationRequest,
    },
    model::User,
    pool::Pool,
};

/// Returns the user of a browser session, or `None` if the app requires a new sign-in (`prompt=login`).
pub(crate) fn find(request: &AuthorizationRequest, headers: &HeaderMap) -> Option<SignedIn> {
    if request.prompt.requires_login() {
        return None;
    }
    let cookie = cookie(headers, &name(&request.pool))?;
    browser_sessions::find(&request.pool, &request.client.settings, cookie.value())
}

/// Signs in a user who completed all challenges, and redirects the browser to the app.
///
/// # Errors
/// Returns an error if the app does not accept the provider, if a trigger rejects the sign-in, or if the user may no
/// longer sign in.
pub(crate) async fn complete_sign_in(
    request: &AuthorizationRequest,
    user: &User,
    provider: &str,
) -> Result<Response, Error> {
    let NewSession { cookie, session } =
        browser_sessions::create(&request.pool, &request.client, user, provider).await?;
    let mut response = redirect::to(&authorization_response(request, user, &session).await?);
    let cookie = set_cookie(&request.pool, &name(&request.pool), &cookie, LIFETIME);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Deletes the session of a browser and returns the header that removes its cookie.
pub(crate) async fn sign_out(pool: &Pool, headers: &HeaderMap) -> Result<HeaderValue, Error> {
    let name = name(pool);
    if let Some(cookie) = cookie(headers, &name) {
        browser_sessions::delete(pool, cookie.value()).await?;
    }
    Ok(remove_cookie(pool, &name))
}

fn name(pool: &Pool) -> String {
    cookie_name(pool, "cognito")
}
