use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{sync::watch, time::Instant};

use crate::{
    clock::Clock,
    error::Chain,
    keys::{
        cache::Miss,
        loaded::{Age, Current, Loaded, Moment},
        runtime::{Mutex, MutexGuard, Spawner, timeout, timeout_at},
        set::{KeySet, LeftOut},
        settings::KeySettings,
        source::{FetchError, KeyDocument, KeySource},
    },
};

/// Fetches key sets: one at a time, shared by all who wait, within a limit.
///
/// A fetch runs as a task of its own, so that it does not end with the request that began it. Its
/// runtime may stop being driven, and then the fetch stands still: nobody waits for it past its time
/// limit, the next one takes its place, and its answer, should it come after all, is thrown away. So
/// no older answer can replace a newer one.
pub(super) struct Fetcher {
    issuer: Arc<str>,
    source: Arc<dyn KeySource>,
    settings: KeySettings,
    clock: Arc<dyn Clock>,
    current: Arc<Current>,
    state: Mutex<State>,
}

struct State {
    under_way: Option<Fetch>,
    /// When the fetches began that count against the limit, oldest first.
    attempts: VecDeque<Instant>,
    last_begun: Option<Instant>,
    last_error: Option<FetchError>,
    /// Whether a fetch was asked for where none can run, which is logged once.
    lacked_runtime: bool,
    failures: u32,
    begun: u64,
    /// The number of the last fetch that succeeded.
    succeeded: u64,
    /// When the background task is to fetch next.
    due: Instant,
    /// Ids of keys that were in the set once and are not now, newest last.
    retired: VecDeque<Box<str>>,
}

/// A busy machine notices the end of a fetch late by less than this.
const LATENESS: Duration = Duration::from_secs(10);

/// How many retired keys are remembered: two for each of several rotations.
const RETIRED: usize = 32;

/// Why a fetch is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A token names a key that is not known: limited, since anybody can send such a token.
    UnknownKey,
    /// A token names a key that was withdrawn: limited to half of that. Such tokens come until they
    /// expire, and must leave a try for a key that is new.
    RetiredKey,
    /// A request refreshes a set that may still be used: limited likewise, to leave a try for a key that
    /// is new when the endpoint is well again.
    Overdue,
    /// A request found the set past its lifetime, and no fetch failed lately. Not limited: a fetch brings a
    /// set with a new lifetime, and a failed one excuses the old set for as long, so this cause cannot
    /// repeat sooner.
    Expired,
    /// The background task's own schedule.
    Scheduled,
    /// The application asked for it at start.
    Demanded,
    /// The application asked for it whatever the limit is.
    Forced,
}

/// The outcome of asking for a fetch.
pub(crate) enum Begin {
    Began(Fetch),
    Joined(Fetch),
    Refused,
}

/// A fetch under way. Waiting for it can be given up at any time without harm to the fetch.
#[derive(Clone)]
pub(crate) struct Fetch {
    ended: watch::Receiver<()>,
    began: Moment,
    /// When it must have ended, if its task runs at all.
    deadline: Instant,
}

/// The fetch's side of it: whatever happens to its task, the state hears of the end.
struct Running {
    fetcher: Arc<Fetcher>,
    cause: Cause,
    /// Which fetch it is, by the count of those begun.
    number: u64,
    began: Moment,
    outcome: Result<KeyDocument, FetchError>,
    _ended: watch::Sender<()>,
}

/// What a fetch brought.
struct Fetched {
    set: KeySet,
    left_out: LeftOut,
    lifetime: Duration,
}

impl Fetcher {
    pub(super) fn new(
        issuer: Arc<str>,
        source: Arc<dyn KeySource>,
        settings: KeySettings,
        clock: Arc<dyn Clock>,
        current: Arc<Current>,
    ) -> Self {
        let state = State {
            under_way: None,
            attempts: VecDeque::new(),
            last_begun: None,
            last_error: None,
            lacked_runtime: false,
            failures: 0,
            begun: 0,
            succeeded: 0,
            due: Instant::now(),
            retired: VecDeque::new(),
        };
        Self { issuer, source, settings, clock, current, state: Mutex::new(state) }
    }

    /// Begins a fetch, or joins the one under way.
    pub(super) fn begin(self: &Arc<Self>, cause: Cause) -> Begin {
        let now = self.clock.now();
        self.begin_with(self.state(), cause, now)
    }

    /// Begins a fetch, or joins one, for a key that was not in the set when the caller looked. It is
    /// refused if somebody else brought the key since.
    pub(super) fn begin_for(self: &Arc<Self>, kid: &str) -> Begin {
        let now = self.clock.now();
        let state = self.state();
        if self.was_brought(kid, now) {
            return Begin::Refused;
        }
        let cause = if self.is_overdue(now) { Cause::Expired } else { state.cause_of(kid) };
        self.begin_with(state, cause, now)
    }

    /// Whether a caller who did not find a key has reason to look again: a fetch can be begun or
    /// joined, or somebody else brought the key since.
    pub(super) fn may_fetch_for(&self, kid: &str) -> bool {
        // The clock may be the application's own, and is asked with nothing locked.
        let now = self.clock.now();
        let mut state = self.state();
        let limit = state.cause_of(kid).limit();
        state.forget_attempts_before(Instant::now(), self.settings.unknown_key_window);
        state.attempts.len() < limit
            || state.fetch_under_way().is_some()
            || self.was_brought(kid, now)
    }

    /// Whether requests have to wait for a fetch before they may use the set.
    pub(super) fn is_overdue(&self, now: SystemTime) -> bool {
        self.current.load().as_deref().is_some_and(|loaded| loaded.age(now) == Age::Overdue)
    }

    fn was_brought(&self, kid: &str, now: SystemTime) -> bool {
        let brought = |loaded: &Loaded| {
            !matches!(loaded.age(now), Age::Overdue | Age::TooOld) && loaded.set.find(kid).is_some()
        };
        self.current.load().as_deref().is_some_and(brought)
    }

    fn begin_with(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        cause: Cause,
        now: SystemTime,
    ) -> Begin {
        if let Some(fetch) = state.fetch_under_way() {
            return Begin::Joined(fetch.clone());
        }
        let began = Moment::at(now);
        state.forget_attempts_before(began.monotonic, self.settings.unknown_key_window);
        if state.attempts.len() >= cause.limit() {
            return Begin::Refused;
        }
        let Some(spawner) = Spawner::current() else {
            let is_first = !std::mem::replace(&mut state.lacked_runtime, true);
            // What one caller lacks is no reason for those who have keys.
            if self.current.load().is_none() {
                state.last_error = Some(FetchError::NoRuntime);
            }
            drop(state);
            if is_first {
                tracing::error!(issuer = %self.issuer, error = %FetchError::NoRuntime);
            }
            return Begin::Refused;
        };
        if cause.is_strangers() {
            state.attempts.push_back(began.monotonic);
        }
        state.last_begun = Some(began.monotonic);
        state.begun += 1;

        let (ended, fetch) = watch::channel(());
        // A little more than the task's own limit, which tells better what went wrong.
        let limit = self.settings.fetch_timeout;
        let fetch = Fetch { ended: fetch, began, deadline: began.monotonic + limit + limit / 10 };
        state.under_way = Some(fetch.clone());
        let running = Running {
            fetcher: Arc::clone(self),
            cause,
            number: state.begun,
            began,
            outcome: Err(FetchError::Interrupted),
            _ended: ended,
        };
        // A runtime that shuts down drops the task at once, which takes this lock.
        drop(state);
        spawner.spawn(running.run());
        Begin::Began(fetch)
    }

    /// Waits for the end of a fetch; false if it does not come in time, which counts as a failure.
    pub(super) async fn ended(&self, fetch: Fetch) -> bool {
        let (began, deadline) = (fetch.began, fetch.deadline);
        let ended = fetch.ended().await;
        if !ended && Instant::now() >= deadline {
            self.record_failure(began);
        }
        ended
    }

    /// Lets the set of before serve past its lifetime, since a fetch failed. A fetch that took much longer
    /// than its limit was frozen in between, and says nothing about the endpoint.
    fn record_failure(&self, began: Moment) {
        let took = Moment::at(self.clock.now()).since(began);
        if took <= self.settings.fetch_timeout + LATENESS
            && let Some(loaded) = self.current.load().as_deref()
        {
            loaded.record_failure(began);
        }
    }

    pub(super) fn succeeded_after(&self, begun: u64) -> Result<(), FetchError> {
        let state = self.state();
        if state.succeeded > begun {
            return Ok(());
        }
        let error = state.last_error.clone();
        drop(state);
        let unfinished = || match Spawner::current() {
            Some(_) => FetchError::Timeout(self.settings.fetch_timeout),
            None => FetchError::NoRuntime,
        };
        Err(error.unwrap_or_else(unfinished))
    }

    pub(super) fn settings(&self) -> &KeySettings {
        &self.settings
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(super) fn last_error(&self) -> Option<FetchError> {
        self.state().last_error.clone()
    }

    pub(super) fn begun(&self) -> u64 {
        self.state().begun
    }

    /// What to say of a key that is not there: unknown if the pool answered, unavailable if not.
    pub(super) fn miss(&self, set_is_usable: bool) -> Miss {
        if set_is_usable && self.last_error().is_none() {
            return Miss::Unknown;
        }
        self.unavailable()
    }

    /// When to ask again: when the next fetch can be made.
    pub(super) fn unavailable(&self) -> Miss {
        let mut state = self.state();
        let (now, window) = (Instant::now(), self.settings.unknown_key_window);
        state.forget_attempts_before(now, window);
        let limiting = state.attempts.len().checked_sub(KeySettings::ATTEMPTS);
        let next_attempt =
            limiting.and_then(|at| state.attempts.get(at)).map_or(now, |it| *it + window);
        let next =
            if self.settings.background { next_attempt.min(state.due) } else { next_attempt };
        Miss::Unavailable(next.saturating_duration_since(now).max(Duration::from_secs(1)))
    }

    /// How long the background task has to wait for its next fetch.
    pub(super) fn due_in(&self) -> Duration {
        let overdue =
            self.current.load().as_deref().is_some_and(|it| it.is_past_lifetime(self.clock.now()));
        let state = self.state();
        let now = Instant::now();
        let due = match state.last_begun {
            // The wall clock went on while timers stood still: the machine was asleep.
            Some(begun) if overdue && state.failures == 0 => {
                state.due.min(begun + self.settings.spacing())
            }
            _ => state.due,
        };
        due.saturating_duration_since(now)
    }

    fn end(&self, running: &Running, outcome: Result<Fetched, FetchError>) {
        let (outcome, left_out) = match outcome {
            Ok(Fetched { set, left_out, lifetime }) => (Ok((set, lifetime)), left_out),
            Err(error) => (Err(error), LeftOut::default()),
        };
        let error = outcome.as_ref().err().cloned();
        // A runtime that shut down says nothing about the endpoint; a source that panicked failed.
        let failed = match error {
            None => false,
            Some(FetchError::Interrupted) => std::thread::panicking(),
            Some(_) => true,
        };
        if self.settle(running, outcome) && failed {
            self.record_failure(running.began);
        }
        // Last, since a subscriber may panic, and what was fetched must not be lost by it.
        let (issuer, keys) = (&self.issuer, self.current.load().as_deref().map_or(0, Loaded::keys));
        match error {
            None => tracing::debug!(%issuer, keys, "key set fetched"),
            // Its runtime is going down, as a rule.
            Some(error @ FetchError::Interrupted) => tracing::debug!(%issuer, keys, %error),
            Some(error) => {
                let error = Chain(&error);
                tracing::warn!(%issuer, keys, %error, "the key set could not be fetched");
            }
        }
        left_out.log();
    }

    /// Returns whether the fetch was still the one under way, whose outcome counts.
    fn settle(&self, running: &Running, outcome: Result<(KeySet, Duration), FetchError>) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        if running.number != state.begun {
            return false;
        }
        state.under_way = None;
        match outcome {
            Ok((set, lifetime)) => {
                state.failures = 0;
                state.succeeded = running.number;
                state.last_error = None;
                state.due = now + KeySettings::refresh_delay(lifetime);
                if let Some(old) = self.current.load().as_deref() {
                    state.retire(&old.set, &set);
                }
                let loaded = Loaded::new(set, running.began, lifetime, &self.settings);
                self.current.store(Some(Arc::new(loaded)));
            }
            Err(error) => {
                // What strangers' tokens cause must not put the task's own schedule off. The limit on
                // their fetches in turn counts the task's failures.
                if !running.cause.is_strangers() {
                    state.failures = state.failures.saturating_add(1);
                    state.due = now + self.settings.retry_delay(state.failures);
                    state.attempts.push_back(running.began.monotonic);
                }
                state.last_error = Some(error);
            }
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cause {
    /// How many fetches there may have been in the window.
    fn limit(self) -> usize {
        match self {
            Self::UnknownKey | Self::Demanded => KeySettings::ATTEMPTS,
            Self::RetiredKey | Self::Overdue => KeySettings::ATTEMPTS / 2,
            Self::Expired | Self::Scheduled | Self::Forced => usize::MAX,
        }
    }

    /// Whether requests cause it, and so may cause it often.
    fn is_strangers(self) -> bool {
        matches!(self, Self::UnknownKey | Self::RetiredKey | Self::Overdue | Self::Expired)
    }
}

impl State {
    fn fetch_under_way(&self) -> Option<&Fetch> {
        self.under_way.as_ref().filter(|fetch| fetch.is_running())
    }

    /// Why a key that is not in the set would be fetched.
    fn cause_of(&self, kid: &str) -> Cause {
        let is_retired = self.retired.iter().any(|retired| **retired == *kid);
        if is_retired { Cause::RetiredKey } else { Cause::UnknownKey }
    }

    fn retire(&mut self, old: &KeySet, new: &KeySet) {
        self.retired.retain(|kid| new.find(kid).is_none());
        self.retired.extend(old.key_ids().filter(|kid| new.find(kid).is_none()).map(Box::from));
        let surplus = self.retired.len().saturating_sub(RETIRED);
        self.retired.drain(..surplus);
    }

    fn forget_attempts_before(&mut self, now: Instant, window: Duration) {
        while self.attempts.front().is_some_and(|begun| now.duration_since(*begun) >= window) {
            self.attempts.pop_front();
        }
    }
}

impl Fetch {
    /// Waits for the end, which the sender's drop tells; false if it does not come in time.
    pub(crate) async fn ended(mut self) -> bool {
        timeout_at(self.deadline, async { while self.ended.changed().await.is_ok() {} })
            .await
            .is_some()
    }

    fn is_running(&self) -> bool {
        self.ended.has_changed().is_ok() && Instant::now() < self.deadline
    }
}

impl Running {
    async fn run(mut self) {
        let limit = self.fetcher.settings.fetch_timeout;
        let source = Arc::clone(&self.fetcher.source);
        self.outcome =
            timeout(limit, source.fetch()).await.unwrap_or(Err(FetchError::Timeout(limit)));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let outcome = std::mem::replace(&mut self.outcome, Err(FetchError::Interrupted));
        let outcome = outcome.and_then(|document| {
            let lifetime = self.fetcher.settings.lifetime(document.max_age);
            let (set, left_out) = KeySet::read(&document.text)?;
            Ok(Fetched { set, left_out, lifetime })
        });
        self.fetcher.end(self, outcome);
    }
}
