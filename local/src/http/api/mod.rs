//! The user pool API: `POST /` with the operation in `X-Amz-Target` and JSON in the body.

mod access;
mod account;
mod attribute_list;
mod body;
mod clients;
mod context;
mod error;
mod filter;
mod groups;
mod identity_links;
mod identity_providers;
mod invitations;
mod listing;
mod members;
mod paging;
mod passwords;
mod pool_parts;
mod pools;
mod resource_servers;
mod resources;
mod sessions;
pub(crate) mod shapes;
mod sign_in;
mod sign_up;
mod software_token;
mod users;
mod users_passwords;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    error::Error,
    pool::site::Site,
    service_model::{self, MODEL},
};

/// What an operation answers.
pub(crate) type Answer = Result<Value, Error>;

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
    service_model::check(served, &input)?;
    macro_rules! first_of {
        ($($group:ident),*) => {
            $(if let Some(answer) = $group::call(site, operation, input.clone()).await {
                return answer;
            })*
        };
    }
    first_of!(
        account,
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
        sign_in,
        sign_up,
        software_token,
        users,
        users_passwords
    );
    Err(unknown_operation())
}

/// Reads an operation's input. Members that are null are absent.
fn input<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|_| Error::wrong_type())
}

/// A member that has to be there.
fn required<T>(value: Option<T>, member: &str) -> Result<T, Error> {
    value.ok_or_else(|| Error::missing(member))
}

/// The answer of operations that tell nothing.
fn nothing() -> Answer {
    Ok(json!({}))
}

fn not_json() -> Error {
    Error::new("SerializationException", "The request's body is not a JSON object.")
}

fn unknown_operation() -> Error {
    Error::new("UnknownOperationException", "The local pool does not have this operation.")
}
