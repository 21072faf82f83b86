//! Selects the pool and the app client of a [`UserPool`](crate::UserPool) at its start.

use std::io;

use crate::{
    config::Config,
    model::settings,
    store::Store,
    text::host::{PublicUrl, host_of, parse_host},
};

const DEFAULT_POOL_ID: &str = "us-east-1_Local0001";
const DEFAULT_CLIENT_ID: &str = "localclient0000000000000000";

/// Returns the id of the pool: the requested one, or else the default, or else the only one in the data file.
///
/// # Errors
/// The data file has pools, but not the requested one, or none was requested and there are several.
pub(crate) fn pool_id(requested: Option<String>, stored: &[String]) -> io::Result<String> {
    let is_available = |id: &str| stored.is_empty() || stored.iter().any(|stored| stored == id);
    match requested {
        Some(id) if is_available(&id) => Ok(id),
        Some(id) => Err(invalid_input(format!(
            "the data file has no pool {id:?}, only {}: start with one of these ids, or with another data file",
            stored.join(", ")
        ))),
        None if is_available(DEFAULT_POOL_ID) => Ok(DEFAULT_POOL_ID.to_owned()),
        None => match stored {
            [id] => Ok(id.clone()),
            _ => Err(invalid_input(format!(
                "the data file has several pools: start with the id of one of {}",
                stored.join(", ")
            ))),
        },
    }
}

/// Returns the id of the app client: the requested one, or else the default, or else the first.
///
/// # Errors
/// The requested client is not among those of the stored pool, or does not fit the configuration of a new one.
pub(crate) fn client_id(
    requested: Option<String>,
    store: &Store,
    config: &Config,
) -> io::Result<String> {
    let (is_stored, stored) = store.read(|data| {
        let ids: Vec<_> = data.clients.iter().map(|(id, _)| id.to_owned()).collect();
        (data.pool.len() > 0, ids)
    });
    let configured = config.seed.clients.iter().map(|client| client.client_id.clone());
    let ids: Vec<_> = if is_stored { stored } else { configured.collect() };
    // A configured client without an id gets the requested one.
    let accepts_any = !is_stored && (ids.is_empty() || ids.iter().any(String::is_empty));
    let exists = |id: &str| ids.iter().any(|other| other == id);
    match requested {
        Some(id) if accepts_any || exists(&id) => Ok(id),
        Some(id) if ids.is_empty() => {
            Err(invalid_input(format!("there is no app client {id:?}: the pool has no app client")))
        }
        Some(id) => Err(invalid_input(format!(
            "there is no app client {id:?}: expected one of {}",
            ids.join(", ")
        ))),
        None if exists(DEFAULT_CLIENT_ID) => Ok(DEFAULT_CLIENT_ID.to_owned()),
        None => {
            let first = ids.into_iter().next().filter(|id| !id.is_empty());
            Ok(first.unwrap_or_else(|| DEFAULT_CLIENT_ID.to_owned()))
        }
    }
}

/// Checks the requested ID of an app client by the rule that all app clients have.
pub(crate) fn check_client_id(id: &str) -> io::Result<()> {
    settings::check_client_id(id)
        .map_err(|rule| invalid_input(format!("invalid client id {id:?}: {rule}")))
}

/// Returns the public URL. A server with TLS redirects its pages to HTTPS, so its public URL cannot be HTTP.
pub(crate) fn public_url(requested: Option<&str>, uses_tls: bool) -> io::Result<Option<PublicUrl>> {
    let url: Option<PublicUrl> = requested.map(str::parse).transpose().map_err(invalid_input)?;
    if let Some(url) = &url
        && uses_tls
        && url.as_str().starts_with("http://")
    {
        let url = url.as_str();
        return Err(invalid_input(format!(
            "the public URL {url} must start with https://, because the pool uses TLS"
        )));
    }
    Ok(url)
}

/// Returns the host names that are accepted in addition to those of this machine: the requested ones and that of the
/// issuer.
pub(crate) fn allowed_hosts(requested: &[String], issuer: Option<&str>) -> io::Result<Vec<String>> {
    let hosts: Result<Vec<_>, _> = requested.iter().map(|host| parse_host(host)).collect();
    let mut hosts = hosts.map_err(invalid_input)?;
    hosts.extend(issuer.and_then(host_of));
    Ok(hosts)
}

fn invalid_input(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
