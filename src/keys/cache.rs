use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::task::JoinHandle;

use crate::{
    clock::Clock,
    keys::{
        driver::Driver,
        export::ExportedSet,
        freshness::{Snapshot, Timestamp},
        health::KeyHealth,
        jwk::{Fingerprint, Key},
        runtime,
        schedule::Miss,
        set::KeySet,
        settings::KeySettings,
        source::{FetchError, KeySource},
    },
};

/// The current keys of one pool.
///
/// A known key in a fresh set is found without a lock and without waiting. Everything else goes through
/// the [`Driver`].
pub(crate) struct KeyCache {
    current: Arc<ArcSwapOption<Snapshot>>,
    /// `None` for a static set, which is never fetched.
    driver: Option<Arc<Driver>>,
    background: Option<Mutex<BackgroundTask>>,
}

/// The task that refreshes the set. It is aborted when this handle is dropped.
#[derive(Default)]
struct BackgroundTask(Option<JoinHandle<()>>);

/// A set that may be used now.
pub(crate) struct UsableSet(Guard<Option<Arc<Snapshot>>>);

impl UsableSet {
    /// Returns the key with this `kid`.
    pub(crate) fn find(&self, kid: &str) -> Option<Arc<Key>> {
        self.0.as_deref()?.keys.find(kid).cloned()
    }

    /// Returns whether the set has this key.
    pub(crate) fn has(&self, key: &Fingerprint) -> bool {
        self.0.as_deref().is_some_and(|snapshot| snapshot.keys.has(key))
    }
}

impl KeyCache {
    /// Creates a cache with a set that does not change.
    pub(crate) fn fixed(keys: KeySet) -> Self {
        let snapshot = Snapshot { keys, freshness: None };
        let current = Arc::new(ArcSwapOption::from_pointee(snapshot));
        Self { current, driver: None, background: None }
    }

    /// Creates a cache without keys. They are fetched at first use.
    pub(crate) fn new(
        issuer: Arc<str>,
        source: Arc<dyn KeySource>,
        settings: KeySettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let current = Arc::new(ArcSwapOption::empty());
        let background = settings.background.then(Mutex::default);
        let driver = Driver::new(issuer, source, settings, clock, Arc::clone(&current));
        Self { current, driver: Some(Arc::new(driver)), background }
    }

    /// Returns the current set, or `None` if it must not be used before a fetch.
    ///
    /// A set that is due is refreshed without waiting. If there is no set, or a key is missing from it, call
    /// [`miss_at_once`](Self::miss_at_once) and then [`obtain`](Self::obtain).
    pub(crate) fn usable_set(&self, now: SystemTime) -> Option<UsableSet> {
        let current = self.current.load();
        if current.as_deref().is_some_and(|snapshot| snapshot.is_fresh(|| Timestamp::at(now))) {
            return Some(UsableSet(current));
        }
        self.may_use_set(now).then(|| UsableSet(self.current.load()))
    }

    /// Returns the set in memory without starting a fetch or a task, unless it is older than `max_staleness`.
    pub(crate) fn set_in_memory(&self, now: SystemTime) -> Option<UsableSet> {
        let may_be_used = self
            .driver
            .as_ref()
            .is_none_or(|driver| driver.is_within_max_staleness(Timestamp::at(now)));
        may_be_used.then(|| UsableSet(self.current.load()))
    }

    /// Returns whether the set is static, so that a missing key cannot be fetched.
    pub(crate) fn is_static(&self) -> bool {
        self.driver.is_none()
    }

    /// Returns why a key is missing, if no fetch is possible now. Tokens with unknown keys are therefore cheap to
    /// reject once the limit on fetches is reached.
    pub(crate) fn miss_at_once(&self, kid: &str) -> Option<Miss> {
        match &self.driver {
            Some(driver) => driver.miss_without_fetch(kid),
            None => Some(Miss::Unknown),
        }
    }

    /// Waits for the fetches that may return a missing key. The caller then looks up the key again. If it is still
    /// missing, the returned [`Miss`] is the reason.
    pub(crate) async fn obtain(&self, kid: &str) -> Miss {
        match self.running_driver() {
            Some(driver) => driver.obtain(kid).await.err().unwrap_or_else(|| driver.miss()),
            None => Miss::Unknown,
        }
    }

    /// Fetches the set, unless there is one that may be used.
    ///
    /// # Errors
    /// The fetch failed, or the caller's runtime cannot run one.
    pub(crate) async fn ready(&self) -> Result<(), FetchError> {
        match self.running_driver() {
            Some(driver) => driver.ready().await,
            None => Ok(()),
        }
    }

    /// Fetches the set, regardless of its age and of the limit on fetches. A static set needs no fetch.
    ///
    /// # Errors
    /// No fetch that began after the call succeeded. The previous set stays in use.
    pub(crate) async fn force_refresh(&self) -> Result<(), FetchError> {
        match self.running_driver() {
            Some(driver) => driver.force_refresh().await,
            None => Ok(()),
        }
    }

    /// Returns the state of the keys.
    pub(crate) fn health(&self, pool: Arc<str>, issuer: Arc<str>) -> KeyHealth {
        match &self.driver {
            Some(driver) => driver.health(pool, issuer),
            None => KeyHealth {
                pool,
                issuer,
                keys: self.key_count(),
                age: None,
                last_error: None,
                fetches: 0,
            },
        }
    }

    /// Returns the current set as a JWKS document with its times, or `None` for a static set.
    pub(crate) fn export(&self) -> Option<ExportedSet> {
        self.driver.as_ref()?.export()
    }

    /// Uses a set that was exported before and keeps its age. A set that is too old is not used.
    pub(crate) fn import(&self, fetched_at: SystemTime, lifetime: Option<Duration>, keys: KeySet) {
        if let Some(driver) = &self.driver {
            driver.import(fetched_at, lifetime, keys);
        }
    }

    /// Returns when the current set was fetched. `None` if there is none, or if it is static.
    pub(crate) fn fetched_at(&self) -> Option<SystemTime> {
        self.driver.as_ref()?.fetched_at()
    }

    #[cold]
    fn may_use_set(&self, now: SystemTime) -> bool {
        self.running_driver().is_some_and(|driver| driver.may_use_set(Timestamp::at(now)))
    }

    /// Returns the driver. Starts the background task if there is none, or if its runtime has shut down.
    fn running_driver(&self) -> Option<&Arc<Driver>> {
        let driver = self.driver.as_ref()?;
        if let Some(task) = &self.background {
            let mut task = task.lock().unwrap_or_else(PoisonError::into_inner);
            if task.0.as_ref().is_none_or(JoinHandle::is_finished) {
                task.0 =
                    runtime::handle().map(|handle| handle.spawn(Arc::clone(driver).keep_fresh()));
            }
        }
        Some(driver)
    }

    fn key_count(&self) -> usize {
        self.current.load().as_deref().map_or(0, |snapshot| snapshot.keys.len())
    }
}

impl Drop for BackgroundTask {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("keys", &self.key_count()).finish_non_exhaustive()
    }
}
