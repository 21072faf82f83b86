//! The rules of the key cache, in paused time where possible.

use std::{
    cell::Cell,
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tower_cognito::{
    AuthErrorKind, Pool, Verifier,
    keys::{FetchError, KeyDocument, KeySet, KeySetError},
    verifier::Clock,
};
use tower_cognito_local::UserPool;

use crate::support::{
    ManualClock, Source, ThreadLogs, builder, captured_logs, eventually, tokio_clock,
};

async fn kind(verifier: &Verifier, token: &str) -> Option<AuthErrorKind> {
    verifier.verify(token).await.err().map(|error| error.kind())
}

async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn background_task_refreshes_before_the_interval_ends() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).refresh_interval(100 * SECOND).build().unwrap();
    verifier.ready().await.unwrap();
    assert_eq!(source.fetches(), 1);
    wait(70 * SECOND).await;
    assert_eq!(source.fetches(), 1);
    wait(25 * SECOND).await;
    assert_eq!(source.fetches(), 2);
    // The next refreshes are 75 to 90 seconds apart, without any request.
    wait(95 * SECOND).await;
    assert_eq!(source.fetches(), 3);
    wait(90 * SECOND).await;
    assert_eq!(source.fetches(), 4);
    wait(24 * HOUR).await;
    assert!(verifier.health()[0].age.unwrap() <= 90 * SECOND);
    assert_eq!(verifier.health()[0].fetches, source.fetches());
}

#[tokio::test(start_paused = true)]
async fn max_age_shortens_the_interval_and_never_extends_it() {
    let pool = UserPool::start().await.unwrap();
    for (max_age, lifetime) in [(60, 60), (0, 60), (300, 300), (1_000_000, 900)] {
        let source = Source::of(&pool);
        source.max_age(max_age * SECOND);
        let verifier = builder(&pool, &source).build().unwrap();
        verifier.ready().await.unwrap();
        let start = tokio::time::Instant::now();
        // Each refresh comes after 75 to 90 percent of the lifetime.
        for (percent, fetches) in [(74, 1), (91, 2), (149, 2), (181, 3)] {
            tokio::time::sleep_until(start + lifetime * SECOND * percent / 100).await;
            assert_eq!(source.fetches(), fetches, "max-age {max_age}, {percent} %");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn background_task_ends_when_the_last_clone_of_the_verifier_is_dropped() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).refresh_interval(10 * SECOND).build().unwrap();
    verifier.ready().await.unwrap();
    let clone = verifier.clone();
    drop(verifier);
    wait(20 * SECOND).await;
    assert_eq!(source.fetches(), 3);
    drop(clone);
    wait(HOUR).await;
    assert_eq!(source.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn first_request_after_a_rotation_passes() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    let old = pool.token("alice").sign();
    assert_eq!(kind(&verifier, &old).await, None);
    pool.rotate().unwrap();
    source.publish(&pool);
    let new = pool.token("alice").sign();
    assert_eq!(kind(&verifier, &new).await, None);
    assert_eq!(kind(&verifier, &old).await, None);
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn fetch_that_began_before_the_rotation_does_not_reject_the_new_key() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    verifier.ready().await.unwrap();
    source.delay(SECOND);
    // A token with an unknown key causes a fetch that returns the old keys.
    let other = {
        let (verifier, token) = (verifier.clone(), with_key(&pool, "unknown"));
        tokio::spawn(async move { kind(&verifier, &token).await })
    };
    wait(SECOND / 10).await;
    pool.rotate().unwrap();
    let token = pool.token("alice").sign();
    let waiting = {
        let (verifier, token) = (verifier.clone(), token.clone());
        tokio::spawn(async move { kind(&verifier, &token).await })
    };
    // The slow response contains the old keys. The next response contains the new ones.
    assert_eq!(other.await.unwrap(), Some(AuthErrorKind::UnknownKey));
    source.publish(&pool);
    assert_eq!(waiting.await.unwrap(), None);
    assert_eq!(source.fetches(), 3);
}

fn with_key(pool: &UserPool, kid: &str) -> String {
    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
    pool.sign_parts(header, pool.token("mallory").payload().to_string())
}

#[tokio::test(start_paused = true)]
async fn unknown_keys_cause_two_fetches_per_window_with_a_healthy_or_failing_endpoint() {
    let pool = UserPool::start().await.unwrap();
    for failing in [false, true] {
        let source = Source::of(&pool);
        let verifier = builder(&pool, &source).build().unwrap();
        verifier.ready().await.unwrap();
        if failing {
            source.fail();
        }
        let good = pool.token("alice").sign();
        let wanted =
            if failing { AuthErrorKind::KeysUnavailable } else { AuthErrorKind::UnknownKey };
        for window in 1..=3 {
            for number in 0..700 {
                let token = with_key(&pool, &format!("k{}", number % 40));
                assert_eq!(kind(&verifier, &token).await, Some(wanted));
            }
            assert_eq!(source.fetches(), 1 + 2 * window, "failing: {failing}");
            assert_eq!(kind(&verifier, &good).await, None);
            wait(30 * SECOND).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fetches_are_limited_before_the_first_one_succeeds() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    source.fail();
    let verifier = builder(&pool, &source).build().unwrap();
    for number in 0..500 {
        let error =
            verifier.verify(&with_key(&pool, &format!("k{}", number % 40))).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable);
        assert!((SECOND..=30 * SECOND).contains(&error.retry_after().unwrap()));
    }
    assert_eq!(source.fetches(), 2);
    // The background task tries again after 4 to 5 seconds, then after 8 to 10.
    wait(27 * SECOND).await;
    assert_eq!(source.fetches(), 4);
}

#[tokio::test(start_paused = true)]
async fn token_of_an_unpublished_key_passes_once_the_key_is_published() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    verifier.ready().await.unwrap();
    pool.rotate().unwrap();
    let token = pool.token("alice").sign();
    assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::UnknownKey));
    source.publish(&pool);
    assert_eq!(kind(&verifier, &token).await, None);
}

/// A subscriber that panics, as `println!` does if its pipe is closed.
struct PanickingSubscriber;

impl tracing::Subscriber for PanickingSubscriber {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        assert!(!event.metadata().target().contains("keys"), "the log cannot be written");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn panicking_log_subscriber_does_not_break_refreshes() {
    let _guard = tracing::subscriber::set_default(PanickingSubscriber);
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let mut document: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    document["keys"].as_array_mut().unwrap().push(json!({ "kty": "EC" }));
    source.publish_text(document.to_string());
    let verifier = builder(&pool, &source).refresh_interval(10 * SECOND).build().unwrap();
    verifier.ready().await.unwrap();
    assert_eq!(verifier.health()[0].keys, 2);
    // Refreshes come after 7.5 to 9 seconds.
    wait(20 * SECOND).await;
    assert_eq!(source.fetches(), 3);
    source.fail();
    // One more refresh, and one retry 4 to 5 seconds after it.
    wait(13 * SECOND).await;
    assert!(verifier.health()[0].last_error.is_some());
    assert_eq!(source.fetches(), 5);
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_withdrawn_key_use_only_one_of_two_fetches() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    let withdrawn = [pool.token("alice").sign(), pool.id_token("alice").sign()];
    verifier.ready().await.unwrap();
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    wait(900 * SECOND).await;
    for round in 0..5 {
        for token in &withdrawn {
            assert_eq!(kind(&verifier, token).await, Some(AuthErrorKind::UnknownKey));
        }
        pool.rotate().unwrap();
        source.publish(&pool);
        assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None, "round {round}");
        wait(31 * SECOND).await;
    }
    // The tokens of a withdrawn key may cause one fetch, which finds the key if it is published again.
    source.publish(&UserPool::start().await.unwrap());
    wait(900 * SECOND).await;
    let token = pool.token("alice").sign();
    assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::UnknownKey));
    source.publish(&pool);
    wait(31 * SECOND).await;
    assert_eq!(kind(&verifier, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn one_fetch_is_in_flight_for_any_number_of_requests() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    source.delay(2 * SECOND);
    let verifier = builder(&pool, &source)
        .refresh_interval(10 * SECOND)
        .unknown_key_window(SECOND)
        .build()
        .unwrap();
    for round in 0..40 {
        if round == 20 {
            source.fail();
        }
        for number in 0..20 {
            let (verifier, token) = (verifier.clone(), with_key(&pool, &format!("k{number}")));
            tokio::spawn(async move { verifier.verify(&token).await.is_err() });
        }
        wait(SECOND).await;
    }
    assert_eq!(source.fetches(), 20);
    assert_eq!(source.max_in_flight(), 1);
}

#[tokio::test(start_paused = true)]
async fn clock_can_call_the_verifier() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let seen: Arc<OnceLock<Verifier>> = Arc::default();
    let (clock, shared) = (tokio_clock(), Arc::clone(&seen));
    let calling = move || {
        thread_local! { static IS_CALLING: Cell<bool> = const { Cell::new(false) } }
        // The verifier reads this clock, which must not recurse.
        if !IS_CALLING.replace(true) {
            shared.get().map(Verifier::health);
            IS_CALLING.set(false);
        }
        Clock::now(&clock)
    };
    let verifier = builder(&pool, &source).clock(calling).build().unwrap();
    assert!(seen.set(verifier.clone()).is_ok());
    verifier.ready().await.unwrap();
    for kid in ["a", "b", "c", "d"] {
        assert_eq!(kind(&verifier, &with_key(&pool, kid)).await, Some(AuthErrorKind::UnknownKey));
    }
    assert_eq!(source.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn unknown_key_beyond_the_limit_waits_for_a_fetch_in_flight() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    verifier.ready().await.unwrap();
    assert!(kind(&verifier, &with_key(&pool, "first")).await.is_some());
    source.delay(SECOND);
    let second = {
        let (verifier, token) = (verifier.clone(), with_key(&pool, "second"));
        tokio::spawn(async move { kind(&verifier, &token).await })
    };
    wait(SECOND / 10).await;
    // Both fetches of the window have begun. The second one returns this key.
    pool.rotate().unwrap();
    source.publish(&pool);
    assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None);
    assert_eq!(second.await.unwrap(), Some(AuthErrorKind::UnknownKey));
    assert_eq!(source.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn unknown_key_beyond_the_limit_is_rejected_without_waiting() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    verifier.ready().await.unwrap();
    for kid in ["a", "b"] {
        assert_eq!(kind(&verifier, &with_key(&pool, kid)).await, Some(AuthErrorKind::UnknownKey));
    }
    source.delay(SECOND);
    let before = tokio::time::Instant::now();
    assert_eq!(kind(&verifier, &with_key(&pool, "c")).await, Some(AuthErrorKind::UnknownKey));
    assert_eq!(before.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn keys_are_used_in_an_outage_up_to_max_staleness() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).max_staleness(10 * HOUR).build().unwrap();
    verifier.ready().await.unwrap();
    source.fail();
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    let garbage = ["not json", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"EC"}]}"#, "<html>"];
    for hour in 0..9 {
        assert_eq!(kind(&verifier, &token).await, None, "hour {hour}");
        source.publish_text(garbage[hour % garbage.len()]);
        wait(HOUR).await;
    }
    assert!(verifier.health()[0].last_error.is_some());
    wait(2 * HOUR).await;
    assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::KeysUnavailable));
    assert_eq!(verifier.health()[0].keys, 0);
    // It recovers with the next retry.
    source.publish(&pool);
    wait(31 * SECOND).await;
    assert_eq!(kind(&verifier, &token).await, None);
    assert!(verifier.health()[0].last_error.is_none());
}

#[tokio::test(start_paused = true)]
async fn verifier_without_keys_recovers_when_the_endpoint_responds() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    source.fail();
    let verifier = builder(&pool, &source).build().unwrap();
    assert!(matches!(verifier.ready().await.unwrap_err().reason(), FetchError::Status(500)));
    let token = pool.token("alice").sign();
    assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::KeysUnavailable));
    source.publish(&pool);
    wait(6 * SECOND).await;
    assert_eq!(kind(&verifier, &token).await, None);
}

#[tokio::test(start_paused = true)]
async fn hanging_fetch_ends_at_its_time_limit_and_known_keys_are_used_without_waiting() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    verifier.ready().await.unwrap();
    source.delay(HOUR);
    let waiting = {
        let (verifier, token) = (verifier.clone(), with_key(&pool, "unknown"));
        tokio::spawn(async move { verifier.verify(&token).await.unwrap_err() })
    };
    wait(SECOND).await;
    let before = tokio::time::Instant::now();
    assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None);
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(waiting.await.unwrap().kind(), AuthErrorKind::KeysUnavailable);
    assert_eq!(before.elapsed(), 2 * SECOND);
    assert!(
        matches!(verifier.health()[0].last_error, Some(FetchError::Timeout(limit)) if limit == 3 * SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn panic_of_the_key_source_counts_as_a_failed_fetch() {
    let pool = UserPool::start().await.unwrap();
    let fetches = Arc::new(AtomicU64::new(0));
    let (counter, document) = (Arc::clone(&fetches), pool.key_set().unwrap().to_json());
    let source = move || {
        let (number, document) = (counter.fetch_add(1, Ordering::SeqCst), document.clone());
        async move {
            assert!(number > 0, "the first fetch panics");
            Ok(KeyDocument::new(document))
        }
    };
    let own = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .key_source(source);
    let verifier = Verifier::builder(own).clock(tokio_clock()).build().unwrap();
    assert!(matches!(verifier.ready().await.unwrap_err().reason(), FetchError::Interrupted));
    assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None);
}

#[tokio::test(start_paused = true)]
async fn on_demand_a_withdrawn_key_is_rejected_at_its_first_use() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier =
        builder(&pool, &source).refresh_on_demand().refresh_interval(100 * SECOND).build().unwrap();
    let old = pool.token("alice").expires_in(100 * HOUR).sign();
    assert_eq!(kind(&verifier, &old).await, None);
    wait(HOUR).await;
    assert_eq!(source.fetches(), 1, "keys were fetched without a request");
    assert_eq!(verifier.health()[0].age, Some(HOUR));
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    assert_eq!(
        kind(&verifier, &old).await,
        Some(AuthErrorKind::UnknownKey),
        "the first request finds the key withdrawn"
    );
    let new = pool.token("alice").expires_in(100 * HOUR).sign();
    assert_eq!(kind(&verifier, &new).await, None);
}

#[tokio::test(start_paused = true)]
async fn on_demand_keys_are_used_in_an_outage_up_to_max_staleness() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source)
        .refresh_on_demand()
        .refresh_interval(100 * SECOND)
        .max_staleness(HOUR)
        .build()
        .unwrap();
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    assert_eq!(kind(&verifier, &token).await, None);
    source.fail();
    for _ in 0..55 {
        assert_eq!(kind(&verifier, &token).await, None);
        wait(60 * SECOND).await;
    }
    wait(HOUR).await;
    assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::KeysUnavailable));
}

#[tokio::test(start_paused = true)]
async fn on_demand_steady_traffic_refreshes_the_keys_without_waiting() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier =
        builder(&pool, &source).refresh_on_demand().refresh_interval(100 * SECOND).build().unwrap();
    let token = pool.token("alice").sign();
    assert_eq!(kind(&verifier, &token).await, None);
    source.delay(SECOND);
    for _ in 0..290 {
        let before = tokio::time::Instant::now();
        assert_eq!(kind(&verifier, &token).await, None);
        assert_eq!(before.elapsed(), Duration::ZERO);
        wait(SECOND).await;
    }
    // One at the start, then one every 75 to 91 seconds.
    assert_eq!(source.fetches(), 4);
}

#[tokio::test(start_paused = true)]
async fn imported_keys_need_no_fetch_at_start() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let tokens = [pool.token("alice").sign(), pool.token("bob").sign()];
    // The wall clock of all verifiers of this test does not advance.
    let clock = ManualClock::new();
    let builder = |source: &Source| builder(&pool, source).clock(clock.clone());
    let first = builder(&source).build().unwrap();
    first.ready().await.unwrap();
    assert_eq!(source.fetches(), 1);
    let exported = first.export_keys();

    for background in [true, false] {
        // A request that waited for this source would not end before the test checks the time.
        let source = Source::of(&pool);
        source.fail();
        source.delay(HOUR);
        let mut wanted = builder(&source).import_keys(exported.clone());
        if !background {
            wanted = wanted.refresh_on_demand();
        }
        let second = wanted.build().unwrap();
        let begun = tokio::time::Instant::now();
        for token in &tokens {
            assert_eq!(kind(&second, token).await, None);
        }
        wait(60 * SECOND).await;
        assert_eq!(kind(&second, &tokens[0]).await, None);
        assert_eq!(source.fetches(), 0, "background: {background}");
        second.ready().await.unwrap();
        assert_eq!(begun.elapsed(), 60 * SECOND, "a request waited");
        let health = &second.health()[0];
        // An export contains whole seconds, so imported keys are older by a fraction.
        let exported_at = clock.now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let fraction = Duration::from_nanos(exported_at.subsec_nanos().into());
        assert_eq!((health.keys, health.age), (2, Some(60 * SECOND + fraction)));
    }

    // Imported keys that are too old are not used. Keys with a time in the future count as new.
    let document: Value = serde_json::from_str(&exported).unwrap();
    let set = document["tower_cognito_keys"].as_object().unwrap().values().next().unwrap();
    let fetched_at = set["fetched_at"].as_u64().unwrap();
    let with_time = |time: u64| {
        let mut document: Value = serde_json::from_str(&exported).unwrap();
        let sets = document["tower_cognito_keys"].as_object_mut().unwrap();
        sets.values_mut().next().unwrap()["fetched_at"] = json!(time);
        document.to_string()
    };
    let source = Source::of(&pool);
    let old = builder(&source).import_keys(with_time(fetched_at - 25 * 3600)).build().unwrap();
    assert_eq!(old.health()[0].keys, 0);
    assert_eq!(kind(&old, &tokens[0]).await, None);
    assert_eq!(source.fetches(), 1);
    let future = builder(&source).import_keys(with_time(u64::MAX / 4)).build().unwrap();
    assert_eq!((future.health()[0].keys, future.health()[0].age), (2, Some(Duration::ZERO)));
    let never = builder(&source).import_keys(with_time(u64::MAX)).build().unwrap_err();
    assert!(never.to_string().contains("fetched_at"), "{never}");
}

#[tokio::test(start_paused = true)]
async fn imported_keys_keep_the_max_age_of_their_response() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    source.max_age(300 * SECOND);
    let clock = ManualClock::new();
    let first = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    first.ready().await.unwrap();
    let exported = first.export_keys();
    drop(first);

    let source = Source::of(&pool);
    let second = builder(&pool, &source)
        .clock(clock.clone())
        .import_keys(exported)
        .refresh_on_demand()
        .build()
        .unwrap();
    let token = pool.token("alice").expires_in(HOUR).sign();
    wait(200 * SECOND).await;
    assert_eq!(kind(&second, &token).await, None);
    assert_eq!(source.fetches(), 0);
    // Past its max-age the set is overdue, so the request waits for a fetch.
    wait(101 * SECOND).await;
    assert_eq!(kind(&second, &token).await, None);
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn initial_keys_need_no_fetch_until_they_are_due() {
    let pool = UserPool::start().await.unwrap();
    let keys = KeySet::from_json(&pool.key_set().unwrap().to_json()).unwrap();
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    let clock = ManualClock::new();
    let now = clock.now();
    let verifier = |source: &Source, fetched_at| {
        let own = Pool::custom(pool.issuer(), pool.jwks_uri())
            .access_tokens([pool.client_id()])
            .key_source(source.key_source())
            .initial_keys(keys.clone(), fetched_at);
        Verifier::builder(own).clock(clock.clone()).refresh_on_demand().build().unwrap()
    };
    for (age, fetches, keys) in [
        // A time in the future counts as now.
        (None, 0, 2),
        (Some(Duration::ZERO), 0, 2),
        (Some(600 * SECOND), 0, 2),
        (Some(HOUR), 1, 2),
        (Some(25 * HOUR), 1, 0),
    ] {
        let source = Source::of(&pool);
        let fetched_at = age.map_or(now + HOUR, |age| now - age);
        let verifier = verifier(&source, fetched_at);
        assert_eq!(verifier.health()[0].keys, keys, "{age:?}");
        assert_eq!(kind(&verifier, &token).await, None);
        assert_eq!(source.fetches(), fetches, "{age:?}");
    }
    // Keys past their lifetime are used if the fetch fails, and keys past `max_staleness` are not.
    for (age, expected) in [(HOUR, None), (25 * HOUR, Some(AuthErrorKind::KeysUnavailable))] {
        let source = Source::of(&pool);
        source.fail();
        assert_eq!(kind(&verifier(&source, now - age), &token).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn newer_of_initial_and_imported_keys_is_used() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let clock = ManualClock::new();
    let first = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    first.ready().await.unwrap();
    let exported = first.export_keys();
    let other = UserPool::builder().own_keys().start().await.unwrap();
    let now = clock.now();
    for (fetched_at, is_imported) in [(now - 60 * SECOND, true), (now + 60 * SECOND, false)] {
        let own = Pool::custom(pool.issuer(), pool.jwks_uri())
            .access_tokens([pool.client_id()])
            .key_source(source.key_source())
            .initial_keys(other.key_set().unwrap(), fetched_at);
        let verifier = Verifier::builder(own).clock(clock.clone()).import_keys(exported.clone());
        let keys = verifier.build().unwrap().export_keys();
        let id = pool.key_set().unwrap().key_ids().next().unwrap().to_owned();
        assert_eq!(keys.contains(&id), is_imported);
    }
}

#[tokio::test]
async fn static_keys_are_never_fetched_and_do_not_age() {
    let pool = UserPool::start().await.unwrap();
    let own = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .static_keys(pool.key_set().unwrap());
    let verifier = Verifier::builder(own).build().unwrap();
    verifier.ready().await.unwrap();
    assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None);
    assert_eq!(kind(&verifier, &with_key(&pool, "x")).await, Some(AuthErrorKind::UnknownKey));
    assert_eq!(pool.fetches(), 0);
    assert_eq!((verifier.health()[0].keys, verifier.health()[0].age), (2, None));
}

/// Returns a runtime whose tasks run only during `block_on`, and are stalled otherwise.
fn stalled_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn fetch_on_a_stalled_runtime_blocks_no_request_and_its_late_response_is_discarded() {
    let (home, stalled) = (stalled_runtime(), stalled_runtime());
    let pool = home.block_on(UserPool::start()).unwrap();
    let source = Source::of(&pool);
    source.delay(SECOND / 4);
    let verifier = builder(&pool, &source).fetch_timeout(SECOND).build().unwrap();
    let given_up = stalled
        .block_on(async { tokio::time::timeout(SECOND / 20, verifier.ready()).await.is_err() });
    assert!(given_up);
    let token = pool.token("alice").sign();
    let before = std::time::Instant::now();
    let outcomes =
        home.block_on(async { [kind(&verifier, &token).await, kind(&verifier, &token).await] });
    assert_eq!(outcomes, [Some(AuthErrorKind::KeysUnavailable), None]);
    assert!(before.elapsed() < 10 * SECOND);

    // The late response of the stalled fetch is discarded.
    pool.rotate().unwrap();
    source.publish(&pool);
    let new = pool.token("alice").sign();
    assert_eq!(home.block_on(kind(&verifier, &new)), None);
    source.fail();
    stalled.block_on(async { tokio::time::sleep(SECOND / 2).await });
    assert_eq!(home.block_on(kind(&verifier, &new)), None);
    assert!(verifier.health()[0].last_error.is_none(), "the stalled fetch reported its failure");
}

/// Returns a verifier whose keys the pool has withdrawn. Its wall clock has advanced by one hour without timers, as on
/// a suspended machine or in a frozen function.
async fn after_a_suspension(pool: &UserPool, source: &Source, clock: &ManualClock) -> Verifier {
    let verifier = builder(pool, source).clock(clock.clone()).build().unwrap();
    verifier.ready().await.unwrap();
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(pool);
    clock.advance(HOUR);
    verifier
}

#[tokio::test(start_paused = true)]
async fn withdrawn_key_is_rejected_at_its_first_use_after_a_suspension() {
    for warm in [false, true] {
        let pool = UserPool::start().await.unwrap();
        let (source, clock) = (Source::of(&pool), ManualClock::new());
        let old = pool.token("alice").expires_in(100 * HOUR).sign();
        let verifier = builder(&pool, &source).clock(clock.clone()).build().unwrap();
        verifier.ready().await.unwrap();
        if warm {
            for _ in 0..4 {
                assert_eq!(kind(&verifier, &old).await, None);
            }
        }
        pool.rotate().unwrap();
        pool.withdraw_old_keys();
        source.publish(&pool);
        clock.advance(HOUR);
        assert_eq!(kind(&verifier, &old).await, Some(AuthErrorKind::UnknownKey), "warm: {warm}");
        assert_eq!(source.fetches(), 2, "warm: {warm}");
        let new = pool.token("alice").expires_in(100 * HOUR).sign();
        assert_eq!(kind(&verifier, &new).await, None, "warm: {warm}");
        assert_eq!(source.fetches(), 2, "warm: {warm}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_after_a_suspension_share_one_fetch() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let old = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier = after_a_suspension(&pool, &source, &clock).await;
    let new = pool.token("alice").expires_in(100 * HOUR).sign();
    source.delay(SECOND);
    let requests: Vec<_> = (0..50)
        .map(|number| {
            let token = if number % 2 == 0 { old.clone() } else { new.clone() };
            let verifier = verifier.clone();
            tokio::spawn(async move { kind(&verifier, &token).await })
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        let expected = (number % 2 == 0).then_some(AuthErrorKind::UnknownKey);
        assert_eq!(request.await.unwrap(), expected, "request {number}");
    }
    assert_eq!(source.max_in_flight(), 1);
    assert_eq!(source.fetches(), 2);
}

#[test]
fn withdrawn_key_is_rejected_if_the_background_task_is_stalled() {
    let (home, stalled) = (stalled_runtime(), stalled_runtime());
    let pool = home.block_on(UserPool::start()).unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let old = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier = stalled.block_on(after_a_suspension(&pool, &source, &clock));
    // A request outside of any runtime cannot fetch keys, so it is rejected. Other requests still can.
    let request = std::pin::pin!(verifier.verify(&old));
    let outcome = request.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    let std::task::Poll::Ready(Err(error)) = outcome else {
        panic!("the request was not rejected")
    };
    assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable);
    assert_eq!(home.block_on(kind(&verifier, &old)), Some(AuthErrorKind::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn expired_keys_are_used_without_waiting_after_a_failed_fetch() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    verifier.ready().await.unwrap();
    source.fail();
    source.delay(SECOND);
    clock.advance(HOUR);
    let start = tokio::time::Instant::now();
    assert_eq!(kind(&verifier, &token).await, None, "the fetch failed, so the keys are used");
    assert_eq!(start.elapsed(), SECOND, "the first request waits for the fetch");
    for _ in 0..100 {
        let start = tokio::time::Instant::now();
        assert_eq!(kind(&verifier, &token).await, None);
        assert_eq!(start.elapsed(), Duration::ZERO, "later requests do not wait");
        wait(10 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn expired_keys_are_not_used_after_a_suspension_if_a_fetch_failed_before_it() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let old = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier =
        builder(&pool, &source).clock(clock.clone()).refresh_on_demand().build().unwrap();
    verifier.ready().await.unwrap();
    source.fail();
    clock.advance(HOUR);
    assert_eq!(kind(&verifier, &old).await, None, "the fetch failed, so the keys are used");
    // One more fetch is in flight when the machine is suspended, and fails after it resumed.
    source.delay(SECOND);
    wait(31 * SECOND).await;
    clock.advance(31 * SECOND);
    assert_eq!(kind(&verifier, &old).await, None);
    clock.advance(HOUR);
    wait(2 * SECOND).await;
    assert_eq!(source.fetches(), 3);
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    assert_eq!(kind(&verifier, &old).await, Some(AuthErrorKind::UnknownKey));
}

/// A function that is frozen between requests. Each fetch that a request started without waiting is in flight when
/// the function freezes, and exceeds its time limit when the function resumes.
#[tokio::test(start_paused = true)]
async fn withdrawn_key_is_rejected_after_its_lifetime_if_each_fetch_is_frozen() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let old = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier = builder(&pool, &source).refresh_on_demand().build().unwrap();
    assert_eq!(kind(&verifier, &old).await, None);
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    let start = tokio::time::Instant::now();
    loop {
        source.delay(Duration::ZERO);
        let outcome = kind(&verifier, &old).await;
        if outcome == Some(AuthErrorKind::UnknownKey) {
            break;
        }
        assert_eq!(outcome, None);
        assert!(start.elapsed() <= 15 * 60 * SECOND, "the key was used past its lifetime");
        // The fetch loses its connection, and both clocks advance while nothing runs.
        source.delay(HOUR);
        tokio::task::yield_now().await;
        tokio::time::advance(119 * SECOND).await;
        // The function resumes, and its timers fire before the next request arrives.
        wait(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn request_after_a_suspension_passes_if_an_earlier_fetch_fails() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let verifier =
        builder(&pool, &source).clock(clock.clone()).refresh_on_demand().build().unwrap();
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    assert_eq!(kind(&verifier, &token).await, None);
    // A fetch is in flight when the machine is suspended. Its connection is dead afterwards.
    wait(31 * SECOND).await;
    clock.advance(850 * SECOND);
    source.delay(HOUR);
    assert_eq!(kind(&verifier, &token).await, None);
    wait(SECOND).await;
    assert_eq!(source.fetches(), 2);
    clock.advance(HOUR);
    source.delay(Duration::ZERO);
    let start = tokio::time::Instant::now();
    assert_eq!(kind(&verifier, &token).await, None);
    // The first fetch takes 2 more seconds until its time limit.
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(source.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn expired_keys_are_not_used_after_a_runtime_shutdown_during_a_fetch() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let old = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier =
        builder(&pool, &source).clock(clock.clone()).refresh_on_demand().build().unwrap();
    verifier.ready().await.unwrap();
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    clock.advance(850 * SECOND);
    let (other, token) = (verifier.clone(), old.clone());
    // A request on a runtime that shuts down, together with the fetch that the request started.
    std::thread::spawn(move || assert_eq!(stalled_runtime().block_on(kind(&other, &token)), None))
        .join()
        .unwrap();
    assert_eq!(verifier.health()[0].fetches, 2);
    clock.advance(100 * SECOND);
    assert_eq!(kind(&verifier, &old).await, Some(AuthErrorKind::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn imported_keys_keep_their_age_when_the_clock_is_set_back() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let first = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    first.ready().await.unwrap();
    let exported = first.export_keys();
    drop(first);
    // The monotonic clock must be able to represent the time of the fetch.
    wait(30 * HOUR).await;
    clock.advance(20 * HOUR);
    source.fail();
    let second =
        builder(&pool, &source).clock(clock.clone()).import_keys(exported).build().unwrap();
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    assert_eq!(kind(&second, &token).await, None);
    clock.set(Duration::ZERO);
    wait(5 * HOUR).await;
    assert_eq!(kind(&second, &token).await, Some(AuthErrorKind::KeysUnavailable));
}

#[tokio::test(start_paused = true)]
async fn force_refresh_returns_an_error_if_the_fetch_does_not_end() {
    let pool = UserPool::start().await.unwrap();
    let blocks = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (flag, document) = (Arc::clone(&blocks), pool.key_set().unwrap().to_json());
    let source = move || {
        let document = document.clone();
        let blocks = flag.load(Ordering::SeqCst);
        async move {
            if blocks {
                std::future::pending::<()>().await;
            }
            Ok(KeyDocument::new(document))
        }
    };
    let own = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .key_source(source);
    let verifier = Verifier::builder(own).clock(tokio_clock()).build().unwrap();
    verifier.force_refresh().await.unwrap();
    blocks.store(true, Ordering::SeqCst);
    let error = verifier.force_refresh().await.unwrap_err();
    assert!(matches!(error.reason(), FetchError::Timeout(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn fetch_that_exceeds_its_time_limit_counts_as_failed() {
    let pool = UserPool::start().await.unwrap();
    let (source, clock) = (Source::of(&pool), ManualClock::new());
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    let verifier = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    verifier.ready().await.unwrap();
    source.delay(HOUR);
    clock.advance(HOUR);
    let start = tokio::time::Instant::now();
    assert_eq!(kind(&verifier, &token).await, None);
    assert_eq!(start.elapsed(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn force_refresh_removes_a_leaked_key_at_once() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    let leaked = pool.token("alice").sign();
    for _ in 0..3 {
        assert_eq!(kind(&verifier, &leaked).await, None);
    }
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    assert_eq!(kind(&verifier, &leaked).await, None, "the keys are within their lifetime");
    verifier.force_refresh().await.unwrap();
    assert_eq!(kind(&verifier, &leaked).await, Some(AuthErrorKind::UnknownKey));
    assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None);
}

#[tokio::test(start_paused = true)]
async fn force_refresh_is_not_limited_and_returns_an_error_if_the_fetch_fails() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    for fetches in 1..=5 {
        verifier.force_refresh().await.unwrap();
        assert_eq!(source.fetches(), fetches);
    }
    source.fail();
    let error = verifier.force_refresh().await.unwrap_err();
    assert_eq!(error.issuer(), pool.issuer());
    assert!(matches!(error.reason(), FetchError::Status(500)), "{error}");
    assert_eq!(kind(&verifier, &pool.token("alice").sign()).await, None, "the old keys are used");
}

#[tokio::test(start_paused = true)]
async fn force_refresh_starts_a_new_fetch_if_one_is_in_flight() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    let leaked = pool.token("alice").sign();
    let slow = source.clone();
    source.delay(SECOND);
    let ready = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifier.ready().await }
    });
    wait(SECOND / 10).await;
    let forced = tokio::spawn({
        let verifier = verifier.clone();
        async move { verifier.force_refresh().await }
    });
    ready.await.unwrap().unwrap();
    // The first document contains the leaked key, the second one does not.
    assert_eq!(kind(&verifier, &leaked).await, None);
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    slow.publish(&pool);
    forced.await.unwrap().unwrap();
    assert_eq!(source.fetches(), 2);
    assert_eq!(kind(&verifier, &leaked).await, Some(AuthErrorKind::UnknownKey));
}

#[tokio::test(start_paused = true)]
async fn force_refresh_fetches_the_keys_of_all_pools_but_static_ones() {
    let pool = UserPool::start().await.unwrap();
    let (broken, good) = (Source::of(&pool), Source::of(&pool));
    broken.fail();
    let of = |issuer: &str| Pool::custom(issuer, "https://a.test/jwks").access_tokens(["web"]);
    let verifier =
        Verifier::builder(of("https://static.test").static_keys(pool.key_set().unwrap()))
            .add_pool(of("https://broken.test").key_source(broken.key_source()))
            .add_pool(of("https://good.test").key_source(good.key_source()))
            .build()
            .unwrap();
    let error = verifier.force_refresh().await.unwrap_err();
    assert_eq!(error.issuer(), "https://broken.test");
    assert_eq!((broken.fetches(), good.fetches()), (1, 1));
    broken.publish(&pool);
    verifier.force_refresh().await.unwrap();
    assert_eq!((broken.fetches(), good.fetches()), (2, 2));
}

#[test]
fn runtime_without_timers_is_reported_without_a_panic() {
    let home =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pool = home.block_on(UserPool::start()).unwrap();
    let token = pool.token("alice").sign();
    let without_timers =
        || tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let verifier = pool.verifier().build().unwrap();
    let log = ThreadLogs::start();
    without_timers().block_on(async {
        for _ in 0..3 {
            assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::KeysUnavailable));
        }
        let error = verifier.ready().await.unwrap_err();
        assert!(matches!(error.reason(), FetchError::NoRuntime), "{error}");
        assert!(error.reason().to_string().contains("enable_all"), "{error:?}");
        assert!(matches!(
            verifier.force_refresh().await.unwrap_err().reason(),
            FetchError::NoRuntime
        ));
    });
    assert_eq!(pool.fetches(), 0);
    let lines = log.text().lines().filter(|line| line.contains("enable_all")).count();
    assert_eq!(lines, 1, "{}", log.text());
    // On a runtime with timers the same verifier fetches its keys. After that they can be used on any runtime.
    assert_eq!(home.block_on(kind(&verifier, &token)), None);
    assert_eq!(without_timers().block_on(kind(&verifier, &token)), None);
}

#[test]
fn caller_without_timers_does_not_affect_others() {
    let home =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pool = home.block_on(UserPool::start()).unwrap();
    let verifier = pool.verifier().build().unwrap();
    home.block_on(verifier.ready()).unwrap();
    let without_timers = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let unknown = with_key(&pool, "unknown");
    let outcome = without_timers.block_on(kind(&verifier, &unknown));
    assert_eq!(outcome, Some(AuthErrorKind::UnknownKey), "the keys are fresh");
    let error = without_timers.block_on(verifier.force_refresh()).unwrap_err();
    assert!(matches!(error.reason(), FetchError::NoRuntime), "{error}");
    assert!(verifier.health()[0].last_error.is_none());
    assert_eq!(home.block_on(kind(&verifier, &unknown)), Some(AuthErrorKind::UnknownKey));
}

#[test]
fn request_without_timers_does_not_wait_for_a_fetch_on_another_runtime() {
    let (home, stalled) = (stalled_runtime(), stalled_runtime());
    let pool = home.block_on(UserPool::start()).unwrap();
    let source = Source::of(&pool);
    source.delay(HOUR);
    let verifier = builder(&pool, &source).build().unwrap();
    let given_up =
        stalled.block_on(async { tokio::time::timeout(SECOND / 20, verifier.ready()).await });
    assert!(given_up.is_err());
    let without_timers = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let token = pool.token("alice").sign();
    let outcome = without_timers.block_on(kind(&verifier, &token));
    assert_eq!(outcome, Some(AuthErrorKind::KeysUnavailable));
    assert!(without_timers.block_on(verifier.force_refresh()).is_err());
}

#[test]
fn keys_are_unavailable_on_a_runtime_without_io() {
    let home =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pool = home.block_on(UserPool::start()).unwrap();
    let verifier = pool.verifier().build().unwrap();
    let without_io = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = without_io.block_on(kind(&verifier, &pool.token("alice").sign()));
    assert_eq!(outcome, Some(AuthErrorKind::KeysUnavailable));
}

#[tokio::test(start_paused = true)]
async fn keys_age_even_if_the_clock_is_set_back() {
    let pool = UserPool::start().await.unwrap();
    for background in [true, false] {
        let source = Source::of(&pool);
        let clock = ManualClock::new();
        clock.advance(30 * 24 * HOUR);
        let wanted = builder(&pool, &source).clock(clock.clone());
        let wanted = if background { wanted } else { wanted.refresh_on_demand() };
        let verifier = wanted.build().unwrap();
        verifier.ready().await.unwrap();
        clock.set(Duration::ZERO);
        let token = pool.token("alice").expires_in(100 * HOUR).sign();
        for _ in 0..4 {
            assert_eq!(kind(&verifier, &token).await, None);
        }
        assert_eq!(source.fetches(), 1, "background: {background}");
        // The wall clock stays before the time of the fetch, but the keys age.
        pool.rotate().unwrap();
        pool.withdraw_old_keys();
        source.publish(&pool);
        wait(16 * 60 * SECOND).await;
        let outcome = kind(&verifier, &token).await;
        assert_eq!(outcome, Some(AuthErrorKind::UnknownKey), "background: {background}");
        // The background task refreshed the keys, and the token of the withdrawn key caused one more fetch.
        // Without a task, only the request caused a fetch.
        let fetches = if background { 3 } else { 2 };
        assert_eq!(source.fetches(), fetches, "background: {background}");
        let token = pool.token("alice").expires_in(100 * HOUR).sign();
        for _ in 0..4 {
            assert_eq!(kind(&verifier, &token).await, None);
        }
        source.fail();
        wait(25 * HOUR).await;
        let outcome = kind(&verifier, &token).await;
        assert_eq!(outcome, Some(AuthErrorKind::KeysUnavailable), "background: {background}");
    }
}

#[tokio::test(start_paused = true)]
async fn max_staleness_applies_even_if_the_clock_is_set_back_repeatedly() {
    let pool = UserPool::start().await.unwrap();
    for background in [true, false] {
        let (source, clock) = (Source::of(&pool), ManualClock::new());
        let wanted = builder(&pool, &source).clock(clock.clone());
        let wanted = if background { wanted } else { wanted.refresh_on_demand() };
        let verifier = wanted.build().unwrap();
        let token = pool.token("alice").expires_in(100 * HOUR).sign();
        clock.set(60 * SECOND);
        // After four requests the token is in both levels of the cache.
        for _ in 0..4 {
            assert_eq!(kind(&verifier, &token).await, None);
        }
        source.fail();
        let mut hours = 0;
        while kind(&verifier, &token).await.is_none() {
            hours += 1;
            assert!(hours <= 25, "the keys were used past `max_staleness`");
            // The clock is never set to a time before the fetch.
            clock.set(60 * SECOND);
            wait(HOUR).await;
        }
        assert_eq!(hours, 25, "background: {background}");
        assert_eq!(kind(&verifier, &token).await, Some(AuthErrorKind::KeysUnavailable));
    }
}

#[tokio::test(start_paused = true)]
async fn ready_fetches_the_keys_of_all_pools_and_is_limited() {
    let pool = UserPool::start().await.unwrap();
    let (broken, good) = (Source::of(&pool), Source::of(&pool));
    broken.fail();
    let of = |issuer: &str, source: &Source| {
        Pool::custom(issuer, "https://a.test/jwks")
            .access_tokens(["web"])
            .key_source(source.key_source())
    };
    let verifier = Verifier::builder(of("https://broken.test", &broken))
        .add_pool(of("https://good.test", &good))
        .build()
        .unwrap();
    for _ in 0..200 {
        let error = verifier.ready().await.unwrap_err();
        assert_eq!(error.issuer(), "https://broken.test");
        assert!(error.to_string().contains("https://broken.test"), "{error}");
    }
    assert_eq!(good.fetches(), 1);
    assert_eq!(broken.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn on_demand_a_cached_token_stays_cached_in_an_outage() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).refresh_on_demand().build().unwrap();
    let token = pool.token("alice").expires_in(100 * HOUR).sign();
    let first = verifier.verify(&token).await.unwrap();
    source.fail();
    wait(HOUR).await;
    for _ in 0..5 {
        let again = verifier.verify(&token).await.unwrap();
        assert!(std::ptr::eq(first.payload(), again.payload()), "the token was verified again");
    }
}

#[test]
fn debug_output_of_a_document_does_not_contain_its_text() {
    let document = KeyDocument::new(r#"{"keys":[{"d":"hidden"}]}"#);
    assert!(!format!("{document:?}").contains("hidden"));
}

#[test]
fn verifier_outlives_the_runtime_that_fetched_its_keys() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let home =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let pool = home.block_on(UserPool::start()).unwrap();
    let verifier = pool.verifier().refresh_interval(SECOND).build().unwrap();
    runtime().block_on(verifier.ready()).unwrap();
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    let token = pool.token("alice").sign();
    assert!(runtime().block_on(verifier.verify(&token)).is_ok());
    assert!(runtime().block_on(verifier.verify(&pool.token("bob").sign())).is_ok());
}

#[test]
fn background_task_restarts_on_another_runtime() {
    let home =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = home.block_on(UserPool::start()).unwrap();
    let verifier = pool.verifier().refresh_interval(SECOND).build().unwrap();
    runtime().block_on(verifier.ready()).unwrap();
    let fetches = verifier.health()[0].fetches;
    runtime().block_on(async {
        verifier.ready().await.unwrap();
        eventually("the keys are refreshed without a request", async || {
            verifier.health()[0].fetches >= fetches + 3
        })
        .await;
    });
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_the_time_until_the_next_attempt() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    source.fail();
    let verifier = builder(&pool, &source).refresh_on_demand().build().unwrap();
    let token = pool.token("alice").sign();
    for (passed, expected) in [(0, 1), (10, 20), (5, 15), (14, 1)] {
        wait(passed * SECOND).await;
        let error = verifier.verify(&token).await.unwrap_err();
        let after = error.retry_after().unwrap();
        assert_eq!(after.as_secs(), expected, "{passed}");
    }
}

#[tokio::test(start_paused = true)]
async fn background_task_fetches_soon_after_a_suspension() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let clock = ManualClock::new();
    let verifier = builder(&pool, &source).clock(clock.clone()).build().unwrap();
    verifier.ready().await.unwrap();
    wait(15 * SECOND).await;
    assert_eq!(source.fetches(), 1);
    // As on a suspended machine: the wall clock advances, and timers do not.
    clock.advance(HOUR);
    wait(15 * SECOND).await;
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn fast_clock_causes_at_most_one_fetch_a_second() {
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let clock = ManualClock::new();
    let fast = {
        let clock = clock.clone();
        move || {
            clock.advance(HOUR);
            clock.now()
        }
    };
    let verifier = builder(&pool, &source).clock(fast).build().unwrap();
    // The result does not matter: the clock may make these keys too old.
    let _ = verifier.ready().await;
    wait(60 * SECOND).await;
    assert_eq!(source.fetches(), 60);
}

#[tokio::test]
async fn unusable_key_is_skipped_and_the_other_keys_of_the_set_are_used() {
    let pool = UserPool::start().await.unwrap();
    let document: Value = serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let good = document["keys"][0].clone();
    let other = document["keys"][1].clone();
    let with = |name: &str, value: Value| {
        let mut key = good.clone();
        key["kid"] = json!("other");
        key[name] = value;
        key
    };
    let without = |name: &str| {
        let mut key = with("kid", json!("other"));
        key.as_object_mut().unwrap().remove(name);
        key
    };
    let unusable = [
        without("alg"),
        without("kid"),
        without("n"),
        without("e"),
        without("kty"),
        with("kid", json!("")),
        with("kid", json!(1)),
        with("alg", json!("RS512")),
        with("alg", json!("PS256")),
        with("alg", json!("none")),
        with("use", json!("enc")),
        with("key_ops", json!(["sign"])),
        with("key_ops", json!([])),
        with("key_ops", json!("verify")),
        with("kty", json!("EC")),
        with("kty", json!("oct")),
        with("kty", json!("OKP")),
        with("kty", json!("AKP")),
        with("kty", json!("rsa")),
        with("e", json!("AQ")),
        with("e", json!("")),
        with("e", json!("AA")),
        with("e", json!("BA")),
        with("e", json!("____________")),
        with("n", json!("AQAB")),
        with("n", json!("")),
        with("n", json!("!!")),
        with("n", json!("_".repeat(170))),
        with("n", json!("_".repeat(1500))),
        with("d", json!("AQAB")),
        with("p", json!("AQAB")),
        json!(null),
        json!([]),
        json!("key"),
        json!({}),
    ];
    for key in &unusable {
        let text = json!({ "keys": [key] }).to_string();
        assert!(
            matches!(KeySet::from_json(&text), Err(KeySetError::NoUsableKey { entries: 1 })),
            "{key}"
        );
        let beside = json!({ "keys": [key, good] }).to_string();
        let set = KeySet::from_json(&beside).unwrap_or_else(|error| panic!("{key}: {error}"));
        assert_eq!(set.key_ids().collect::<Vec<_>>(), [good["kid"].as_str().unwrap()], "{key}");
    }
    let usable = [
        without("use"),
        with("key_ops", json!(["verify"])),
        with("x5c", json!(["junk"])),
        with("extra", json!({ "a": [1] })),
        // The longest exponent: 33 bits.
        with("e", json!("AQAAAAE")),
    ];
    for key in usable {
        assert!(KeySet::from_json(&json!({ "keys": [key] }).to_string()).is_ok(), "{key}");
    }
    captured_logs();
    KeySet::from_json(&json!({ "keys": [null, good, without("alg")] }).to_string()).unwrap();
    assert!(
        captured_logs().contains(
            "skipped unusable keys of the key set count=2 first_reason=\"it is not a JWK\""
        )
    );
    for text in
        ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":1}"#, "<html></html>", "{\"keys\":[]"]
    {
        assert_eq!(KeySet::from_json(text), Err(KeySetError::NotAKeySet), "{text}");
    }
    // A leading zero byte does not change the number.
    let mut padded = good.clone();
    let n = base64::Engine::decode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        good["n"].as_str().unwrap(),
    );
    padded["n"] = json!(base64::Engine::encode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        [&[0], n.unwrap().as_slice()].concat()
    ));
    assert_eq!(KeySet::from_json(&json!({ "keys": [good, padded] }).to_string()).unwrap().len(), 1);
    // Two equal keys may have the same id. Two different keys with the same id are both ignored.
    let mut conflicting = other.clone();
    conflicting["kid"] = good["kid"].clone();
    assert_eq!(KeySet::from_json(&json!({ "keys": [good, good] }).to_string()).unwrap().len(), 1);
    let set =
        KeySet::from_json(&json!({ "keys": [good, conflicting, other] }).to_string()).unwrap();
    assert_eq!(set.key_ids().collect::<Vec<_>>(), [other["kid"].as_str().unwrap()]);
    let set = KeySet::from_json(&json!({ "keys": [good, conflicting, good] }).to_string());
    assert!(set.is_err(), "a third entry must not make the id usable again");
}
