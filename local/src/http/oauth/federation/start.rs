//! The start of a sign-in: which provider, and the redirect to it.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderMap, header},
    response::Response,
};

use crate::{
    crypto::secret,
    http::{
        oauth::{
            cookies::{cookie_name, set_cookie},
            federation::endpoints::{Endpoints, ProviderError},
            message_page::error_page,
            parameters::Parameters,
            redirect::{self, ResponseMode},
            request::AuthorizationRequest,
        },
        origin::base_url,
    },
    model::settings::{OWN_PROVIDER, ProviderSettings},
    pool::{Pool, issue::digest_of},
    store::ExternalSignIn,
    text::base64url,
};

/// The time that a user has for the sign-in at the provider, in seconds.
const LIFETIME: u32 = 5 * 60;

/// Where a user has to sign in.
pub(crate) enum RequestedProvider {
    /// Anywhere: the user chooses on the page `/login`.
    Any,
    /// At the pool itself, with a password.
    Pool,
    External(Box<ProviderSettings>),
}

impl RequestedProvider {
    /// Returns whether a session that was opened with a provider of this name meets the request.
    pub(crate) fn accepts(&self, used: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Pool => used == OWN_PROVIDER,
            Self::External(provider) => provider.provider_name == used,
        }
    }
}

/// Returns the provider that a request names. An app with a single provider need not name it.
///
/// # Errors
/// Returns an error if the request names a provider that is unknown or that the app client does not support.
pub(crate) fn requested_provider(
    request: &AuthorizationRequest,
    query: &Parameters,
) -> Result<RequestedProvider, &'static str> {
    let name = query.get("identity_provider");
    let identifier = query.get("idp_identifier");
    let mut providers = providers(request);
    let is_requested = |provider: &ProviderSettings| match (name, identifier) {
        (Some(name), _) => provider.provider_name == name,
        (None, Some(id)) => provider.idp_identifiers.iter().any(|known| known == id),
        (None, None) => false,
    };
    match (name, identifier) {
        (Some(OWN_PROVIDER), _) if request.allows_passwords() => Ok(RequestedProvider::Pool),
        (None, None) if request.allows_passwords() || providers.len() != 1 => {
            Ok(RequestedProvider::Any)
        }
        (None, None) => Ok(providers.pop().map_or(RequestedProvider::Any, |provider| {
            RequestedProvider::External(Box::new(provider))
        })),
        _ => {
            let provider = providers.into_iter().find(is_requested).ok_or("invalid_request")?;
            Ok(RequestedProvider::External(Box::new(provider)))
        }
    }
}

/// Returns the providers at which users of the app can sign in.
pub(crate) fn providers(request: &AuthorizationRequest) -> Vec<ProviderSettings> {
    request.pool.store.read(|data| {
        data.identity_providers
            .values()
            .map(|provider| &provider.settings)
            .filter(|provider| request.allows_provider(&provider.provider_name))
            .cloned()
            .collect()
    })
}

/// Redirects a browser to a provider. `prompt` and `login_hint` are sent on, as in Cognito.
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
    let [state, nonce, code_verifier, cookie] = [(); 4].map(|()| secret::random_text());
    let now = pool.now();
    // The cookie of this sign-in is for the host of this request, so the browser must come back to the same host. A
    // client can choose the host only for itself, and the provider accepts only a registered address.
    let redirect_uri = format!("{}/oauth2/idpresponse", base_url(headers, pool));
    let sign_in = ExternalSignIn {
        provider: provider.provider_name.clone(),
        request: request.query(),
        redirect_uri: redirect_uri.clone(),
        browser: digest_of(&cookie),
        nonce: nonce.clone(),
        code_verifier: code_verifier.clone(),
        expires_at: now.saturating_add(u64::from(LIFETIME) * 1000),
    };
    let saved = pool
        .store
        .write(|data| {
            data.external_sign_ins.retain(|_, sign_in| now < sign_in.expires_at);
            data.external_sign_ins.insert(digest_of(&state), sign_in);
            Ok::<_, ()>(())
        })
        .await;
    if saved.is_err() {
        return error_page("server_error");
    }
    let challenge = base64url::encode(digest(&SHA256, code_verifier.as_bytes()));
    let prompt = request.prompt.text();
    let optional = [("prompt", prompt.as_deref()), ("login_hint", request.login_hint.as_deref())];
    let parameters: Vec<_> = [
        ("client_id", details.client_id.as_str()),
        ("redirect_uri", &redirect_uri),
        ("response_type", "code"),
        ("scope", &details.authorize_scopes),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?))))
    .collect();
    let address = redirect::with_parameters(&endpoints.authorize, ResponseMode::Query, &parameters);
    let mut response = redirect::to(&address);
    let cookie = set_cookie(&sign_in_cookie(pool, &state), &cookie, LIFETIME);
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
