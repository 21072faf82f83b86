use crate::{
    domain::{client_auth::check_secret_hash, sessions, sign_in::Outcome},
    error::Error,
    model::{Client, User},
    pool::Pool,
    triggers::Metadata,
};

/// Exchanges a refresh token with the flow `REFRESH_TOKEN_AUTH`. The secret hash can be computed from the user name or
/// from the `sub`. The caller must have checked that the client allows the flow.
pub(crate) async fn refresh(
    pool: &Pool,
    client: &Client,
    token: &str,
    secret_hash: Option<&str>,
) -> Result<Outcome, Error> {
    let is_caller = |user: &User| {
        check_secret_hash(client, &user.username, secret_hash)
            .or_else(|_| check_secret_hash(client, &user.sub, secret_hash))
    };
    let metadata = Metadata::NONE;
    let tokens = sessions::refresh(pool, client, token, metadata, is_caller, |_| Ok(())).await?;
    Ok(Outcome::Tokens(tokens))
}
