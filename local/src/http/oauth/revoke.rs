//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use crate::{
    domain::sessions,
    error::ErrorKind,
    http::oauth::{
        client_auth,
        error::OAuthError,
        parameters::{Form, Parameters},
        request::AMBIGUOUS,
    },
    pool::site::Site,
};

const NO_TOKEN: OAuthError = OAuthError::new("invalid_request", "token is missing");
const REVOCATION_DISABLED: OAuthError =
    OAuthError::new("invalid_request", "EnableTokenRevocation is false for the app client");
const NOT_A_REFRESH_TOKEN: OAuthError =
    OAuthError::new("unsupported_token_type", "Only refresh tokens can be revoked");
const OTHER_CLIENT: OAuthError =
    OAuthError::new("invalid_client", "The token belongs to another app client");

/// Revokes a refresh token, with all access tokens of its session.
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
    let bad_request = |error: OAuthError| (StatusCode::BAD_REQUEST, error);
    if !form.is_unambiguous() {
        return Err(bad_request(AMBIGUOUS));
    }
    let (pool, client) =
        client_auth::authenticate(site, headers, form).map_err(|error| match error.code {
            "invalid_client" => (StatusCode::UNAUTHORIZED, error),
            _ => bad_request(error),
        })?;
    let token = form.get("token").ok_or(bad_request(NO_TOKEN))?;
    sessions::revoke_token(&pool, &client, token).await.map_err(|error| match error.kind {
        ErrorKind::UnsupportedOperation => bad_request(REVOCATION_DISABLED),
        ErrorKind::UnsupportedTokenType => bad_request(NOT_A_REFRESH_TOKEN),
        ErrorKind::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, OAuthError::SERVER),
        _ => (StatusCode::UNAUTHORIZED, OTHER_CLIENT),
    })
}
