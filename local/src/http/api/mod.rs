//! The user pool API: `POST /` with the operation in `X-Amz-Target` and JSON in the body.

mod access;
mod account;
mod attribute_list;
mod attribute_schema;
mod body;
mod clients;
mod context;
mod error;
mod functions;
mod groups;
mod identity_links;
mod identity_providers;
mod invitations;
pub(crate) mod operations;
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
mod wire;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

pub(crate) use self::wire::Answer;
use self::{
    operations::Operation,
    wire::{input, nothing, required},
};
use crate::{
    error::{Error, ErrorKind},
    pool::site::Site,
    service_model::{self, MODEL},
};

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
    let operation = Operation::of_name(operation).ok_or_else(unknown_operation)?;
    access::check(site, operation, headers)?;
    match serde_json::from_slice(&body) {
        Ok(input @ Value::Object(_)) => run(site, operation, input).await,
        _ => Err(not_json()),
    }
}

/// Checks the input of an operation and runs it.
async fn run(site: &Arc<Site>, operation: &Operation, input: Value) -> Answer {
    let model = MODEL.operation(operation.name).ok_or_else(unknown_operation)?;
    service_model::check(model, &input)?;
    operation.run(site, input).await
}

/// Runs an operation by its name, for the hosted pages that are not adapted yet.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Answer {
    let operation = Operation::of_name(operation).ok_or_else(unknown_operation)?;
    run(site, operation, input).await
}

fn not_json() -> Error {
    Error::new(ErrorKind::Serialization, "The request's body is not a JSON object.")
}

fn unknown_operation() -> Error {
    Error::new(ErrorKind::UnknownOperation, "The local pool does not have this operation.")
}
