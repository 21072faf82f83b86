//! Starts the server with its pools.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpSocket;
use tower_cognito::{ConfigError, Pool, Verifier, verifier::PoolId};

use crate::{
    blocking,
    builder::{UserPool, UserPoolBuilder},
    pool::{Parts, Pool as LocalPool, addresses::Addresses, build_without_log, site::Site},
    seed,
    server::{Server, tls::ServerTls},
    start,
    store::{Disk, Store, mail::Outbox},
};

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1024;

impl UserPoolBuilder {
    /// Starts the pool. Connections are refused until it is ready.
    ///
    /// # Errors
    /// The pool id, the client id, the issuer, the public URL, an allowed host, the certificate, the SMTP address or a
    /// trigger's URL is invalid, the address is not available, the data file cannot be read or written, or there is no tokio
    /// runtime.
    pub async fn start(self) -> io::Result<UserPool> {
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let requested: Option<PoolId> =
            self.id.as_deref().map(str::parse).transpose().map_err(invalid)?;
        if let Some(error) = self.triggers.url_error() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        if let Some(issuer) = &self.issuer {
            check_issuer(issuer).map_err(invalid)?;
        }
        let public_url = start::public_url(self.public_url.as_deref(), self.tls.is_some())?;
        let hosts = start::allowed_hosts(&self.allowed_hosts, self.issuer.as_deref())?;
        if let Some(id) = &self.client_id {
            start::check_client_id(id)?;
        }
        // Without a runtime, tokio panics.
        tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let unavailable =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", self.address));
        let socket = bind(self.address).map_err(unavailable)?;
        let addresses = Addresses::new(socket.local_addr()?, self.tls.is_some(), public_url, hosts);
        let tls = self.tls.map(|tls| ServerTls::new(&tls, &addresses)).transpose()?;
        let ca_certificate = tls.as_ref().and_then(|tls| tls.authority.clone());
        let addresses = Arc::new(addresses);
        let outbox = self.smtp.as_deref().map(Outbox::open).transpose()?;
        let data = self.data;
        let (disk, stored) = blocking::run(move || {
            let disk = data.map(|file| Disk::open(&file).map(Arc::new)).transpose()?;
            let stored = disk.as_ref().map_or(Ok(Vec::new()), |disk| disk.pools())?;
            Ok::<_, io::Error>((disk, stored))
        })
        .await?;
        let seeds = Arc::new(self.config.seeds.clone());
        let ids = start::pool_ids(requested.as_ref(), &seeds, &stored)?;
        let first = ids.first().ok_or_else(|| io::Error::other("there is no pool"))?;
        let site = Arc::new(Site::new(
            Arc::clone(&addresses),
            disk.clone(),
            outbox,
            issuers(self.issuer.as_deref(), first, &addresses),
            (first.region().unwrap_or("us-east-1"), self.keys),
        ));
        let is_stored = |id: &PoolId| stored.iter().any(|stored| stored == id.as_str());
        if !ids.iter().all(is_stored) {
            for setting in self.config.ignored() {
                tracing::warn!("{setting} has no effect on a local pool");
            }
        }
        // The options of the builder are for the first pool.
        let (mut issuer, mut client_id) = (self.issuer, self.client_id);
        let mut triggers = Some(self.triggers);
        for (index, id) in ids.iter().enumerate() {
            let issuer = issuer.take().unwrap_or_else(|| site.issuer(id.as_str()));
            let (client_id, triggers) = (client_id.take(), triggers.take().unwrap_or_default());
            let (id, disk, keys) = (id.clone(), disk.clone(), self.keys);
            let (configured, addresses) = (Arc::clone(&seeds), Arc::clone(&addresses));
            let pool = blocking::run(move || {
                let store = Store::open(id.as_str(), disk)?;
                let client_id = start::client_id(client_id, &store, &configured, index)?;
                LocalPool::open(Parts { store, id, client_id, issuer, addresses, keys, triggers })
            })
            .await?;
            let pool = Arc::new(pool);
            if site.client(pool.client_id()).is_some() {
                let message = format!("two pools have the app client {:?}", pool.client_id());
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            if let Some(seed) = seeds.get(index) {
                seed::seed_pool(&pool, seed).await?;
            }
            site.add(pool);
        }
        let is_configured = |stored: &str| ids.iter().any(|id| id.as_str() == stored);
        for id in stored.iter().filter(|id| !is_configured(id)) {
            site.add(site.open(id).await?);
        }
        let pool = site.pool(first.as_str());
        let pool = pool.ok_or_else(|| io::Error::other("the pool was not added"))?;
        let listener = socket.listen(BACKLOG).map_err(unavailable)?;
        let server = Arc::new(Server::start(listener, site, tls));
        Ok(UserPool { pool, ca_certificate, server })
    }
}

/// Reserves an address. Connections are refused until the socket listens, so that a client that waits for the port gets
/// responses once it is open.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server can start again at once on the same port. On Windows, the option would let two servers have one port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Returns the part of all issuers before the pool id: the beginning of the configured issuer of the
/// first pool, or else the address of the server.
fn issuers(configured: Option<&str>, first: &PoolId, addresses: &Addresses) -> String {
    let before_id = configured.and_then(|issuer| issuer.strip_suffix(first.as_str()));
    before_id.map_or_else(|| format!("{}/", addresses.endpoint()), str::to_owned)
}

/// Rejects an issuer that no verifier accepts.
fn check_issuer(issuer: &str) -> Result<(), ConfigError> {
    let pool = Pool::custom(issuer, issuer).access_tokens(["any"]).dangerous().allow_plain_http();
    build_without_log(Verifier::builder(pool)).map(drop)
}
