//! The user pool API: `POST /` with the operation in `X-Amz-Target` and JSON in the body.

mod access;
mod account;
pub(crate) mod attributes;
pub(crate) mod auth;
mod body;
mod change;
mod clients;
pub(crate) mod codes;
mod context;
mod error;
mod filter;
mod groups;
mod identity_links;
mod identity_providers;
mod invitations;
mod listing;
mod lockout;
mod members;
mod migration;
mod model;
pub(crate) mod new_password;
mod paging;
mod passwords;
mod pool_parts;
mod pools;
mod resource_servers;
mod resources;
pub(crate) mod sessions;
pub(crate) mod shapes;
mod sign_up;
mod software_token;
mod temporary_password;
pub(crate) mod user_names;
mod users;
mod users_passwords;
pub(crate) mod validate;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use self::context::SELF_SERVICE_SCOPE;
use self::model::MODEL;
use crate::{error::ApiError, pool::site::Site};

/// What an operation answers.
pub(crate) type Answer = Result<Value, ApiError>;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const SERVICE: &str = "AWSCognitoIdentityProviderService.";

pub(crate) async fn handle(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match answer(&site, &headers, body).await {
        Ok(output) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], output.to_string()).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer(site: &Arc<Site>, headers: &HeaderMap, body: Body) -> Answer {
    let body = body::read(body).await?;
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(SERVICE));
    let operation = operation.ok_or_else(unknown_operation)?;
    let served = MODEL.operation(operation).ok_or_else(unknown_operation)?;
    access::check(site, served, headers)?;
    match serde_json::from_slice(&body) {
        Ok(input @ Value::Object(_)) => call(site, operation, input).await,
        _ => Err(not_json()),
    }
}

/// Checks the input of an operation and runs it. Each group of operations knows its own.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Answer {
    let served = MODEL.operation(operation).ok_or_else(unknown_operation)?;
    validate::check(served, &input)?;
    macro_rules! first_of {
        ($($group:ident),*) => {
            $(if let Some(answer) = $group::call(site, operation, input.clone()).await {
                return answer;
            })*
        };
    }
    first_of!(
        account,
        auth,
        clients,
        groups,
        identity_links,
        identity_providers,
        invitations,
        listing,
        members,
        passwords,
        pool_parts,
        pools,
        resource_servers,
        sessions,
        sign_up,
        software_token,
        users,
        users_passwords
    );
    Err(unknown_operation())
}

/// Reads an operation's input. Members that are null are absent.
fn input<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|_| ApiError::wrong_type())
}

/// A member that has to be there.
fn required<T>(value: Option<T>, member: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::missing(member))
}

/// The answer of operations that tell nothing.
fn nothing() -> Answer {
    Ok(json!({}))
}

fn not_json() -> ApiError {
    ApiError::new("SerializationException", "The request's body is not a JSON object.")
}

fn unknown_operation() -> ApiError {
    ApiError::new("UnknownOperationException", "The local pool does not have this operation.")
}
