//! The pool, the app client and the token that an operation names.

use std::sync::Arc;

use tower_cognito::Verified;

use crate::{
    crypto::secret::{same, secret_hash},
    error::Error,
    http::api::required,
    model::{Client, User},
    pool::{Pool, issue::API_SCOPE, site::Site},
};

impl Site {
    pub(crate) fn named_pool(&self, id: Option<String>) -> Result<Arc<Pool>, Error> {
        let id = required(id, "UserPoolId")?;
        self.pool(&id).ok_or_else(|| Error::no_pool(&id))
    }

    pub(crate) fn named_client(
        &self,
        id: Option<String>,
    ) -> Result<(Arc<Pool>, Arc<Client>), Error> {
        let id = required(id, "ClientId")?;
        self.client(&id).ok_or_else(|| Error::no_client(&id))
    }

    /// Returns the pool and the user of a valid access token that may act for its user.
    pub(crate) async fn token_user(
        &self,
        token: Option<String>,
    ) -> Result<(Arc<Pool>, Arc<User>, Verified), Error> {
        let token = required(token, "AccessToken")?;
        let (pool, verified) = self.verified(&token).await?;
        if !verified.has_scope(API_SCOPE) {
            return Err(Error::not_authorized("Access Token does not have required scopes"));
        }
        let user = pool.user_of(&verified)?;
        Ok((pool, user, verified))
    }
}

/// Checks the secret hash of a client with a secret, and that a client without one sends none.
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
