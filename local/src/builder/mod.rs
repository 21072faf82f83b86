//! `UserPool` and its builder.

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
    ConfigError, Pool, TokenUse, Verifier,
    keys::{KeySet, KeySetError},
    verifier::PoolId,
};

use crate::{
    blocking,
    config::Config,
    pool::{Fault, KeySupply, Parts, Pool as LocalPool, endpoint, site::Site},
    seed,
    server::Server,
    start,
    store::{Disk, Store, mail::Outbox},
    triggers::Triggers,
};

/// A running user pool. Dropping it stops its server and ends all connections.
///
/// See the [crate](crate) for an example.
pub struct UserPool {
    pool: Arc<LocalPool>,
    _server: Server,
}

/// Configures and starts a [`UserPool`].
#[derive(Debug, Clone)]
#[must_use]
pub struct UserPoolBuilder {
    id: Option<String>,
    client_id: Option<String>,
    address: SocketAddr,
    issuer: Option<String>,
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

    /// Returns the id of the default app client, for which tokens are minted.
    pub fn client_id(&self) -> &str {
        self.pool.client_id()
    }

    /// Returns the issuer of its tokens. Default: `http://127.0.0.1:<port>/<pool id>`.
    pub fn issuer(&self) -> &str {
        self.pool.issuer()
    }

    /// Returns the address on which the pool listens.
    pub fn address(&self) -> SocketAddr {
        self.pool.address()
    }

    /// Returns the endpoint for clients, such as `http://127.0.0.1:9229`, without a slash at the end.
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

    /// Returns the URL of the key set.
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
    /// Sets the pool's id. Default: `us-east-1_Local0001`, or the only id in the data file.
    pub fn pool_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the id of the default app client: the first client in the configuration without a `client_id`.
    ///
    /// Default: `localclient0000000000000000`.
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
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
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
    /// By default users have a user name, a code verifies e-mail addresses, MFA is optional, and there is one public
    /// client.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Stores all data in this file. Acknowledged changes survive even if the process is killed. The configuration has no
    /// effect on a pool that is already in the file.
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

    /// Starts the pool.
    ///
    /// # Errors
    /// The pool id, the client id, the issuer, the SMTP address or a trigger's URL is invalid, the address is not
    /// available, the data file cannot be read or written, or there is no tokio runtime.
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
        if let Some(id) = &self.client_id {
            start::check_client_id(id)?;
        }
        // Without a runtime, tokio panics.
        tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let listener = tokio::net::TcpListener::bind(self.address)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.address)))?;
        let address = listener.local_addr()?;
        let outbox = self.smtp.as_deref().map(Outbox::open).transpose()?;
        let data = self.data;
        let (disk, stored) = blocking::run(move || {
            let disk = data.map(|file| Disk::open(&file).map(Arc::new)).transpose()?;
            let stored = disk.as_ref().map_or(Ok(Vec::new()), |disk| disk.pools())?;
            Ok::<_, io::Error>((disk, stored))
        })
        .await?;
        let requested = requested.map(|id| id.to_string());
        let id: PoolId = start::pool_id(requested, &stored)?.parse().map_err(io::Error::other)?;
        let issuer = self.issuer.unwrap_or_else(|| format!("{}/{id}", endpoint(address)));
        let site = Arc::new(Site::new(
            address,
            disk.clone(),
            outbox,
            (id.region().unwrap_or("us-east-1"), self.keys),
        ));
        let (requested, config) = (self.client_id, Arc::new(self.config));
        let (keys, triggers, seeds) = (self.keys, self.triggers, Arc::clone(&config));
        let pool = blocking::run(move || {
            let store = Store::open(id.as_str(), disk)?;
            let client_id = start::client_id(requested, &store, &seeds)?;
            LocalPool::open(Parts { store, id, client_id, issuer, address, keys, triggers })
        })
        .await?;
        let pool = Arc::new(pool);
        seed::seed_pool(&pool, &config).await?;
        site.add(Arc::clone(&pool));
        for id in stored.iter().filter(|id| *id != pool.id().as_str()) {
            site.add(site.open(id).await?);
        }
        let server = Server::start(listener, site);
        Ok(UserPool { pool, _server: server })
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

/// Rejects an issuer that no verifier accepts.
fn check_issuer(issuer: &str) -> Result<(), ConfigError> {
    let pool = Pool::custom(issuer, issuer).access_tokens(["any"]).dangerous().allow_plain_http();
    Verifier::builder(pool).build().map(drop)
}
