use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    time::{Instant, timeout},
};

use super::{
    cache::{Current, Loaded, Miss},
    set::KeySet,
    settings::KeySettings,
    source::{FetchError, KeyDocument, KeySource},
};
use crate::clock::Clock;

/// Fetches key sets: one at a time, shared by all who wait, within a limit.
///
/// A fetch runs as a task of its own, so that it does not end with the request that began it. As
/// there is never a second one beside it, no older answer can arrive after a newer one.
pub(super) struct Fetcher {
    issuer: Arc<str>,
    source: Arc<dyn KeySource>,
    settings: KeySettings,
    clock: Arc<dyn Clock>,
    current: Arc<Current>,
    state: Mutex<State>,
    wake: Notify,
}

struct State {
    under_way: Option<Fetch>,
    /// When the fetches began that count against the limit, oldest first.
    attempts: VecDeque<Instant>,
    last_begun: Option<Instant>,
    last_error: Option<FetchError>,
    failures: u32,
    begun: u64,
    /// When the background task is to fetch next.
    due: Instant,
}

/// Why a fetch is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A token names a key that is not known: limited, since anybody can send such a token.
    UnknownKey,
    /// The background task's own schedule.
    Scheduled,
    /// The application asked for it at start.
    Demanded,
}

/// What came of asking for a fetch.
pub(super) enum Begin {
    Began(Fetch),
    Joined(Fetch),
    Refused,
}

/// A fetch under way. Waiting for it can be given up at any time without harm to the fetch.
#[derive(Clone)]
pub(super) struct Fetch(watch::Receiver<()>);

/// The fetch's side of it: whatever happens to its task, the state hears of the end.
struct Running {
    fetcher: Arc<Fetcher>,
    cause: Cause,
    began: Instant,
    began_at: SystemTime,
    outcome: Result<KeyDocument, FetchError>,
    _ended: watch::Sender<()>,
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
            failures: 0,
            begun: 0,
            due: Instant::now(),
        };
        let (state, wake) = (Mutex::new(state), Notify::new());
        Self { issuer, source, settings, clock, current, state, wake }
    }

    /// Begins a fetch, or joins the one under way.
    pub(super) fn begin(self: &Arc<Self>, cause: Cause) -> Begin {
        let mut state = self.state();
        if let Some(fetch) = state.under_way.as_ref().filter(|fetch| fetch.is_running()) {
            return Begin::Joined(fetch.clone());
        }
        let began = Instant::now();
        state.forget_attempts_before(began, self.settings.unknown_key_window);
        if cause == Cause::UnknownKey && state.attempts.len() >= KeySettings::ATTEMPTS {
            return Begin::Refused;
        }
        let Ok(runtime) = Handle::try_current() else {
            state.last_error = Some(FetchError::NoRuntime);
            return Begin::Refused;
        };
        if cause == Cause::UnknownKey {
            state.attempts.push_back(began);
        }
        state.last_begun = Some(began);
        state.begun += 1;

        let (ended, fetch) = watch::channel(());
        let fetch = Fetch(fetch);
        state.under_way = Some(fetch.clone());
        // A runtime that shuts down drops the task at once, which takes this lock.
        drop(state);
        let running = Running {
            fetcher: Arc::clone(self),
            cause,
            began,
            began_at: self.clock.now(),
            outcome: Err(FetchError::Interrupted),
            _ended: ended,
        };
        runtime.spawn(running.run());
        Begin::Began(fetch)
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
        let state = self.state();
        if set_is_usable && state.last_error.is_none() {
            return Miss::Unknown;
        }
        let now = Instant::now();
        let next_attempt = match state.attempts.front() {
            Some(oldest) if state.attempts.len() >= KeySettings::ATTEMPTS => {
                *oldest + self.settings.unknown_key_window
            }
            _ => now,
        };
        let next =
            if self.settings.background { next_attempt.min(state.due) } else { next_attempt };
        Miss::Unavailable(next.saturating_duration_since(now).max(Duration::from_secs(1)))
    }

    /// How long the background task has to wait for its next fetch.
    pub(super) fn due_in(&self) -> Duration {
        let overdue = self.current.load().as_deref().is_some_and(|it| it.overdue(self.clock.now()));
        let state = self.state();
        let now = Instant::now();
        let due = match state.last_begun {
            // The wall clock went on while timers stood still: the machine was asleep.
            Some(begun) if overdue && state.failures == 0 => begun + self.settings.spacing(),
            _ if overdue && state.failures == 0 => now,
            _ => state.due,
        };
        due.saturating_duration_since(now)
    }

    /// Has the background task look at the clock again.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    fn end(&self, running: &Running, outcome: Result<(KeySet, Duration), FetchError>) {
        let now = Instant::now();
        let mut state = self.state();
        state.under_way = None;
        match outcome {
            Ok((set, lifetime)) => {
                tracing::debug!(issuer = %self.issuer, keys = set.len(), "key set refreshed");
                state.failures = 0;
                state.last_error = None;
                state.due = now + KeySettings::refresh_delay(lifetime);
                let loaded = Loaded::new(set, running.began_at, lifetime, &self.settings);
                self.current.store(Some(Arc::new(loaded)));
            }
            Err(error) => {
                tracing::warn!(
                    issuer = %self.issuer, %error,
                    "the key set could not be refreshed; the last good keys stay in use"
                );
                // What strangers' tokens cause must not put the task's own schedule off. The limit on
                // their fetches in turn counts the task's failures.
                if running.cause != Cause::UnknownKey {
                    state.failures = state.failures.saturating_add(1);
                    state.due = now + self.settings.retry_delay(state.failures);
                    state.attempts.push_back(running.began);
                }
                state.last_error = Some(error);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_attempts_before(&mut self, now: Instant, window: Duration) {
        while self.attempts.front().is_some_and(|begun| now.duration_since(*begun) >= window) {
            self.attempts.pop_front();
        }
    }
}

impl Fetch {
    /// Waits for the end; the sender is dropped with the fetch, so this cannot wait forever.
    pub(super) async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }

    fn is_running(&self) -> bool {
        self.0.has_changed().is_ok()
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
            Ok((KeySet::from_json(&document.text)?, lifetime))
        });
        self.fetcher.end(self, outcome);
    }
}
