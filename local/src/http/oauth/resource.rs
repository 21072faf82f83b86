//! The parameter `resource` (RFC 8707).

use crate::{
    http::oauth::{error::OAuthError, parameters::Parameters},
    model::settings::is_resource,
};

const REPEATED: OAuthError =
    OAuthError::new("invalid_target", "The parameter resource can occur only once");
const INVALID_URL: OAuthError = OAuthError::new(
    "invalid_target",
    "resource must be an absolute URL without a fragment, and begin with https://, http://localhost or a custom \
     scheme such as myapp://",
);

/// Error for a resource in a request with client credentials.
pub(crate) const USERS_ONLY: OAuthError = OAuthError::new(
    "invalid_target",
    "Tokens from client credentials cannot be bound to a resource",
);

/// Error for a token request whose resource does not match the authorization request.
pub(crate) const MISMATCH: OAuthError =
    OAuthError::new("invalid_target", "resource must be absent or match the authorization request");

/// Returns the value of the parameter.
///
/// # Errors
/// Returns an error if the parameter occurs more than once or is not a URL that a token can be bound to.
pub(crate) fn requested(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    if parameters.is_repeated("resource") {
        return Err(REPEATED);
    }
    match parameters.get("resource") {
        Some(resource) if !is_resource(resource) => Err(INVALID_URL),
        resource => Ok(resource),
    }
}
