//! What operations begin with: whose pool, whose client, whose token.

use std::sync::Arc;

use tower_cognito::Verified;

use crate::{
    crypto::secret::{same, secret_hash},
    error::ApiError,
    http::api::required,
    model::{Client, User, settings::ExistenceErrors},
    pool::{Shared, site::Site},
    store::Data,
};

/// The scope that access tokens need to act for their user.
pub(crate) const SELF_SERVICE_SCOPE: &str = "aws.cognito.signin.user.admin";

impl Site {
    pub(crate) fn named_pool(&self, id: Option<String>) -> Result<Arc<Shared>, ApiError> {
        let id = required(id, "UserPoolId")?;
        self.pool(&id).ok_or_else(|| ApiError::no_pool(&id))
    }

    pub(crate) fn named_client(
        &self,
        id: Option<String>,
    ) -> Result<(Arc<Shared>, Client), ApiError> {
        let id = required(id, "ClientId")?;
        self.client(&id).ok_or_else(|| ApiError::no_client(&id))
    }

    /// The pool, and the user of an access token of it that is good, not revoked, and may act for its user.
    pub(crate) async fn token_user(
        &self,
        token: Option<String>,
    ) -> Result<(Arc<Shared>, User, Verified), ApiError> {
        let token = required(token, "AccessToken")?;
        let (pool, verified) = self.verified(&token).await?;
        if !verified.has_scope(SELF_SERVICE_SCOPE) {
            return Err(ApiError::not_authorized("Access Token does not have required scopes"));
        }
        let user = pool.user_of(&verified)?;
        Ok((pool, user, verified))
    }
}

/// Whether a client with a secret proves it, and one without does not claim to.
pub(crate) fn check_secret_hash(
    client: &Client,
    username: &str,
    hash: Option<&str>,
) -> Result<(), ApiError> {
    let id = &client.settings.client_id;
    match (&client.settings.client_secret, hash) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(ApiError::not_authorized(format!(
            "Client {id} is not configured with secret but SECRET_HASH was received"
        ))),
        (Some(_), None) => Err(ApiError::not_authorized(format!(
            "Client {id} is configured with secret but SECRET_HASH was not received"
        ))),
        (Some(secret), Some(hash)) if same(hash, secret_hash(secret, username, id)) => Ok(()),
        (Some(_), Some(_)) => {
            Err(ApiError::not_authorized(format!("Unable to verify secret hash for client {id}")))
        }
    }
}

/// The user of a token or a password that was checked before the store was locked: there still, and enabled.
/// Someone new who took the name meanwhile is not that user.
pub(crate) fn still_there<'a>(data: &'a mut Data, user: &User) -> Result<&'a mut User, ApiError> {
    still_as(data, user)?;
    data.exact_user_mut(&user.username).ok_or_else(ApiError::user_not_found)
}

/// As [`still_there`], to look at.
pub(crate) fn still_as<'a>(data: &'a Data, user: &User) -> Result<&'a User, ApiError> {
    match data.exact_user(&user.username).filter(|found| found.sub == user.sub) {
        Some(found) if found.enabled => Ok(found),
        Some(_) => Err(ApiError::user_disabled()),
        None => Err(ApiError::user_not_found()),
    }
}

/// The user whom an administrator names.
pub(crate) fn named_user<'a>(data: &'a Data, name: &str) -> Result<&'a User, ApiError> {
    data.find_user(name).ok_or_else(ApiError::user_not_found)
}

/// The user whom an administrator names, to be changed.
pub(crate) fn named_user_mut<'a>(data: &'a mut Data, name: &str) -> Result<&'a mut User, ApiError> {
    data.find_user_mut(name).ok_or_else(ApiError::user_not_found)
}

/// What an operation says of a user who is not there: the truth, or what the client is set to hear.
pub(crate) fn unknown_user(client: &Client, instead: ApiError) -> ApiError {
    match client.settings.prevent_user_existence_errors {
        ExistenceErrors::Enabled => instead,
        ExistenceErrors::Legacy => ApiError::user_not_found(),
    }
}
