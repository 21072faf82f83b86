mod triggers;

use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tower_cognito::{
    ConfigError, Pool, TokenUse, Verifier, VerifierBuilder,
    keys::{KeySet, KeySetError},
    verifier::PoolId,
};

use crate::{
    blocking,
    config::Config,
    pool::{Fault, Parts, Pool as LocalPool, endpoint, site::Site},
    seed,
    server::Server,
    start,
    store::{Disk, Store, mail::Outbox},
    testing::TokenBuilder,
    triggers::Triggers,
};

/// A user pool on loopback. It is served as long as this value lives.
///
/// See the [module](crate) for an example.
pub struct UserPool {
    shared: Arc<LocalPool>,
    _server: Server,
}

/// How a [`UserPool`] starts.
#[derive(Debug, Clone)]
#[must_use]
pub struct UserPoolBuilder {
    id: Option<String>,
    client_id: Option<String>,
    address: SocketAddr,
    issuer: Option<String>,
    own_keys: bool,
    config: Config,
    data: Option<PathBuf>,
    smtp: Option<String>,
    pub(crate) triggers: Triggers,
}

impl UserPool {
    /// Starts a pool on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The port cannot be had, or no tokio runtime is at hand to serve on.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// A pool with settings of your own.
    pub fn builder() -> UserPoolBuilder {
        UserPoolBuilder {
            id: None,
            client_id: None,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer: None,
            own_keys: false,
            config: Config::default(),
            data: None,
            smtp: None,
            triggers: Triggers::default(),
        }
    }

    /// The pool's id: `us-east-1_Local0001` unless set.
    pub fn id(&self) -> &PoolId {
        self.shared.id()
    }

    /// The app client that tokens are made for unless they name another.
    pub fn client_id(&self) -> &str {
        self.shared.client_id()
    }

    /// The issuer of its tokens: `http://127.0.0.1:<port>/<pool id>` unless set.
    pub fn issuer(&self) -> &str {
        self.shared.issuer()
    }

    /// Where the pool listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address()
    }

    /// The address that clients are given as their endpoint, such as `http://127.0.0.1:9229`, without a slash at
    /// the end.
    pub fn endpoint(&self) -> String {
        self.shared.endpoint()
    }

    /// The ids of all app clients.
    pub fn client_ids(&self) -> Vec<String> {
        self.shared.store.read(|data| data.clients.iter().map(|(id, _)| id.to_owned()).collect())
    }

    /// The secret of an app client, if there is the client and it has a secret.
    pub fn client_secret(&self, client_id: &str) -> Option<String> {
        self.shared.store.read(|data| data.clients.get(client_id)?.settings.client_secret.clone())
    }

    /// Returns the URL of the key set.
    pub fn jwks_uri(&self) -> String {
        self.shared.jwks_uri()
    }

    /// Returns the configuration of this pool for a verifier. It accepts access and ID tokens of the app client.
    ///
    /// Plain HTTP is [allowed](tower_cognito::verifier::DangerousPool::allow_plain_http) for any issuer, because the
    /// pool serves its keys itself.
    pub fn pool(&self) -> Pool {
        Pool::custom(self.issuer(), self.jwks_uri())
            .access_tokens([self.client_id()])
            .id_tokens([self.client_id()])
            .dangerous()
            .allow_plain_http()
    }

    /// Starts a verifier for this pool, with access and ID tokens of its app client accepted, and
    /// permissions read from `custom:permissions`.
    pub fn verifier(&self) -> VerifierBuilder {
        let clock = self.shared.clock();
        let verifier = Verifier::builder(self.pool()).permissions_claim("custom:permissions");
        verifier.clock(move || clock.time())
    }

    /// Starts an access token for a user, as an API sign-in gives it.
    pub fn token(&self, username: impl Into<String>) -> TokenBuilder {
        TokenBuilder::user(Arc::clone(&self.shared), TokenUse::Access, username.into())
    }

    /// Starts an ID token for a user.
    pub fn id_token(&self, username: impl Into<String>) -> TokenBuilder {
        TokenBuilder::user(Arc::clone(&self.shared), TokenUse::Id, username.into())
    }

    /// Starts an access token for a machine: the client credentials grant of this app client.
    pub fn machine_token(&self, client_id: impl Into<String>) -> TokenBuilder {
        TokenBuilder::machine(Arc::clone(&self.shared), client_id.into())
    }

    /// Signs any header and payload, as they are, with the key for access tokens. For tests of
    /// what a verifier must refuse.
    pub fn sign_parts(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.shared.sign(TokenUse::Access, header.as_ref(), payload.as_ref())
    }

    /// The id of the key that signs tokens of this kind at present.
    pub fn key_id(&self, token_use: TokenUse) -> String {
        self.shared.signing_key(token_use).kid
    }

    /// The published keys, for a verifier that fetches nothing.
    ///
    /// # Errors
    /// None at present: two keys are always published.
    pub fn key_set(&self) -> Result<KeySet, KeySetError> {
        self.shared.key_set()
    }

    /// Signs with new keys from now on. The old ones stay in the key set.
    ///
    /// This blocks the thread while the keys are made, and while they are written to the data file.
    ///
    /// # Errors
    /// The keys could not be made.
    pub fn rotate(&self) -> io::Result<()> {
        Ok(self.shared.add_keys()?)
    }

    /// Takes all keys but those that sign at present out of the key set.
    pub fn withdraw_old_keys(&self) {
        self.shared.withdraw_old_keys();
    }

    /// Makes the key endpoint fail, or behave again with [`Fault::None`].
    pub fn set_fault(&self, fault: Fault) {
        self.shared.set_fault(fault);
    }

    /// Puts the pool's clock forward, so that a test sees codes, sessions and tokens end without waiting.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    /// The pool's time: the system's, put forward by [`advance`](Self::advance) and by `/_local/clock`.
    ///
    /// A verifier that is to see tokens end with the pool goes by it:
    /// [`clock`](VerifierBuilder::clock)`(move || pool.time())`.
    pub fn time(&self) -> SystemTime {
        self.shared.time()
    }

    /// How many times the key set was asked for.
    pub fn fetches(&self) -> u64 {
        self.shared.fetches()
    }
}

impl UserPoolBuilder {
    /// The pool's id, in place of `us-east-1_Local0001` or of the one that is kept.
    pub fn pool_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The id of the app client, in place of `localclient0000000000000000`: the first of the configuration that has
    /// no `client_id` of its own.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Where to listen, in place of a free port of 127.0.0.1.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// The issuer to write into tokens, in place of the pool's own address: an `https` or `http` URL, of any host.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Makes keys for this pool alone. Otherwise the pools of a process share their keys, under ids
    /// of their own, since making one takes time.
    pub fn own_keys(mut self) -> Self {
        self.own_keys = true;
        self
    }

    /// Settings, app clients, users and groups to start with. Without, the pool has plain user names, e-mail
    /// that is verified by a code, optional MFA, and one public client.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Keeps all data in this file, where it survives whatever ends the process. Data that is there already
    /// stands; the configuration is for a new file.
    pub fn data(mut self, file: impl Into<PathBuf>) -> Self {
        self.data = Some(file.into());
        self
    }

    /// Mails e-mail messages too, by the SMTP server at this address: that of a mail catcher, such as
    /// `127.0.0.1:1025`, without TLS and without a password. Nobody waits for it: what it does not take within
    /// five seconds is logged, and still in the list at `/_local/messages`.
    pub fn smtp(mut self, address: impl Into<String>) -> Self {
        self.smtp = Some(address.into());
        self
    }

    /// As [`start`](Self::start), on this address.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn serve(self, address: SocketAddr) -> io::Result<UserPool> {
        self.address(address).start().await
    }

    /// Makes the keys and serves the pool.
    ///
    /// # Errors
    /// The pool id, the client id, the issuer, the SMTP address or a trigger's URL is impossible, the address is not
    /// available, the data cannot be read, or there is no tokio runtime.
    pub async fn start(self) -> io::Result<UserPool> {
        let unfit = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let asked: Option<PoolId> =
            self.id.as_deref().map(str::parse).transpose().map_err(unfit)?;
        if let Some(wrong) = self.triggers.wrong() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, wrong));
        }
        if let Some(issuer) = &self.issuer {
            check_issuer(issuer).map_err(unfit)?;
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
        let (disk, kept) = blocking::run(move || {
            let disk = data.map(|file| Disk::open(&file).map(Arc::new)).transpose()?;
            let kept = disk.as_ref().map_or(Ok(Vec::new()), |disk| disk.pools())?;
            Ok::<_, io::Error>((disk, kept))
        })
        .await?;
        let asked = asked.map(|id| id.to_string());
        let id: PoolId = start::pool_id(asked, &kept)?.parse().map_err(io::Error::other)?;
        let issuer = self.issuer.unwrap_or_else(|| format!("{}/{id}", endpoint(address)));
        let site = Arc::new(Site::new(
            address,
            disk.clone(),
            outbox,
            (id.region().unwrap_or("us-east-1"), self.own_keys),
        ));
        let (asked, config) = (self.client_id, Arc::new(self.config));
        let (own_keys, triggers, seeds) = (self.own_keys, self.triggers, Arc::clone(&config));
        let shared = blocking::run(move || {
            let store = Store::open(id.as_str(), disk)?;
            let client_id = start::client_id(asked, &store, &seeds)?;
            LocalPool::open(Parts { store, id, client_id, issuer, address, own_keys, triggers })
        })
        .await?;
        let shared = Arc::new(shared);
        seed::seed_pool(&shared, &config).await?;
        site.add(Arc::clone(&shared));
        for id in kept.iter().filter(|id| *id != shared.id().as_str()) {
            site.add(site.open(id).await?);
        }
        let server = Server::start(listener, site);
        Ok(UserPool { shared, _server: server })
    }
}

impl fmt::Debug for UserPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPool")
            .field("id", self.shared.id())
            .field("issuer", &self.shared.issuer())
            .finish_non_exhaustive()
    }
}

/// Rejects an issuer that no verifier accepts.
fn check_issuer(issuer: &str) -> Result<(), ConfigError> {
    let pool = Pool::custom(issuer, issuer).access_tokens(["any"]).dangerous().allow_plain_http();
    Verifier::builder(pool).build().map(drop)
}
