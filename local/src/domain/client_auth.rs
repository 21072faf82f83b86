//! Authentication of app clients by their secrets.

use std::sync::Arc;

use crate::{
    crypto::secret::same,
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
    let is_authenticated = match &client.settings.client_secret {
        // All secrets are compared. Otherwise the time would reveal which one matched.
        Some(known) => secrets.iter().filter(|sent| same(known, sent.as_bytes())).count() > 0,
        None => secrets.is_empty(),
    };
    if is_authenticated { Ok((pool, client)) } else { Err(ClientAuthError::WrongSecret) }
}
