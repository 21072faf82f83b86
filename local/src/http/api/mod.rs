//! The user pool API: `POST /` with the operation in `X-Amz-Target` and JSON in the body.

mod access;
mod account;
mod attribute_list;
mod attribute_schema;
mod body;
pub(crate) mod challenges;
mod clients;
mod context;
mod error;
mod functions;
mod groups;
mod identity_links;
mod identity_providers;
mod invitations;
mod operations;
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
use tower_cognito::verifier::PoolId;

use self::{
    operations::{Operation, Request},
    wire::{Output, empty_output, input, required},
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
    match run(&site, &headers, body).await {
        Ok(output) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], output.to_string()).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn run(site: &Arc<Site>, headers: &HeaderMap, body: Body) -> Output {
    let body = body::read(body).await?;
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.strip_prefix(SERVICE));
    let operation = operation.ok_or_else(unknown_operation)?;
    let operation = Operation::of_name(operation).ok_or_else(unknown_operation)?;
    access::check(site, operation, headers)?;
    match serde_json::from_slice(&body) {
        Ok(input @ Value::Object(_)) => {
            let model = MODEL.operation(operation.name).ok_or_else(unknown_operation)?;
            service_model::check(model, &input)?;
            operation.run(site, Request { input, region: signed_region(headers) }).await
        }
        _ => Err(not_json()),
    }
}

/// Returns the region for which a request is signed: the third part of the credential scope in
/// `AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/cognito-idp/aws4_request, …`. The signature is not checked.
fn signed_region(headers: &HeaderMap) -> Option<String> {
    let signature = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, scope) = signature.strip_prefix("AWS4-HMAC-SHA256")?.split_once("Credential=")?;
    let region = scope.split('/').nth(2)?;
    // The region becomes a part of the pool's id.
    let id = format!("{region}_a").parse::<PoolId>().ok()?;
    (id.region() == Some(region)).then(|| region.to_owned())
}

/// Responds to a request whose handler ended without a response.
pub(crate) fn no_response() -> Response {
    let message =
        "The local pool could not complete the request: it was stopped, or the operation panicked.";
    Error::new(ErrorKind::InternalError, message).into_response()
}

fn not_json() -> Error {
    Error::new(ErrorKind::Serialization, "The request body must be a JSON object.")
}

fn unknown_operation() -> Error {
    Error::new(ErrorKind::UnknownOperation, "The local pool does not support this operation.")
}
