//! Signing in at a provider of OpenID Connect.
//!
//! A browser is sent there with a state, a nonce and a challenge of its own, and comes back once, within five
//! minutes, with the cookie that it was given. The provider's ID token is verified by its published keys (RS256),
//! issuer, audience, nonce and time.

mod account;
mod attributes;
mod callback;
mod endpoints;
mod id_token;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

pub(crate) use self::callback::handle;
use self::endpoints::{Endpoints, Unusable};
use crate::{
    crypto::secret,
    http::{
        oauth::{
            browser::{cookie_name, set_cookie},
            hosted::error_page,
            parameters::Parameters,
            redirect,
            request::Asking,
        },
        origin::requested_host,
    },
    model::settings::ProviderSettings,
    pool::{Shared, issue::digest_of},
    store::ExternalSignIn,
    text::base64url,
};

/// For how long a browser may be away, in seconds.
const LIFETIME: u64 = 5 * 60;

/// The provider that an app asks for, if it may.
pub(crate) fn asked_provider(
    asking: &Asking,
    query: &Parameters,
) -> Result<Option<ProviderSettings>, &'static str> {
    let name = query.get("identity_provider");
    let identifier = query.get("idp_identifier");
    let providers = providers(asking);
    match (name, identifier) {
        (Some(name), _) if asking.is_own_provider(name) => Ok(None),
        (None, None) if asking.has_passwords() => Ok(None),
        // Where there is no choice, nobody is asked.
        (None, None) => Ok(match <[_; 1]>::try_from(providers) {
            Ok([only]) => Some(only),
            Err(_) => None,
        }),
        _ => {
            let is_it = |provider: &ProviderSettings| match (name, identifier) {
                (Some(name), _) => provider.provider_name == name,
                (None, Some(id)) => provider.idp_identifiers.iter().any(|known| known == id),
                (None, None) => false,
            };
            providers.into_iter().find(is_it).map(Some).ok_or("invalid_request")
        }
    }
}

/// The providers that the app's users can sign in at.
pub(crate) fn providers(asking: &Asking) -> Vec<ProviderSettings> {
    let supported = &asking.client.settings.supported_identity_providers;
    asking.pool.store.read(|data| {
        data.identity_providers
            .values()
            .map(|provider| &provider.settings)
            .filter(|provider| supported.contains(&provider.provider_name))
            .cloned()
            .collect()
    })
}

/// Sends a browser to a provider. `prompt` and `login_hint` go with it, as in Cognito.
pub(crate) async fn begin(
    asking: &Asking,
    provider: &ProviderSettings,
    headers: &HeaderMap,
) -> Response {
    let endpoints = match Endpoints::find(&provider.provider_details).await {
        Ok(endpoints) => endpoints,
        Err(why) => return unreachable(asking, provider, &why),
    };
    let pool = &asking.pool;
    let [state, nonce, code_verifier, cookie] = [(); 4].map(|()| secret::random_text());
    let now = pool.now();
    let back = back(pool, headers);
    let row = ExternalSignIn {
        provider: provider.provider_name.clone(),
        request: asking.query(),
        redirect_uri: back.clone(),
        browser: digest_of(&cookie),
        nonce: nonce.clone(),
        code_verifier: code_verifier.clone(),
        expires_at: now.saturating_add(LIFETIME * 1000),
    };
    let kept = pool
        .store
        .write(|data| {
            data.external_sign_ins.retain(|_, sign_in| now < sign_in.expires_at);
            data.external_sign_ins.insert(digest_of(&state), row);
            Ok::<_, ()>(())
        })
        .await;
    if kept.is_err() {
        return error_page("server_error");
    }
    let challenge = base64url::encode(digest(&SHA256, code_verifier.as_bytes()));
    let details = &provider.provider_details;
    let prompt = asking.request.prompt.text();
    let hint = asking.request.login_hint.as_deref();
    let parameters: Vec<_> = [
        ("client_id", details.client_id.as_str()),
        ("redirect_uri", &back),
        ("response_type", "code"),
        ("scope", &details.authorize_scopes),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .chain(prompt.as_deref().map(|prompt| ("prompt", prompt)))
    .chain(hint.map(|hint| ("login_hint", hint)))
    .collect();
    let address = redirect::address(&endpoints.authorize, redirect::Part::Query, &parameters);
    let mut response = redirect::go(&address);
    let cookie = set_cookie(&browser_cookie(pool, &state), &cookie, LIFETIME);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Tells the app that a provider cannot be used, and the log why.
fn unreachable(asking: &Asking, provider: &ProviderSettings, why: &Unusable) -> Response {
    let name = &provider.provider_name;
    tracing::warn!(provider = name, cause = %why, "an identity provider cannot be used");
    let description = format!("The identity provider {name} cannot be used");
    failed(asking, "server_error", &description)
}

fn failed(asking: &Asking, error: &str, description: &str) -> Response {
    redirect::go(&asking.address(&[("error_description", description), ("error", error)]))
}

/// Returns where a provider sends a browser back to: the name by which it began. Its cookie is for that name alone, and
/// another one would not get it.
///
/// The name comes from the `Host` header of the very request that is answered, so that a client can choose it for itself
/// alone. A provider accepts none that is not registered there, and the code is worth nothing without the secret of
/// this sign-in.
fn back(pool: &Shared, headers: &HeaderMap) -> String {
    let endpoint = pool.endpoint();
    let address = match (endpoint.split_once("://"), requested_host(headers)) {
        (Some((scheme, _)), Some(host)) => format!("{scheme}://{host}"),
        _ => endpoint,
    };
    format!("{address}/oauth2/idpresponse")
}

/// Each sign-in has a cookie of its own, so that two windows do not disturb each other.
fn browser_cookie(pool: &Shared, state: &str) -> String {
    let digest = digest_of(state);
    cookie_name(pool, &format!("idp-{}", digest.get(..8).unwrap_or_default()))
}

/// Takes the cookie of a sign-in away.
fn without_cookie(mut response: Response, pool: &Shared, state: &str) -> Response {
    let gone: HeaderValue = set_cookie(&browser_cookie(pool, state), "", 0);
    response.headers_mut().append(header::SET_COOKIE, gone);
    response
}
