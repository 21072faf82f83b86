//! Authentication of app clients by their secrets.

use std::sync::Arc;

use crate::{
    crypto::secret::{same, secret_hash},
    error::Error,
    model::Client,
    pool::{Pool, site::Site},
};

/// The credentials that a client sent. Both lists have one entry for each way to decode them, the most likely first.
pub(crate) struct ClientCredentials {
    pub(crate) ids: Vec<String>,
    /// Empty if the client sent no secret.
    pub(crate) secrets: Vec<String>,
}

/// Error returned when an app client cannot be authenticated.
pub(crate) enum ClientAuthError {
    UnknownClient,
    /// The secret is wrong or missing, or the app client has no secret and the request has one.
    WrongSecret,
}

/// Returns the app client that has these credentials, and its pool.
///
/// # Errors
/// Returns an error if no pool has the client, or if the secret is wrong.
pub(crate) fn authenticate(
    site: &Site,
    credentials: &ClientCredentials,
) -> Result<(Arc<Pool>, Arc<Client>), ClientAuthError> {
    let ClientCredentials { ids, secrets } = credentials;
    let (pool, client) =
        ids.iter().find_map(|id| site.client(id)).ok_or(ClientAuthError::UnknownClient)?;
    if is_authenticated(&client, secrets.iter().map(String::as_str)) {
        Ok((pool, client))
    } else {
        Err(ClientAuthError::WrongSecret)
    }
}

/// Checks the secret that a client sent. A client without a secret must not send one.
pub(crate) fn check_secret(client: &Client, secret: Option<&str>) -> Result<(), Error> {
    if is_authenticated(client, secret.into_iter()) {
        return Ok(());
    }
    let id = &client.settings.client_id;
    Err(Error::not_authorized(format!("Unable to verify secret for client {id}")))
}

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

/// Returns whether one of the sent secrets is the client's secret, or the client has none and none was sent.
fn is_authenticated<'a>(client: &Client, sent: impl Iterator<Item = &'a str>) -> bool {
    match &client.settings.client_secret {
        // All secrets are compared. Otherwise the time would reveal which one matched.
        Some(known) => sent.filter(|sent| same(known, sent)).count() > 0,
        None => sent.count() == 0,
    }
}
