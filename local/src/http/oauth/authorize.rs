//! `GET /oauth2/authorize`: where an app sends a browser first.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    http::oauth::{
        browser::{self, SignedIn},
        error::OAuthError,
        federation, grants,
        hosted::error_page,
        parameters::Query,
        redirect,
        request::{Asking, Refusal},
    },
    pool::site::Site,
};

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let asking = match Asking::read(&site, &query) {
        Ok(asking) => asking,
        Err(refusal) => return refused(&refusal),
    };
    let provider = match federation::asked_provider(&asking, &query) {
        Ok(provider) => provider,
        Err(error) => return redirect::go(&asking.refusal(error)),
    };
    // A user who signed in another way than the app asks for is not signed in for it.
    let is_asked = |signed_in: &SignedIn| {
        let asked = provider.as_ref().map(|provider| provider.provider_name.as_str());
        asked.is_none_or(|asked| asked == signed_in.session.provider)
    };
    let signed_in = browser::signed_in(&asking, &headers).filter(is_asked);
    match (signed_in, provider) {
        (Some(SignedIn { user, session }), _) => {
            match grants::back_to_app(&asking, &user, &session).await {
                Ok(address) => redirect::go(&address),
                Err(_) => redirect::go(&asking.refusal(OAuthError::SERVER)),
            }
        }
        (None, _) if asking.request.prompt.forbids_pages() => {
            redirect::go(&asking.refusal("login_required"))
        }
        (None, Some(provider)) => federation::begin(&asking, &provider, &headers).await,
        (None, None) => redirect::go(&format!("/login?{}", asking.query())),
    }
}

/// Tells the app, or the person if the app is not known.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Here(error) => error_page(error),
        Refusal::Back(address) => redirect::go(address),
    }
}
