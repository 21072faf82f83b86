//! The parameter `resource`: the API that an access token is for (RFC 8707), which becomes its `aud`.
//!
//! The rules come from Cognito's developer guide ("Resource binding" on the page about resource servers, and "The redirect
//! and authorization endpoint"):
//!
//! - A request has at most one resource. It is a URL, with or without a resource server of that identifier.
//! - Only tokens of users can be bound, not those from client credentials.
//! - Refreshed tokens keep their resource.
//!
//! The guide does not name the error code. `invalid_target` is that of RFC 8707, section 2.

use crate::{
    error::{Error, ErrorKind},
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

/// Rejects a resource in a request with client credentials.
pub(crate) const USERS_ONLY: OAuthError = OAuthError::new(
    "invalid_target",
    "Tokens from client credentials cannot be bound to a resource",
);

/// Rejects a token request whose resource is not that of the authorization request.
pub(crate) const MISMATCH: OAuthError = OAuthError::new(
    "invalid_target",
    "resource must be absent or equal to that of the authorization request",
);

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

/// Checks that the resource of a token request is that of its grant. Without the parameter the tokens keep the resource
/// of the grant.
pub(crate) fn check(requested: Option<&str>, bound: Option<&str>) -> Result<(), Error> {
    if requested.is_none() || requested == bound {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::InvalidTarget,
            "The resource is not that of the authorization request",
        ))
    }
}

/// Returns whether an error was returned by [`check`].
pub(crate) fn is_mismatch(error: &Error) -> bool {
    error.kind == ErrorKind::InvalidTarget
}
