//! `POST /oauth2/token`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Map, Value, json};

use tower_cognito::TokenUse;

use crate::{
    domain::sessions,
    error::{Error, ErrorKind},
    http::oauth::{
        client_auth,
        error::OAuthError,
        grants::{self, Exchange},
        json::json_response,
        parameters::{Form, Parameters},
        request::{AMBIGUOUS, FLOW_NOT_ALLOWED},
        resource, scopes,
    },
    model::{Client, Session, settings::OAuthFlow},
    pool::{Pool, issue::Tokens, site::Site},
    triggers::Metadata,
};

const NO_GRANT_TYPE: OAuthError = OAuthError::new("invalid_request", "grant_type is missing");
const NO_CODE: OAuthError = OAuthError::new("invalid_request", "code is missing");
const NO_REFRESH_TOKEN: OAuthError = OAuthError::new("invalid_request", "refresh_token is missing");
const BAD_METADATA: OAuthError = OAuthError::new(
    "invalid_request",
    "aws_client_metadata must be a JSON object whose values are strings",
);
const BAD_CODE: OAuthError = OAuthError::new(
    "invalid_grant",
    "The code is unknown, used or expired, redirect_uri or code_verifier does not match it, or a trigger rejected \
     the request",
);
const BAD_REFRESH_TOKEN: OAuthError = OAuthError::new(
    "invalid_grant",
    "The refresh token is unknown, expired, revoked or rotated, or a trigger rejected the request",
);
const CLIENT_WITHOUT_SECRET: OAuthError = OAuthError::new(
    "unauthorized_client",
    "The client_credentials grant requires an app client with a client secret",
);

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    match issue_tokens(&site, &headers, &form).await {
        Ok(tokens) => json_response(StatusCode::OK, &tokens),
        Err(error) => error.response(),
    }
}

async fn issue_tokens(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Value, OAuthError> {
    let resource = resource::requested(form)?;
    if !form.is_unambiguous() {
        return Err(AMBIGUOUS);
    }
    let (pool, client) = client_auth::authenticate(site, headers, form)?;
    if !client.settings.allowed_oauth_flows_user_pool_client {
        return Err(FLOW_NOT_ALLOWED);
    }
    match form.get("grant_type").ok_or(NO_GRANT_TYPE)? {
        "authorization_code" => {
            check_flow(&client, OAuthFlow::Code)?;
            let exchange = Exchange {
                code: form.get("code").ok_or(NO_CODE)?,
                redirect_uri: form.get("redirect_uri"),
                verifier: form.get("code_verifier"),
                resource,
            };
            let exchanged = grants::exchange(&pool, &client, &exchange).await;
            exchanged.map(token_response).map_err(|error| oauth_error(&error, BAD_CODE))
        }
        "refresh_token" => {
            let token = form.get("refresh_token").ok_or(NO_REFRESH_TOKEN)?;
            let metadata = Metadata::NONE;
            let check = |session: &Session| resource::check(resource, session.resource.as_deref());
            let refreshed =
                sessions::refresh(&pool, &client, token, metadata, |_| Ok(()), check).await;
            refreshed.map(token_response).map_err(|error| oauth_error(&error, BAD_REFRESH_TOKEN))
        }
        "client_credentials" => {
            check_flow(&client, OAuthFlow::ClientCredentials)?;
            if resource.is_some() {
                return Err(resource::USERS_ONLY);
            }
            let metadata = form.get("aws_client_metadata").map(serde_json::from_str::<Metadata>);
            let metadata = metadata.transpose().map_err(|_| BAD_METADATA)?.unwrap_or_default();
            client_credentials(&pool, &client, form.get("scope"), &metadata).await
        }
        _ => Err("unsupported_grant_type".into()),
    }
}

fn check_flow(client: &Client, flow: OAuthFlow) -> Result<(), OAuthError> {
    let is_allowed = client.settings.allowed_oauth_flows.contains(&flow);
    if is_allowed { Ok(()) } else { Err(FLOW_NOT_ALLOWED) }
}

async fn client_credentials(
    pool: &Pool,
    client: &Client,
    scope: Option<&str>,
    metadata: &Metadata,
) -> Result<Value, OAuthError> {
    if client.settings.client_secret.is_none() {
        return Err(CLIENT_WITHOUT_SECRET);
    }
    let scopes = pool.store.read(|data| scopes::of_machine(data, &client.settings, scope));
    let scopes = scopes.ok_or(OAuthError::from("invalid_scope"))?;
    let claims = pool.machine_claims(client, &scopes, metadata).await;
    let claims = claims.map_err(|error| oauth_error(&error, "invalid_grant".into()))?;
    Ok(json!({
        "access_token": pool.sign_claims(TokenUse::Access, claims).await,
        "expires_in": client.settings.access_token_lifetime().as_secs(),
        "token_type": "Bearer",
    }))
}

/// Returns a token response (RFC 6749, section 5.1).
fn token_response(tokens: Tokens) -> Value {
    let Tokens { access_token, id_token, refresh_token, expires_in } = tokens;
    let members = [
        ("id_token", id_token.map(Value::String)),
        ("access_token", Some(Value::String(access_token))),
        ("refresh_token", refresh_token.map(Value::String)),
        ("expires_in", Some(json!(expires_in))),
        ("token_type", Some(json!("Bearer"))),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

fn oauth_error(error: &Error, otherwise: OAuthError) -> OAuthError {
    match error.kind {
        ErrorKind::InternalError => OAuthError::SERVER,
        _ if resource::is_mismatch(error) => resource::MISMATCH,
        _ => otherwise,
    }
}
