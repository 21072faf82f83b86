//! Requests that wait for a key, the limit on fetches, and forced refreshes.

use crate::keys::{
    schedule::{
        Miss,
        tests::{Event::*, Run, on_demand, set},
    },
    settings::KeySettings,
    source::FetchError,
};

#[test]
fn unknown_keys_cause_at_most_two_attempts_in_a_window() {
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
        (12, Ready, "use the set"),
    ]);
}

#[test]
fn result_of_a_fetch_that_began_before_the_request_is_not_final() {
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
fn failure_is_final_for_all_waiting_requests() {
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
        (850, UseSet, "use the set and fetch"),
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
fn withdrawn_key_that_is_published_again_is_no_longer_limited() {
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
        (2, ReadyAgain, "use the set"),
        (2, ForceAgain, "fetch"),
        (2, Succeeds, "stored"),
        (2, ForceAgain, "use the set"),
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
        run.check(&[(1, Force, "fetch"), (1, Succeeds, "stored"), (1, ForceAgain, "use the set")]);
    }
}

#[test]
fn late_response_never_replaces_a_newer_set() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        // The fetch is stalled. After its deadline a second one begins.
        (905, Request("b"), "fetch"),
        (905, SucceedsLate(2), "discarded"),
        (906, Succeeds, "stored"),
        (906, SucceedsLate(2), "discarded"),
        (906, FailsLate(2), ""),
        (906, Request("c"), "unknown"),
    ]);
}

#[test]
fn response_after_the_deadline_is_stored_if_there_is_no_newer_fetch() {
    Run::with_set(on_demand()).check(&[
        (901, Request("a"), "fetch"),
        (905, RequestAgain("a"), "unavailable for 1 s"),
        (906, Succeeds, "stored"),
        (906, RequestAgain("a"), "unknown"),
        // The set is as old as the beginning of its fetch.
        (1576, UseSet, "use the set"),
        (1577, UseSet, "use the set and fetch"),
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
