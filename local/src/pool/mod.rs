//! One pool: its id, keys, clock and store; it issues tokens and verifies its own.

mod fault;
pub(crate) mod issue;
pub(crate) mod keys;
mod own_verifier;
pub(crate) mod site;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use tower_cognito::{
    TokenUse, Verifier,
    keys::{KeySet, KeySetError},
    verifier::{Clock, PoolId},
};

pub use self::fault::Fault;
use self::{keys::SigningKey, own_verifier::OwnVerifier};
use crate::{
    crypto::secret::{keyed_digest, random_text},
    ids::uuid_of,
    store::{Data, Store},
    time::{SystemClock, milliseconds},
    triggers::{EventContext, Triggers},
};

/// A pool: what its server and its operations share.
pub(crate) struct Pool {
    id: PoolId,
    client_id: String,
    issuer: String,
    address: SocketAddr,
    own_keys: bool,
    /// The key from which responses for unknown names are derived.
    simulation_secret: String,
    state: Mutex<State>,
    fetches: AtomicU64,
    clock: Arc<PoolClock>,
    verifier: OwnVerifier,
    pub(crate) store: Store,
    pub(crate) triggers: Triggers,
}

/// The account that all local pools belong to.
pub(crate) const ACCOUNT: &str = "000000000000";

/// The parts of a new pool.
pub(crate) struct Parts {
    pub(crate) id: PoolId,
    pub(crate) client_id: String,
    pub(crate) issuer: String,
    pub(crate) address: SocketAddr,
    pub(crate) own_keys: bool,
    pub(crate) store: Store,
    pub(crate) triggers: Triggers,
}

/// The system's time, put forward by some milliseconds.
#[derive(Default)]
pub(crate) struct PoolClock {
    ahead: AtomicU64,
}

struct State {
    /// All keys in the key set. The last two sign: ID tokens and access tokens have different keys.
    published: Vec<SigningKey>,
    made: usize,
    /// Counts the changes of the published keys.
    generation: u64,
    fault: Fault,
}

impl Pool {
    /// A pool with its keys: those that were kept, or its first. Making keys takes long: this blocks the thread.
    pub(crate) fn new(parts: Parts) -> io::Result<Self> {
        let Parts { id, client_id, issuer, address, own_keys, store, triggers } = parts;
        let state = State { published: Vec::new(), made: 0, generation: 0, fault: Fault::None };
        let simulation_secret = load_simulation_secret(&store)?;
        let shared = Self {
            id,
            client_id,
            issuer,
            address,
            own_keys,
            simulation_secret,
            state: Mutex::new(state),
            fetches: AtomicU64::new(0),
            clock: Arc::default(),
            verifier: OwnVerifier::default(),
            store,
            triggers,
        };
        shared.load_keys()?;
        if shared.state().published.len() < 2 {
            shared.add_keys()?;
        }
        Ok(shared)
    }

    pub(crate) fn id(&self) -> &PoolId {
        &self.id
    }

    /// Returns the ARN of the pool, in a fictitious account.
    pub(crate) fn arn(&self) -> String {
        let region = self.id.region().unwrap_or("us-east-1");
        format!("arn:aws:cognito-idp:{region}:{ACCOUNT}:userpool/{}", self.id)
    }

    /// The part of the id that passwords are bound to.
    pub(crate) fn short_name(&self) -> &str {
        self.id.as_str().split_once('_').map_or(self.id.as_str(), |(_, name)| name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of all its addresses, without a slash at the end.
    pub(crate) fn endpoint(&self) -> String {
        endpoint(self.address)
    }

    /// The pool's time, in milliseconds of the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        milliseconds(self.time().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    pub(crate) fn time(&self) -> SystemTime {
        self.clock.time()
    }

    /// Returns what the events of this pool's triggers have in common.
    pub(crate) fn events(&self) -> EventContext<'_> {
        EventContext {
            pool_id: self.id.as_str(),
            functions: &self.triggers,
            settings: self.store.read(Data::settings),
        }
    }

    /// Returns the verifier of this pool's own access tokens, or `None` for a pool without app clients. It is rebuilt
    /// after a change of the app clients or of the keys.
    pub(crate) fn own_verifier(&self) -> io::Result<Option<Verifier>> {
        let clients = self.store.read(|data| data.clients.generation());
        let keys = self.state().generation;
        self.verifier.of_generation((clients, keys), || self.build_verifier())
    }

    fn build_verifier(&self) -> io::Result<Option<Verifier>> {
        let clients: Vec<_> =
            self.store.read(|data| data.clients.iter().map(|(id, _)| id.to_owned()).collect());
        if clients.is_empty() {
            return Ok(None);
        }
        let own = self.trusted().map_err(io::Error::other)?.access_tokens(clients);
        let clock = Arc::clone(&self.clock);
        let verifier = Verifier::builder(own).clock(move || clock.time()).token_cache_bytes(0);
        verifier.build().map(Some).map_err(io::Error::other)
    }

    /// Returns this pool as a verifier trusts it, with its present keys. It accepts tokens for any API.
    pub(crate) fn trusted(&self) -> Result<tower_cognito::Pool, KeySetError> {
        Ok(tower_cognito::Pool::custom(self.issuer(), self.jwks_uri())
            .static_keys(self.key_set()?)
            // The keys are static: nothing is ever fetched over plain HTTP.
            .dangerous()
            .allow_plain_http()
            .dangerous()
            .accept_any_resource())
    }

    /// Puts the pool's clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.ahead.fetch_add(milliseconds(by), Ordering::Relaxed);
    }

    /// By how much the pool's clock is ahead.
    pub(crate) fn ahead(&self) -> Duration {
        self.clock.ahead()
    }

    pub(crate) fn key_set(&self) -> Result<KeySet, KeySetError> {
        KeySet::from_json(&self.jwks().to_string())
    }

    /// Takes all keys but those that sign at present out of the key set.
    pub(crate) fn withdraw_old_keys(&self) {
        let old: Vec<_> = {
            let mut state = self.state();
            state.generation += 1;
            let old = state.published.len().saturating_sub(2);
            state.published.drain(..old).map(|key| key.table_key()).collect()
        };
        if let Err(error) = self.store.write_keys(Vec::new(), old) {
            tracing::warn!(%error, "withdrawn keys could not be removed from the data file; they are published again after a restart");
        }
    }

    pub(crate) fn set_fault(&self, fault: Fault) {
        self.state().fault = fault;
    }

    pub(crate) fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::Relaxed)
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The user's `sub`: the same in this pool each time.
    pub(crate) fn subject(&self, username: &str) -> String {
        uuid_of(&format!("{} {username}", self.id))
    }

    /// Returns bytes that are always the same for a name in this pool, and that nobody can compute without a secret of
    /// the pool.
    pub(crate) fn simulated_bytes(&self, purpose: &str, name: &str) -> [u8; 32] {
        keyed_digest(self.simulation_secret.as_bytes(), &format!("{purpose}\0{name}"))
    }

    pub(crate) fn sign(&self, token_use: TokenUse, header: &[u8], payload: &[u8]) -> String {
        self.signing_key(token_use).token(header, payload)
    }

    pub(crate) fn signing_key(&self, token_use: TokenUse) -> SigningKey {
        let state = self.state();
        let mut newest = state.published.iter().rev();
        let key = match token_use {
            TokenUse::Access => newest.next(),
            TokenUse::Id => newest.nth(1),
        };
        key.expect("two keys are published from the start, and the newest two stay").clone()
    }

    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<_> = self.state().published.iter().map(SigningKey::jwk).collect();
        json!({ "keys": keys })
    }

    /// Counts a fetch and tells how it is to go.
    pub(crate) fn fetched(&self) -> Fault {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        self.state().fault.clone()
    }

    pub(crate) fn jwks_uri(&self) -> String {
        self.jwks_uri_at(&self.endpoint())
    }

    /// Returns the address of the key set below a base address.
    pub(crate) fn jwks_uri_at(&self, host: &str) -> String {
        format!("{host}/{}/.well-known/jwks.json", self.id)
    }

    /// Signs with two new keys from now on. Making them takes long: this blocks the thread.
    pub(crate) fn add_keys(&self) -> io::Result<()> {
        let first = {
            let mut state = self.state();
            let first = state.made;
            state.made += 2;
            first
        };
        let make = if self.own_keys { SigningKey::own } else { SigningKey::shared };
        let keys = [make(&self.issuer, first)?, make(&self.issuer, first + 1)?];
        if self.store.is_kept() {
            let stored = keys
                .iter()
                .map(|key| Ok((key.table_key(), key.stored()?)))
                .collect::<io::Result<Vec<_>>>()?;
            // Tokens are signed with what is on disk alone.
            self.store.write_keys(stored, Vec::new())?;
        }
        let mut state = self.state();
        state.generation += 1;
        state.published.extend(keys);
        drop(state);
        Ok(())
    }

    /// Takes the keys of before, so that their tokens stay valid.
    fn load_keys(&self) -> io::Result<()> {
        let kept = self.store.read(|data| {
            let kept = data.keys.iter().map(|(number, key)| SigningKey::kept(number, key));
            kept.collect::<io::Result<Vec<_>>>()
        })?;
        let mut state = self.state();
        state.made = kept.last().map_or(0, |key| key.number + 1);
        state.published = kept;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the stored secret. A pool without one, such as a new pool, gets a random one, which is stored.
fn load_simulation_secret(store: &Store) -> io::Result<String> {
    const PURPOSE: &str = "simulation";
    if let Some(secret) = store.read(|data| data.secrets.get(PURPOSE).cloned()) {
        return Ok(String::clone(&secret));
    }
    let secret = random_text();
    store.write_secret(PURPOSE, &secret)?;
    Ok(secret)
}

impl PoolClock {
    pub(crate) fn time(&self) -> SystemTime {
        SystemClock.now() + self.ahead()
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
}

/// How a client on this machine reaches what listens on an address. An unspecified address is replaced by loopback.
pub(crate) fn endpoint(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}
