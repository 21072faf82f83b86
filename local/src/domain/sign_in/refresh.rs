use crate::{
    domain::{
        client_secrets::check_secret_hash,
        sessions,
        sign_in::{Outcome, check_flow, flow_is_off},
    },
    error::Error,
    model::{Client, User, settings::AuthFlow},
    pool::Pool,
    triggers::Metadata,
};

const FLOW: &str = "REFRESH_TOKEN_AUTH";

/// Checks that an app client allows the flow `REFRESH_TOKEN_AUTH`. The flow returns no refresh token, so it is rejected
/// for clients whose refresh tokens are rotated.
pub(crate) fn check_refresh_flow(client: &Client) -> Result<(), Error> {
    if client.settings.rotation_grace().is_some() {
        return Err(flow_is_off(FLOW));
    }
    check_flow(client, AuthFlow::RefreshTokenAuth, FLOW)
}

/// Exchanges a refresh token for an app client that allows the flow. The secret hash can be for the user name or for the
/// `sub`.
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
