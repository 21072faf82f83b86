//! Each test is a table: at this second (on both clocks) this happens, and the schedule responds with that.
//!
//! Unless a table says otherwise, the settings are the defaults: refresh interval 900 s, window 30 s, bound
//! 86,400 s, time limit of a fetch 3 s. The jitter is 0, so a set is refreshed at 75 % of its lifetime.

use std::{collections::HashMap, time::Duration};

use serde_json::json;

use crate::{
    clock::{Clock, SystemClock},
    keys::{
        moment::Moment,
        schedule::{Action, Arrival, Miss, Schedule, Trigger},
        set::KeySet,
        settings::KeySettings,
        source::FetchError,
    },
};

#[derive(Debug, Clone, Copy)]
enum Event {
    /// A request finds that the set has to be confirmed.
    UseSet,
    /// A request arrives with a key that is not in the set.
    Request(&'static str),
    /// That request asks again, after it waited.
    RequestAgain(&'static str),
    /// The application calls `ready`, or its call asks again.
    Ready,
    ReadyAgain,
    /// The application calls `force_refresh`, or its call asks again.
    Force,
    ForceAgain,
    Timer,
    /// The newest fetch ends.
    Succeeds,
    Fails,
    IsLost,
    /// The fetch with this number ends.
    SucceedsLate(u64),
    FailsLate(u64),
    /// The wall clock alone goes on by so many seconds, as while a machine is suspended.
    Suspended(u64),
    /// The wall clock is set back by so many seconds.
    SetBack(u64),
    /// A set with the key `a` is replaced by one with the key `b`.
    KeyIsWithdrawn,
}

use Event::{
    Fails, FailsLate, Force, ForceAgain, IsLost, KeyIsWithdrawn, Ready, ReadyAgain, Request,
    RequestAgain, SetBack, Succeeds, SucceedsLate, Suspended, Timer, UseSet,
};

/// A row of a table: the second, the event, the expected response.
type Row = (u64, Event, &'static str);

struct Run {
    schedule: Schedule,
    start: Moment,
    /// How far the wall clock is ahead of the monotonic one.
    ahead: i64,
    arrivals: HashMap<&'static str, Arrival>,
}

impl Run {
    fn new(settings: KeySettings) -> Self {
        let start = Moment::at(SystemClock.now());
        let schedule = Schedule::new(settings, start);
        Self { schedule, start, ahead: 0, arrivals: HashMap::new() }
    }

    /// A run whose set was fetched at second 0.
    fn with_set(settings: KeySettings) -> Self {
        let mut run = Self::new(settings);
        run.check(&[(0, Force, "fetch"), (0, Succeeds, "stored")]);
        run
    }

    fn now(&self, second: u64) -> Moment {
        let passed = Duration::from_secs(second);
        let ahead = Duration::from_secs(self.ahead.unsigned_abs());
        let wall = self.start.wall + passed;
        let wall = if self.ahead < 0 { wall - ahead } else { wall + ahead };
        Moment { wall, monotonic: self.start.monotonic + passed }
    }

    fn check(&mut self, table: &[Row]) {
        for (second, event, expected) in table {
            let response = self.apply(*event, self.now(*second));
            assert_eq!(response, *expected, "second {second}: {event:?}");
        }
    }

    fn apply(&mut self, event: Event, now: Moment) -> String {
        let newest = self.schedule.begun();
        match event {
            UseSet => {
                let action = self.schedule.use_set(now);
                // A request that has to wait asks for its key next. Nothing is started here.
                if let Action::Fetch(_) = action {
                    return "fetch first".to_owned();
                }
                self.carry_out(action, now)
            }
            Request(kid) => {
                self.arrivals.insert(kid, self.schedule.arrival(now));
                self.apply(RequestAgain(kid), now)
            }
            RequestAgain(kid) => {
                let action = self.schedule.find_key(kid, self.arrivals[kid], now);
                self.carry_out(action, now)
            }
            Ready => {
                self.arrivals.insert("ready", self.schedule.arrival(now));
                self.apply(ReadyAgain, now)
            }
            ReadyAgain => {
                let action = self.schedule.ready(self.arrivals["ready"], now);
                self.carry_out(action, now)
            }
            Force => {
                self.arrivals.insert("force", self.schedule.arrival(now));
                self.apply(ForceAgain, now)
            }
            ForceAgain => {
                let action = self.schedule.force(self.arrivals["force"], now);
                self.carry_out(action, now)
            }
            Timer => {
                let action = self.schedule.timer(now);
                self.carry_out(action, now)
            }
            Succeeds => self.apply(SucceedsLate(newest), now),
            Fails => self.apply(FailsLate(newest), now),
            SucceedsLate(number) => {
                let is_stored = self.schedule.fetch_succeeded(number, None, now);
                if is_stored { "stored" } else { "discarded" }.to_owned()
            }
            FailsLate(number) => {
                self.schedule.fetch_failed(number, FetchError::Status(500), now);
                String::new()
            }
            IsLost => {
                self.schedule.fetch_lost(newest, now);
                String::new()
            }
            Suspended(seconds) => {
                self.ahead += i64::try_from(seconds).unwrap();
                String::new()
            }
            SetBack(seconds) => {
                self.ahead -= i64::try_from(seconds).unwrap();
                String::new()
            }
            KeyIsWithdrawn => {
                self.schedule.keys_replaced(&set("a"), &set("b"));
                String::new()
            }
        }
    }

    /// Starts the fetch that an action asks for, as the driver does.
    fn carry_out(&mut self, action: Action, now: Moment) -> String {
        if let Action::Fetch(trigger) | Action::ServeAndFetch(trigger) = action {
            self.schedule.fetch_began(trigger, 0.0, now);
        }
        match action {
            Action::Serve => "serve".to_owned(),
            Action::ServeAndFetch(_) => "serve and fetch".to_owned(),
            Action::Fetch(_) => "fetch".to_owned(),
            Action::Wait => "wait".to_owned(),
            Action::Refuse(Miss::Unknown) => "unknown".to_owned(),
            Action::Refuse(Miss::Unavailable(after)) => {
                format!("unavailable for {} s", after.as_secs())
            }
        }
    }
}

fn set(kid: &str) -> KeySet {
    let key = json!({
        "kty": "RSA", "alg": "RS256", "kid": kid, "e": "AQAB", "n": format!("{}w", "_".repeat(341)),
    });
    KeySet::from_json(&json!({ "keys": [key] }).to_string()).unwrap()
}

fn on_demand() -> KeySettings {
    KeySettings { background: false, ..KeySettings::default() }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn background_task_fetches_ahead_of_the_end_of_the_lifetime() {
    Run::new(KeySettings::default()).check(&[
        (0, Timer, "fetch"),
        (1, Timer, "wait"),
        (1, Succeeds, "stored"),
        (1, Timer, "serve"),
        (675, Timer, "serve"),
        // 675 seconds after the end of the fetch.
        (676, Timer, "fetch"),
        (677, Succeeds, "stored"),
        (900, UseSet, "serve"),
    ]);
}

#[test]
fn jitter_spreads_refreshes_and_retries() {
    let mut run = Run::new(KeySettings::default());
    for (jitter, refresh, retry) in [(0.0, 675, 4), (0.5, 742, 4), (1.0, 810, 5)] {
        let start = run.now(0);
        let (number, _) = run.schedule.fetch_began(Trigger::Timer, jitter, start);
        assert!(run.schedule.fetch_succeeded(number, None, start));
        assert_eq!(run.schedule.due_in(start).as_secs(), refresh, "jitter {jitter}");
        let (number, _) = run.schedule.fetch_began(Trigger::Timer, jitter, start);
        run.schedule.fetch_failed(number, FetchError::TooLarge, start);
        assert_eq!(run.schedule.due_in(start).as_secs(), retry, "jitter {jitter}");
    }
}

#[test]
fn max_age_shortens_the_lifetime_down_to_a_minute() {
    let short = KeySettings { refresh_interval: 2 * SECOND, ..on_demand() };
    for (settings, max_age, lifetime) in [
        (on_demand(), None, 900),
        (on_demand(), Some(0), 60),
        (on_demand(), Some(300), 300),
        (on_demand(), Some(86_400), 900),
        (short, Some(0), 2),
    ] {
        let mut run = Run::new(settings);
        let (number, _) = run.schedule.fetch_began(Trigger::Ready, 0.0, run.now(0));
        assert!(run.schedule.fetch_succeeded(number, max_age.map(Duration::from_secs), run.now(0)));
        assert!(run.schedule.may_serve(run.now(lifetime)), "max-age {max_age:?}");
        assert!(!run.schedule.may_serve(run.now(lifetime + 1)), "max-age {max_age:?}");
    }
}

#[test]
fn retries_slow_down_to_the_window_the_refresh_interval_or_a_minute() {
    let with = |window, interval| KeySettings {
        unknown_key_window: Duration::from_secs(window),
        refresh_interval: Duration::from_secs(interval),
        ..KeySettings::default()
    };
    for (settings, expected) in [
        (with(30, 900), [5, 10, 20, 30, 30, 30]),
        (with(120, 3), [3, 3, 3, 3, 3, 3]),
        (with(366 * 86_400, 900), [60, 60, 60, 60, 60, 60]),
        (with(1, 900), [1, 1, 1, 1, 1, 1]),
    ] {
        let mut run = Run::new(settings);
        let now = run.now(0);
        let retries = expected.map(|_| {
            let (number, _) = run.schedule.fetch_began(Trigger::Timer, 1.0, now);
            run.schedule.fetch_failed(number, FetchError::TooLarge, now);
            run.schedule.due_in(now).as_secs()
        });
        assert_eq!(retries, expected);
    }
}

#[test]
fn failures_that_requests_cause_do_not_postpone_the_background_task() {
    Run::with_set(KeySettings::default()).check(&[
        (674, Request("a"), "fetch"),
        (674, Fails, ""),
        (675, Timer, "fetch"),
    ]);
}

#[test]
fn background_task_fetches_soon_after_a_suspension() {
    Run::with_set(KeySettings::default()).check(&[
        (10, Timer, "serve"),
        (10, Suspended(3600), ""),
        (10, Timer, "fetch"),
        (10, Fails, ""),
        // Then its retries apply.
        (11, Timer, "serve"),
        (14, Timer, "fetch"),
    ]);
}

#[test]
fn background_task_never_fetches_twice_in_a_second() {
    Run::with_set(KeySettings::default()).check(&[
        (0, Suspended(3600), ""),
        (0, Timer, "serve"),
        (1, Timer, "fetch"),
        (1, Succeeds, "stored"),
        (1, Suspended(3600), ""),
        (1, Timer, "serve"),
        (2, Timer, "fetch"),
    ]);
}

#[test]
fn on_demand_requests_refresh_the_set_without_waiting() {
    Run::with_set(on_demand()).check(&[
        (675, UseSet, "serve"),
        (676, UseSet, "serve and fetch"),
        (677, UseSet, "serve"),
        (678, Succeeds, "stored"),
        (1351, UseSet, "serve"),
        (1352, UseSet, "serve and fetch"),
    ]);
}

#[test]
fn refreshes_by_requests_use_half_of_the_attempts() {
    Run::with_set(on_demand()).check(&[
        (700, UseSet, "serve and fetch"),
        (700, Fails, ""),
        (700, UseSet, "serve"),
        (729, UseSet, "serve"),
        // One attempt is left for a new key.
        (729, Request("new"), "fetch"),
        (729, Fails, ""),
        (730, UseSet, "serve"),
        (758, UseSet, "serve"),
        (759, UseSet, "serve and fetch"),
    ]);
}

#[test]
fn set_past_its_lifetime_needs_a_fetch_first() {
    for settings in [KeySettings::default(), on_demand()] {
        Run::with_set(settings).check(&[
            (0, Suspended(900), ""),
            (1, UseSet, "fetch first"),
            (1, Request("a"), "fetch"),
            (1, Request("b"), "wait"),
            (2, Succeeds, "stored"),
            (2, UseSet, "serve"),
        ]);
    }
}

#[test]
fn failed_fetch_lets_the_set_serve_for_one_more_lifetime() {
    Run::with_set(KeySettings::default()).check(&[
        (901, Request("a"), "fetch"),
        (902, Fails, ""),
        (902, UseSet, "serve"),
        (931, UseSet, "serve and fetch"),
        // The runtime of that fetch shuts down.
        (931, IsLost, ""),
        // The failed fetch began at 901.
        (1801, UseSet, "serve and fetch"),
        (1801, IsLost, ""),
        (1802, UseSet, "fetch first"),
    ]);
}

#[test]
fn failed_fetch_counts_at_least_until_the_next_can_have_failed() {
    // Retries come every 2 seconds, and the task looks at the clock every 10.
    let settings = KeySettings { refresh_interval: 2 * SECOND, ..KeySettings::default() };
    Run::with_set(settings).check(&[
        (3, Request("a"), "fetch"),
        (3, Fails, ""),
        (19, UseSet, "serve"),
        (20, UseSet, "fetch first"),
    ]);
}

#[test]
fn failure_before_a_suspension_does_not_count_after_it() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        (901, Fails, ""),
        (901, UseSet, "serve"),
        (901, Suspended(3600), ""),
        (902, UseSet, "fetch first"),
        (902, Request("b"), "fetch"),
    ]);
}

#[test]
fn fetch_that_was_suspended_does_not_count_as_failed() {
    // The time limit of 3 seconds, and 10 for a busy machine.
    for (suspended, response) in [(9, "serve"), (11, "fetch first")] {
        Run::with_set(on_demand()).check(&[
            (901, Request("a"), "fetch"),
            (902, Suspended(suspended), ""),
            (904, Fails, ""),
            (904, UseSet, response),
        ]);
    }
}

#[test]
fn lost_fetch_does_not_let_the_set_serve() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        (901, IsLost, ""),
        (901, UseSet, "fetch first"),
        (901, RequestAgain("a"), "unavailable for 1 s"),
        (901, Request("b"), "fetch"),
    ]);
}

#[test]
fn fetch_past_its_deadline_counts_as_failed() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        (904, RequestAgain("a"), "wait"),
        (905, RequestAgain("a"), "unavailable for 1 s"),
        (905, UseSet, "serve"),
    ]);
    // Unless that is noticed too late: then the whole machine stood still.
    Run::with_set(on_demand()).check(&[(901, Request("a"), "fetch"), (920, UseSet, "fetch first")]);
}

#[test]
fn no_set_serves_past_the_bound() {
    Run::with_set(on_demand()).check(&[
        (86_300, Request("a"), "fetch"),
        (86_300, Fails, ""),
        (86_400, UseSet, "serve and fetch"),
        (86_400, Fails, ""),
        (86_401, UseSet, "fetch first"),
        (86_401, Ready, "fetch"),
        (86_401, Fails, ""),
        (86_401, ReadyAgain, "unavailable for 29 s"),
        (86_401, Request("a"), "unavailable for 29 s"),
    ]);
}

#[test]
fn clock_that_is_set_back_keeps_no_set_and_no_failure_young() {
    Run::with_set(on_demand()).check(&[
        (1, SetBack(3600), ""),
        (900, UseSet, "serve and fetch"),
        (900, Fails, ""),
        (901, SetBack(3600), ""),
        (1800, UseSet, "serve and fetch"),
        (1800, IsLost, ""),
        (1801, UseSet, "fetch first"),
    ]);
}

#[test]
fn two_attempts_for_unknown_keys_are_made_in_a_window() {
    for fails in [false, true] {
        let (end, stored, miss, limited) = if fails {
            (Fails, "", "unavailable for 1 s", "unavailable for 28 s")
        } else {
            (Succeeds, "stored", "unknown", "unknown")
        };
        let mut run = Run::with_set(on_demand());
        run.check(&[
            (1, Request("a"), "fetch"),
            (1, end, stored),
            (1, RequestAgain("a"), miss),
            (3, Request("b"), "fetch"),
            (3, end, stored),
            (3, RequestAgain("b"), limited),
            (3, Request("c"), limited),
            (30, Request("c"), if fails { "unavailable for 1 s" } else { "unknown" }),
            (31, Request("c"), "fetch"),
            (31, end, stored),
            (31, Request("d"), if fails { "unavailable for 2 s" } else { "unknown" }),
            (33, Request("d"), "fetch"),
        ]);
    }
}

#[test]
fn failures_of_the_background_task_and_of_ready_count_towards_the_limit() {
    Run::new(KeySettings::default()).check(&[
        (0, Ready, "fetch"),
        (0, Fails, ""),
        (0, ReadyAgain, "unavailable for 1 s"),
        (4, Timer, "fetch"),
        (4, Fails, ""),
        // The next retry comes before the window ends.
        (4, Request("a"), "unavailable for 8 s"),
        (5, Ready, "unavailable for 7 s"),
        (12, Timer, "fetch"),
        (12, Succeeds, "stored"),
        (12, Ready, "serve"),
    ]);
}

#[test]
fn answer_of_a_fetch_that_began_before_the_request_is_not_final() {
    Run::with_set(on_demand()).check(&[
        (1, Request("a"), "fetch"),
        (1, Request("b"), "wait"),
        (1, Request("c"), "wait"),
        (2, Succeeds, "stored"),
        (2, RequestAgain("a"), "unknown"),
        (2, RequestAgain("b"), "fetch"),
        (2, RequestAgain("c"), "wait"),
        (3, Succeeds, "stored"),
        (3, RequestAgain("b"), "unknown"),
        (3, RequestAgain("c"), "unknown"),
    ]);
}

#[test]
fn failure_is_final_for_all_who_waited() {
    Run::with_set(on_demand()).check(&[
        (1, Request("a"), "fetch"),
        (1, Request("b"), "wait"),
        (2, Fails, ""),
        (2, RequestAgain("a"), "unavailable for 1 s"),
        (2, RequestAgain("b"), "unavailable for 1 s"),
        // A request that comes later has an attempt.
        (3, Request("c"), "fetch"),
    ]);
}

#[test]
fn failure_of_a_fetch_before_a_suspension_is_not_final_after_it() {
    Run::with_set(on_demand()).check(&[
        (850, UseSet, "serve and fetch"),
        (851, Suspended(3600), ""),
        (851, Request("a"), "wait"),
        (853, Fails, ""),
        (853, RequestAgain("a"), "fetch"),
    ]);
}

#[test]
fn withdrawn_keys_use_half_of_the_attempts() {
    Run::with_set(on_demand()).check(&[
        (0, KeyIsWithdrawn, ""),
        (1, Request("a"), "fetch"),
        (1, Succeeds, "stored"),
        (2, Request("a"), "unknown"),
        (2, Request("new"), "fetch"),
        (2, Succeeds, "stored"),
        (31, Request("a"), "unknown"),
        (32, Request("a"), "fetch"),
    ]);
}

#[test]
fn withdrawn_key_that_is_published_again_is_not_limited_any_longer() {
    let mut run = Run::with_set(on_demand());
    run.schedule.keys_replaced(&set("a"), &set("b"));
    run.schedule.keys_replaced(&set("b"), &set("a"));
    run.check(&[
        (1, Request("a"), "fetch"),
        (1, Succeeds, "stored"),
        (1, Request("a"), "fetch"),
        (1, Succeeds, "stored"),
        (32, Request("b"), "fetch"),
        (32, Succeeds, "stored"),
        (32, Request("b"), "unknown"),
    ]);
}

#[test]
fn the_last_32_withdrawn_keys_are_remembered() {
    let mut run = Run::with_set(on_demand());
    for number in 0..33 {
        run.schedule.keys_replaced(&set(&format!("k{number}")), &set(&format!("k{}", number + 1)));
    }
    run.check(&[
        (1, Request("k1"), "fetch"),
        (1, Succeeds, "stored"),
        (1, Request("k1"), "unknown"),
        (1, Request("k0"), "fetch"),
    ]);
}

#[test]
fn force_succeeds_only_by_a_fetch_that_began_after_the_call() {
    Run::new(on_demand()).check(&[
        (0, Ready, "fetch"),
        (1, Force, "wait"),
        (2, Succeeds, "stored"),
        (2, ReadyAgain, "serve"),
        (2, ForceAgain, "fetch"),
        (2, Succeeds, "stored"),
        (2, ForceAgain, "serve"),
    ]);
    Run::with_set(on_demand()).check(&[
        (1, Force, "fetch"),
        (1, Fails, ""),
        (1, ForceAgain, "unavailable for 1 s"),
    ]);
}

#[test]
fn force_is_not_limited() {
    let mut run = Run::with_set(on_demand());
    run.check(&[
        (1, Request("a"), "fetch"),
        (1, Fails, ""),
        (1, Request("b"), "fetch"),
        (1, Fails, ""),
        (1, Request("c"), "unavailable for 30 s"),
    ]);
    for _ in 0..5 {
        run.check(&[(1, Force, "fetch"), (1, Succeeds, "stored"), (1, ForceAgain, "serve")]);
    }
}

#[test]
fn late_answer_never_replaces_a_newer_one() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        // It stands still, and a second fetch takes its place after the deadline.
        (905, Request("b"), "fetch"),
        (905, SucceedsLate(2), "discarded"),
        (906, Succeeds, "stored"),
        (906, SucceedsLate(2), "discarded"),
        (906, FailsLate(2), ""),
        (906, Request("c"), "unknown"),
    ]);
}

#[test]
fn answer_after_the_deadline_counts_if_there_is_no_newer_fetch() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        (905, RequestAgain("a"), "unavailable for 1 s"),
        (906, Succeeds, "stored"),
        (906, RequestAgain("a"), "unknown"),
        // The set is as old as the beginning of its fetch.
        (1576, UseSet, "serve"),
        (1577, UseSet, "serve and fetch"),
    ]);
}

#[test]
fn caller_without_a_runtime_does_not_make_the_keys_of_others_unavailable() {
    let mut run = Run::new(on_demand());
    run.schedule.fetch_impossible();
    assert!(matches!(run.schedule.last_error(), Some(FetchError::NoRuntime)));
    let mut run = Run::with_set(on_demand());
    run.schedule.fetch_impossible();
    assert!(run.schedule.last_error().is_none());
    assert_eq!(run.schedule.miss(run.now(1)), Miss::Unknown);
}

#[test]
fn imported_set_keeps_its_age() {
    for (settings, at_676) in [(on_demand(), "serve and fetch"), (KeySettings::default(), "serve")]
    {
        let mut run = Run::new(settings);
        run.schedule.set_imported(run.now(0), 0.0, run.now(600));
        run.check(&[(600, UseSet, "serve"), (600, Ready, "serve"), (676, UseSet, at_676)]);
        assert_eq!(run.schedule.fetched_at(), Some(run.now(0)));
    }
    let mut run = Run::new(KeySettings::default());
    run.schedule.set_imported(run.now(0), 0.0, run.now(600));
    run.check(&[(674, Timer, "serve"), (675, Timer, "fetch")]);
    run.schedule.set_imported(run.now(0), 0.0, run.now(90_000));
    run.check(&[(90_000, UseSet, "fetch first"), (90_000, Ready, "fetch")]);
}

/// A request does not ask again before that time, so it must be exact.
#[test]
fn requests_need_not_ask_until_the_set_is_due_or_overdue() {
    let serves_for = |run: &Run, second| run.schedule.may_serve_for(run.now(second)).as_millis();
    let run = Run::with_set(KeySettings::default());
    for (second, millis) in [(0, 900_000), (899, 1000), (900, 0), (901, 0)] {
        assert_eq!(serves_for(&run, second), millis, "second {second}");
    }
    let mut run = Run::with_set(on_demand());
    for (second, millis) in [(0, 675_000), (674, 1000), (675, 0), (676, 0)] {
        assert_eq!(serves_for(&run, second), millis, "second {second}");
    }
    run.check(&[(880, UseSet, "serve and fetch")]);
    // Until the deadline of the fetch.
    assert_eq!(serves_for(&run, 880), 3300);
    assert_eq!(serves_for(&run, 882), 1300);
    run.check(&[(882, Fails, "")]);
    // The next attempt is at 910, but the lifetime ends at 900.
    assert_eq!(serves_for(&run, 882), 18_000);
    // The failed fetch began at 880. Until 910 there is no attempt, and from 910 on there is.
    assert_eq!(serves_for(&run, 901), 9000);
    assert_eq!(serves_for(&run, 910), 0);
    run.check(&[(1770, UseSet, "serve and fetch")]);
    assert_eq!(serves_for(&run, 1770), 3300);
    run.check(&[(1771, IsLost, "")]);
    assert_eq!(serves_for(&run, 1771), 9000);
    assert_eq!(serves_for(&run, 1781), 0);
    run.check(&[(86_395, Request("a"), "fetch"), (86_395, Fails, "")]);
    assert_eq!(serves_for(&run, 86_398), 2000, "until the bound");
}
