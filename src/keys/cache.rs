use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool, atomic::Ordering},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use serde_json::Value;

use super::{
    fetch::{Begin, Cause, Fetcher},
    jwk::Key,
    refresh::Refresher,
    set::KeySet,
    settings::KeySettings,
    source::{FetchError, KeySource},
};
use crate::clock::Clock;

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

/// The set in use, swapped as a whole.
pub(super) type Current = ArcSwapOption<Loaded>;

/// A key set and how long it is good for, by wall clock.
pub(super) struct Loaded {
    pub(super) set: KeySet,
    times: Option<Times>,
    /// Whether somebody already told the background task that the set is past its lifetime.
    noticed: AtomicBool,
}

struct Times {
    fetched_at: SystemTime,
    refresh_from: SystemTime,
    refresh_by: SystemTime,
    usable_until: SystemTime,
}

/// What a look at the current set found.
pub(crate) enum Find<R> {
    /// The key is there and may be used.
    Found(R),
    /// There is no usable set, the key is not in it, or the set should be looked at anew first.
    NotHere,
}

/// Why a key could not be obtained.
#[derive(Debug, PartialEq, Eq)]
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
        let loaded = Loaded { set, times: None, noticed: AtomicBool::new(false) };
        Self {
            current: Arc::new(Current::from_pointee(loaded)),
            fetcher: None,
            refresher: Mutex::default(),
        }
    }

    pub(crate) fn new(
        issuer: Arc<str>,
        source: Arc<dyn KeySource>,
        settings: KeySettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let current = Arc::new(Current::empty());
        let fetcher = Fetcher::new(issuer, source, settings, clock, Arc::clone(&current));
        Self { current, fetcher: Some(Arc::new(fetcher)), refresher: Mutex::default() }
    }

    /// Looks a key up in the current set, and hands it to `then` if it may be used.
    ///
    /// Without a background task, the first look at a set past its lifetime finds nothing, so that
    /// the caller asks [`obtain`](Self::obtain) for a newer one; `again` is the look after that,
    /// which takes the old set if there is no newer.
    pub(crate) fn find<R>(
        &self,
        kid: &str,
        now: SystemTime,
        again: bool,
        then: impl FnOnce(&Arc<Key>) -> R,
    ) -> Find<R> {
        let loaded = self.current.load();
        let Some(loaded) = loaded.as_deref() else {
            return Find::NotHere;
        };
        if let Some(times) = &loaded.times {
            if now > times.usable_until {
                return Find::NotHere;
            }
            if now > times.refresh_from && !self.look_after(loaded, now > times.refresh_by, again) {
                return Find::NotHere;
            }
        }
        loaded.set.find(kid).map_or(Find::NotHere, |key| Find::Found(then(key)))
    }

    /// Brings a key that is not in the current set, if that can be done.
    ///
    /// # Errors
    /// [`Miss`]; the limit on attempts answers at once, it never queues.
    pub(crate) async fn obtain(&self, kid: &str) -> Result<(), Miss> {
        let Some(fetcher) = &self.fetcher else {
            return Err(Miss::Unknown);
        };
        self.keep_fresh(fetcher);
        // A fetch that was under way may have begun before the key was published. One more begins
        // after this request came, and its answer counts.
        for _ in 0..2 {
            let (fetch, begun_by_us) = match fetcher.begin(Cause::UnknownKey) {
                Begin::Began(fetch) => (fetch, true),
                Begin::Joined(fetch) => (fetch, false),
                Begin::Refused => break,
            };
            fetch.ended().await;
            if self.has(kid, fetcher.now()) {
                return Ok(());
            }
            if begun_by_us || fetcher.last_error().is_some() {
                break;
            }
        }
        if self.has(kid, fetcher.now()) {
            return Ok(());
        }
        Err(fetcher.miss(self.is_usable(fetcher.now())))
    }

    /// Waits until a usable set is there.
    pub(crate) async fn ready(&self) -> Result<(), FetchError> {
        let Some(fetcher) = &self.fetcher else {
            return Ok(());
        };
        self.keep_fresh(fetcher);
        if self.is_usable(fetcher.now()) {
            return Ok(());
        }
        match fetcher.begin(Cause::Demanded) {
            Begin::Began(fetch) | Begin::Joined(fetch) => fetch.ended().await,
            Begin::Refused => {}
        }
        if self.is_usable(fetcher.now()) {
            return Ok(());
        }
        Err(fetcher.last_error().unwrap_or(FetchError::Interrupted))
    }

    pub(crate) fn health(&self, issuer: Arc<str>) -> KeyHealth {
        let loaded = self.current.load();
        let now = self.fetcher.as_ref().map(|fetcher| fetcher.now());
        let usable = loaded.as_deref().filter(|loaded| now.is_none_or(|now| loaded.usable(now)));
        let times = usable.and_then(|loaded| loaded.times.as_ref());
        KeyHealth {
            issuer,
            keys: usable.map_or(0, |loaded| loaded.set.len()),
            age: times
                .zip(now)
                .map(|(times, now)| now.duration_since(times.fetched_at).unwrap_or_default()),
            last_error: self.fetcher.as_ref().and_then(|fetcher| fetcher.last_error()),
            fetches: self.fetcher.as_ref().map_or(0, |fetcher| fetcher.begun()),
        }
    }

    /// The current set and when it was fetched.
    pub(crate) fn export(&self) -> Option<(SystemTime, Value)> {
        let loaded = self.current.load();
        let loaded = loaded.as_deref()?;
        loaded.times.as_ref().map(|times| (times.fetched_at, loaded.set.to_value()))
    }

    /// Takes a set that was exported before, unless it is too old or keys are there already.
    pub(crate) fn import(&self, fetched_at: SystemTime, set: KeySet) {
        let Some(fetcher) = &self.fetcher else { return };
        // A time stamp from the future must not stretch the bound on staleness.
        let fetched_at = fetched_at.min(fetcher.now());
        let lifetime = fetcher.settings().lifetime(None);
        let loaded = Loaded::new(set, fetched_at, lifetime, fetcher.settings());
        if loaded.usable(fetcher.now()) && self.current.load().is_none() {
            self.current.store(Some(Arc::new(loaded)));
        }
    }

    fn has(&self, kid: &str, now: SystemTime) -> bool {
        matches!(self.find(kid, now, true, |_| ()), Find::Found(()))
    }

    fn is_usable(&self, now: SystemTime) -> bool {
        self.current.load().as_deref().is_some_and(|loaded| loaded.usable(now))
    }

    /// Sees to it that a set near the end of its lifetime is fetched again, and tells whether it
    /// may be used meanwhile.
    fn look_after(&self, loaded: &Loaded, overdue: bool, again: bool) -> bool {
        let Some(fetcher) = &self.fetcher else {
            return true;
        };
        if fetcher.settings().background {
            if overdue && !loaded.noticed.swap(true, Ordering::Relaxed) {
                self.keep_fresh(fetcher);
                fetcher.wake();
            }
            return true;
        }
        if overdue {
            return again;
        }
        if !loaded.noticed.swap(true, Ordering::Relaxed) {
            fetcher.begin(Cause::UnknownKey);
        }
        true
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

impl Loaded {
    pub(super) fn new(
        set: KeySet,
        fetched_at: SystemTime,
        lifetime: Duration,
        settings: &KeySettings,
    ) -> Self {
        let times = Times {
            fetched_at,
            refresh_from: fetched_at + KeySettings::refresh_delay(lifetime),
            refresh_by: fetched_at + lifetime,
            usable_until: fetched_at + settings.max_staleness,
        };
        Self { set, times: Some(times), noticed: AtomicBool::new(false) }
    }

    pub(super) fn overdue(&self, now: SystemTime) -> bool {
        self.times.as_ref().is_some_and(|times| now > times.refresh_by)
    }

    fn usable(&self, now: SystemTime) -> bool {
        self.times.as_ref().is_none_or(|times| now <= times.usable_until)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.current.load().as_deref().map_or(0, |loaded| loaded.set.len());
        f.debug_struct("KeyCache").field("keys", &keys).finish_non_exhaustive()
    }
}
