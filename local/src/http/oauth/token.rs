//! `POST /oauth2/token`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::{Map, Value, json};

use crate::{
    domain::grants::{self, Exchange, GrantError, MachineToken},
    error::ErrorKind,
    http::oauth::{
        client_auth,
        error::OAuthError,
        json::json_response,
        parameters::{Form, Parameters},
        request::{AMBIGUOUS, FLOW_NOT_ALLOWED},
        resource,
    },
    pool::{issue::Tokens, site::Site},
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

/// Responds with tokens for a grant.
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
    match form.get("grant_type").ok_or(NO_GRANT_TYPE)? {
        "authorization_code" => {
            let exchange = Exchange {
                code: form.get("code").ok_or(NO_CODE)?,
                redirect_uri: form.get("redirect_uri"),
                verifier: form.get("code_verifier"),
                resource,
            };
            let tokens = grants::exchange(&pool, &client, &exchange).await;
            tokens.map(token_response).map_err(|error| oauth_error(&error, BAD_CODE))
        }
        "refresh_token" => {
            let token = form.get("refresh_token").ok_or(NO_REFRESH_TOKEN)?;
            let tokens = grants::refresh(&pool, &client, token, resource).await;
            tokens.map(token_response).map_err(|error| oauth_error(&error, BAD_REFRESH_TOKEN))
        }
        "client_credentials" => {
            if resource.is_some() {
                return Err(resource::USERS_ONLY);
            }
            let metadata = form.get("aws_client_metadata").map(serde_json::from_str::<Metadata>);
            let metadata = metadata.transpose().map_err(|_| BAD_METADATA)?.unwrap_or_default();
            let scope = form.get("scope");
            let token = grants::client_credentials(&pool, &client, scope, &metadata).await;
            token.map(machine_response).map_err(|error| oauth_error(&error, "invalid_grant".into()))
        }
        _ => Err("unsupported_grant_type".into()),
    }
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

fn machine_response(token: MachineToken) -> Value {
    let MachineToken { access_token, expires_in } = token;
    json!({ "access_token": access_token, "expires_in": expires_in, "token_type": "Bearer" })
}

/// Returns the OAuth error for a grant. `rejected` is the error for an invalid code or token.
fn oauth_error(error: &GrantError, rejected: OAuthError) -> OAuthError {
    match error {
        GrantError::FlowNotAllowed => FLOW_NOT_ALLOWED,
        GrantError::NoClientSecret => CLIENT_WITHOUT_SECRET,
        GrantError::InvalidScope => "invalid_scope".into(),
        GrantError::Rejected(error) => match error.kind {
            ErrorKind::InternalError => OAuthError::SERVER,
            ErrorKind::InvalidTarget => resource::MISMATCH,
            _ => rejected,
        },
    }
}
