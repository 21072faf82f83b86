//! The flows that an app client allows.

use crate::{
    domain::sign_in::caller::check_caller,
    error::Error,
    model::{Client, settings::AuthFlow},
};

/// A flow that an app client may begin for a user name. The secret hash of a client with a secret was checked.
pub(crate) struct AllowedFlow<'a> {
    pub(in crate::domain::sign_in) client: &'a Client,
    pub(in crate::domain::sign_in) name: &'a str,
}

impl<'a> AllowedFlow<'a> {
    /// Checks that the client allows the flow, then the user name and the secret hash. `flow_name` is the name of the
    /// flow that the client sent.
    pub(crate) fn check(
        client: &'a Client,
        flow: AuthFlow,
        flow_name: &str,
        name: Option<&'a str>,
        secret_hash: Option<&str>,
    ) -> Result<Self, Error> {
        check_flow(client, flow, flow_name)?;
        let name = name.ok_or_else(|| Error::missing_parameter("USERNAME"))?;
        check_caller(client, name, secret_hash)?;
        Ok(Self { client, name })
    }
}

/// Rejects a flow that the app client does not allow. `name` is the name of the flow that the client sent.
fn check_flow(client: &Client, flow: AuthFlow, name: &str) -> Result<(), Error> {
    if client.settings.allows(flow) { Ok(()) } else { Err(flow_is_off(name)) }
}

/// Returns the error for a flow that the app client does not allow.
pub(crate) fn flow_is_off(name: &str) -> Error {
    Error::invalid_parameter(format!("{name} flow not enabled for this client"))
}

/// Rejects `REFRESH_TOKEN_AUTH` if the app client does not allow it, or if it rotates refresh tokens: the flow cannot
/// return a new refresh token.
pub(crate) fn check_refresh_flow(client: &Client) -> Result<(), Error> {
    const NAME: &str = "REFRESH_TOKEN_AUTH";
    if client.settings.rotation_grace().is_some() {
        return Err(flow_is_off(NAME));
    }
    check_flow(client, AuthFlow::RefreshTokenAuth, NAME)
}
