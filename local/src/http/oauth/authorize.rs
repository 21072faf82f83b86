//! `GET /oauth2/authorize`: the address to which an app first sends a browser.

use std::sync::Arc;

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use crate::{
    domain::{
        browser_sessions::SignedIn,
        federation::providers::{self, RequestedProvider, UnknownProvider},
    },
    http::oauth::{
        authorization_response::authorization_response, browser_session, error::OAuthError,
        federation, parameters::Query, paths, redirect, request::AuthorizationRequest,
    },
    pool::site::Site,
};

/// Redirects to the app if the user is signed in, and otherwise to an identity provider or to the page `/login`.
pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let request = match AuthorizationRequest::parse(&site, &query) {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let (name, identifier) = (query.get("identity_provider"), query.get("idp_identifier"));
    let settings = &request.client.settings;
    let provider = match providers::requested(&request.pool, settings, name, identifier) {
        Ok(provider) => provider,
        Err(UnknownProvider) => return redirect::to(&request.error_url("invalid_request")),
    };
    // A session counts only if it was created with the provider that the app requests.
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
        (None, _) => redirect::to(&request.address_of(paths::LOGIN)),
    }
}
