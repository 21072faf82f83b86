//! Tests the key cache with random thread interleavings:
//!
//! ```sh
//! RUSTFLAGS="--cfg shuttle" cargo test --test shuttle
//! ```
//!
//! Without that flag this file is empty.

#![cfg(shuttle)]
#![allow(clippy::unwrap_used, reason = "tests may unwrap and panic")]

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use shuttle::future::{JoinHandle, block_on, spawn, yield_now};
use tower_cognito::{
    AuthErrorKind, Pool, Verifier,
    keys::{FetchError, KeyDocument},
};
use tower_cognito_local::UserPool;

/// Two generations of keys, and a token of each. Created once, outside of shuttle's scheduler.
struct Fixture {
    issuer: String,
    client: String,
    documents: [String; 2],
    tokens: [String; 2],
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = UserPool::start().await.unwrap();
        let (old_keys, old) = (pool.key_set().unwrap().to_json(), pool.token("alice").sign());
        pool.rotate().unwrap();
        let (new_keys, new) = (pool.key_set().unwrap().to_json(), pool.token("alice").sign());
        Fixture {
            issuer: pool.issuer().to_owned(),
            client: pool.client_id().to_owned(),
            documents: [old_keys, new_keys],
            tokens: [old, new],
        }
    })
});

/// Returns the generation of keys for the fetch with this number, or `None` for an error.
type Response = fn(usize) -> Option<usize>;

#[derive(Clone)]
struct Counted {
    begun: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn verifier(response: Response) -> (Verifier, Counted) {
    let counted = Counted { begun: Arc::default(), open: Arc::default() };
    let counter = counted.clone();
    let source = move || {
        let counter = counter.clone();
        async move {
            let number = counter.begun.fetch_add(1, Ordering::SeqCst);
            assert_eq!(counter.open.fetch_add(1, Ordering::SeqCst), 0, "two fetches are in flight");
            let _open = Open(Arc::clone(&counter.open));
            yield_now().await;
            yield_now().await;
            let generation = response(number).ok_or(FetchError::Interrupted)?;
            Ok(KeyDocument::new(FIXTURE.documents[generation].as_str()))
        }
    };
    let pool = Pool::custom(FIXTURE.issuer.as_str(), "https://keys.test/")
        .access_tokens([FIXTURE.client.as_str()])
        .key_source(source);
    (Verifier::builder(pool).refresh_on_demand().build().unwrap(), counted)
}

fn check_interleavings(test: impl Fn() + Send + Sync + 'static) {
    LazyLock::force(&FIXTURE);
    shuttle::check_random(test, 3000);
}

/// Starts requests with a token of the first keys. Each returns the error if it was rejected.
fn start_requests(verifier: &Verifier, requests: usize) -> Vec<JoinHandle<Option<AuthErrorKind>>> {
    let start = |_| {
        let verifier = verifier.clone();
        spawn(async move { verifier.verify(&FIXTURE.tokens[0]).await.err().map(|it| it.kind()) })
    };
    (0..requests).map(start).collect()
}

#[test]
fn concurrent_requests_share_one_fetch() {
    check_interleavings(|| {
        let (verifier, counted) = verifier(|_| Some(0));
        let tasks = start_requests(&verifier, 3);
        for task in tasks {
            assert_eq!(block_on(task).unwrap(), None);
        }
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
    });
}

/// Returns a verifier whose first fetch returns the old keys, and whose later fetches return the new keys.
fn rotating() -> (Verifier, Counted) {
    verifier(|number| Some(usize::from(number > 0)))
}

async fn outcome(verifier: Verifier, generation: usize) -> Option<AuthErrorKind> {
    verifier.verify(&FIXTURE.tokens[generation]).await.err().map(|error| error.kind())
}

/// A fetch that began before the request may have read the keys before the new key was published. So its result is
/// not final, and a second fetch is made.
#[test]
fn new_key_passes_if_the_fetch_in_flight_began_before_its_request() {
    check_interleavings(|| {
        let (verifier, counted) = rotating();
        let old = spawn(outcome(verifier.clone(), 0));
        // Waits until the other request has started the first fetch.
        block_on(async {
            while counted.begun.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
        });
        let new = spawn(outcome(verifier.clone(), 1));
        assert_eq!(block_on(old).unwrap(), None);
        assert_eq!(block_on(new).unwrap(), None);
        assert_eq!(block_on(outcome(verifier, 0)), None, "older keys replaced newer ones");
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

/// A fetch that the request itself started began after the token was issued. Its result is final for this request,
/// and the next request with the token causes another fetch.
#[test]
fn new_key_is_unknown_until_the_next_fetch_if_its_own_fetch_lacks_it() {
    check_interleavings(|| {
        let (verifier, counted) = rotating();
        assert_eq!(block_on(outcome(verifier.clone(), 1)), Some(AuthErrorKind::UnknownKey));
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
        let (old, new) = (spawn(outcome(verifier.clone(), 0)), spawn(outcome(verifier, 1)));
        assert_eq!(block_on(old).unwrap(), None);
        assert_eq!(block_on(new).unwrap(), None);
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

/// Either request may start the first fetch. The number of fetches shows which of the two tests above describes a run.
#[test]
fn new_key_is_unknown_only_if_one_fetch_was_made() {
    check_interleavings(|| {
        let (verifier, counted) = rotating();
        let old = spawn(outcome(verifier.clone(), 0));
        let new = spawn(outcome(verifier.clone(), 1));
        assert_eq!(block_on(old).unwrap(), None);
        let new = block_on(new).unwrap();
        let expected = match counted.begun.load(Ordering::SeqCst) {
            1 => Some(AuthErrorKind::UnknownKey),
            2 => None,
            fetches => panic!("{fetches} fetches"),
        };
        assert_eq!(new, expected);
        assert_eq!(block_on(outcome(verifier.clone(), 0)), None, "older keys replaced newer ones");
        assert_eq!(block_on(outcome(verifier, 1)), None);
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn cancelled_request_does_not_affect_the_others() {
    check_interleavings(|| {
        let (verifier, counted) = verifier(|_| Some(0));
        let tasks = start_requests(&verifier, 3);
        let mut tasks = tasks.into_iter();
        tasks.next().unwrap().abort();
        for task in tasks {
            assert_eq!(block_on(task).unwrap(), None);
        }
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn failed_fetch_is_reported_to_all_waiting_requests() {
    check_interleavings(|| {
        let (verifier, counted) = verifier(|_| None);
        for task in start_requests(&verifier, 4) {
            assert_eq!(block_on(task).unwrap(), Some(AuthErrorKind::KeysUnavailable));
        }
        // One fetch if all requests shared it, two if a request arrived after its end.
        assert!((1..=2).contains(&counted.begun.load(Ordering::SeqCst)));
        for _ in 0..3 {
            assert_eq!(
                block_on(outcome(verifier.clone(), 0)),
                Some(AuthErrorKind::KeysUnavailable)
            );
        }
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn verifier_can_be_dropped_during_a_fetch() {
    check_interleavings(|| {
        let (verifier, counted) = verifier(|_| Some(0));
        let task = {
            let verifier = verifier.clone();
            spawn(async move { verifier.verify(&FIXTURE.tokens[0]).await.is_ok() })
        };
        task.abort();
        drop(verifier);
        // The fetch may run to its end. After that it has no reference to the counters.
        block_on(async {
            while Arc::strong_count(&counted.begun) > 1 {
                yield_now().await;
            }
        });
        assert!(counted.begun.load(Ordering::SeqCst) <= 1);
    });
}
