//! Operations of the API that the pages use, called as the app client whose user is at the browser.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    crypto::secret::secret_hash,
    error::{Error, ErrorKind},
    http::{
        api::{self, Answer},
        oauth::request::AuthorizationRequest,
    },
    model::settings::ExistenceErrors,
    pool::site::Site,
};

/// Calls an operation for a user, with the secret hash of the app client if it has a secret.
pub(crate) async fn call(
    site: &Arc<Site>,
    request: &AuthorizationRequest,
    operation: &str,
    username: &str,
    members: Value,
) -> Answer {
    let settings = &request.client.settings;
    let mut input = Map::new();
    input.insert("ClientId".to_owned(), json!(settings.client_id));
    input.insert("Username".to_owned(), json!(username));
    if let Some(secret) = &settings.client_secret {
        let hash = secret_hash(secret, username, &settings.client_id);
        input.insert("SecretHash".to_owned(), json!(hash));
    }
    if let Value::Object(members) = members {
        input.extend(members);
    }
    api::call(site, operation, Value::Object(input)).await
}

/// Returns the destination of the code that an operation sent.
pub(crate) fn code_destination(output: &Value) -> Option<&str> {
    output.pointer("/CodeDeliveryDetails/Destination").and_then(Value::as_str)
}

/// Returns whether responses must not reveal which users exist (`PreventUserExistenceErrors`).
pub(crate) fn hides_users(request: &AuthorizationRequest) -> bool {
    request.client.settings.prevent_user_existence_errors == ExistenceErrors::Enabled
}

/// Returns whether an error would reveal whether a user exists although the app client hides that.
pub(crate) fn must_be_hidden(request: &AuthorizationRequest, error: &Error) -> bool {
    hides_users(request)
        && matches!(
            error.kind,
            ErrorKind::NotAuthorized | ErrorKind::InvalidParameter | ErrorKind::UserNotFound
        )
}
