//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use crate::{
    domain::sessions,
    http::oauth::{
        client_auth,
        error::OAuthError,
        parameters::{Form, Parameters},
        request::UNCLEAR,
    },
    pool::site::Site,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

const NO_TOKEN: OAuthError = OAuthError::new("invalid_request", "token is missing");
const REVOCATION_IS_OFF: OAuthError =
    OAuthError::new("invalid_request", "EnableTokenRevocation is off in the app client");
const NOT_A_REFRESH_TOKEN: OAuthError =
    OAuthError::new("unsupported_token_type", "Only refresh tokens can be revoked");
const OTHER_CLIENT: OAuthError =
    OAuthError::new("invalid_client", "The token belongs to another app client");

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    match revoke(&site, &headers, &form).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err((status, error)) => error.with_status(status),
    }
}

async fn revoke(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(), (StatusCode, OAuthError)> {
    let bad = |error: OAuthError| (StatusCode::BAD_REQUEST, error);
    if !form.are_clear() {
        return Err(bad(UNCLEAR));
    }
    let (pool, client) =
        client_auth::client(site, headers, form).map_err(|error| match error.code {
            "invalid_client" => (StatusCode::UNAUTHORIZED, error),
            _ => bad(error),
        })?;
    let token = form.get("token").ok_or(bad(NO_TOKEN))?;
    if !client.settings.enable_token_revocation {
        return Err(bad(REVOCATION_IS_OFF));
    }
    // Access and ID tokens have three parts, and live on until they expire.
    if token.split('.').count() == 3 {
        return Err(bad(NOT_A_REFRESH_TOKEN));
    }
    sessions::revoke(&pool, &client, token).await.map_err(|error| match error.name {
        "InternalErrorException" => (StatusCode::INTERNAL_SERVER_ERROR, OAuthError::SERVER),
        _ => (StatusCode::UNAUTHORIZED, OTHER_CLIENT),
    })
}
