//! `GET /oauth2/idpresponse`: a browser comes back from a provider.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Method},
    response::Response,
};
use serde_json::{Map, Value};

use tower_cognito::Clock;

use crate::{
    crypto::secret::same,
    http::oauth::{
        authorize::refused,
        browser, entry,
        federation::{
            account, browser_cookie,
            endpoints::{Endpoints, Question, Unusable, ask},
            failed,
            id_token::{self, Expected},
            providers, unreachable, without_cookie,
        },
        hosted::error_page,
        parameters::{Parameters, Query},
        request::Asking,
    },
    model::settings::{ProviderSettings, RequestMethod},
    pool::{Shared, issue::digest_of, site::Site},
    store::ExternalSignIn,
    time::SystemClock,
};

/// A provider's words are carried on up to this length.
const MAX_DESCRIPTION: usize = 200;

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let state = query.get("state").filter(|_| query.are_clear());
    let Some(state) = state else { return error_page("invalid_state") };
    let Some((pool, sign_in)) = take(&site, &headers, state).await else {
        return error_page("invalid_state");
    };
    let asking = match Asking::read(&site, &Parameters::parse(sign_in.request.as_bytes())) {
        Ok(asking) => asking,
        Err(refusal) => return refused(&refusal),
    };
    let is_it = |provider: &ProviderSettings| provider.provider_name == sign_in.provider;
    let response = match providers(&asking).into_iter().find(is_it) {
        Some(provider) => go_on(&asking, &provider, &sign_in, &query).await,
        None => failed(&asking, "invalid_request", "The identity provider is gone"),
    };
    without_cookie(response, &pool, state)
}

/// The sign-in of a state, which is over from now on. It is that browser's alone which began it.
async fn take(
    site: &Site,
    headers: &HeaderMap,
    state: &str,
) -> Option<(Arc<Shared>, Arc<ExternalSignIn>)> {
    let key = digest_of(state);
    let has = |pool: &Arc<Shared>| pool.store.read(|data| data.external_sign_ins.contains(&key));
    let pool = site.pools().into_iter().find(has)?;
    let cookie = digest_of(browser::cookie(headers, &browser_cookie(&pool, state))?);
    let now = pool.now();
    let taken = pool
        .store
        .write(|data| {
            let waiting = data.external_sign_ins.get(&key);
            let is_theirs = waiting.is_some_and(|sign_in| same(&sign_in.browser, &cookie));
            is_theirs.then(|| data.external_sign_ins.remove(&key)).flatten().ok_or(())
        })
        .await;
    let sign_in = taken.ok()?.ok().filter(|sign_in| now < sign_in.expires_at)?;
    Some((pool, sign_in))
}

async fn go_on(
    asking: &Asking,
    provider: &ProviderSettings,
    sign_in: &ExternalSignIn,
    query: &Parameters,
) -> Response {
    // RFC 9207: who answers is who was asked.
    let issuer = &provider.provider_details.oidc_issuer;
    if query.get("iss").is_some_and(|given| given != issuer) {
        return unreachable(asking, provider, &"another issuer answered".into());
    }
    let Some(code) = query.get("code").filter(|_| !query.has("error")) else {
        let error = match query.get("error") {
            Some("access_denied") => "access_denied",
            Some("login_required") => "login_required",
            _ => "server_error",
        };
        let words = query.get("error_description").or_else(|| query.get("error"));
        return failed(asking, error, &shortened(words.unwrap_or("no code")));
    };
    let claims = match claims(provider, sign_in, code).await {
        Ok(claims) => claims,
        Err(why) => return unreachable(asking, provider, &why),
    };
    let user = match account::user_of(asking, provider, &claims).await {
        Ok(user) => user,
        Err((error, words)) => return failed(asking, error, &words),
    };
    match entry::enter(asking, &user, &provider.provider_name).await {
        Ok(response) => response,
        Err(error) => failed(asking, "server_error", &error.message),
    }
}

/// What the provider says of the user: in the ID token, and where it has more to tell, there.
async fn claims(
    provider: &ProviderSettings,
    sign_in: &ExternalSignIn,
    code: &str,
) -> Result<Map<String, Value>, Unusable> {
    let details = &provider.provider_details;
    let endpoints = Endpoints::find(details).await?;
    let secret = details.client_secret.as_deref().map(|secret| ("client_secret", secret));
    let form: Vec<_> = [
        ("grant_type", "authorization_code"),
        ("client_id", &details.client_id),
        ("code", code),
        ("redirect_uri", &sign_in.redirect_uri),
        ("code_verifier", &sign_in.code_verifier),
    ]
    .into_iter()
    .chain(secret)
    .collect();
    let answer = ask("token endpoint", &endpoints.token, Question::Form(&form)).await?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let token = text("id_token").ok_or("the token endpoint answered without an ID token")?;
    let keys = ask("key set", &endpoints.keys, Question::Get).await?;
    // A provider's time is the world's, wherever the pool's clock was put.
    let expected = Expected { details, nonce: &sign_in.nonce, now: SystemClock.now() };
    let mut claims = id_token::verify(token, &keys, &expected)?;
    let (Some(address), Some(token)) = (&endpoints.user_info, text("access_token")) else {
        return Ok(claims);
    };
    let method = match details.attributes_request_method {
        RequestMethod::Get => Method::GET,
        RequestMethod::Post => Method::POST,
    };
    let told = ask("userinfo endpoint", address, Question::As(method, token)).await?;
    let Value::Object(told) = told else {
        return Err("the userinfo endpoint did not answer with a JSON object".into());
    };
    // OpenID Connect Core 1.0, section 5.3.2.
    if told.get("sub") != claims.get("sub") {
        return Err("the userinfo endpoint answered for another `sub` than the ID token's".into());
    }
    for (name, value) in told {
        claims.entry(name).or_insert(value);
    }
    Ok(claims)
}

fn shortened(words: &str) -> String {
    words.chars().filter(|sign| !sign.is_control()).take(MAX_DESCRIPTION).collect()
}
