//! The flows that an app client allows.

use crate::{
    error::Error,
    model::{Client, settings::AuthFlow},
};

/// Rejects a flow that the app client does not allow. `name` is the name of the flow that the client sent.
pub(crate) fn check_flow(client: &Client, flow: AuthFlow, name: &str) -> Result<(), Error> {
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
