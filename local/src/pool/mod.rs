//! A user pool: its id, keys, clock and store. It issues tokens and verifies its own.

pub(crate) mod addresses;
mod fault;
pub(crate) mod issue;
pub(crate) mod keys;
mod own_verifier;
pub(crate) mod site;
mod weak_key;

use std::{
    io,
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
pub(crate) use self::keys::KeySupply;
pub(crate) use self::own_verifier::build_without_log;
use self::{addresses::Addresses, keys::SigningKey, own_verifier::OwnVerifier};
use crate::{
    crypto::secret::{keyed_digest, random_text},
    ids::uuid_of,
    model::{PoolRecord, StoredKey},
    store::{Data, Store, StoreError},
    time::{SystemClock, milliseconds},
    triggers::{EventContext, Triggers},
};

/// A pool, which its server and its operations share.
pub(crate) struct Pool {
    id: PoolId,
    client_id: String,
    issuer: String,
    addresses: Arc<Addresses>,
    keys: KeySupply,
    /// The number of the next key. It is locked while keys are generated, so that concurrent calls publish them in the
    /// order of their numbers.
    next_key: Mutex<usize>,
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
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) keys: KeySupply,
    pub(crate) store: Store,
    pub(crate) triggers: Triggers,
}

/// The system's time, advanced by some milliseconds.
#[derive(Default)]
pub(crate) struct PoolClock {
    ahead: AtomicU64,
}

struct State {
    /// All keys in the key set. The last two sign: ID tokens and access tokens have different keys.
    published: Vec<SigningKey>,
    /// Counts the changes of the published keys.
    generation: u64,
    fault: Fault,
}

impl Pool {
    /// Opens a pool with its stored keys, or generates the first keys. This is slow and blocks the thread.
    ///
    /// Nothing is written to disk for a new pool, see [`create`](Self::create).
    pub(crate) fn open(parts: Parts) -> io::Result<Self> {
        let Parts { id, client_id, issuer, addresses, keys, store, triggers } = parts;
        let published = store.read(|data| {
            let keys = data.keys.iter().map(|(number, key)| SigningKey::from_stored(number, key));
            keys.collect::<io::Result<Vec<_>>>()
        })?;
        let has_keys = published.len() >= 2;
        let simulation_secret = load_simulation_secret(&store)?;
        let pool = Self {
            id,
            client_id,
            issuer,
            addresses,
            keys,
            simulation_secret,
            next_key: Mutex::new(published.last().map_or(0, |key| key.number + 1)),
            state: Mutex::new(State { published, generation: 0, fault: Fault::None }),
            fetches: AtomicU64::new(0),
            clock: Arc::default(),
            verifier: OwnVerifier::default(),
            store,
            triggers,
        };
        if !has_keys {
            pool.add_keys()?;
        }
        Ok(pool)
    }

    /// Writes the first data of a new pool together with its keys and secrets. The disk never has keys without a
    /// pool.
    pub(crate) async fn create(
        &self,
        record: PoolRecord,
        fill: impl FnOnce(&mut Data) + Send,
    ) -> Result<(), StoreError> {
        let keys = if self.store.is_on_disk() { rows(&self.state().published)? } else { vec![] };
        self.store
            .write(|data| {
                data.pool.insert(self.id.to_string(), record);
                data.secrets.insert(SIMULATION, self.simulation_secret.clone());
                for (number, key) in keys {
                    data.keys.insert(number, key);
                }
                fill(data);
                Ok(())
            })
            .await?
    }

    pub(crate) fn id(&self) -> &PoolId {
        &self.id
    }

    /// Returns the ARN of the pool, in a fictitious account.
    pub(crate) fn arn(&self) -> String {
        let region = self.id.region().unwrap_or("us-east-1");
        format!("arn:aws:cognito-idp:{region}:{ACCOUNT}:userpool/{}", self.id)
    }

    /// Returns the part of the id that SRP hashes include.
    pub(crate) fn short_name(&self) -> &str {
        self.id.as_str().split_once('_').map_or(self.id.as_str(), |(_, name)| name)
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Returns the base of all its addresses, without a slash at the end.
    pub(crate) fn endpoint(&self) -> String {
        self.addresses.endpoint()
    }

    /// Returns the pool's time in milliseconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        milliseconds(self.time().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// Returns the pool's time.
    pub(crate) fn time(&self) -> SystemTime {
        self.clock.time()
    }

    /// Returns the context in which this pool's triggers run.
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
        let own = self.with_static_keys().map_err(io::Error::other)?.access_tokens(clients);
        let own = own.dangerous().accept_any_resource();
        let clock = Arc::clone(&self.clock);
        let verifier = Verifier::builder(own).clock(move || clock.time()).token_cache_bytes(0);
        build_without_log(verifier).map(Some).map_err(io::Error::other)
    }

    /// Returns the issuer and the current keys of this pool, for a verifier that fetches nothing.
    pub(crate) fn with_static_keys(&self) -> Result<tower_cognito::Pool, KeySetError> {
        // The keys are static: nothing is ever fetched over plain HTTP.
        Ok(self.trusted().static_keys(self.key_set()?))
    }

    /// Returns the issuer of this pool and the URL of its keys. Plain HTTP is allowed for any issuer, because the pool
    /// serves its keys itself.
    pub(crate) fn trusted(&self) -> tower_cognito::Pool {
        tower_cognito::Pool::custom(self.issuer(), self.jwks_uri()).dangerous().allow_plain_http()
    }

    /// Returns the pool's clock.
    pub(crate) fn clock(&self) -> Arc<PoolClock> {
        Arc::clone(&self.clock)
    }

    /// Advances the pool's clock, at most to the end of its range.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(milliseconds(by));
    }

    /// Returns how far the pool's clock is ahead of the system's.
    pub(crate) fn ahead(&self) -> Duration {
        self.clock.ahead()
    }

    /// Returns the published keys as a verifier reads them.
    pub(crate) fn key_set(&self) -> Result<KeySet, KeySetError> {
        KeySet::from_json(&self.jwks().to_string())
    }

    /// Removes all keys from the key set except the two that sign.
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

    /// Returns a `sub` for a user name. It is always the same in this pool.
    pub(crate) fn subject(&self, username: &str) -> String {
        uuid_of(&format!("{} {username}", self.id))
    }

    /// Returns bytes that are always the same for a name in this pool. They cannot be computed without a secret of the
    /// pool.
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

    /// Returns the key set (RFC 7517).
    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<_> = self.state().published.iter().map(SigningKey::jwk).collect();
        json!({ "keys": keys })
    }

    /// Counts a fetch of the key set and returns the fault of its response.
    pub(crate) fn count_fetch(&self) -> Fault {
        self.fetches.fetch_add(1, Ordering::Relaxed);
        self.state().fault.clone()
    }

    /// Returns the address of the key set for verifiers on this machine. It is plain HTTP, because a verifier does not
    /// trust the certificate of the server.
    pub(crate) fn jwks_uri(&self) -> String {
        self.jwks_uri_at(&self.addresses.plain_endpoint())
    }

    /// Returns the address of the key set below a base address.
    pub(crate) fn jwks_uri_at(&self, host: &str) -> String {
        format!("{host}/{}/.well-known/jwks.json", self.id)
    }

    /// Adds two new keys, which sign from now on. This is slow and blocks the thread.
    pub(crate) fn add_keys(&self) -> Result<(), StoreError> {
        let mut next = self.next_key.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |number| self.keys.key(&self.issuer, number);
        let keys = [key(*next)?, key(*next + 1)?];
        // A new pool writes its keys with its first data. Otherwise a key signs only once it is on disk.
        if self.store.is_on_disk() && self.store.read(|data| data.pool.len() > 0) {
            self.store.write_keys(rows(&keys)?, Vec::new())?;
        }
        *next += 2;
        let mut state = self.state();
        state.generation += 1;
        state.published.extend(keys);
        drop(state);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The purpose of the secret from which responses for unknown names are derived.
const SIMULATION: &str = "simulation";

/// Returns the stored secret or a random one. A new pool writes it with its first data.
fn load_simulation_secret(store: &Store) -> io::Result<String> {
    if let Some(secret) = store.read(|data| data.secrets.get(SIMULATION).cloned()) {
        return Ok(String::clone(&secret));
    }
    let secret = random_text();
    if store.read(|data| data.pool.len() > 0) {
        store.write_secret(SIMULATION, &secret)?;
    }
    Ok(secret)
}

impl PoolClock {
    pub(crate) fn time(&self) -> SystemTime {
        let now = SystemClock.now();
        now.checked_add(self.ahead()).unwrap_or(now)
    }

    fn advance(&self, milliseconds: u64) {
        let advanced = |ahead: u64| Some(ahead.saturating_add(milliseconds));
        let _ = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advanced);
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead.load(Ordering::Relaxed))
    }
}

/// Returns the keys as rows of the store.
fn rows(keys: &[SigningKey]) -> io::Result<Vec<(String, StoredKey)>> {
    keys.iter().map(|key| Ok((key.table_key(), key.to_stored()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{model::settings::PoolSettings, store::Disk};

    const ID: &str = "us-east-1_Local0001";

    fn open(disk: Option<Arc<Disk>>, own_keys: bool) -> Pool {
        Pool::open(Parts {
            store: Store::open(ID, disk).unwrap(),
            id: ID.parse().unwrap(),
            client_id: "client".to_owned(),
            issuer: format!("http://127.0.0.1:9229/{ID}"),
            addresses: Arc::new(Addresses::of(([127, 0, 0, 1], 9229).into())),
            keys: if own_keys { KeySupply::Own } else { KeySupply::Shared },
            triggers: Triggers::default(),
        })
        .unwrap()
    }

    fn numbers(pool: &Pool) -> Vec<usize> {
        pool.state().published.iter().map(|key| key.number).collect()
    }

    #[tokio::test]
    async fn keys_of_a_new_pool_are_written_together_with_the_pool() {
        let name = format!("tower-cognito-new-pool-{}.redb", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        let disk = Arc::new(Disk::open(&path).unwrap());
        let tables = || -> Vec<_> {
            disk.rows(ID).unwrap().into_iter().map(|(table, _, _)| table).collect()
        };
        let pool = open(Some(Arc::clone(&disk)), false);
        assert!(tables().is_empty(), "{:?}", tables());
        pool.create(PoolRecord::new(PoolSettings::default(), 0), |_| {}).await.unwrap();
        assert_eq!(tables(), ["keys", "keys", "pool", "secrets"]);
        pool.add_keys().unwrap();
        let reopened = open(Some(Arc::clone(&disk)), false);
        assert_eq!(numbers(&reopened), [0, 1, 2, 3]);
        assert_eq!(reopened.jwks(), pool.jwks());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn concurrent_rotations_publish_keys_in_the_order_of_their_numbers() {
        let pool = open(None, true);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| pool.add_keys().unwrap());
            }
        });
        assert_eq!(numbers(&pool), (0..14).collect::<Vec<_>>());
    }
}
