//! The rules of who may call which operations.

use axum::http::HeaderMap;

use crate::{
    error::{Error, ErrorKind},
    http::{
        api::operations::{Audience, Operation},
        origin::is_own_origin,
    },
    pool::site::Site,
};

/// Rejects operations of administrators from pages of other sites. The local pool checks no AWS credentials, so that this
/// rule alone protects a pool from the pages that its developer visits.
pub(crate) fn check(site: &Site, operation: &Operation, headers: &HeaderMap) -> Result<(), Error> {
    if operation.audience == Audience::App || is_own_origin(headers, site.address.ip()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AccessDenied,
        "Operations that need AWS credentials are not for pages of other sites.",
    ))
}
