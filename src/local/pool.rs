use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

use super::{
    keys::{SigningKey, uuid_of},
    server::{Fault, Server},
    token::TokenBuilder,
};
use crate::{
    base64url,
    claims::TokenUse,
    keys::{KeySet, KeySetError},
    pool::PoolId,
    verifier::{Pool, Verifier, VerifierBuilder},
};

/// A user pool on loopback. It is served as long as this value lives.
///
/// See the [module](crate::local) for an example.
pub struct UserPool {
    shared: Arc<Shared>,
    _server: Server,
}

/// What the pool and its server both use.
pub(super) struct Shared {
    id: PoolId,
    client_id: String,
    issuer: String,
    address: SocketAddr,
    own_keys: bool,
    state: Mutex<State>,
    fetches: AtomicU64,
}

struct State {
    /// All keys in the key set. The last two sign: ID tokens and access tokens have different keys.
    published: Vec<SigningKey>,
    made: usize,
    fault: Fault,
}

/// How a [`UserPool`] starts.
#[derive(Debug, Clone)]
#[must_use]
pub struct UserPoolBuilder {
    id: String,
    client_id: String,
    address: SocketAddr,
    issuer: Option<String>,
    own_keys: bool,
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
            id: "us-east-1_Local0001".to_owned(),
            client_id: "localclient0000000000000000".to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer: None,
            own_keys: false,
        }
    }

    /// The pool's id: `us-east-1_Local0001` unless set.
    pub fn id(&self) -> &PoolId {
        &self.shared.id
    }

    /// The app client that tokens are made for unless they name another.
    pub fn client_id(&self) -> &str {
        &self.shared.client_id
    }

    /// The issuer of its tokens: `http://127.0.0.1:<port>/<pool id>` unless set.
    pub fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Where the pool listens.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Where its keys are.
    pub fn jwks_uri(&self) -> String {
        self.shared.jwks_uri()
    }

    /// The pool as a verifier knows it, with access and ID tokens of its app client accepted.
    pub fn pool(&self) -> Pool {
        Pool::custom(self.issuer(), self.jwks_uri())
            .access_tokens([self.client_id()])
            .id_tokens([self.client_id()])
    }

    /// Starts a verifier for this pool, with access and ID tokens of its app client accepted, and
    /// permissions read from `custom:permissions`.
    pub fn verifier(&self) -> VerifierBuilder {
        Verifier::for_pools([self.pool()]).permissions_claim("custom:permissions")
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
    /// All keys were withdrawn.
    pub fn key_set(&self) -> Result<KeySet, KeySetError> {
        KeySet::from_json(&self.shared.jwks().to_string())
    }

    /// Signs with new keys from now on. The old ones stay in the key set.
    ///
    /// # Errors
    /// The keys could not be made.
    pub fn rotate(&self) -> io::Result<()> {
        self.shared.add_keys()
    }

    /// Takes all keys but those that sign at present out of the key set.
    pub fn withdraw_old_keys(&self) {
        let mut state = self.shared.state();
        let old = state.published.len().saturating_sub(2);
        state.published.drain(..old);
    }

    /// Has the key endpoint misbehave, or behave again with [`Fault::None`].
    pub fn set_fault(&self, fault: Fault) {
        self.shared.state().fault = fault;
    }

    /// How many times the key set was asked for.
    pub fn fetches(&self) -> u64 {
        self.shared.fetches.load(Ordering::Relaxed)
    }
}

impl UserPoolBuilder {
    /// The pool's id.
    pub fn pool_id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// The id of the app client.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = client_id.into();
        self
    }

    /// Where to listen, in place of a free port of 127.0.0.1.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// The issuer to write into tokens, in place of the pool's own address.
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

    /// Makes the keys and serves the pool.
    ///
    /// # Errors
    /// The pool id is impossible, the port cannot be had, or no tokio runtime is at hand.
    pub async fn start(self) -> io::Result<UserPool> {
        let id: PoolId =
            self.id.parse().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = tokio::net::TcpListener::bind(self.address).await?;
        let address = listener.local_addr()?;
        let issuer = self.issuer.unwrap_or_else(|| format!("http://{address}/{id}"));
        let shared = Arc::new(Shared {
            id,
            client_id: self.client_id,
            issuer,
            address,
            own_keys: self.own_keys,
            state: Mutex::new(State { published: Vec::new(), made: 0, fault: Fault::None }),
            fetches: AtomicU64::new(0),
        });
        shared.add_keys()?;
        let server = Server::start(listener, Arc::clone(&shared));
        Ok(UserPool { shared, _server: server })
    }
}

impl Shared {
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The user's `sub`: the same in this pool each time.
    pub(super) fn subject(&self, username: &str) -> String {
        uuid_of(&format!("{} {username}", self.id))
    }

    pub(super) fn sign(&self, token_use: TokenUse, header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
        let signature = self.signing_key(token_use).sign(&message);
        format!("{message}.{signature}")
    }

    pub(super) fn signing_key(&self, token_use: TokenUse) -> SigningKey {
        let state = self.state();
        let mut newest = state.published.iter().rev();
        let key = match token_use {
            TokenUse::Access => newest.next(),
            TokenUse::Id => newest.nth(1),
        };
        key.expect("two keys are published from the start, and the newest two stay").clone()
    }

    pub(super) fn jwks(&self) -> Value {
        let keys: Vec<_> = self.state().published.iter().map(SigningKey::jwk).collect();
        json!({ "keys": keys })
    }

    /// OpenID Connect Discovery 1.0, section 3, with the members that Cognito writes.
    pub(super) fn discovery(&self) -> Value {
        let host = format!("http://{}", self.address);
        json!({
            "authorization_endpoint": format!("{host}/oauth2/authorize"),
            "end_session_endpoint": format!("{host}/logout"),
            "id_token_signing_alg_values_supported": ["RS256"],
            "issuer": self.issuer,
            "jwks_uri": self.jwks_uri(),
            "response_types_supported": ["code", "token"],
            "revocation_endpoint": format!("{host}/oauth2/revoke"),
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
            "token_endpoint": format!("{host}/oauth2/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "userinfo_endpoint": format!("{host}/oauth2/userInfo"),
        })
    }

    pub(super) fn is_pool(&self, id: &str) -> bool {
        self.id.as_str() == id
    }

    /// Counts a fetch and tells how it is to go.
    pub(super) fn fetched(&self) -> Fault {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        self.state().fault.clone()
    }

    fn jwks_uri(&self) -> String {
        format!("http://{}/{}/.well-known/jwks.json", self.address, self.id)
    }

    fn add_keys(&self) -> io::Result<()> {
        let mut state = self.state();
        for _ in 0..2 {
            let make = if self.own_keys { SigningKey::own } else { SigningKey::shared };
            let key = make(&self.issuer, state.made)?;
            state.made += 1;
            state.published.push(key);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for UserPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserPool")
            .field("id", &self.shared.id)
            .field("issuer", &self.shared.issuer)
            .finish_non_exhaustive()
    }
}
