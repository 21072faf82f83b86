//! Interleavings of the key cache, tried by a scheduler that chooses at random:
//!
//! ```sh
//! RUSTFLAGS="--cfg shuttle" cargo test --test shuttle
//! ```
//!
//! Without that flag there is nothing here.

#![cfg(shuttle)]
#![allow(clippy::unwrap_used, reason = "a test may say what it expects in the shortest way")]

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

/// Two generations of keys, and a token of each; made once, outside of the scheduler.
struct Facts {
    issuer: String,
    client: String,
    documents: [String; 2],
    tokens: [String; 2],
}

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = UserPool::start().await.unwrap();
        let (old_keys, old) = (pool.key_set().unwrap().to_json(), pool.token("alice").sign());
        pool.rotate().unwrap();
        let (new_keys, new) = (pool.key_set().unwrap().to_json(), pool.token("alice").sign());
        Facts {
            issuer: pool.issuer().to_owned(),
            client: pool.client_id().to_owned(),
            documents: [old_keys, new_keys],
            tokens: [old, new],
        }
    })
});

/// What a fetch gives: a generation of keys, or an error.
type Answer = fn(usize) -> Option<usize>;

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

fn verifier(answer: Answer) -> (Verifier, Counted) {
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
            let generation = answer(number).ok_or(FetchError::Interrupted)?;
            Ok(KeyDocument::new(FACTS.documents[generation].as_str()))
        }
    };
    let pool = Pool::custom(FACTS.issuer.as_str(), "https://keys.test/")
        .access_tokens([FACTS.client.as_str()])
        .key_source(source);
    (Verifier::builder(pool).refresh_on_demand().build().unwrap(), counted)
}

fn try_interleavings(test: impl Fn() + Send + Sync + 'static) {
    LazyLock::force(&FACTS);
    shuttle::check_random(test, 3000);
}

/// So many requests at once, each with a token of the first keys; each tells why it was refused.
fn ask(verifier: &Verifier, requests: usize) -> Vec<JoinHandle<Option<AuthErrorKind>>> {
    let ask_one = |_| {
        let verifier = verifier.clone();
        spawn(async move { verifier.verify(&FACTS.tokens[0]).await.err().map(|it| it.kind()) })
    };
    (0..requests).map(ask_one).collect()
}

#[test]
fn all_who_ask_at_once_share_one_fetch() {
    try_interleavings(|| {
        let (verifier, counted) = verifier(|_| Some(0));
        let tasks = ask(&verifier, 3);
        for task in tasks {
            assert_eq!(block_on(task).unwrap(), None);
        }
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
    });
}

/// The first fetch still gets the old keys, the next one the new.
fn rotating() -> (Verifier, Counted) {
    verifier(|number| Some(usize::from(number > 0)))
}

async fn outcome(verifier: Verifier, generation: usize) -> Option<AuthErrorKind> {
    verifier.verify(&FACTS.tokens[generation]).await.err().map(|error| error.kind())
}

/// A fetch that another request began may have read the keys before the token's key was published. So its answer
/// is not enough to refuse the token: a second fetch is made.
#[test]
fn a_new_key_passes_if_the_fetch_under_way_was_begun_by_another_request() {
    try_interleavings(|| {
        let (verifier, counted) = rotating();
        let old = spawn(outcome(verifier.clone(), 0));
        // From here on the first fetch is another request's, whether it has ended or not.
        block_on(async {
            while counted.begun.load(Ordering::SeqCst) == 0 {
                yield_now().await;
            }
        });
        let new = spawn(outcome(verifier.clone(), 1));
        assert_eq!(block_on(old).unwrap(), None);
        assert_eq!(block_on(new).unwrap(), None);
        assert_eq!(block_on(outcome(verifier, 0)), None, "newer keys were replaced");
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

/// A fetch that the request itself began is younger than the token. An answer without the key is final for this
/// request, and the next request with the token causes another fetch.
#[test]
fn a_new_key_that_the_requests_own_fetch_does_not_bring_is_unknown_until_the_next_fetch() {
    try_interleavings(|| {
        let (verifier, counted) = rotating();
        assert_eq!(block_on(outcome(verifier.clone(), 1)), Some(AuthErrorKind::UnknownKey));
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
        let (old, new) = (spawn(outcome(verifier.clone(), 0)), spawn(outcome(verifier, 1)));
        assert_eq!(block_on(old).unwrap(), None);
        assert_eq!(block_on(new).unwrap(), None);
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

/// Either request may begin the first fetch: by its number of fetches each run is one of the two above.
#[test]
fn a_new_key_is_unknown_only_where_one_fetch_was_made() {
    try_interleavings(|| {
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
        assert_eq!(block_on(outcome(verifier.clone(), 0)), None, "newer keys were replaced");
        assert_eq!(block_on(outcome(verifier, 1)), None);
        assert_eq!(counted.begun.load(Ordering::SeqCst), 2);
    });
}

#[test]
fn a_waiter_may_go_away_and_the_others_get_their_answer() {
    try_interleavings(|| {
        let (verifier, counted) = verifier(|_| Some(0));
        let tasks = ask(&verifier, 3);
        let mut tasks = tasks.into_iter();
        tasks.next().unwrap().abort();
        for task in tasks {
            assert_eq!(block_on(task).unwrap(), None);
        }
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_failure_is_told_to_all_who_wait_and_the_limit_holds() {
    try_interleavings(|| {
        let (verifier, counted) = verifier(|_| None);
        for task in ask(&verifier, 4) {
            assert_eq!(block_on(task).unwrap(), Some(AuthErrorKind::KeysUnavailable));
        }
        // One fetch if all shared it, or one more if a request came after its end.
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
fn a_verifier_may_be_dropped_during_a_fetch() {
    try_interleavings(|| {
        let (verifier, counted) = verifier(|_| Some(0));
        let task = {
            let verifier = verifier.clone();
            spawn(async move { verifier.verify(&FACTS.tokens[0]).await.is_ok() })
        };
        task.abort();
        drop(verifier);
        // The fetch may go on to its end; then all that it held is let go.
        block_on(async {
            while Arc::strong_count(&counted.begun) > 1 {
                yield_now().await;
            }
        });
        assert!(counted.begun.load(Ordering::SeqCst) <= 1);
    });
}
