//! `UserPool` and its builder.

mod start;
mod tokens;
mod triggers;

use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tower_cognito::{
    TokenUse,
    keys::{KeySet, KeySetError},
    verifier::PoolId,
};

use crate::{
    config::Config,
    pool::{Fault, KeySupply, Pool as LocalPool},
    server::{Server, tls::Tls},
    triggers::Triggers,
};

/// A running user pool. Dropping it, and all values from [`pools`](Self::pools), stops the server and ends all
/// connections.
///
/// See the [crate](crate) for an example.
pub struct UserPool {
    pool: Arc<LocalPool>,
    ca_certificate: Option<String>,
    server: Arc<Server>,
}

/// Configures and starts a [`UserPool`].
#[derive(Debug, Clone)]
#[must_use]
pub struct UserPoolBuilder {
    id: Option<String>,
    client_id: Option<String>,
    address: SocketAddr,
    issuer: Option<String>,
    tls: Option<Tls>,
    public_url: Option<String>,
    allowed_hosts: Vec<String>,
    keys: KeySupply,
    config: Config,
    data: Option<PathBuf>,
    smtp: Option<String>,
    pub(crate) triggers: Triggers,
}

impl UserPool {
    /// Starts a pool on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port is available, or there is no tokio runtime.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> UserPoolBuilder {
        UserPoolBuilder {
            id: None,
            client_id: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer: None,
            tls: None,
            public_url: None,
            allowed_hosts: Vec::new(),
            keys: KeySupply::Shared,
            config: Config::default(),
            data: None,
            smtp: None,
            triggers: Triggers::default(),
        }
    }

    /// Returns the pool's id. Default: `us-east-1_Local0001`.
    pub fn id(&self) -> &PoolId {
        self.pool.id()
    }

    /// Returns the name of the pool, or an empty text if it was deleted.
    pub fn name(&self) -> String {
        self.pool.store.read(|data| {
            data.pool.values().map(|record| record.settings.name.clone()).next().unwrap_or_default()
        })
    }

    /// Returns all pools of the server: this one, and then the others in the order of their ids.
    ///
    /// A server has several pools if the configuration or the data file has several, or if clients created some.
    pub fn pools(&self) -> Vec<Self> {
        let others = self.server.pools().into_iter().filter(|pool| !Arc::ptr_eq(pool, &self.pool));
        [Arc::clone(&self.pool)]
            .into_iter()
            .chain(others)
            .map(|pool| Self {
                pool,
                ca_certificate: self.ca_certificate.clone(),
                server: Arc::clone(&self.server),
            })
            .collect()
    }

    /// Returns the id of the default app client, for which tokens are minted.
    pub fn client_id(&self) -> &str {
        self.pool.client_id()
    }

    /// Returns the issuer of its tokens. Default: the [endpoint](Self::endpoint) with the pool's ID, such as
    /// `http://127.0.0.1:9229/us-east-1_Local0001`.
    pub fn issuer(&self) -> &str {
        self.pool.issuer()
    }

    /// Returns the address on which the pool listens.
    pub fn address(&self) -> SocketAddr {
        self.pool.addresses().listen()
    }

    /// Returns the endpoint for clients, such as `http://127.0.0.1:9229`, without a slash at the end: the
    /// [public URL](UserPoolBuilder::public_url), or the address on which the pool listens. With
    /// [TLS](UserPoolBuilder::tls) it is `https`.
    pub fn endpoint(&self) -> String {
        self.pool.endpoint()
    }

    /// Returns the ids of all app clients.
    pub fn client_ids(&self) -> Vec<String> {
        self.pool.store.read(|data| data.clients.iter().map(|(id, _)| id.to_owned()).collect())
    }

    /// Returns the secret of an app client, or `None` if there is no such client or it has no secret.
    pub fn client_secret(&self, client_id: &str) -> Option<String> {
        self.pool.store.read(|data| data.clients.get(client_id)?.settings.client_secret.clone())
    }

    /// Returns the certificate that clients must trust, as PEM: the certificate authority of a
    /// [generated](Tls::generated) certificate. `None` without TLS, and if the certificate was provided.
    ///
    /// The pool also serves it at `/_local/ca.pem`.
    pub fn ca_certificate(&self) -> Option<&str> {
        self.ca_certificate.as_deref()
    }

    /// Returns the URL of the key set, for verifiers on this machine. It is plain HTTP, also with
    /// [TLS](UserPoolBuilder::tls), so a verifier need not trust the pool's certificate.
    pub fn jwks_uri(&self) -> String {
        self.pool.jwks_uri()
    }

    /// Signs any header and payload, unchanged, with the key for access tokens. Use it to test what a verifier must
    /// reject.
    pub fn sign_parts(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.pool.sign(TokenUse::Access, header.as_ref(), payload.as_ref())
    }

    /// Returns the id of the key that currently signs tokens of this use.
    pub fn key_id(&self, token_use: TokenUse) -> String {
        self.pool.signing_key(token_use).kid
    }

    /// Returns the published keys, for a verifier that fetches nothing.
    ///
    /// # Errors
    /// Currently none, because two valid keys are always published.
    pub fn key_set(&self) -> Result<KeySet, KeySetError> {
        self.pool.key_set()
    }

    /// Adds new keys, which sign from now on. The old keys stay in the key set.
    ///
    /// This blocks the thread while the keys are generated and written to the data file.
    ///
    /// # Errors
    /// The keys cannot be generated or written, or the pool was deleted.
    pub fn rotate(&self) -> io::Result<()> {
        Ok(self.pool.add_keys()?)
    }

    /// Removes all keys from the key set except those that currently sign.
    pub fn withdraw_old_keys(&self) {
        self.pool.withdraw_old_keys();
    }

    /// Sets a fault of the key endpoint. [`Fault::None`] removes it.
    pub fn set_fault(&self, fault: Fault) {
        self.pool.set_fault(fault);
    }

    /// Advances the pool's clock, so that codes, sessions and tokens expire without waiting.
    pub fn advance(&self, by: Duration) {
        self.pool.advance(by);
    }

    /// Returns the pool's time: the system's time, advanced by [`advance`](Self::advance) and by `/_local/clock`.
    ///
    /// Minted tokens and [`verifier`](Self::verifier) use it. Set it as the
    /// [`clock`](tower_cognito::VerifierBuilder::clock) of other verifiers if a test advances it.
    pub fn time(&self) -> SystemTime {
        self.pool.time()
    }

    /// Returns the number of requests for the key set.
    pub fn fetches(&self) -> u64 {
        self.pool.fetches()
    }
}

impl UserPoolBuilder {
    /// Sets the pool's id. Default: the `id` in the configuration, or else `us-east-1_Local0001`, or else the only id in the
    /// data file.
    ///
    /// If the configuration has several pools, this is the id of the first. Each of the others has its `id` in the
    /// configuration, or else `Local0002` and so on in the region of the first.
    pub fn pool_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the id of the default app client: the first client in the configuration without a `client_id`.
    ///
    /// Default: `localclient0000000000000000`. If the configuration has several pools, this is the client of the first. The
    /// default for the second pool is `localclient0000000000000001`, and so on.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Sets the address to listen on. Default: a free port of 127.0.0.1.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets the issuer of tokens: an `https` or `http` URL with any host. Default: the pool's address with its id.
    ///
    /// If it ends with the pool's id, the issuers of other pools differ only in the id. Otherwise they have their default.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Serves HTTPS with this certificate.
    ///
    /// The server accepts HTTPS and plain HTTP on the same port. The endpoint and the default issuer are then `https`. Hosted
    /// pages redirect from HTTP to HTTPS, and their cookies are `Secure`. The API, the key set and the OAuth endpoints that
    /// apps call work over both. Default: plain HTTP only.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Sets the URL at which browsers reach the pool, such as `http://localhost:9229` for a pool in a container: `http` or
    /// `https` and a host, without a path.
    ///
    /// The endpoint, the default issuer, and the addresses of pages in the discovery document and in messages then have this
    /// URL. The other addresses in the discovery document have the host of the request, so that a client elsewhere can reach
    /// them. Default: the address on which the pool listens, and the host of the request.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Allows requests for this host name, and requests from pages of this host, such as the name of the pool's container.
    /// Can be called several times.
    ///
    /// The pages under `/_local/` and the operations of administrators accept only the host names of this machine, because
    /// a page on the internet could make its own name resolve to loopback (DNS rebinding). The hosts of the issuer and of the
    /// public URL are also allowed.
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// Generates separate keys for this pool.
    ///
    /// By default the pools of a process share key pairs, under different key ids, because generating keys is slow.
    pub fn own_keys(mut self) -> Self {
        self.keys = KeySupply::Own;
        self
    }

    /// Sets the settings, app clients, users and groups of a new pool.
    ///
    /// The server has all pools of the configuration. The [`UserPool`] is the first, and [`UserPool::pools`] returns all.
    /// Triggers of the builder belong to the first, those of the configuration to their pool.
    ///
    /// By default users have a user name, a code verifies e-mail addresses, MFA is optional, and there is one public
    /// client.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Stores all data in this file. Acknowledged changes survive even if the process is killed. The configuration has no
    /// effect on a pool that is already in the file. A configured pool that is not in the file is created, except that the
    /// only pool of a file replaces the first configured one, whatever their ids.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// Also sends e-mail messages to a mail catcher: the address of an SMTP server without TLS and authentication, such
    /// as `127.0.0.1:1025`.
    ///
    /// Operations do not wait for the delivery. A failure is logged, and the message is still in the list at
    /// `/_local/messages`.
    pub fn smtp(mut self, address: impl Into<String>) -> Self {
        self.smtp = Some(address.into());
        self
    }

    /// Starts the pool on this address.
    ///
    /// # Errors
    /// The same errors as [`start`](Self::start).
    pub async fn serve(self, address: SocketAddr) -> io::Result<UserPool> {
        self.address(address).start().await
    }
}

impl fmt::Debug for UserPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPool")
            .field("id", self.pool.id())
            .field("issuer", &self.pool.issuer())
            .finish_non_exhaustive()
    }
}
