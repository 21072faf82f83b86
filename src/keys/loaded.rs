use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

use super::{set::KeySet, settings::KeySettings};

/// The set in use, swapped as a whole.
pub(super) type Current = ArcSwapOption<Loaded>;

/// A key set and how long it is good for.
pub(super) struct Loaded {
    pub(super) set: KeySet,
    /// A static set has no age.
    times: Option<Times>,
}

struct Times {
    fetched_at: SystemTime,
    /// The same moment on the clock that nobody sets.
    stored_at: Instant,
    /// Until then nothing but the wall clock need be asked.
    fresh_until: SystemTime,
    refresh_from: Duration,
    refresh_by: Duration,
    usable_for: Duration,
    /// When a request last had the set fetched anew, in seconds of age. The least time between two
    /// such tries keeps requests off the fetcher's lock.
    tried_at: AtomicU64,
}

/// How old a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Near the end of its lifetime.
    Due,
    /// Past its lifetime; it may be used while there is nothing newer.
    Overdue,
    /// Past the bound on staleness; it may not be used.
    TooOld,
}

/// No second of age is this one, so that the first try is made at any age.
const NEVER: u64 = u64::MAX;

impl Loaded {
    /// A set that does not age.
    pub(super) fn fixed(set: KeySet) -> Self {
        Self { set, times: None }
    }

    pub(super) fn new(
        set: KeySet,
        fetched_at: SystemTime,
        lifetime: Duration,
        settings: &KeySettings,
    ) -> Self {
        let refresh_from = KeySettings::refresh_delay(lifetime);
        let times = Times {
            fetched_at,
            stored_at: Instant::now(),
            fresh_until: fetched_at.checked_add(refresh_from).unwrap_or(fetched_at),
            refresh_from,
            refresh_by: lifetime,
            usable_for: settings.max_staleness,
            tried_at: AtomicU64::new(NEVER),
        };
        Self { set, times: Some(times) }
    }

    pub(super) fn keys(&self) -> usize {
        self.set.len()
    }

    pub(super) fn age(&self, now: SystemTime) -> Age {
        let Some(times) = &self.times else { return Age::Fresh };
        if (times.fetched_at..=times.fresh_until).contains(&now) {
            return Age::Fresh;
        }
        match times.since_fetch(now) {
            age if age <= times.refresh_from => Age::Fresh,
            age if age <= times.refresh_by => Age::Due,
            age if age <= times.usable_for => Age::Overdue,
            _ => Age::TooOld,
        }
    }

    pub(super) fn is_usable(&self, now: SystemTime) -> bool {
        self.age(now) != Age::TooOld
    }

    pub(super) fn is_overdue(&self, now: SystemTime) -> bool {
        matches!(self.age(now), Age::Overdue | Age::TooOld)
    }

    pub(super) fn fetched_at(&self) -> Option<SystemTime> {
        self.times.as_ref().map(|times| times.fetched_at)
    }

    pub(super) fn since_fetch(&self, now: SystemTime) -> Option<Duration> {
        self.times.as_ref().map(|times| times.since_fetch(now))
    }

    /// Whether nobody tried to fetch a newer set in this second; whoever is told so tries.
    pub(super) fn is_time_to_try(&self, now: SystemTime) -> bool {
        let Some(times) = &self.times else { return false };
        let age = times.since_fetch(now).as_secs();
        times.tried_at.swap(age, Ordering::Relaxed) != age
    }
}

impl Times {
    /// The age by wall clock, which goes on while a machine sleeps; where that clock was set back
    /// behind the fetch, the age by the clock that nobody sets.
    fn since_fetch(&self, now: SystemTime) -> Duration {
        now.duration_since(self.fetched_at).unwrap_or_else(|_| self.stored_at.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    fn loaded(settings: &KeySettings, fetched_at: SystemTime) -> Loaded {
        let key = serde_json::json!({ "keys": [{
            "kty": "RSA", "alg": "RS256", "kid": "a", "e": "AQAB", "n": format!("{}w", "_".repeat(341)),
        }]});
        let (set, _) = KeySet::read(&key.to_string()).unwrap();
        Loaded::new(set, fetched_at, settings.refresh_interval, settings)
    }

    #[test]
    fn a_set_goes_through_its_ages() {
        let (settings, start) = (KeySettings::default(), SystemClock.now());
        let loaded = loaded(&settings, start);
        for (seconds, age) in [
            (0, Age::Fresh),
            (600, Age::Fresh),
            (890, Age::Due),
            (901, Age::Overdue),
            (86_400, Age::Overdue),
            (86_401, Age::TooOld),
        ] {
            assert_eq!(loaded.age(start + Duration::from_secs(seconds)), age, "{seconds}");
        }
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
}
