//! The start of a sign-in: the redirect to the provider.

use axum::{
    http::{HeaderMap, header},
    response::Response,
};

use crate::{
    crypto::secret::digest_of,
    domain::federation::sign_ins::{self, LIFETIME, StartedSignIn},
    http::{
        oauth::{
            cookies::{cookie_name, set_cookie},
            federation::endpoints::{Endpoints, ProviderError},
            message_page::error_page,
            paths,
            redirect::{self, ResponseMode},
            request::AuthorizationRequest,
        },
        origin::base_url,
    },
    model::settings::ProviderSettings,
    pool::Pool,
};

/// Redirects a browser to a provider. As in Cognito, the provider gets the app's `prompt` and `login_hint`.
pub(crate) async fn begin(
    request: &AuthorizationRequest,
    provider: &ProviderSettings,
    headers: &HeaderMap,
) -> Response {
    let details = &provider.provider_details;
    let endpoints = match Endpoints::find(details).await {
        Ok(endpoints) => endpoints,
        Err(error) => return provider_failed(request, provider, &error),
    };
    let pool = &request.pool;
    // The browser sends the cookie of this sign-in only to the host of this request, so it must return to that host. A
    // client can choose the host only for itself, and the provider accepts only a registered address.
    let redirect_uri = format!("{}{}", base_url(headers, pool), paths::IDP_RESPONSE);
    let started = sign_ins::start(pool, provider, request.query(), redirect_uri.clone()).await;
    let Ok(StartedSignIn { state, nonce, code_challenge, cookie }) = started else {
        return error_page("server_error");
    };
    let prompt = request.prompt.text();
    let optional = [("prompt", prompt.as_deref()), ("login_hint", request.login_hint.as_deref())];
    let parameters: Vec<_> = [
        ("client_id", details.client_id.as_str()),
        ("redirect_uri", &redirect_uri),
        ("response_type", "code"),
        ("scope", &details.authorize_scopes),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &code_challenge),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?))))
    .collect();
    let address = redirect::with_parameters(&endpoints.authorize, ResponseMode::Query, &parameters);
    let mut response = redirect::to(&address);
    let cookie = set_cookie(pool, &sign_in_cookie(pool, &state), &cookie, LIFETIME);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Logs why a provider failed, and sends the app an error without the reason.
pub(crate) fn provider_failed(
    request: &AuthorizationRequest,
    provider: &ProviderSettings,
    error: &ProviderError,
) -> Response {
    let name = &provider.provider_name;
    tracing::warn!(provider = name, cause = %error, "an identity provider cannot be used");
    let description = format!("The identity provider {name} cannot be used");
    redirect_with_error(request, "server_error", &description)
}

/// Redirects the browser to the app with an error.
pub(crate) fn redirect_with_error(
    request: &AuthorizationRequest,
    code: &str,
    description: &str,
) -> Response {
    redirect::to(&request.response_url(&[("error_description", description), ("error", code)]))
}

/// Returns the name of the cookie of one sign-in. Sign-ins in two windows have different cookies.
pub(crate) fn sign_in_cookie(pool: &Pool, state: &str) -> String {
    let digest = digest_of(state);
    cookie_name(pool, &format!("idp-{}", digest.get(..8).unwrap_or_default()))
}
