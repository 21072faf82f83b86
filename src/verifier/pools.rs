//! The pools of a verifier.

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
    verifier::{pool::Pool, pool_rules::PoolRules},
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
    /// How many pools grant permissions to groups.
    with_grants: usize,
}

impl PoolSet {
    /// Returns the pool of an issuer, which must exactly match a configured one, and the text of the issuer.
    pub(super) fn with_issuer(&self, issuer: &str) -> Option<(&Arc<str>, usize, &Arc<PoolRules>)> {
        let (issuer, place) = self.by_issuer.get_key_value(issuer)?;
        Some((issuer, *place, self.places.get(*place)?.as_ref()?))
    }

    /// Returns the pool that verified a token, or `None` if it was removed since, even if another pool now has its place
    /// or its issuer.
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

    /// Returns whether a pool grants permissions to groups.
    pub(super) fn has_grants(&self) -> bool {
        self.with_grants > 0
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
        self.with_grants += usize::from(!pool.grants.is_empty());
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
        self.with_grants -= usize::from(!pool.grants.is_empty());
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

    /// Returns an owned reference to the current pools.
    pub(super) fn load_full(&self) -> Arc<PoolSet> {
        self.current.load_full()
    }

    /// Builds a pool with the settings of the verifier.
    pub(super) fn build(
        &self,
        pool: Pool,
        clock: &Arc<dyn Clock>,
    ) -> Result<PoolRules, ConfigError> {
        pool.build(&self.keys, clock, &self.http)
    }

    /// Changes a copy of the pools, and makes it the current set if there is no error.
    ///
    /// Nothing is dropped under the lock, because a pool contains the application's key source.
    pub(super) fn change<R>(
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

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.load().iter()).finish()
    }
}
