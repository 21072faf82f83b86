//! When a set is refreshed, and for how long it is used.

use std::time::Duration;

use crate::keys::{
    schedule::{
        Trigger,
        tests::{Event::*, Run, SECOND, on_demand},
    },
    settings::KeySettings,
    source::FetchError,
};

#[test]
fn background_task_fetches_ahead_of_the_end_of_the_lifetime() {
    Run::new(KeySettings::default()).check(&[
        (0, Timer, "fetch"),
        (1, Timer, "wait"),
        (1, Succeeds, "stored"),
        (1, Timer, "use the set"),
        (675, Timer, "use the set"),
        // 675 seconds after the end of the fetch.
        (676, Timer, "fetch"),
        (677, Succeeds, "stored"),
        (900, UseSet, "use the set"),
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
        assert!(run.schedule.is_usable(run.now(lifetime)), "max-age {max_age:?}");
        assert!(!run.schedule.is_usable(run.now(lifetime + 1)), "max-age {max_age:?}");
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
        (10, Timer, "use the set"),
        (10, Suspended(3600), ""),
        (10, Timer, "fetch"),
        (10, Fails, ""),
        // Then its retries apply.
        (11, Timer, "use the set"),
        (14, Timer, "fetch"),
    ]);
}

#[test]
fn background_task_never_fetches_twice_in_a_second() {
    Run::with_set(KeySettings::default()).check(&[
        (0, Suspended(3600), ""),
        (0, Timer, "use the set"),
        (1, Timer, "fetch"),
        (1, Succeeds, "stored"),
        (1, Suspended(3600), ""),
        (1, Timer, "use the set"),
        (2, Timer, "fetch"),
    ]);
}

#[test]
fn on_demand_requests_refresh_the_set_without_waiting() {
    Run::with_set(on_demand()).check(&[
        (675, UseSet, "use the set"),
        (676, UseSet, "use the set and fetch"),
        (677, UseSet, "use the set"),
        (678, Succeeds, "stored"),
        (1351, UseSet, "use the set"),
        (1352, UseSet, "use the set and fetch"),
    ]);
}

#[test]
fn refreshes_by_requests_use_half_of_the_attempts() {
    Run::with_set(on_demand()).check(&[
        (700, UseSet, "use the set and fetch"),
        (700, Fails, ""),
        (700, UseSet, "use the set"),
        (729, UseSet, "use the set"),
        // One attempt is left for a new key.
        (729, Request("new"), "fetch"),
        (729, Fails, ""),
        (730, UseSet, "use the set"),
        (758, UseSet, "use the set"),
        (759, UseSet, "use the set and fetch"),
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
            (2, UseSet, "use the set"),
        ]);
    }
}

#[test]
fn failed_fetch_keeps_an_expired_set_in_use_for_one_more_lifetime() {
    Run::with_set(KeySettings::default()).check(&[
        (901, Request("a"), "fetch"),
        (902, Fails, ""),
        (902, UseSet, "use the set"),
        (931, UseSet, "use the set and fetch"),
        // The runtime of that fetch shuts down.
        (931, IsLost, ""),
        // The failed fetch began at 901.
        (1801, UseSet, "use the set and fetch"),
        (1801, IsLost, ""),
        (1802, UseSet, "fetch first"),
    ]);
}

#[test]
fn failed_fetch_counts_at_least_until_the_next_fetch_can_fail() {
    // Retries come every 2 seconds, and the task checks the clocks every 10.
    let settings = KeySettings { refresh_interval: 2 * SECOND, ..KeySettings::default() };
    Run::with_set(settings).check(&[
        (3, Request("a"), "fetch"),
        (3, Fails, ""),
        (19, UseSet, "use the set"),
        (20, UseSet, "fetch first"),
    ]);
}

#[test]
fn failure_before_a_suspension_does_not_count_after_it() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        (901, Fails, ""),
        (901, UseSet, "use the set"),
        (901, Suspended(3600), ""),
        (902, UseSet, "fetch first"),
        (902, Request("b"), "fetch"),
    ]);
}

#[test]
fn fetch_that_was_suspended_does_not_count_as_failed() {
    // The time limit of 3 seconds, and 10 for a busy machine.
    for (suspended, response) in [(9, "use the set"), (11, "fetch first")] {
        Run::with_set(on_demand()).check(&[
            (901, Request("a"), "fetch"),
            (902, Suspended(suspended), ""),
            (904, Fails, ""),
            (904, UseSet, response),
        ]);
    }
}

#[test]
fn lost_fetch_does_not_keep_an_expired_set_in_use() {
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
        (905, UseSet, "use the set"),
    ]);
    // If that is noticed much later, the whole machine was suspended.
    Run::with_set(on_demand()).check(&[(901, Request("a"), "fetch"), (920, UseSet, "fetch first")]);
}

#[test]
fn no_set_is_used_past_max_staleness() {
    Run::with_set(on_demand()).check(&[
        (86_300, Request("a"), "fetch"),
        (86_300, Fails, ""),
        (86_400, UseSet, "use the set and fetch"),
        (86_400, Fails, ""),
        (86_401, UseSet, "fetch first"),
        (86_401, Ready, "fetch"),
        (86_401, Fails, ""),
        (86_401, ReadyAgain, "unavailable for 29 s"),
        (86_401, Request("a"), "unavailable for 29 s"),
    ]);
}

#[test]
fn sets_and_failures_age_if_the_clock_is_set_back() {
    Run::with_set(on_demand()).check(&[
        (1, SetBack(3600), ""),
        (900, UseSet, "use the set and fetch"),
        (900, Fails, ""),
        (901, SetBack(3600), ""),
        (1800, UseSet, "use the set and fetch"),
        (1800, IsLost, ""),
        (1801, UseSet, "fetch first"),
    ]);
}

#[test]
fn imported_set_keeps_its_age() {
    for (settings, at_676) in
        [(on_demand(), "use the set and fetch"), (KeySettings::default(), "use the set")]
    {
        let mut run = Run::new(settings);
        run.schedule.set_imported(run.now(0), None, 0.0, run.now(600));
        run.check(&[
            (600, UseSet, "use the set"),
            (600, Ready, "use the set"),
            (676, UseSet, at_676),
        ]);
        assert_eq!(run.schedule.fetched_at(), Some(run.now(0)));
    }
    let mut run = Run::new(KeySettings::default());
    run.schedule.set_imported(run.now(0), None, 0.0, run.now(600));
    run.check(&[(674, Timer, "use the set"), (675, Timer, "fetch")]);
    run.schedule.set_imported(run.now(0), None, 0.0, run.now(90_000));
    run.check(&[(90_000, UseSet, "fetch first"), (90_000, Ready, "fetch")]);
}

/// Requests do not consult the schedule before that time, so it must be exact.
#[test]
fn requests_do_not_consult_the_schedule_before_the_set_is_due_or_overdue() {
    let usable_for = |run: &Run, second| run.schedule.usable_for(run.now(second)).as_millis();
    let run = Run::with_set(KeySettings::default());
    for (second, millis) in [(0, 900_000), (899, 1000), (900, 0), (901, 0)] {
        assert_eq!(usable_for(&run, second), millis, "second {second}");
    }
    let mut run = Run::with_set(on_demand());
    for (second, millis) in [(0, 675_000), (674, 1000), (675, 0), (676, 0)] {
        assert_eq!(usable_for(&run, second), millis, "second {second}");
    }
    run.check(&[(880, UseSet, "use the set and fetch")]);
    // Until the deadline of the fetch.
    assert_eq!(usable_for(&run, 880), 3300);
    assert_eq!(usable_for(&run, 882), 1300);
    run.check(&[(882, Fails, "")]);
    // The next attempt is at 910, but the lifetime ends at 900.
    assert_eq!(usable_for(&run, 882), 18_000);
    // The failed fetch began at 880. Until 910 there is no attempt, and from 910 on there is.
    assert_eq!(usable_for(&run, 901), 9000);
    assert_eq!(usable_for(&run, 910), 0);
    run.check(&[(1770, UseSet, "use the set and fetch")]);
    assert_eq!(usable_for(&run, 1770), 3300);
    run.check(&[(1771, IsLost, "")]);
    assert_eq!(usable_for(&run, 1771), 9000);
    assert_eq!(usable_for(&run, 1781), 0);
    run.check(&[(86_395, Request("a"), "fetch"), (86_395, Fails, "")]);
    assert_eq!(usable_for(&run, 86_398), 2000, "until max_staleness");
}
