//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    super::{api::sessions, site::Site},
    client_auth,
    parameters::{Form, Parameters},
    token::document,
};

pub(super) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    match revoke(&site, &headers, &form).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err((status, error)) => document(status, &json!({ "error": error })),
    }
}

async fn revoke(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(), (StatusCode, &'static str)> {
    let bad = |error| (StatusCode::BAD_REQUEST, error);
    let no_client = (StatusCode::UNAUTHORIZED, "invalid_client");
    if !form.are_clear() {
        return Err(bad("invalid_request"));
    }
    let (pool, client) = client_auth::client(site, headers, form).map_err(|error| match error {
        "invalid_client" => no_client,
        error => bad(error),
    })?;
    let token = form.get("token").ok_or(bad("invalid_request"))?;
    if !client.settings.enable_token_revocation {
        return Err(bad("invalid_request"));
    }
    // Access and ID tokens have three parts, and live on until they expire.
    if token.split('.').count() == 3 {
        return Err(bad("unsupported_token_type"));
    }
    sessions::revoke(&pool, &client, token).await.map_err(|error| match error.name {
        "InternalErrorException" => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        _ => no_client,
    })
}
