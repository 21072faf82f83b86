//! `POST /oauth2/token`.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    super::{
        api::{ApiError, sessions},
        settings::OAuthFlow,
        shared::Shared,
        site::Site,
        store::Client,
        triggers::Metadata,
    },
    client_auth,
    grants::{self, Exchange},
    parameters::{Form, Parameters},
    scopes,
};
use crate::claims::TokenUse;

/// Members of the API's answer, and what they are called here.
const MEMBERS: [(&str, &str); 5] = [
    ("id_token", "IdToken"),
    ("access_token", "AccessToken"),
    ("refresh_token", "RefreshToken"),
    ("expires_in", "ExpiresIn"),
    ("token_type", "TokenType"),
];

pub(super) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Form(form): Form,
) -> Response {
    match answer(&site, &headers, &form).await {
        Ok(answer) => document(StatusCode::OK, &answer),
        Err("server_error") => {
            document(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" }))
        }
        Err(error) => document(StatusCode::BAD_REQUEST, &json!({ "error": error })),
    }
}

/// JSON that nobody keeps (RFC 6749, section 5.1).
pub(super) fn document(status: StatusCode, value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json;charset=UTF-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    (status, headers, value.to_string()).into_response()
}

async fn answer(
    site: &Site,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Value, &'static str> {
    if !form.are_clear() {
        return Err("invalid_request");
    }
    let (pool, client) = client_auth::client(site, headers, form)?;
    if !client.settings.allowed_oauth_flows_user_pool_client {
        return Err("unauthorized_client");
    }
    match form.get("grant_type").ok_or("invalid_request")? {
        "authorization_code" => {
            check_flow(&client, OAuthFlow::Code)?;
            let exchange = Exchange {
                code: form.get("code").ok_or("invalid_request")?,
                redirect_uri: form.get("redirect_uri"),
                verifier: form.get("code_verifier"),
            };
            grants::exchange(&pool, &client, &exchange).await.map(named).map_err(refused)
        }
        "refresh_token" => {
            let token = form.get("refresh_token").ok_or("invalid_request")?;
            let metadata = Metadata::NONE;
            let refreshed = sessions::refresh(&pool, &client, token, metadata, |_| Ok(())).await;
            refreshed.map(named).map_err(refused)
        }
        "client_credentials" => {
            check_flow(&client, OAuthFlow::ClientCredentials)?;
            let said = form.get("aws_client_metadata").map(serde_json::from_str::<Metadata>);
            let said = said.transpose().map_err(|_| "invalid_request")?.unwrap_or_default();
            machine(&pool, &client, form.get("scope"), &said).await
        }
        _ => Err("unsupported_grant_type"),
    }
}

fn check_flow(client: &Client, flow: OAuthFlow) -> Result<(), &'static str> {
    let is_allowed = client.settings.allowed_oauth_flows.contains(&flow);
    if is_allowed { Ok(()) } else { Err("unauthorized_client") }
}

async fn machine(
    pool: &Shared,
    client: &Client,
    scope: Option<&str>,
    metadata: &Metadata,
) -> Result<Value, &'static str> {
    // Who has no secret cannot prove to be that machine.
    if client.settings.client_secret.is_none() {
        return Err("unauthorized_client");
    }
    let scopes = pool.store.read(|data| scopes::of_machine(data, &client.settings, scope));
    let scopes = scopes.ok_or("invalid_scope")?;
    let claims = pool.machine_claims(client, &scopes, metadata).await.map_err(refused)?;
    Ok(json!({
        "access_token": pool.sign_claims(TokenUse::Access, claims).await,
        "expires_in": client.settings.access_token_lifetime().as_secs(),
        "token_type": "Bearer",
    }))
}

/// The API's answer under the names of OAuth.
fn named(result: Value) -> Value {
    let Value::Object(mut result) = result else {
        return Value::Null;
    };
    let members = MEMBERS
        .iter()
        .filter_map(|(name, member)| Some(((*name).to_owned(), result.remove(*member)?)));
    Value::Object(members.collect::<Map<_, _>>())
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn refused(error: ApiError) -> &'static str {
    if error.name == "InternalErrorException" { "server_error" } else { "invalid_grant" }
}
