use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::time::Instant;

use crate::{
    clock::Clock,
    keys::{
        fetch::{Begin, Cause, Fetch, Fetcher},
        jwk::Key,
        loaded::{Age, Current, Loaded, Moment},
        refresh::Refresher,
        set::KeySet,
        settings::KeySettings,
        source::{FetchError, KeySource},
    },
};

/// One pool's keys, kept fresh.
///
/// A known key is found without a lock and without waiting. Only what is not known goes through
/// [`obtain`](Self::obtain), where all who wait share one fetch.
pub(crate) struct KeyCache {
    current: Arc<Current>,
    /// A static set has nothing to fetch from.
    fetcher: Option<Arc<Fetcher>>,
    refresher: Mutex<Option<Refresher>>,
}

/// What a look at the current set found.
pub(crate) enum Find<R> {
    /// The key is there and may be used.
    Found(R),
    /// The set may be used, and the key is not in it.
    Absent,
    /// There is no set that may be used before a fetch was tried.
    Stale,
}

/// Why a key could not be obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// The pool answered, and has no such key.
    Unknown,
    /// The pool did not answer; ask again after this time.
    Unavailable(Duration),
}

/// How one pool's keys are doing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The pool's first issuer.
    pub issuer: Arc<str>,
    /// How many keys are in use; 0 if none could be had yet, or all are too old.
    pub keys: usize,
    /// How long ago the keys were fetched; `None` for a static set, or with none in use.
    pub age: Option<Duration>,
    /// Why the last fetch failed; `None` after a success.
    pub last_error: Option<FetchError>,
    /// How many fetches were begun so far.
    pub fetches: u64,
}

impl KeyCache {
    pub(crate) fn fixed(set: KeySet) -> Self {
        let current = Arc::new(Current::from_pointee(Loaded::fixed(set)));
        Self { current, fetcher: None, refresher: Mutex::default() }
    }

    pub(crate) fn new(
        issuer: Arc<str>,
        source: Arc<dyn KeySource>,
        settings: KeySettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let current = Arc::new(Current::default());
        let fetcher = Fetcher::new(issuer, source, settings, clock, Arc::clone(&current));
        Self { current, fetcher: Some(Arc::new(fetcher)), refresher: Mutex::default() }
    }

    /// Looks a key up in the current set, and hands it to `then` if it may be used.
    ///
    /// A set past its lifetime is stale unless a fetch failed lately, and then the caller asks
    /// [`obtain`](Self::obtain) for a newer one.
    pub(crate) fn find<R>(
        &self,
        kid: &str,
        now: SystemTime,
        then: impl FnOnce(&Key) -> R,
    ) -> Find<R> {
        let loaded = self.current.load();
        let Some(loaded) = loaded.as_deref() else { return Find::Stale };
        match loaded.age(now) {
            Age::Fresh => {}
            Age::Due | Age::Excused => self.refresh_without_waiting(loaded, now),
            Age::Overdue | Age::TooOld => return Find::Stale,
        }
        loaded.set.find(kid).map_or(Find::Absent, |key| Find::Found(then(key)))
    }

    /// What to say at once of a key that is absent from a set that may be used, if the limit on
    /// fetches is reached, so that a flood of such tokens costs little.
    pub(crate) fn miss_at_once(&self, kid: &str) -> Option<Miss> {
        let Some(fetcher) = &self.fetcher else { return Some(Miss::Unknown) };
        (!fetcher.may_fetch_for(kid)).then(|| fetcher.miss(true))
    }

    /// Has a key that is not in the current set fetched, if that can be done, and tells what to say
    /// if it is not there after that.
    ///
    /// The limit on attempts answers at once, it never queues.
    pub(crate) async fn obtain(&self, kid: &str) -> Miss {
        let Some(fetcher) = &self.fetcher else { return Miss::Unknown };
        self.keep_fresh(fetcher);
        // A fetch that was under way may have begun before the key was published. One more begins
        // after this request came, and its answer counts.
        for _ in 0..2 {
            let (fetch, begun_by_us) = match fetcher.begin_for(kid) {
                Begin::Began(fetch) => (fetch, true),
                Begin::Joined(fetch) => (fetch, false),
                Begin::Refused => break,
            };
            let ended = fetcher.ended(fetch).await;
            // A fetch of somebody else that failed may have begun before a suspension. A set past its
            // lifetime deserves a fetch of after it.
            if !begun_by_us && fetcher.is_overdue(fetcher.now()) {
                continue;
            }
            if !ended {
                return fetcher.unavailable();
            }
            if begun_by_us || fetcher.last_error().is_some() {
                break;
            }
        }
        fetcher.miss(self.is_usable(fetcher.now()))
    }

    /// What to respond if there is no set that may be used, after [`obtain`](Self::obtain).
    pub(crate) fn unavailable(&self) -> Miss {
        self.fetcher.as_ref().map_or(Miss::Unknown, |fetcher| fetcher.unavailable())
    }

    /// Begins to fetch the set, whatever its age and the limit are, or joins the fetch under way. `None`
    /// for a static set, or if no fetch can be made here.
    pub(crate) fn begin_forced(&self) -> Option<Begin> {
        let fetcher = self.fetcher.as_ref()?;
        self.keep_fresh(fetcher);
        Some(fetcher.begin(Cause::Forced))
    }

    /// Waits for the end of a fetch, or until it must have ended.
    pub(crate) async fn ended(&self, fetch: Fetch) {
        if let Some(fetcher) = &self.fetcher {
            fetcher.ended(fetch).await;
        }
    }

    /// How many fetches were begun so far.
    pub(crate) fn begun(&self) -> u64 {
        self.fetcher.as_ref().map_or(0, |fetcher| fetcher.begun())
    }

    /// Whether a fetch succeeded that began after so many others.
    ///
    /// # Errors
    /// None did, and the reason as far as it is known. A static set needs none.
    pub(crate) fn refreshed_after(&self, begun: u64) -> Result<(), FetchError> {
        self.fetcher.as_ref().map_or(Ok(()), |fetcher| fetcher.succeeded_after(begun))
    }

    /// Begins to fetch a set if there is none that may be used.
    pub(crate) fn begin_ready(&self) -> Option<Fetch> {
        let fetcher = self.fetcher.as_ref()?;
        self.keep_fresh(fetcher);
        if self.is_usable(fetcher.now()) {
            return None;
        }
        match fetcher.begin(Cause::Demanded) {
            Begin::Began(fetch) | Begin::Joined(fetch) => Some(fetch),
            Begin::Refused => None,
        }
    }

    /// Whether there is a set that may be used, or why there is none.
    pub(crate) fn readiness(&self) -> Result<(), FetchError> {
        let Some(fetcher) = &self.fetcher else { return Ok(()) };
        if self.is_usable(fetcher.now()) {
            return Ok(());
        }
        Err(fetcher.last_error().unwrap_or(FetchError::Interrupted))
    }

    pub(crate) fn health(&self, issuer: Arc<str>) -> KeyHealth {
        let loaded = self.current.load();
        let now = self.fetcher.as_ref().map(|fetcher| fetcher.now());
        let usable = loaded.as_deref().filter(|it| now.is_none_or(|now| it.is_usable(now)));
        KeyHealth {
            issuer,
            keys: usable.map_or(0, Loaded::keys),
            age: usable.zip(now).and_then(|(loaded, now)| loaded.since_fetch(now)),
            last_error: self.fetcher.as_ref().and_then(|fetcher| fetcher.last_error()),
            fetches: self.begun(),
        }
    }

    /// The current set and when it was fetched.
    pub(crate) fn export(&self) -> Option<(SystemTime, Value)> {
        let loaded = self.current.load();
        let loaded = loaded.as_deref()?;
        loaded.fetched_at().map(|fetched_at| (fetched_at, loaded.set.to_value()))
    }

    /// Takes a set that was exported before, with the age that it has. One that is too old serves
    /// nobody.
    pub(crate) fn import(&self, fetched_at: SystemTime, set: KeySet) {
        let Some(fetcher) = &self.fetcher else { return };
        // A time stamp from the future must not stretch the bound on staleness.
        let now = fetcher.now();
        let fetched_at = fetched_at.min(now);
        // The age counts on the monotonic clock too, as far as that clock goes back.
        let age = now.duration_since(fetched_at).unwrap_or_default();
        let imported_at = Instant::now();
        let monotonic = imported_at.checked_sub(age).unwrap_or(imported_at);
        let fetched_at = Moment { wall: fetched_at, monotonic };
        let lifetime = fetcher.settings().lifetime(None);
        let loaded = Loaded::new(set, fetched_at, lifetime, fetcher.settings());
        self.current.store(Some(Arc::new(loaded)));
    }

    fn is_usable(&self, now: SystemTime) -> bool {
        self.current.load().as_deref().is_some_and(|loaded| loaded.is_usable(now))
    }

    /// Starts a refresh of a set that may still be used, at most once a second, on the caller's runtime: the
    /// background task may be missing or stalled.
    fn refresh_without_waiting(&self, loaded: &Loaded, now: SystemTime) {
        let Some(fetcher) = &self.fetcher else { return };
        if loaded.is_time_to_try(now) {
            self.keep_fresh(fetcher);
            fetcher.begin(Cause::Overdue);
        }
    }

    /// Starts the background task, or starts it anew if its runtime is gone.
    fn keep_fresh(&self, fetcher: &Arc<Fetcher>) {
        if !fetcher.settings().background {
            return;
        }
        let mut refresher = self.refresher.lock().unwrap_or_else(PoisonError::into_inner);
        if refresher.as_ref().is_none_or(Refresher::is_gone) {
            *refresher = Refresher::start(Arc::clone(fetcher));
        }
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.current.load().as_deref().map_or(0, Loaded::keys);
        f.debug_struct("KeyCache").field("keys", &keys).finish_non_exhaustive()
    }
}
