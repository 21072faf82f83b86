//! Users who are authenticated by an access token.

use std::sync::Arc;

use tower_cognito::Verified;

use crate::{
    error::Error,
    model::{API_SCOPE, User},
    pool::{Pool, site::Site},
};

/// Verifies an access token, and that it may be used to read and change its user's account. Returns the pool, the user
/// and the verified token.
pub(crate) async fn user_of_token(
    site: &Site,
    token: &str,
) -> Result<(Arc<Pool>, Arc<User>, Verified), Error> {
    let (pool, verified) = site.verified(token).await?;
    if !verified.has_scope(API_SCOPE) {
        return Err(Error::not_authorized("Access Token does not have required scopes"));
    }
    let user = pool.user_of(&verified)?;
    Ok((pool, user, verified))
}
