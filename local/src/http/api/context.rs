//! The pool, the app client and the access token that a request names.

use std::sync::Arc;

use tower_cognito::Verified;

use crate::{
    domain::access_tokens::user_of_token,
    error::Error,
    http::api::required,
    model::{Client, User},
    pool::{Pool, site::Site},
};

impl Site {
    /// Returns the pool that the member `UserPoolId` names.
    pub(crate) fn named_pool(&self, id: Option<String>) -> Result<Arc<Pool>, Error> {
        let id = required(id, "UserPoolId")?;
        self.pool(&id).ok_or_else(|| Error::no_pool(&id))
    }

    /// Returns the app client that the member `ClientId` names, and its pool.
    pub(crate) fn named_client(
        &self,
        id: Option<String>,
    ) -> Result<(Arc<Pool>, Arc<Client>), Error> {
        let id = required(id, "ClientId")?;
        self.client(&id).ok_or_else(|| Error::no_client(&id))
    }

    /// Verifies the member `AccessToken`, and returns the pool and the user.
    pub(crate) async fn token_user(
        &self,
        token: Option<String>,
    ) -> Result<(Arc<Pool>, Arc<User>, Verified), Error> {
        user_of_token(self, &required(token, "AccessToken")?).await
    }
}
