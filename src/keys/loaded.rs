use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use crate::keys::{set::KeySet, settings::KeySettings};

/// The set in use, swapped as a whole.
pub(super) type Current = ArcSwapOption<Loaded>;

/// A key set and how long it may be used.
pub(super) struct Loaded {
    pub(super) set: KeySet,
    /// A static set has no age.
    times: Option<Times>,
}

/// A moment on both clocks. The wall clock goes on while a machine is suspended; the monotonic clock
/// cannot be set back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) wall: SystemTime,
    pub(super) monotonic: Instant,
}

struct Times {
    fetched_at: Moment,
    refresh_from: Duration,
    refresh_by: Duration,
    usable_for: Duration,
    /// For how long a failed fetch excuses the use of a set past its lifetime.
    failure_counts_for: Duration,
    /// The age of the set when the last failed fetch began, in seconds.
    failed_at: AtomicU64,
    /// The age at which a request last started a fetch, in seconds. One try a second keeps requests off
    /// the fetcher's lock.
    tried_at: AtomicU64,
}

/// How old a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Near the end of its lifetime, and requests have to refresh it.
    Due,
    /// Past its lifetime, and a fetch failed within the last lifetime: the set serves, so that an outage
    /// of the key endpoint refuses nobody.
    Excused,
    /// Past its lifetime, and no fetch failed lately: nobody tried, as on a suspended machine. Requests
    /// wait for a fetch.
    Overdue,
    /// Past the bound on staleness; it must not be used.
    TooOld,
}

/// No age in seconds equals this.
const NEVER: u64 = u64::MAX;

impl Moment {
    pub(super) fn at(wall: SystemTime) -> Self {
        Self { wall, monotonic: Instant::now() }
    }

    /// The larger of the times that passed by both clocks.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.monotonic.saturating_duration_since(earlier.monotonic))
    }
}

impl Loaded {
    /// A set that does not age.
    pub(super) fn fixed(set: KeySet) -> Self {
        Self { set, times: None }
    }

    pub(super) fn new(
        set: KeySet,
        fetched_at: Moment,
        lifetime: Duration,
        settings: &KeySettings,
    ) -> Self {
        let lifetime = lifetime.min(settings.max_staleness);
        // With a background task, requests need not refresh a set within its lifetime.
        let refresh_from =
            if settings.background { lifetime } else { KeySettings::refresh_delay(lifetime) };
        let times = Times {
            fetched_at,
            refresh_from,
            refresh_by: lifetime,
            usable_for: settings.max_staleness,
            failure_counts_for: lifetime.max(settings.longest_between_tries()),
            failed_at: AtomicU64::new(NEVER),
            tried_at: AtomicU64::new(NEVER),
        };
        Self { set, times: Some(times) }
    }

    pub(super) fn keys(&self) -> usize {
        self.set.len()
    }

    pub(super) fn age(&self, now: SystemTime) -> Age {
        let Some(times) = &self.times else { return Age::Fresh };
        match times.age(Moment::at(now)) {
            age if age <= times.refresh_from => Age::Fresh,
            age if age <= times.refresh_by => Age::Due,
            age if age > times.usable_for => Age::TooOld,
            age if times.failed_lately(age) => Age::Excused,
            _ => Age::Overdue,
        }
    }

    pub(super) fn is_usable(&self, now: SystemTime) -> bool {
        self.age(now) != Age::TooOld
    }

    /// Whether the set is past its lifetime.
    pub(super) fn is_past_lifetime(&self, now: SystemTime) -> bool {
        matches!(self.age(now), Age::Excused | Age::Overdue | Age::TooOld)
    }

    pub(super) fn fetched_at(&self) -> Option<SystemTime> {
        self.times.as_ref().map(|times| times.fetched_at.wall)
    }

    pub(super) fn since_fetch(&self, now: SystemTime) -> Option<Duration> {
        self.times.as_ref().map(|times| times.age(Moment::at(now)))
    }

    /// Records that a fetch failed which began at this moment. The start of the fetch counts: one that
    /// began before a suspension says nothing about the endpoint after it.
    pub(super) fn record_failure(&self, began: Moment) {
        if let Some(times) = &self.times {
            times.failed_at.store(times.age(began).as_secs(), Ordering::Relaxed);
        }
    }

    /// Whether no request started a fetch in this second of age. The caller that gets `true` starts one.
    pub(super) fn is_time_to_try(&self, now: SystemTime) -> bool {
        let Some(times) = &self.times else { return false };
        let age = times.age(Moment::at(now)).as_secs();
        times.tried_at.swap(age, Ordering::Relaxed) != age
    }
}

impl Times {
    /// The larger of the ages by both clocks.
    fn age(&self, at: Moment) -> Duration {
        at.since(self.fetched_at)
    }

    /// A failure counts for a limited time, so that a failure before a suspension does not keep the set
    /// in use after it.
    fn failed_lately(&self, age: Duration) -> bool {
        let failed_at = self.failed_at.load(Ordering::Relaxed);
        // The difference either way: a clock that was set back must not make a failure last.
        failed_at != NEVER && age.as_secs().abs_diff(failed_at) <= self.failure_counts_for.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    fn loaded(settings: &KeySettings, fetched_at: SystemTime) -> Loaded {
        let fetched_at = Moment::at(fetched_at);
        let key = serde_json::json!({ "keys": [{
            "kty": "RSA", "alg": "RS256", "kid": "a", "e": "AQAB", "n": format!("{}w", "_".repeat(341)),
        }]});
        let (set, _) = KeySet::read(&key.to_string()).unwrap();
        Loaded::new(set, fetched_at, settings.refresh_interval, settings)
    }

    #[test]
    fn a_set_without_a_failed_fetch_is_overdue_past_its_lifetime() {
        let start = SystemClock.now();
        let task = KeySettings::default();
        let on_demand = KeySettings { background: false, ..task.clone() };
        for (settings, at_890) in [(on_demand, Age::Due), (task, Age::Fresh)] {
            let loaded = loaded(&settings, start);
            for (seconds, age) in [
                (0, Age::Fresh),
                (600, Age::Fresh),
                (890, at_890),
                (901, Age::Overdue),
                (86_400, Age::Overdue),
                (86_401, Age::TooOld),
            ] {
                assert_eq!(loaded.age(start + Duration::from_secs(seconds)), age, "{seconds}");
            }
        }
    }

    #[test]
    fn a_failed_fetch_excuses_a_set_past_its_lifetime_for_as_long_again() {
        let start = SystemClock.now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let loaded = loaded(&KeySettings::default(), start);
        let failed = |seconds| Moment { wall: at(seconds), monotonic: Instant::now() };
        loaded.record_failure(failed(1000));
        for (seconds, age) in [
            (800, Age::Fresh),
            (901, Age::Excused),
            (1000, Age::Excused),
            (1900, Age::Excused),
            (1901, Age::Overdue),
        ] {
            assert_eq!(loaded.age(at(seconds)), age, "{seconds}");
        }
        loaded.record_failure(failed(80_000));
        for (seconds, age) in [
            // As if the clock was set back.
            (2000, Age::Overdue),
            (80_000, Age::Excused),
            (80_900, Age::Excused),
            (80_901, Age::Overdue),
            (86_401, Age::TooOld),
        ] {
            assert_eq!(loaded.age(at(seconds)), age, "{seconds}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_age_is_the_larger_of_both_clocks() {
        let start = SystemClock.now();
        let loaded = loaded(&KeySettings::default(), start);
        let hour = Duration::from_secs(3600);
        assert_eq!(loaded.since_fetch(start + hour), Some(hour));
        tokio::time::advance(2 * hour).await;
        for wall in [start, start - hour, start + hour] {
            assert_eq!(loaded.since_fetch(wall), Some(2 * hour));
        }
        assert_eq!(loaded.since_fetch(start + 3 * hour), Some(3 * hour));
    }

    #[test]
    fn one_try_a_second_is_made() {
        let start = SystemClock.now();
        let loaded = loaded(&KeySettings::default(), start);
        let at = |millis| start + Duration::from_millis(millis);
        for (millis, time) in
            [(0, true), (10, false), (999, false), (1000, true), (1900, false), (5000, true)]
        {
            assert_eq!(loaded.is_time_to_try(at(millis)), time, "{millis}");
        }
        assert!(!Loaded::fixed(loaded.set).is_time_to_try(start));
    }

    #[test]
    fn a_static_set_does_not_age() {
        let start = SystemClock.now();
        let fixed = Loaded::fixed(loaded(&KeySettings::default(), start).set);
        assert_eq!(fixed.age(start + Duration::from_secs(1 << 32)), Age::Fresh);
    }
}
