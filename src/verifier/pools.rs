//! The pools of a running verifier, and their changes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::{ArcSwap, Guard};
use foldhash::fast::RandomState;

use crate::{
    claims::PoolPlace,
    clock::Clock,
    error::ConfigError,
    keys::{HttpSources, KeySettings},
    verifier::{
        banner,
        pool::{Pool, PoolRules},
        verify::Verifier,
    },
};

/// The current pools, and what is needed to build further ones.
///
/// A verification reads the current set once and without a lock. A change copies the set and replaces it as a whole, so
/// a verification never sees half of a change.
pub(super) struct Pools {
    current: ArcSwap<PoolSet>,
    /// Held during a change, so that concurrent changes do not overwrite each other.
    changing: Mutex<()>,
    keys: KeySettings,
    http: HttpSources,
}

/// The pools of a verifier at one time.
#[derive(Clone, Default)]
pub(super) struct PoolSet {
    /// Each pool keeps its place. The place of a removed pool is empty until another pool takes it.
    places: Vec<Option<Arc<PoolRules>>>,
    /// Maps an issuer to the place of its pool.
    by_issuer: HashMap<Arc<str>, usize, RandomState>,
    by_name: HashMap<Arc<str>, usize, RandomState>,
}

impl PoolSet {
    /// Returns the pool of an issuer, which must exactly match a configured one, and the text of the issuer.
    pub(super) fn with_issuer(&self, issuer: &str) -> Option<(&Arc<str>, usize, &Arc<PoolRules>)> {
        let (issuer, place) = self.by_issuer.get_key_value(issuer)?;
        Some((issuer, *place, self.places.get(*place)?.as_ref()?))
    }

    /// Returns the pool that was at a place when a token was verified. A pool that was removed since is not found, even
    /// if another one has its place or its issuer now.
    pub(super) fn at(&self, place: PoolPlace) -> Option<&Arc<PoolRules>> {
        let pool = self.places.get(place.index)?.as_ref()?;
        (pool.number == place.number).then_some(pool)
    }

    pub(super) fn named(&self, name: &str) -> Option<&Arc<PoolRules>> {
        self.places.get(*self.by_name.get(name)?)?.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<PoolRules>> {
        self.places.iter().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Adds a pool.
    ///
    /// # Errors
    /// Another pool has one of its issuers, or its name. The set is then unchanged.
    pub(super) fn insert(&mut self, pool: Arc<PoolRules>) -> Result<(), ConfigError> {
        if let Some(issuer) = pool.issuers.iter().find(|it| self.by_issuer.contains_key(*it)) {
            return Err(ConfigError::DuplicateIssuer { issuer: issuer.to_string() });
        }
        if self.by_name.contains_key(&pool.name) {
            return Err(ConfigError::DuplicatePoolName { name: pool.name.to_string() });
        }
        let has_empty_place = self.places.len() > self.len();
        let place = if has_empty_place {
            self.places.iter().position(Option::is_none).unwrap_or(self.places.len())
        } else {
            self.places.len()
        };
        self.by_name.insert(Arc::clone(&pool.name), place);
        for issuer in &pool.issuers {
            self.by_issuer.insert(Arc::clone(issuer), place);
        }
        match self.places.get_mut(place) {
            Some(empty) => *empty = Some(pool),
            None => self.places.push(Some(pool)),
        }
        Ok(())
    }

    /// Removes the pool with this name, and returns it.
    pub(super) fn remove(&mut self, name: &str) -> Option<Arc<PoolRules>> {
        let place = self.by_name.remove(name)?;
        let pool = self.places.get_mut(place)?.take()?;
        for issuer in &pool.issuers {
            self.by_issuer.remove(issuer);
        }
        Some(pool)
    }
}

impl Pools {
    pub(super) fn new(set: PoolSet, keys: KeySettings, http: HttpSources) -> Self {
        Self { current: ArcSwap::from_pointee(set), changing: Mutex::new(()), keys, http }
    }

    /// Returns the current pools.
    pub(super) fn load(&self) -> Guard<Arc<PoolSet>> {
        self.current.load()
    }

    /// Returns the current pools, to be kept for longer than one step of a request.
    pub(super) fn load_full(&self) -> Arc<PoolSet> {
        self.current.load_full()
    }

    fn build(&self, pool: Pool, clock: &Arc<dyn Clock>) -> Result<PoolRules, ConfigError> {
        pool.build(&self.keys, clock, &self.http)
    }

    /// Changes a copy of the pools, and makes it the current set if there is no error.
    ///
    /// Nothing is dropped under the lock, because a pool contains the application's key source.
    fn change<R>(
        &self,
        change: impl FnOnce(&mut PoolSet) -> Result<R, ConfigError>,
    ) -> Result<R, ConfigError> {
        let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut set = PoolSet::clone(&self.current.load());
        let result = change(&mut set);
        let unused = match &result {
            Ok(_) => self.current.swap(Arc::new(set)),
            Err(_) => Arc::new(set),
        };
        drop(changing);
        drop(unused);
        result
    }
}

/// Changes of the pools while the verifier runs, for services whose tenants come and go.
///
/// A change applies to all clones of the verifier, and to each token whose verification starts after the call has
/// returned. It does not affect the keys and the cached tokens of other pools. A request costs the same with any number
/// of pools. See [the manual](crate::docs::operations#tenants).
impl Verifier {
    /// Adds a pool. Its keys are fetched when its first token arrives, or by the next call of
    /// [`ready`](Self::ready).
    ///
    /// ```
    /// # use tower_cognito::{ConfigError, Pool, Verifier};
    /// let verifier = Verifier::builder_without_pools().build()?;
    /// verifier.add_pool(Pool::new("eu-west-1_Tenant001").name("acme").access_tokens(["web"]))?;
    /// assert!(verifier.remove_pool("acme"));
    /// # Ok::<(), ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`build`](crate::VerifierBuilder::build) for a pool: its configuration is invalid, or another pool has
    /// one of its issuers, or its name. The pools are then unchanged.
    pub fn add_pool(&self, pool: Pool) -> Result<(), ConfigError> {
        let pool = Arc::new(self.0.pools.build(pool, &self.0.clock)?);
        self.0.pools.change(|set| set.insert(Arc::clone(&pool)))?;
        banner::log_added(&pool);
        Ok(())
    }

    /// Replaces the pool with the same name, or adds the pool if there is none, for example to change its app
    /// clients. No request is rejected in between.
    ///
    /// The tokens of the pool are verified again under the new configuration. The keys stay in use if both
    /// configurations fetch them from the same URL. Otherwise they are fetched when the next token arrives.
    ///
    /// # Errors
    /// Those of [`add_pool`](Self::add_pool). The previous pool is then still in use.
    pub fn add_or_replace_pool(&self, pool: Pool) -> Result<(), ConfigError> {
        let mut pool = self.0.pools.build(pool, &self.0.clock)?;
        // Another change may come first. Keys of the same URL are right in any case.
        if let Some(old) = self.0.pools.load().named(&pool.name) {
            pool.take_over_keys(old);
        }
        let pool = Arc::new(pool);
        let old = self.0.pools.change(|set| {
            let old = set.remove(&pool.name);
            set.insert(Arc::clone(&pool)).map(|()| old)
        })?;
        match old {
            Some(_) => banner::log_replaced(&pool),
            None => banner::log_added(&pool),
        }
        Ok(())
    }

    /// Removes the pool with this [name](Pool::name): by default its id, or the issuer of a custom pool. Returns whether
    /// there was one.
    ///
    /// Its tokens are rejected from then on with `untrusted_issuer`, also those in the cache. Its keys are no longer
    /// refreshed and are removed from memory. A request that waits for them is rejected when the fetch ends. If a pool
    /// with the same issuer is added later, tokens are verified under the configuration of the new pool.
    pub fn remove_pool(&self, name: &str) -> bool {
        let removed = self.0.pools.change(|set| Ok(set.remove(name))).ok().flatten();
        if let Some(pool) = &removed {
            banner::log_removed(pool);
        }
        removed.is_some()
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.load().iter()).finish()
    }
}
