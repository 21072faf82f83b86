use crate::{
    domain::{
        client_auth::check_secret_hash,
        sessions,
        sign_in::{Outcome, flows::check_refresh_flow},
    },
    error::Error,
    model::{Client, User},
    pool::Pool,
    triggers::Metadata,
};

/// Exchanges a refresh token with the flow `REFRESH_TOKEN_AUTH`. The secret hash can be computed from the user name or
/// from the `sub`.
pub(crate) async fn refresh(
    pool: &Pool,
    client: &Client,
    token: Option<&str>,
    secret_hash: Option<&str>,
) -> Result<Outcome, Error> {
    check_refresh_flow(client)?;
    let token = token.ok_or_else(|| Error::missing_parameter("REFRESH_TOKEN"))?;
    let is_caller = |user: &User| {
        check_secret_hash(client, &user.username, secret_hash)
            .or_else(|_| check_secret_hash(client, &user.sub, secret_hash))
    };
    let metadata = Metadata::NONE;
    let tokens = sessions::refresh(pool, client, token, metadata, is_caller, |_| Ok(())).await?;
    Ok(Outcome::Tokens(tokens))
}
