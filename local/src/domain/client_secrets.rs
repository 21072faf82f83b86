//! Checks of the secrets and secret hashes that app clients send to the API.

use crate::{
    crypto::secret::{same, secret_hash},
    error::Error,
    model::Client,
};

/// Checks the secret hash that a client sent. A client without a secret must not send one.
pub(crate) fn check_secret_hash(
    client: &Client,
    username: &str,
    hash: Option<&str>,
) -> Result<(), Error> {
    let id = &client.settings.client_id;
    match (&client.settings.client_secret, hash) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Error::not_authorized(format!(
            "Client {id} is not configured with secret but SECRET_HASH was received"
        ))),
        (Some(_), None) => Err(Error::not_authorized(format!(
            "Client {id} is configured with secret but SECRET_HASH was not received"
        ))),
        (Some(secret), Some(hash)) if same(hash, secret_hash(secret, username, id)) => Ok(()),
        (Some(_), Some(_)) => {
            Err(Error::not_authorized(format!("Unable to verify secret hash for client {id}")))
        }
    }
}

/// Checks the secret that a client sent. A client without a secret must not send one.
pub(crate) fn check_secret(client: &Client, secret: Option<&str>) -> Result<(), Error> {
    let is_valid = match (&client.settings.client_secret, secret) {
        (Some(own), Some(secret)) => same(own, secret),
        (None, None) => true,
        _ => false,
    };
    if is_valid {
        return Ok(());
    }
    let id = &client.settings.client_id;
    Err(Error::not_authorized(format!("Unable to verify secret for client {id}")))
}
