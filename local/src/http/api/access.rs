//! Who may call which operations.

use axum::http::HeaderMap;

use crate::{
    error::ApiError,
    http::{api::model::Operation, origin::is_own_origin},
    pool::site::Site,
};

/// Keeps pages of other sites from administering a pool. No credentials are asked for here, so that nothing else
/// stands between a running pool and whatever page its developer happens to read.
pub(crate) fn check(
    site: &Site,
    operation: &Operation,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    if operation.is_for_apps || is_own_origin(headers, site.address.ip()) {
        return Ok(());
    }
    Err(ApiError::new(
        "AccessDeniedException",
        "Operations that need AWS credentials are not for pages of other sites.",
    ))
}
