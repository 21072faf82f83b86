//! Domains of the hosted pages. A local pool stores them and serves its pages at its own address.

use std::sync::Arc;

use crate::{
    domain::pools::{change, record},
    error::Error,
    pool::{Pool, site::Site},
};

/// Assigns a domain to a pool.
///
/// # Errors
/// Returns an error if another pool has the domain, or if this pool already has one.
pub(crate) async fn create(site: &Site, pool: &Pool, domain: String) -> Result<(), Error> {
    // Each pool has a separate store. The lock prevents another pool from taking the domain before it is stored.
    let _lock = site.domains.lock().await;
    if find(site, &domain).is_some() {
        return Err(Error::invalid_parameter("Domain already associated with another user pool."));
    }
    change(pool, |record| {
        if record.domain.is_some() {
            return Err(Error::invalid_parameter("User pool already has a domain configured."));
        }
        record.domain = Some(domain);
        Ok(())
    })
    .await
}

/// Returns the pool that has a domain.
pub(crate) fn find(site: &Site, domain: &str) -> Option<Arc<Pool>> {
    site.pools()
        .into_iter()
        .find(|pool| record(pool).is_ok_and(|record| record.domain.as_deref() == Some(domain)))
}

/// Removes the domain of a pool.
pub(crate) async fn delete(pool: &Pool, domain: &str) -> Result<(), Error> {
    change(pool, |record| {
        if record.domain.take_if(|own| own == domain).is_none() {
            return Err(Error::invalid_parameter("No such domain or user pool exists."));
        }
        Ok(())
    })
    .await
}
