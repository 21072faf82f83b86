//! `GET /oauth2/idpresponse`: the address to which a provider redirects the browser.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, Method, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use tower_cognito::verifier::Clock;

use crate::{
    domain::federation::{
        account::{self, AccountError},
        id_token::{self, Expected},
        providers, sign_ins,
    },
    error::{Error, ErrorKind},
    http::oauth::{
        browser_session::complete_sign_in,
        cookies::{cookie, remove_cookie},
        federation::{
            endpoints::{Endpoints, ProviderError, ProviderRequest, fetch_json},
            start::{provider_failed, redirect_with_error, sign_in_cookie},
        },
        message_page::error_page,
        parameters::{Parameters, Query},
        request::AuthorizationRequest,
    },
    model::settings::{ProviderSettings, RequestMethod},
    pool::{Pool, site::Site},
    store::ExternalSignIn,
    time::SystemClock,
};

/// The maximum length of a provider's error description, in characters.
const MAX_DESCRIPTION: usize = 200;

/// Completes the sign-in that the parameter `state` identifies.
pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    let state = query.get("state").filter(|_| query.is_unambiguous());
    let Some(state) = state else { return error_page("invalid_state") };
    let (pool, sign_in) = match take(&site, &headers, state).await {
        Ok(Some(taken)) => taken,
        Ok(None) => return error_page("invalid_state"),
        Err(_) => return error_page("server_error"),
    };
    let parameters = Parameters::parse(sign_in.request.as_bytes());
    let request = match AuthorizationRequest::parse(&site, &parameters) {
        Ok(request) => request,
        Err(error) => return error.into_response(),
    };
    let is_chosen = |provider: &ProviderSettings| provider.provider_name == sign_in.provider;
    let providers = providers::supported(&request.pool, &request.client.settings);
    let mut response = match providers.into_iter().find(is_chosen) {
        Some(provider) => finish(&request, &provider, &sign_in, &query).await,
        None => {
            let error = AccountError::ProviderDeleted;
            redirect_with_error(&request, code_of(&error), &error.to_string())
        }
    };
    let cookie = remove_cookie(&pool, &sign_in_cookie(&pool, state));
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Removes and returns the sign-in of a state, if this browser started it.
async fn take(
    site: &Site,
    headers: &HeaderMap,
    state: &str,
) -> Result<Option<(Arc<Pool>, Arc<ExternalSignIn>)>, Error> {
    let Some(pool) = sign_ins::pool_of(site, state) else { return Ok(None) };
    let Some(cookie) = cookie(headers, &sign_in_cookie(&pool, state)) else { return Ok(None) };
    let sign_in = sign_ins::take(&pool, state, cookie.value()).await?;
    Ok(sign_in.map(|sign_in| (pool, sign_in)))
}

/// Completes a sign-in with the provider's response, and redirects the browser to the app.
async fn finish(
    request: &AuthorizationRequest,
    provider: &ProviderSettings,
    sign_in: &ExternalSignIn,
    query: &Parameters,
) -> Response {
    // The response must come from the provider that got the request (RFC 9207).
    let issuer = &provider.provider_details.oidc_issuer;
    if query.get("iss").is_some_and(|given| given != issuer) {
        return provider_failed(request, provider, &"the response has another issuer".into());
    }
    let Some(code) = query.get("code").filter(|_| !query.has("error")) else {
        let error = match query.get("error") {
            Some("access_denied") => "access_denied",
            Some("login_required") => "login_required",
            _ => "server_error",
        };
        let description = query.get("error_description").or_else(|| query.get("error"));
        return redirect_with_error(request, error, &shortened(description.unwrap_or("no code")));
    };
    let claims = match fetch_claims(provider, sign_in, code).await {
        Ok(claims) => claims,
        Err(error) => return provider_failed(request, provider, &error),
    };
    let AuthorizationRequest { pool, client, .. } = request;
    let user = match account::find_or_create_user(pool, client, provider, &claims).await {
        Ok(user) => user,
        Err(error) => return redirect_with_error(request, code_of(&error), &error.to_string()),
    };
    match complete_sign_in(request, &user, &provider.provider_name).await {
        Ok(response) => response,
        Err(error) => redirect_with_error(request, code_of_sign_in_error(&error), &error.message),
    }
}

/// Returns the OAuth error code for an error of the user's account.
fn code_of(error: &AccountError) -> &'static str {
    match error {
        AccountError::Rejected(_) | AccountError::ProviderDeleted => "invalid_request",
        AccountError::UserDisabled => "access_denied",
        AccountError::UserDeleted | AccountError::NotSaved => "server_error",
    }
}

/// Returns the OAuth error code for an error at the end of a sign-in. A trigger that fails does not reject the user.
fn code_of_sign_in_error(error: &Error) -> &'static str {
    match error.kind {
        ErrorKind::NotAuthorized | ErrorKind::UserLambdaValidation => "access_denied",
        _ => "server_error",
    }
}

/// Exchanges a code, and returns the claims of the ID token and of the userinfo endpoint, if there is one.
async fn fetch_claims(
    provider: &ProviderSettings,
    sign_in: &ExternalSignIn,
    code: &str,
) -> Result<Map<String, Value>, ProviderError> {
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
    let tokens =
        fetch_json("token endpoint", &endpoints.token, ProviderRequest::PostForm(&form)).await?;
    let text = |name: &str| tokens.get(name).and_then(Value::as_str);
    let token = text("id_token").ok_or("the token endpoint responded without an ID token")?;
    let keys = fetch_json("key set", &endpoints.keys, ProviderRequest::Get).await?;
    let keys = keys.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or("the key set is not a JSON object with an array `keys`")?;
    // The provider uses the real time, even if the pool's clock was advanced.
    let expected = Expected { details, nonce: &sign_in.nonce, now: SystemClock.now() };
    let mut claims = id_token::verify(token, keys, &expected)?;
    let (Some(address), Some(token)) = (&endpoints.user_info, text("access_token")) else {
        return Ok(claims);
    };
    let method = match details.attributes_request_method {
        RequestMethod::Get => Method::GET,
        RequestMethod::Post => Method::POST,
    };
    let user_info = ProviderRequest::WithToken(method, token);
    let user_info = fetch_json("userinfo endpoint", address, user_info).await?;
    let Value::Object(user_info) = user_info else {
        return Err("the userinfo endpoint did not respond with a JSON object".into());
    };
    id_token::add_user_info(&mut claims, user_info)?;
    Ok(claims)
}

/// Returns the provider's description, shortened and without control characters.
fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_DESCRIPTION).collect()
}

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, http::StatusCode};
    use serde_json::json;

    use super::*;
    use crate::{
        pool::{KeySupply, Parts, addresses::Addresses},
        store::{Disk, Store},
        triggers::Triggers,
    };

    #[tokio::test]
    async fn failure_of_the_store_is_not_reported_as_an_expired_sign_in() {
        let name = format!("tower-cognito-callback-{}.redb", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let disk = Arc::new(Disk::open(&path).unwrap());
        let addresses = Arc::new(Addresses::of(([127, 0, 0, 1], 9229).into()));
        let id = "us-east-1_Local0001";
        let parts = Parts {
            store: Store::open(id, Some(Arc::clone(&disk))).unwrap(),
            id: id.parse().unwrap(),
            client_id: "client".to_owned(),
            issuer: format!("http://127.0.0.1:9229/{id}"),
            addresses: Arc::clone(&addresses),
            keys: KeySupply::Shared,
            triggers: Triggers::default(),
        };
        let pool = Arc::new(Pool::open(parts).unwrap());
        let site = Arc::new(Site::new(
            addresses,
            Some(Arc::clone(&disk)),
            None,
            String::new(),
            ("us-east-1", KeySupply::Shared),
        ));
        site.add(Arc::clone(&pool));
        let provider = json!({
            "provider_name": "Corp", "provider_type": "OIDC",
            "provider_details": {
                "client_id": "relying", "oidc_issuer": "https://corp.test", "authorize_scopes": "openid",
            },
        });
        let provider: ProviderSettings = serde_json::from_value(provider).unwrap();
        let started =
            sign_ins::start(&pool, &provider, String::new(), String::new()).await.unwrap();
        disk.close();
        let cookie = format!("{}={}", sign_in_cookie(&pool, &started.state), started.cookie);
        let headers = HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]);
        let query = Parameters::parse(format!("state={}&code=c", started.state).as_bytes());
        let response = handle(State(site), headers, Query(query)).await;
        std::fs::remove_file(&path).unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains("The local pool could not save its data."), "{page}");
    }
}
