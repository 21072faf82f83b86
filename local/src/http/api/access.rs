//! Who may call which operations.

use axum::http::HeaderMap;

use crate::{
    error::Error, http::origin::is_own_origin, pool::site::Site, service_model::Operation,
};

/// Keeps pages of other sites from administering a pool. No credentials are asked for here, so that nothing else
/// stands between a running pool and whatever page its developer happens to read.
pub(crate) fn check(site: &Site, operation: &Operation, headers: &HeaderMap) -> Result<(), Error> {
    if operation.is_for_apps || is_own_origin(headers, site.address.ip()) {
        return Ok(());
    }
    Err(Error::new(
        "AccessDeniedException",
        "Operations that need AWS credentials are not for pages of other sites.",
    ))
}
