//! Resource binding: the API that the access tokens of a grant are for (RFC 8707), which becomes their `aud`.
//!
//! Cognito's developer guide has these rules ("Resource binding" on the page about resource servers, and "The redirect and
//! authorization endpoint"):
//!
//! - A request has at most one resource. The resource is a URL. A resource server with that identifier is not required.
//! - Only tokens of users can be bound. Tokens from client credentials cannot.
//! - Refreshed tokens keep their resource.
//!
//! The guide does not name the error code. `invalid_target` is the code of RFC 8707, section 2.

use crate::error::{Error, ErrorKind};

/// Checks that a token request has the resource of its grant. A request without a resource keeps the resource of the
/// grant.
///
/// # Errors
/// Returns an error of the kind [`InvalidTarget`](ErrorKind::InvalidTarget) if the resources differ.
pub(crate) fn check(requested: Option<&str>, granted: Option<&str>) -> Result<(), Error> {
    if requested.is_none() || requested == granted {
        Ok(())
    } else {
        Err(Error::new(
            ErrorKind::InvalidTarget,
            "The resource does not match the authorization request",
        ))
    }
}
