use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::time::Instant;

use super::{set::KeySet, settings::KeySettings};

/// The set in use, swapped as a whole.
#[derive(Default)]
pub(super) struct Current {
    loaded: ArcSwapOption<Loaded>,
    /// The number of the set that came last.
    newest: AtomicU64,
}

/// A key set and how long it is good for.
pub(super) struct Loaded {
    pub(super) set: KeySet,
    /// Which one it is of those that came, by which it is told from all others.
    number: u64,
    /// A static set has no age.
    times: Option<Times>,
}

struct Times {
    fetched_at: SystemTime,
    /// The same moment on the clock that nobody sets.
    stored_at: Instant,
    refresh_from: Duration,
    refresh_by: Duration,
    usable_for: Duration,
    /// When a request last had the set fetched anew, in seconds of age. The least time between two
    /// such tries keeps requests off the fetcher's lock.
    tried_at: AtomicU64,
}

/// A set that a request may use, at its age.
pub(crate) struct InUse<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) age: Age,
}

/// What a key that was found in a set may be relied on for: while that set is the newest, in a span of time.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    number: u64,
    settled: Range<SystemTime>,
}

/// How old a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Near the end of its lifetime, and requests have to refresh it.
    Due,
    /// Past its lifetime; it may be used while there is nothing newer.
    Overdue,
    /// Past the bound on staleness; it may not be used.
    TooOld,
}

/// No second of age is this one, so that the first try is made at any age.
const NEVER: u64 = u64::MAX;

impl Current {
    pub(super) fn load(&self) -> Guard<Option<Arc<Loaded>>> {
        self.loaded.load()
    }

    /// Takes a set into use. One caller at a time does so: who builds the cache, or the fetch that ends.
    pub(super) fn store(&self, mut loaded: Loaded) {
        loaded.number = self.newest.load(Ordering::Relaxed) + 1;
        // Counted before it is seen, so that what was found in an older set is not relied on any more.
        self.newest.store(loaded.number, Ordering::Release);
        self.loaded.store(Some(Arc::new(loaded)));
    }

    /// Whether what was found in a set may still be relied on.
    pub(super) fn upholds(&self, standing: &Standing, now: SystemTime) -> bool {
        standing.settled.contains(&now) && standing.number == self.newest.load(Ordering::Acquire)
    }
}

impl Loaded {
    /// A set that does not age.
    pub(super) fn fixed(set: KeySet) -> Self {
        Self { set, number: 0, times: None }
    }

    pub(super) fn new(
        set: KeySet,
        fetched_at: SystemTime,
        lifetime: Duration,
        settings: &KeySettings,
    ) -> Self {
        let lifetime = lifetime.min(settings.max_staleness);
        // A task that refreshes the set has its whole lifetime for that, and requests nothing to see to.
        let refresh_from =
            if settings.background { lifetime } else { KeySettings::refresh_delay(lifetime) };
        let times = Times {
            fetched_at,
            stored_at: Instant::now(),
            refresh_from,
            refresh_by: lifetime,
            usable_for: settings.max_staleness,
            tried_at: AtomicU64::new(NEVER),
        };
        Self { set, number: 0, times: Some(times) }
    }

    pub(super) fn keys(&self) -> usize {
        self.set.len()
    }

    pub(super) fn age(&self, now: SystemTime) -> Age {
        let Some(times) = &self.times else { return Age::Fresh };
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

impl InUse<'_> {
    /// When in a span of time a key of this set may be relied on without another look at the set; nothing if
    /// a request has to see to it now.
    pub(crate) fn standing(&self, now: SystemTime, span: &Range<SystemTime>) -> Option<Standing> {
        let Self { loaded: Loaded { times, number, .. }, age } = self;
        let settled = match times {
            None => span.clone(),
            Some(times) if *age == Age::Fresh => {
                let until = times.fetched_at.checked_add(times.refresh_from)?;
                span.start.max(times.fetched_at)..span.end.min(until)
            }
            Some(_) => return None,
        };
        settled.contains(&now).then_some(Standing { number: *number, settled })
    }
}

impl Times {
    /// The age by wall clock, which goes on while a machine sleeps, or that by the clock which nobody can set
    /// back, whichever is more.
    fn since_fetch(&self, now: SystemTime) -> Duration {
        now.duration_since(self.fetched_at).unwrap_or_default().max(self.stored_at.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    fn standing(loaded: &Loaded, now: SystemTime, span: &Range<SystemTime>) -> Option<Standing> {
        InUse { loaded, age: loaded.age(now) }.standing(now, span)
    }

    fn loaded(settings: &KeySettings, fetched_at: SystemTime) -> Loaded {
        let key = serde_json::json!({ "keys": [{
            "kty": "RSA", "alg": "RS256", "kid": "a", "e": "AQAB", "n": format!("{}w", "_".repeat(341)),
        }]});
        let (set, _) = KeySet::read(&key.to_string()).unwrap();
        Loaded::new(set, fetched_at, settings.refresh_interval, settings)
    }

    #[test]
    fn a_set_goes_through_its_ages() {
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
    fn a_key_may_be_relied_on_until_a_request_has_to_see_to_its_set() {
        let start = SystemClock.now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let whole = at(0)..at(5000);
        let task = KeySettings::default();
        let on_demand = KeySettings { background: false, ..task.clone() };
        let short = KeySettings { max_staleness: Duration::from_secs(100), ..task.clone() };
        for (settings, end) in [
            (task, at(1900)..at(1901)),
            (on_demand, at(1675)..at(1811)),
            (short, at(1100)..at(1101)),
        ] {
            let loaded = loaded(&settings, at(1000));
            let settled =
                |now, span| standing(&loaded, now, &span).map(|standing| standing.settled);
            let of_whole = settled(at(1050), whole.clone()).unwrap();
            assert!(of_whole.start == at(1000) && end.contains(&of_whole.end));
            assert_eq!(settled(at(1050), at(1010)..at(1090)), Some(at(1010)..at(1090)));
            assert_eq!(settled(at(1050), at(0)..at(1090)), Some(at(1000)..at(1090)));
            assert_eq!(settled(at(1050), at(1010)..at(5000)), Some(at(1010)..of_whole.end));
            for (now, span) in [
                (at(999), whole.clone()),
                (at(1950), whole.clone()),
                (at(1050), at(1051)..at(1090)),
                (at(1050), at(1010)..at(1050)),
            ] {
                assert_eq!(settled(now, span), None);
            }
            let fixed = Loaded::fixed(loaded.set);
            assert!(standing(&fixed, at(1), &whole).is_some_and(|it| it.settled == whole));
        }
    }

    #[test]
    fn a_set_that_comes_ends_what_was_found_in_the_last() {
        let (current, now) = (Current::default(), SystemClock.now());
        let span = now..now + Duration::from_secs(1);
        let set = loaded(&KeySettings::default(), now).set;
        assert!(current.load().is_none());
        let mut standings = Vec::new();
        for _ in 0..3 {
            current.store(Loaded::fixed(set.clone()));
            assert!(standings.iter().all(|standing| !current.upholds(standing, now)));
            standings.extend(current.load().as_deref().and_then(|it| standing(it, now, &span)));
            let newest = standings.last().unwrap();
            assert!(current.upholds(newest, now) && !current.upholds(newest, span.end));
        }
        assert_eq!(standings.len(), 3);
    }

    /// Whoever sees a newer set does not see an older standing upheld, on whatever threads.
    #[test]
    fn no_older_standing_is_upheld_once_a_newer_set_is_seen() {
        let (current, now) = (Current::default(), SystemClock.now());
        let span = now..now + Duration::from_secs(1);
        let set = loaded(&KeySettings::default(), now).set;
        current.store(Loaded::fixed(set.clone()));
        std::thread::scope(|scope| {
            let swapping = scope.spawn(|| {
                (0..20_000).for_each(|_| current.store(Loaded::fixed(set.clone())));
            });
            let mut old = None;
            while !swapping.is_finished() {
                let found = current.load().as_deref().and_then(|it| standing(it, now, &span));
                let found = found.unwrap();
                if let Some(old) = old.replace(found.clone())
                    && old.number < found.number
                {
                    assert!(!current.upholds(&old, now));
                }
            }
        });
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
