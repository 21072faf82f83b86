//! The end of every sign-in at the pages: the browser is signed in, and goes to the app.

use axum::{http::header, response::Response};

use crate::{
    domain::sign_in::may_enter,
    error::ApiError,
    http::oauth::{browser, grants, redirect, request::Asking},
    model::User,
    store::Data,
    triggers::{Caller, Metadata, post_authentication},
};

/// Signs a user in who did all that they had to.
pub(crate) async fn enter(
    asking: &Asking,
    user: &User,
    provider: &str,
) -> Result<Response, ApiError> {
    let Asking { pool, client, .. } = asking;
    let caller = Caller { client_id: &client.settings.client_id, metadata: Metadata::NONE };
    post_authentication(&pool.events(), user, caller).await?;
    let is_ready = |data: &Data| may_enter(data, &user.username, &user.proof()).is_some();
    if !pool.store.read(is_ready) {
        return Err(ApiError::wrong_password());
    }
    let (cookie, session) = browser::sign_in(pool, user, provider).await?;
    let mut response = redirect::go(&grants::back_to_app(asking, user, &session).await?);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
