//! Selects the ids of pools and app clients at the start of a [`UserPool`](crate::UserPool).

use std::io;

use tower_cognito::verifier::PoolId;

use crate::{
    config::Seed,
    model::settings,
    store::Store,
    text::host::{PublicUrl, host_of, parse_host},
};

/// Returns the default id of a pool in a region. Pools are counted from 0.
fn default_pool_id(region: &str, index: usize) -> String {
    format!("{region}_Local{:04}", index.saturating_add(1))
}

/// Returns the default id of the app client of a pool.
fn default_client_id(index: usize) -> String {
    format!("localclient{index:016}")
}

/// Returns the ids of the configured pools. The id of the first pool is, in this order of precedence, the requested
/// one, the configured one, the default, or the only one in the data file.
///
/// # Errors
/// The data file does not have the requested pool, it has several pools and none was requested, or two pools have the
/// same id.
pub(crate) fn pool_ids(
    requested: Option<&PoolId>,
    seeds: &[Seed],
    stored: &[String],
) -> io::Result<Vec<PoolId>> {
    let configured = seeds.first().and_then(|seed| seed.id.clone());
    let default = configured.unwrap_or_else(|| default_pool_id("us-east-1", 0));
    let first = parse(&first_pool_id(requested.map(PoolId::as_str), default, stored)?)?;
    let region = first.region().unwrap_or("us-east-1").to_owned();
    let mut ids = vec![first];
    for (index, seed) in seeds.iter().enumerate().skip(1) {
        let id = seed.id.clone().unwrap_or_else(|| default_pool_id(&region, index));
        let id = parse(&id)?;
        if ids.contains(&id) {
            return Err(invalid_input(format!("two pools have the id {:?}", id.as_str())));
        }
        ids.push(id);
    }
    Ok(ids)
}

fn parse(id: &str) -> io::Result<PoolId> {
    id.parse().map_err(io::Error::other)
}

fn first_pool_id(
    requested: Option<&str>,
    default: String,
    stored: &[String],
) -> io::Result<String> {
    let is_available = |id: &str| stored.is_empty() || stored.iter().any(|stored| stored == id);
    match requested {
        Some(id) if is_available(id) => Ok(id.to_owned()),
        Some(id) => Err(invalid_input(format!(
            "the data file has no pool {id:?}, only {}: start with one of these ids, or with another data file",
            stored.join(", ")
        ))),
        None if is_available(&default) => Ok(default),
        None => match stored {
            [id] => Ok(id.clone()),
            _ => Err(invalid_input(format!(
                "the data file has several pools: start with the id of one of {}",
                stored.join(", ")
            ))),
        },
    }
}

/// Returns the id of the app client of a pool: the requested one, or else the default, or else the first. Pools are
/// counted from 0.
///
/// # Errors
/// The requested client is not among those of the stored pool, or does not fit the configuration of a new one.
pub(crate) fn client_id(
    requested: Option<String>,
    store: &Store,
    seeds: &[Seed],
    index: usize,
) -> io::Result<String> {
    let (is_stored, stored) = store.read(|data| {
        let ids: Vec<_> = data.clients.iter().map(|(id, _)| id.to_owned()).collect();
        (data.pool.len() > 0, ids)
    });
    let configured = |seed: &Seed| -> Vec<_> {
        seed.clients.iter().map(|client| client.client_id.clone()).collect()
    };
    let ids = if is_stored { stored } else { seeds.get(index).map(configured).unwrap_or_default() };
    let default = default_client_id(index);
    let is_of_other_pool = |id: &String| {
        let others = seeds.iter().enumerate().filter(|(other, _)| *other != index);
        others.flat_map(|(_, seed)| configured(seed)).any(|other| other == *id)
    };
    if let Some(id) = requested.as_ref().filter(|id| !is_stored && is_of_other_pool(id)) {
        return Err(invalid_input(format!(
            "another pool has the app client {id:?}: choose another id"
        )));
    }
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
        None if exists(&default) => Ok(default),
        None => {
            let first = ids.into_iter().next().filter(|id| !id.is_empty());
            match first {
                Some(first) => Ok(first),
                None if !is_stored && is_of_other_pool(&default) => Err(invalid_input(format!(
                    "another pool has the app client {default:?}, which is the default of pool {}: set a client_id",
                    index.saturating_add(1)
                ))),
                None => Ok(default),
            }
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
