//! Resource servers: APIs with the scopes that clients request.

use std::sync::Arc;

use crate::{domain::paging::table_page, error::Error, model::ResourceServer, pool::Pool};

pub(crate) async fn create(pool: &Pool, server: ResourceServer) -> Result<ResourceServer, Error> {
    server.validate()?;
    pool.store
        .write(|data| {
            if data.resource_servers.contains(&server.identifier) {
                return Err(Error::invalid_parameter(format!(
                    "{} already exists in user pool {}.",
                    server.identifier,
                    pool.id()
                )));
            }
            data.resource_servers.insert(server.identifier.clone(), server.clone());
            Ok(server)
        })
        .await?
}

pub(crate) fn get(pool: &Pool, identifier: &str) -> Result<Arc<ResourceServer>, Error> {
    let server = pool.store.read(|data| data.resource_servers.get(identifier).cloned());
    server.ok_or_else(|| unknown(identifier))
}

/// Replaces the resource server that has the identifier.
pub(crate) async fn update(pool: &Pool, server: ResourceServer) -> Result<ResourceServer, Error> {
    server.validate()?;
    pool.store
        .write(|data| {
            let current = data.resource_servers.get_mut(&server.identifier);
            *current.ok_or_else(|| unknown(&server.identifier))? = server.clone();
            Ok(server)
        })
        .await?
}

pub(crate) async fn delete(pool: &Pool, identifier: &str) -> Result<(), Error> {
    pool.store
        .write(|data| {
            let removed = data.resource_servers.remove(identifier);
            removed.map(drop).ok_or_else(|| unknown(identifier))
        })
        .await?
}

/// Returns a page of the pool's resource servers, and the token of the next page.
pub(crate) fn list(
    pool: &Pool,
    limit: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<Arc<ResourceServer>>, Option<String>), Error> {
    table_page(pool, "ListResourceServers", limit, token, |data| &data.resource_servers)
}

fn unknown(identifier: &str) -> Error {
    Error::not_found(format!("Resource server {identifier} does not exist."))
}
