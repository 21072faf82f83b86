use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::keys::{freshness::Timestamp, set::KeySet, settings::KeySettings, source::FetchError};

/// Decides when a key set is fetched and for how long it may be used.
///
/// A pure state machine: each method takes an event and the time, and returns what to do. It contains no lock, task,
/// clock or randomness; those are in [`Driver`](crate::keys::driver::Driver).
///
/// A decision to fetch takes effect when the caller reports [`fetch_began`](Self::fetch_began). The fetch ends with
/// [`fetch_succeeded`](Self::fetch_succeeded), [`fetch_failed`](Self::fetch_failed) or
/// [`fetch_lost`](Self::fetch_lost), and a fetch that is still in flight at its deadline has failed.
#[derive(Debug)]
pub(super) struct Schedule {
    settings: KeySettings,
    current: Option<CurrentSet>,
    /// The newest fetch. It is in flight while `ended` is less than `begun`.
    newest: Option<Fetch>,
    /// How many fetches began, which is also the number of the newest one.
    begun: u64,
    /// The number of the last fetch that ended, in any way.
    ended: u64,
    /// The number of the last fetch that succeeded.
    succeeded: u64,
    /// Why the last fetch failed; `None` after a success.
    last_error: Option<FetchError>,
    /// The start of the last fetch that failed within its time limit; `None` after a success.
    failed_at: Option<Timestamp>,
    /// How many fetches failed in a row, not counting those that requests caused.
    failures: u32,
    /// When the background task fetches next.
    due: Instant,
    /// The start times of the fetches that count towards the limit, oldest first.
    attempts: VecDeque<Instant>,
    /// Ids of withdrawn keys, newest last.
    retired: VecDeque<Box<str>>,
}

/// The times of the set in use.
#[derive(Debug, Clone, Copy)]
struct CurrentSet {
    /// When its fetch began, since the document may be as old as that.
    fetched_at: Timestamp,
    lifetime: Duration,
    /// The age from which requests start a refresh. With a background task that is the whole lifetime.
    refresh_from: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Fetch {
    trigger: Trigger,
    began: Timestamp,
    /// Callers do not wait for the fetch beyond this time.
    deadline: Instant,
    jitter: f64,
}

/// What the caller has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Use the current set.
    UseSet,
    /// Start a fetch, and use the current set without waiting for it.
    UseSetAndFetch(Trigger),
    /// Start a fetch, wait for its end, and consult the schedule again.
    Fetch(Trigger),
    /// Wait for the end of the fetch in flight, and consult the schedule again.
    Wait,
    /// Respond now, because no fetch may be started.
    Respond(Miss),
}

/// Why a key is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// The pool has no such key.
    Unknown,
    /// The key set is unavailable. Retry after this time.
    Unavailable(Duration),
}

/// Why a fetch is started. The limit on fetches depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// A token names an unknown key, or there is no set to use. Limited, because unauthenticated clients can
    /// send such tokens.
    UnknownKey,
    /// A token names a withdrawn key. Limited to half of the attempts: such tokens arrive until they
    /// expire, and must leave an attempt for a new key.
    RetiredKey,
    /// A request refreshes a set that may still be used. Limited to half of the attempts, for the same
    /// reason.
    Refresh,
    /// A request needs a set that is past its lifetime, and no fetch failed recently. Not limited, because
    /// it cannot repeat soon: after a success the new set is used for its lifetime, and after a failure the
    /// old set is used for as long again. A fetch that was dropped or suspended is neither, so the next request starts
    /// another one.
    Overdue,
    /// The background task is due.
    Timer,
    /// The application called `ready`. Limited like unknown keys.
    Ready,
    /// The application called `force_refresh`. Not limited.
    Forced,
}

/// How many fetches had begun and ended when a caller arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct FetchCounts {
    begun: u64,
    ended: u64,
}

/// How many fetches unknown keys may cause in one window, including failed ones. The first may come too early for a
/// rotation, so a second one is allowed.
const ATTEMPTS: usize = 2;

/// The shortest lifetime that a key endpoint can set, so that it causes at most one fetch a minute.
const MIN_LIFETIME: Duration = Duration::from_secs(60);

/// The longest delay between retries, so that keys are fetched soon after an outage even if the window is long.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// The background task checks both clocks at least this often, because timers do not advance while the
/// machine is suspended.
pub(super) const MAX_SLEEP: Duration = Duration::from_secs(10);

/// How late a busy machine may notice the end of a fetch. A longer fetch was suspended and does not count as a
/// failure of the endpoint.
const MAX_LATENESS: Duration = Duration::from_secs(10);

/// How many withdrawn keys are remembered: two for each of several rotations.
const MAX_RETIRED: usize = 32;

/// Decisions: what to do now.
impl Schedule {
    pub(super) fn new(settings: KeySettings, now: Timestamp) -> Self {
        Self {
            settings,
            current: None,
            newest: None,
            begun: 0,
            ended: 0,
            succeeded: 0,
            last_error: None,
            failed_at: None,
            failures: 0,
            due: now.monotonic,
            attempts: VecDeque::new(),
            retired: VecDeque::new(),
        }
    }

    /// Decides whether a request may use the current set, and whether it also starts a refresh.
    pub(super) fn use_set(&mut self, now: Timestamp) -> Action {
        self.end_overrun_fetch(now);
        if !self.is_usable(now) {
            return self.start_or_join(self.trigger_without_set(now), now);
        }
        let is_due = self.current.is_some_and(|set| set.age(now) > set.refresh_from);
        match self.start_or_join(Trigger::Refresh, now) {
            Action::Fetch(trigger) if is_due => Action::UseSetAndFetch(trigger),
            _ => Action::UseSet,
        }
    }

    /// Decides what a request does if its key is missing or there is no usable set.
    ///
    /// A fetch that was in flight when the request arrived may have begun before the key was published, so its result
    /// is not final. The result of a fetch that began later is final.
    pub(super) fn find_key(
        &mut self,
        kid: &str,
        at_arrival: FetchCounts,
        now: Timestamp,
    ) -> Action {
        self.end_overrun_fetch(now);
        let trigger = if !self.is_usable(now) {
            self.trigger_without_set(now)
        } else if self.retired.iter().any(|retired| **retired == *kid) {
            Trigger::RetiredKey
        } else {
            Trigger::UnknownKey
        };
        let is_final = self.ended > at_arrival.begun;
        let has_failed = self.ended > at_arrival.ended && self.last_error.is_some();
        // The failed fetch may have begun before the machine was suspended. An overdue set needs one that
        // began afterwards.
        if is_final || has_failed && trigger != Trigger::Overdue {
            return Action::Respond(self.miss(now));
        }
        self.start_or_join(trigger, now)
    }

    /// Decides what a call of `ready` does. It waits for at most one fetch.
    pub(super) fn ready(&mut self, at_arrival: FetchCounts, now: Timestamp) -> Action {
        self.end_overrun_fetch(now);
        if self.is_within_max_staleness(now) {
            return Action::UseSet;
        }
        if self.ended > at_arrival.ended {
            return Action::Respond(self.miss(now));
        }
        self.start_or_join(Trigger::Ready, now)
    }

    /// Decides what a call of `force_refresh` does. It needs a set whose fetch began after the call.
    pub(super) fn force(&mut self, at_arrival: FetchCounts, now: Timestamp) -> Action {
        self.end_overrun_fetch(now);
        if self.succeeded > at_arrival.begun {
            return Action::UseSet;
        }
        if self.ended > at_arrival.begun {
            return Action::Respond(self.miss(now));
        }
        self.start_or_join(Trigger::Forced, now)
    }

    /// Decides what the background task does. [`Action::UseSet`] means to sleep for
    /// [`due_in`](Self::due_in).
    pub(super) fn timer(&mut self, now: Timestamp) -> Action {
        self.end_overrun_fetch(now);
        if !self.due_in(now).is_zero() {
            return Action::UseSet;
        }
        self.start_or_join(Trigger::Timer, now)
    }

    /// Returns how long the background task has to wait for its next fetch.
    pub(super) fn due_in(&self, now: Timestamp) -> Duration {
        let is_expired = self.current.is_some_and(|set| set.age(now) > set.lifetime);
        let due = match self.newest {
            // The set expired before the timer fired: the machine was suspended.
            Some(fetch) if is_expired && self.failures == 0 => {
                let spacing = Duration::from_secs(1).min(self.settings.unknown_key_window);
                self.due.min(fetch.began.monotonic + spacing)
            }
            _ => self.due,
        };
        due.saturating_duration_since(now.monotonic)
    }

    /// Returns for how long requests may use the current set before they consult the schedule again.
    pub(super) fn usable_for(&self, now: Timestamp) -> Duration {
        let Some(set) = self.current.filter(|_| self.is_usable(now)) else { return Duration::ZERO };
        let age = set.age(now);
        if age < set.refresh_from {
            return set.refresh_from - age;
        }
        let until_refresh = self.next_refresh_in(now);
        if age <= set.lifetime {
            return until_refresh.min(set.lifetime - age);
        }
        let since_failure = self.failed_at.map(|failed_at| now.since(failed_at));
        let until_overdue = since_failure
            .map_or(Duration::ZERO, |since| self.failure_counts_for(set).saturating_sub(since));
        until_refresh.min(until_overdue).min(self.settings.max_staleness.saturating_sub(age))
    }

    /// Returns whether requests may use the current set. They may use it past its lifetime if a fetch failed recently,
    /// so that an outage of the key endpoint does not become an outage of the service.
    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        self.current.is_some_and(|set| {
            let failed_recently =
                || self.failed_at.is_some_and(|at| now.since(at) <= self.failure_counts_for(set));
            set.age(now) <= set.lifetime || self.is_within_max_staleness(now) && failed_recently()
        })
    }

    /// Returns whether there is a set that is not older than `max_staleness`.
    pub(super) fn is_within_max_staleness(&self, now: Timestamp) -> bool {
        self.current.is_some_and(|set| set.age(now) <= self.settings.max_staleness)
    }

    /// Returns why a key is not available.
    pub(super) fn miss(&self, now: Timestamp) -> Miss {
        if self.is_usable(now) && self.last_error.is_none() {
            Miss::Unknown
        } else {
            Miss::Unavailable(self.retry_after(now))
        }
    }

    /// Returns the current counts. A caller reads them once, and passes them to each call of
    /// [`find_key`](Self::find_key), [`ready`](Self::ready) or [`force`](Self::force).
    pub(super) fn fetch_counts(&mut self, now: Timestamp) -> FetchCounts {
        self.end_overrun_fetch(now);
        FetchCounts { begun: self.begun, ended: self.ended }
    }

    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    pub(super) fn last_error(&self) -> Option<&FetchError> {
        self.last_error.as_ref()
    }

    pub(super) fn fetched_at(&self) -> Option<Timestamp> {
        self.current.map(|set| set.fetched_at)
    }

    /// Returns when the current set was fetched, and its lifetime.
    pub(super) fn current_times(&self) -> Option<(Timestamp, Duration)> {
        self.current.map(|set| (set.fetched_at, set.lifetime))
    }
}

/// Events: what happened.
impl Schedule {
    /// Records that a fetch began. Returns its number and its deadline.
    ///
    /// `jitter`, from 0 to 1, spreads the next fetches, so that many processes do not fetch at once.
    pub(super) fn fetch_began(
        &mut self,
        trigger: Trigger,
        jitter: f64,
        now: Timestamp,
    ) -> (u64, Instant) {
        self.begun += 1;
        if trigger.is_from_request() {
            self.count_attempt(now.monotonic);
        }
        // A little more than the time limit of the task itself, which can report what went wrong.
        let limit = self.settings.fetch_timeout;
        let deadline = now.monotonic + limit + limit / 10;
        self.newest = Some(Fetch { trigger, began: now, deadline, jitter });
        (self.begun, deadline)
    }

    /// Records that a fetch succeeded. Returns whether its set becomes the current one, because a late response never
    /// replaces a newer set.
    pub(super) fn fetch_succeeded(
        &mut self,
        number: u64,
        max_age: Option<Duration>,
        now: Timestamp,
    ) -> bool {
        let Some(fetch) = self.newest.filter(|_| number == self.begun) else { return false };
        self.ended = number;
        self.succeeded = number;
        self.last_error = None;
        self.failed_at = None;
        self.failures = 0;
        let set = self.set(fetch.began, max_age, fetch.jitter);
        self.due = now.monotonic + refresh_delay(set.lifetime, fetch.jitter);
        self.current = Some(set);
        true
    }

    /// Records that a fetch failed. If it ended in time, requests may use the old set past its lifetime.
    pub(super) fn fetch_failed(&mut self, number: u64, error: FetchError, now: Timestamp) {
        let Some(fetch) = self.in_flight().filter(|_| number == self.begun) else { return };
        self.end_failed(fetch, error, now);
        self.count_failure(fetch, now);
    }

    /// Records that the task of a fetch was dropped because its runtime shut down. This does not show that the endpoint
    /// is down, so requests must not use the old set past its lifetime.
    pub(super) fn fetch_lost(&mut self, number: u64, now: Timestamp) {
        let Some(fetch) = self.in_flight().filter(|_| number == self.begun) else { return };
        self.ended = self.begun;
        self.last_error = Some(FetchError::Interrupted);
        self.count_failure(fetch, now);
    }

    /// Records that a fetch could not begin because the caller's runtime has no timers. If there are keys, only this
    /// caller is affected.
    pub(super) fn fetch_impossible(&mut self) {
        if self.current.is_none() {
            self.last_error = Some(FetchError::NoRuntime);
        }
    }

    /// Records that the application imported a set that was fetched at this time.
    pub(super) fn set_imported(
        &mut self,
        fetched_at: Timestamp,
        lifetime: Option<Duration>,
        jitter: f64,
        now: Timestamp,
    ) {
        let set = self.set(fetched_at, lifetime, jitter);
        let delay = refresh_delay(set.lifetime, jitter).saturating_sub(set.age(now));
        self.due = now.monotonic + delay;
        self.current = Some(set);
    }

    /// Records that the keys were replaced. Keys that are not in the new set are withdrawn.
    pub(super) fn keys_replaced(&mut self, old: &KeySet, new: &KeySet) {
        self.retired.retain(|kid| new.find(kid).is_none());
        self.retired.extend(old.key_ids().filter(|kid| new.find(kid).is_none()).map(Box::from));
        let surplus = self.retired.len().saturating_sub(MAX_RETIRED);
        self.retired.drain(..surplus);
    }
}

/// Rules.
impl Schedule {
    fn start_or_join(&self, trigger: Trigger, now: Timestamp) -> Action {
        if self.in_flight().is_some() {
            Action::Wait
        } else if self.attempts_in_window(now).count() >= trigger.limit() {
            Action::Respond(self.miss(now))
        } else {
            Action::Fetch(trigger)
        }
    }

    fn trigger_without_set(&self, now: Timestamp) -> Trigger {
        if self.is_within_max_staleness(now) { Trigger::Overdue } else { Trigger::UnknownKey }
    }

    fn in_flight(&self) -> Option<Fetch> {
        self.newest.filter(|_| self.ended < self.begun)
    }

    /// Ends a fetch that is past its deadline because its runtime is stalled. The next fetch may then begin. It does
    /// not count towards the limit, because it may not have sent a request.
    fn end_overrun_fetch(&mut self, now: Timestamp) {
        if let Some(fetch) = self.in_flight().filter(|fetch| now.monotonic >= fetch.deadline) {
            let error = FetchError::Timeout(self.settings.fetch_timeout);
            self.end_failed(fetch, error, now);
        }
    }

    fn end_failed(&mut self, fetch: Fetch, error: FetchError, now: Timestamp) {
        self.ended = self.begun;
        self.last_error = Some(error);
        if now.since(fetch.began) <= self.settings.fetch_timeout + MAX_LATENESS {
            self.failed_at = Some(fetch.began);
        }
    }

    /// Counts a failure, and schedules the retry. Fetches that requests caused were counted when they began, and must
    /// not postpone the next fetch of the background task.
    fn count_failure(&mut self, fetch: Fetch, now: Timestamp) {
        if !fetch.trigger.is_from_request() {
            self.failures = self.failures.saturating_add(1);
            self.due = now.monotonic + self.retry_delay(fetch.jitter);
            self.count_attempt(fetch.began.monotonic);
        }
    }

    fn count_attempt(&mut self, began: Instant) {
        let window = self.settings.unknown_key_window;
        self.attempts.retain(|attempt| began.saturating_duration_since(*attempt) < window);
        self.attempts.push_back(began);
    }

    fn attempts_in_window(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = Instant> {
        let (now, window) = (now.monotonic, self.settings.unknown_key_window);
        let is_recent = move |began: &Instant| now.saturating_duration_since(*began) < window;
        self.attempts.iter().copied().filter(is_recent)
    }

    /// Returns the time until a request may refresh the set.
    fn next_refresh_in(&self, now: Timestamp) -> Duration {
        let next = match (self.in_flight(), self.attempts_in_window(now).next_back()) {
            (Some(fetch), _) => fetch.deadline,
            (None, Some(attempt)) => attempt + self.settings.unknown_key_window,
            (None, None) => now.monotonic,
        };
        next.saturating_duration_since(now.monotonic)
    }

    /// Returns when a client may try again: when the next fetch can begin, and at least one second.
    fn retry_after(&self, now: Timestamp) -> Duration {
        let window = self.settings.unknown_key_window;
        let limiting = self.attempts_in_window(now).nth_back(ATTEMPTS - 1);
        let next_attempt = limiting.map_or(now.monotonic, |attempt| attempt + window);
        let next = if self.settings.background { next_attempt.min(self.due) } else { next_attempt };
        next.saturating_duration_since(now.monotonic).max(Duration::from_secs(1))
    }

    fn set(&self, fetched_at: Timestamp, max_age: Option<Duration>, jitter: f64) -> CurrentSet {
        let interval = self.settings.refresh_interval;
        let min = MIN_LIFETIME.min(interval);
        let lifetime = max_age.map_or(interval, |max_age| max_age.clamp(min, interval));
        let refresh_from =
            if self.settings.background { lifetime } else { refresh_delay(lifetime, jitter) };
        CurrentSet { fetched_at, lifetime, refresh_from }
    }

    /// Returns for how long a failed fetch allows requests to use a set past its lifetime: for one lifetime, and at
    /// least until the next fetch can fail.
    fn failure_counts_for(&self, set: CurrentSet) -> Duration {
        let next_failure = self.max_retry_delay().max(MAX_SLEEP) + self.settings.fetch_timeout * 2;
        set.lifetime.max(next_failure)
    }

    /// Returns how long the background task waits after a failure: a sixth of the window, then twice as long
    /// after each further failure, up to the whole window, a minute or the refresh interval.
    fn retry_delay(&self, jitter: f64) -> Duration {
        let longest = self.max_retry_delay();
        let first = (self.settings.unknown_key_window / 6).max(Duration::from_secs(1));
        let doubled = first.saturating_mul(1 << self.failures.saturating_sub(1).min(6));
        doubled.min(longest).mul_f64(0.8 + 0.2 * jitter)
    }

    fn max_retry_delay(&self) -> Duration {
        let KeySettings { unknown_key_window, refresh_interval, .. } = self.settings;
        unknown_key_window.min(refresh_interval).min(MAX_RETRY_DELAY)
    }
}

impl CurrentSet {
    fn age(self, now: Timestamp) -> Duration {
        now.since(self.fetched_at)
    }
}

impl Trigger {
    /// Returns the number of attempts in the window at which no further fetch is started.
    fn limit(self) -> usize {
        match self {
            Self::UnknownKey | Self::Ready => ATTEMPTS,
            Self::RetiredKey | Self::Refresh => ATTEMPTS / 2,
            Self::Overdue | Self::Timer | Self::Forced => usize::MAX,
        }
    }

    fn is_from_request(self) -> bool {
        matches!(self, Self::UnknownKey | Self::RetiredKey | Self::Refresh | Self::Overdue)
    }
}

/// Returns the age at which a set is refreshed: before the end of its lifetime, and different in each process.
fn refresh_delay(lifetime: Duration, jitter: f64) -> Duration {
    lifetime.mul_f64(0.75 + 0.15 * jitter)
}

#[cfg(test)]
mod tests;
