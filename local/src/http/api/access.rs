//! Checks who may call an operation.

use axum::http::HeaderMap;

use crate::{
    error::{Error, ErrorKind},
    http::{
        api::operations::{Audience, Operation},
        origin::is_own_origin,
    },
    pool::site::Site,
};

/// Rejects the operations of administrators if a page of another site calls them. The local pool does not check AWS
/// credentials, so only this rule protects it from the pages that its developer visits.
pub(crate) fn check(site: &Site, operation: &Operation, headers: &HeaderMap) -> Result<(), Error> {
    if operation.audience == Audience::App || is_own_origin(headers, &site.addresses) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AccessDenied,
        "Pages of other sites cannot call operations that need AWS credentials. To allow a site, start the pool with \
         --allow-host and the host name of the site.",
    ))
}
