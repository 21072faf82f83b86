//! The parameter `resource`: the API that an access token is for (RFC 8707), which becomes its `aud`.
//!
//! The rules are those of Cognito's developer guide, in the sections "Resource binding" of the page on resource servers
//! and "The redirect and authorization endpoint": one resource for each request, with a URL that is the identifier of a
//! resource server or any other; users only, not machines; refreshed tokens keep it. The guide does not name the error.
//! `invalid_target` is that of RFC 8707, section 2.

use crate::{
    error::ApiError,
    http::oauth::{error::OAuthError, parameters::Parameters},
    model::settings::is_resource,
};

const SEVERAL: OAuthError =
    OAuthError::new("invalid_target", "There can be one resource for each request");
const NOT_A_URL: OAuthError = OAuthError::new(
    "invalid_target",
    "resource must be an absolute URL without a fragment that begins with https://, http://localhost or a \
     custom scheme such as myapp://",
);
/// Answers a machine that asks for a resource.
pub(crate) const FOR_USERS: OAuthError = OAuthError::new(
    "invalid_target",
    "Client credentials cannot be bound to a resource, only the tokens of users can",
);
/// Answers a token request for another resource than that of the authorization.
pub(crate) const MISMATCH: OAuthError = OAuthError::new(
    "invalid_target",
    "resource must be absent or the same as in the authorization request",
);

/// What [`check`] fails with, among the errors of the API.
const MISMATCH_NAME: &str = "InvalidTargetException";

/// Reads the parameter.
///
/// # Errors
/// It occurs more than once, or is not a URL that a token can be bound to.
pub(crate) fn requested(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    if parameters.is_repeated("resource") {
        return Err(SEVERAL);
    }
    match parameters.get("resource") {
        Some(resource) if !is_resource(resource) => Err(NOT_A_URL),
        resource => Ok(resource),
    }
}

/// Checks that a token request does not ask for another resource than the one that its grant is bound to. Without the
/// parameter the binding stays as it is.
pub(crate) fn check(requested: Option<&str>, bound: Option<&str>) -> Result<(), ApiError> {
    if requested.is_none() || requested == bound {
        Ok(())
    } else {
        Err(ApiError::new(MISMATCH_NAME, "The resource is not that of the authorization request"))
    }
}

/// Returns whether an error comes from [`check`].
pub(crate) fn is_mismatch(error: &ApiError) -> bool {
    error.name == MISMATCH_NAME
}
