//! `GET /oauth2/authorize`: the address to which an app first sends a browser.

use std::sync::Arc;

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use crate::{
    http::oauth::{
        browser_session::{self, SignedIn},
        error::OAuthError,
        federation::{self, RequestedProvider},
        grants::authorization_response,
        parameters::Query,
        redirect,
        request::AuthorizationRequest,
    },
    pool::site::Site,
};

/// Redirects to the app if the user is signed in, else to an identity provider or to the page `/login`.
pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let request = match AuthorizationRequest::parse(&site, &query) {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let provider = match federation::requested_provider(&request, &query) {
        Ok(provider) => provider,
        Err(error) => return redirect::to(&request.error_url(error)),
    };
    // A session counts only if it was opened with the provider that the app asks for.
    let signed_in = browser_session::find(&request, &headers)
        .filter(|signed_in| provider.accepts(&signed_in.session.provider));
    match (signed_in, provider) {
        (Some(SignedIn { user, session }), _) => {
            let address = authorization_response(&request, &user, &session).await;
            redirect::to(&address.unwrap_or_else(|_| request.error_url(OAuthError::SERVER)))
        }
        (None, _) if request.prompt.forbids_pages() => {
            redirect::to(&request.error_url("login_required"))
        }
        (None, RequestedProvider::External(provider)) => {
            federation::begin(&request, &provider, &headers).await
        }
        (None, _) => redirect::to(&format!("/login?{}", request.query())),
    }
}
