use std::{
    hash::BuildHasher,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwapOption;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    clock::Clock,
    error::Chain,
    keys::{
        export::ExportedSet,
        freshness::{Freshness, Snapshot, Timestamp},
        health::KeyHealth,
        runtime::{Mutex, MutexGuard, Spawner, catch_panic, timeout, timeout_at},
        schedule::{Action, FetchCounts, MAX_SLEEP, Miss, Schedule, Trigger},
        set::KeySet,
        settings::KeySettings,
        source::{FetchError, KeySource},
    },
};

/// Executes the decisions of the [`Schedule`]. It has the lock, the clock and the fetch tasks.
///
/// Each fetch runs in a separate task, so it continues if the request that started it is dropped. All callers that need
/// a fetch wait for the same one.
pub(super) struct Driver {
    issuer: Arc<str>,
    source: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
    fetch_timeout: Duration,
    current: Arc<ArcSwapOption<Snapshot>>,
    state: Mutex<State>,
    logged_no_runtime: AtomicBool,
}

struct State {
    schedule: Schedule,
    /// The newest fetch, until it is known to be over.
    fetch: Option<Fetch>,
}

/// A fetch that callers can wait for. A caller that stops waiting does not stop the fetch.
#[derive(Clone)]
struct Fetch {
    number: u64,
    /// Closed when the task has ended or was dropped with its runtime.
    is_over: watch::Receiver<()>,
    deadline: Instant,
}

/// What a caller does next.
enum Next {
    UseSet,
    Wait(Fetch),
    Respond(Unavailable),
}

/// Why a caller gets no key. Both fields are read under the same lock.
struct Unavailable {
    miss: Miss,
    /// Why the last fetch failed.
    error: Option<FetchError>,
}

impl Driver {
    pub(super) fn new(
        issuer: Arc<str>,
        source: Arc<dyn KeySource>,
        settings: KeySettings,
        clock: Arc<dyn Clock>,
        current: Arc<ArcSwapOption<Snapshot>>,
    ) -> Self {
        let fetch_timeout = settings.fetch_timeout;
        let schedule = Schedule::new(settings, Timestamp::at(clock.now()));
        let state = Mutex::new(State { schedule, fetch: None });
        let logged_no_runtime = AtomicBool::new(false);
        Self { issuer, source, clock, fetch_timeout, current, state, logged_no_runtime }
    }

    /// Returns whether a request may use the current set, and starts a refresh if one is due.
    pub(super) fn may_use_set(self: &Arc<Self>, now: Timestamp) -> bool {
        let mut state = self.lock(now);
        let current = self.current.load();
        let Some(snapshot) = current.as_deref() else { return false };
        if snapshot.is_fresh(|| now) {
            return true;
        }
        let can_fetch = match state.schedule.use_set(now) {
            Action::UseSet => true,
            Action::UseSetAndFetch(trigger) => self.start(&mut state, trigger, now).is_some(),
            Action::Fetch(_) | Action::Wait | Action::Respond(_) => return false,
        };
        self.publish(snapshot.keys.clone(), &state.schedule, now);
        drop(state);
        if !can_fetch {
            self.log_no_runtime();
        }
        true
    }

    /// Returns why a key is not available, if no fetch is possible now.
    pub(super) fn miss_without_fetch(&self, kid: &str) -> Option<Miss> {
        let now = self.now();
        let mut state = self.lock(now);
        let at_arrival = state.schedule.fetch_counts(now);
        match self.find_key(&mut state.schedule, kid, at_arrival, now) {
            Action::Respond(miss) => Some(miss),
            _ => None,
        }
    }

    /// Waits for the fetches that may return a missing key.
    ///
    /// # Errors
    /// No fetch returned the key. The error is the reason.
    pub(super) async fn obtain(self: &Arc<Self>, kid: &str) -> Result<(), Miss> {
        let result =
            self.resolve(|schedule, at_arrival, now| self.find_key(schedule, kid, at_arrival, now));
        result.await.map_err(|unavailable| unavailable.miss)
    }

    /// Waits until there is a set that is not too old.
    pub(super) async fn ready(self: &Arc<Self>) -> Result<(), FetchError> {
        let result = self.resolve(Schedule::ready).await;
        result.map_err(|unavailable| unavailable.error.unwrap_or(FetchError::Interrupted))
    }

    /// Waits for a set whose fetch began after the call.
    pub(super) async fn force_refresh(self: &Arc<Self>) -> Result<(), FetchError> {
        let result = self.resolve(Schedule::force).await;
        result.map_err(|unavailable| unavailable.error.unwrap_or(FetchError::NoRuntime))
    }

    /// Runs the background task, which fetches when the schedule requires it.
    pub(super) async fn keep_fresh(self: Arc<Self>) {
        loop {
            match self.act(Schedule::timer) {
                Next::UseSet => sleep(self.due_in().min(MAX_SLEEP)).await,
                Next::Wait(fetch) => {
                    fetch.wait().await;
                }
                Next::Respond(_) => return,
            }
        }
    }

    /// Returns why a key is not available.
    pub(super) fn miss(&self) -> Miss {
        let now = self.now();
        self.lock(now).schedule.miss(now)
    }

    /// Returns whether the current set may be used while no newer one can be fetched.
    pub(super) fn is_within_max_staleness(&self, now: Timestamp) -> bool {
        self.lock(now).schedule.is_within_max_staleness(now)
    }

    pub(super) fn health(&self, pool: Arc<str>, issuer: Arc<str>) -> KeyHealth {
        let now = self.now();
        let state = self.lock(now);
        let age = self.age_in_use(&state.schedule, now);
        KeyHealth {
            pool,
            issuer,
            keys: age.map_or(0, |_| self.key_count()),
            age,
            last_error: state.schedule.last_error().cloned(),
            fetches: state.schedule.begun(),
        }
    }

    /// Returns the current set as a document.
    pub(super) fn export(&self) -> Option<ExportedSet> {
        let state = self.lock(self.now());
        let (fetched_at, lifetime) = state.schedule.current_times()?;
        let current = self.current.load();
        let fetched_at = fetched_at.wall.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let jwks = current.as_deref()?.keys.to_value();
        Some(ExportedSet { fetched_at, lifetime: Some(lifetime.as_secs()), jwks })
    }

    /// Returns when the current set was fetched.
    pub(super) fn fetched_at(&self) -> Option<SystemTime> {
        self.lock(self.now()).schedule.fetched_at().map(|fetched_at| fetched_at.wall)
    }

    /// Uses a set that was fetched earlier.
    pub(super) fn import(&self, fetched_at: SystemTime, lifetime: Option<Duration>, keys: KeySet) {
        let now = self.now();
        // A time in the future must not extend the use of the set.
        let wall = fetched_at.min(now.wall);
        // The age counts on the monotonic clock too, where that clock can represent it.
        let age = now.wall.duration_since(wall).unwrap_or_default();
        let monotonic = now.monotonic.checked_sub(age).unwrap_or(now.monotonic);
        let mut state = self.lock(now);
        // A pool may have initial keys and imported ones.
        if state.schedule.fetched_at().is_some_and(|known| known.wall >= wall) {
            return;
        }
        state.schedule.set_imported(Timestamp { wall, monotonic }, lifetime, jitter(), now);
        self.publish(keys, &state.schedule, now);
    }

    /// Lets the schedule decide again after each fetch, until there is none to wait for.
    async fn resolve(
        self: &Arc<Self>,
        decide: impl Fn(&mut Schedule, FetchCounts, Timestamp) -> Action,
    ) -> Result<(), Unavailable> {
        let at_arrival = self.fetch_counts();
        loop {
            match self.act(|schedule, now| decide(schedule, at_arrival, now)) {
                Next::UseSet => return Ok(()),
                Next::Respond(unavailable) => return Err(unavailable),
                Next::Wait(fetch) => {
                    if !fetch.wait().await {
                        let now = self.now();
                        return Err(self.lock(now).unavailable(now));
                    }
                }
            }
        }
    }

    /// Lets the schedule decide, and executes the decision.
    fn act(self: &Arc<Self>, decide: impl FnOnce(&mut Schedule, Timestamp) -> Action) -> Next {
        let now = self.now();
        let mut state = self.lock(now);
        let fetch = match decide(&mut state.schedule, now) {
            Action::UseSet => return Next::UseSet,
            Action::Respond(miss) => {
                return Next::Respond(Unavailable { miss, ..state.unavailable(now) });
            }
            Action::Wait => state.fetch.clone(),
            Action::Fetch(trigger) | Action::UseSetAndFetch(trigger) => {
                self.start(&mut state, trigger, now)
            }
        };
        if let Some(fetch) = fetch {
            return Next::Wait(fetch);
        }
        let unavailable = state.unavailable(now);
        drop(state);
        self.log_no_runtime();
        Next::Respond(unavailable)
    }

    /// Starts a fetch on the runtime of the caller, if it has one with timers.
    fn start(
        self: &Arc<Self>,
        state: &mut State,
        trigger: Trigger,
        now: Timestamp,
    ) -> Option<Fetch> {
        let Some(spawner) = Spawner::current() else {
            state.schedule.fetch_impossible();
            return None;
        };
        let (number, deadline) = state.schedule.fetch_began(trigger, jitter(), now);
        let (running, is_over) = watch::channel(());
        let fetch = Fetch { number, is_over, deadline };
        state.fetch = Some(fetch.clone());
        spawner.spawn(Arc::clone(self).run(number, running));
        Some(fetch)
    }

    /// Runs one fetch. `_running` is dropped last, or with the task if its runtime shuts down.
    async fn run(self: Arc<Self>, number: u64, _running: watch::Sender<()>) {
        let fetch = catch_panic(async { self.source.fetch().await });
        let outcome = match timeout(self.fetch_timeout, fetch).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => Err(FetchError::Interrupted),
            Err(_elapsed) => Err(FetchError::Timeout(self.fetch_timeout)),
        };
        let read = outcome.and_then(|document| {
            let (keys, skipped) = KeySet::read(&document.text)?;
            Ok((keys, skipped, document.max_age))
        });
        // Logging comes last, because a subscriber may panic and the keys must not be lost.
        match read {
            Ok((keys, skipped, max_age)) => {
                let count = keys.len();
                self.store(number, keys, max_age);
                tracing::debug!(issuer = %self.issuer, keys = count, "fetched the key set");
                skipped.log();
            }
            Err(error) => {
                let age = self.record_failure(number, error.clone());
                self.log_failure(&error, age);
            }
        }
    }

    fn store(&self, number: u64, keys: KeySet, max_age: Option<Duration>) {
        let now = self.now();
        let mut state = self.lock(now);
        if !state.schedule.fetch_succeeded(number, max_age, now) {
            return;
        }
        if let Some(old) = self.current.load().as_deref() {
            state.schedule.keys_replaced(&old.keys, &keys);
        }
        self.publish(keys, &state.schedule, now);
    }

    /// Returns the age of the keys that stay in use.
    fn record_failure(&self, number: u64, error: FetchError) -> Option<Duration> {
        let now = self.now();
        let mut state = self.lock(now);
        state.schedule.fetch_failed(number, error, now);
        self.age_in_use(&state.schedule, now)
    }

    /// Makes a set the current one. Requests then use it without consulting the schedule, for as long as the schedule
    /// allows.
    fn publish(&self, keys: KeySet, schedule: &Schedule, now: Timestamp) {
        let freshness = Freshness { confirmed_at: now, revalidate_after: schedule.usable_for(now) };
        self.current.store(Some(Arc::new(Snapshot { keys, freshness: Some(freshness) })));
    }

    fn find_key(
        &self,
        schedule: &mut Schedule,
        kid: &str,
        at_arrival: FetchCounts,
        now: Timestamp,
    ) -> Action {
        let current = self.current.load();
        let has_key = current.as_deref().is_some_and(|snapshot| snapshot.keys.find(kid).is_some());
        // A fetch of another caller may have returned the key in the meantime.
        if has_key && schedule.is_usable(now) {
            return Action::UseSet;
        }
        schedule.find_key(kid, at_arrival, now)
    }

    fn fetch_counts(&self) -> FetchCounts {
        let now = self.now();
        self.lock(now).schedule.fetch_counts(now)
    }

    fn due_in(&self) -> Duration {
        let now = self.now();
        self.lock(now).schedule.due_in(now)
    }

    /// Returns the age of the current set, unless it is too old to be used.
    fn age_in_use(&self, schedule: &Schedule, now: Timestamp) -> Option<Duration> {
        schedule
            .fetched_at()
            .filter(|_| schedule.is_within_max_staleness(now))
            .map(|at| now.since(at))
    }

    fn key_count(&self) -> usize {
        self.current.load().as_deref().map_or(0, |snapshot| snapshot.keys.len())
    }

    /// Reads the clock. It must not be called with the lock held, because the application's own clock may call the
    /// verifier.
    fn now(&self) -> Timestamp {
        Timestamp::at(self.clock.now())
    }

    /// Locks the state, and reports to the schedule if the task of a fetch was dropped.
    fn lock(&self, now: Timestamp) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fetch) = state.fetch.take_if(|fetch| fetch.is_over()) {
            // If the fetch reported its end, this has no effect.
            state.schedule.fetch_lost(fetch.number, now);
        }
        state
    }

    fn log_failure(&self, error: &FetchError, age: Option<Duration>) {
        let issuer = &self.issuer;
        match age {
            Some(age) => tracing::warn!(
                %issuer,
                error = %Chain(error),
                keys = self.key_count(),
                age_seconds = age.as_secs(),
                "the key set could not be fetched; using the cached keys"
            ),
            None => tracing::warn!(
                %issuer,
                error = %Chain(error),
                "the key set could not be fetched and no keys are cached; requests are rejected with 503"
            ),
        }
    }

    /// Logs once that a fetch was needed on a runtime that cannot run it.
    fn log_no_runtime(&self) {
        if !self.logged_no_runtime.swap(true, Ordering::Relaxed) {
            let (issuer, error) = (&self.issuer, FetchError::NoRuntime);
            tracing::error!(
                %issuer,
                %error,
                "keys cannot be fetched without a tokio runtime that has I/O and timers (logged once)"
            );
        }
    }
}

impl State {
    fn unavailable(&self, now: Timestamp) -> Unavailable {
        Unavailable { miss: self.schedule.miss(now), error: self.schedule.last_error().cloned() }
    }
}

impl Fetch {
    /// Waits until the fetch is over or past its deadline. Returns false if the caller's runtime has no
    /// timers, because it cannot wait then.
    async fn wait(mut self) -> bool {
        let over = async { while self.is_over.changed().await.is_ok() {} };
        timeout_at(self.deadline, over).await.is_some() || Instant::now() >= self.deadline
    }

    fn is_over(&self) -> bool {
        self.is_over.has_changed().is_err()
    }
}

/// Returns a number from 0 to 1 that differs from call to call. Nothing secret depends on it.
fn jitter() -> f64 {
    let random = std::hash::RandomState::new().hash_one(());
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_differs_and_stays_between_0_and_1() {
        let first = jitter();
        let others: Vec<_> = (0..100).map(|_| jitter()).collect();
        assert!(others.iter().all(|jitter| (0.0..=1.0).contains(jitter)));
        assert!(others.iter().any(|jitter| *jitter != first));
    }
}
