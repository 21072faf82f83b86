//! Memory use, counted by the allocator: the token cache stays within its limit, hostile requests leave nothing behind,
//! and a request with a cached token allocates little.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may print what it measured")]

use std::{
    alloc::System,
    convert::Infallible,
    future::ready,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response};
use serde_json::{Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tower::{Layer, Service, ServiceExt, layer::util::Identity, util::MapResponseLayer};
use tower_cognito::{
    AuthErrorKind, Claims, CognitoLayer, Pool, TokenUse, Verifier, VerifierBuilder, group,
    keys::KeyDocument, require, scope,
};
use tower_cognito_local::{Fault, TokenBuilder, UserPool};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Returns the bytes that are allocated and not freed.
fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[derive(serde::Deserialize)]
struct Custom {
    #[allow(dead_code, reason = "it only takes memory")]
    sub: String,
}

const CACHE_BYTES: usize = 2 << 20;

/// One test runs at a time, since the allocator counts for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs a test on a new runtime, which is dropped before the next test starts.
fn run_alone(test: impl Future<Output = ()>) {
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn token_cache_stays_within_its_limit() {
    run_alone(async {
        let pool = UserPool::start().await.unwrap();
        let many = vec!["p"; 500].join(" ");
        let groups: Vec<String> = (0..60).map(|number| format!("group{number}")).collect();
        type Fill<'a> = Box<dyn Fn(TokenBuilder) -> TokenBuilder + 'a>;
        let nested: Vec<_> = (0..100).map(|_| json!({ "a": 0 })).collect();
        let fills: [(&str, Fill<'_>); 5] = [
            ("nested claims", Box::new(|token| token.claim("nested", nested.clone()))),
            ("plain tokens", Box::new(|token| token)),
            (
                "one-letter permissions",
                Box::new(|token| token.claim("custom:permissions", many.as_str())),
            ),
            ("many groups", Box::new(|token| token.claim("cognito:groups", groups.clone()))),
            (
                "many small claims",
                Box::new(|mut token| {
                    for number in 0..200 {
                        token = token.claim(format!("c{number}"), number);
                    }
                    token
                }),
            ),
        ];
        for (name, fill) in fills {
            let verifier = pool.verifier().token_cache_bytes(CACHE_BYTES).build().unwrap();
            verifier.ready().await.unwrap();
            let before = live();
            for user in 0..1500 {
                let token = fill(pool.token(format!("user{user}")).changed_by_trigger()).sign();
                // After three requests the token is in both levels of the cache.
                for _ in 0..3 {
                    verifier.verify(&token).await.unwrap();
                }
                let claims = verifier.verify(&token).await.unwrap();
                // What is decoded on demand is kept with the token.
                assert!(claims.claim("sub").is_some());
                assert!(Claims::<Custom>::from_verified(&claims).is_ok());
            }
            let grown = live().saturating_sub(before);
            println!("{name}: {grown} bytes in a cache of {CACHE_BYTES}");
            assert!(grown <= CACHE_BYTES * 5 / 4, "{name}: {grown} bytes");
            assert!(grown >= CACHE_BYTES / 8, "{name}: almost nothing was cached: {grown} bytes");
            drop(verifier);
            // The refresh task ends when it is polled next.
            tokio::time::sleep(Duration::from_millis(10)).await;
            let left = live().saturating_sub(before);
            assert!(left <= 64 << 10, "{name}: {left} bytes were not freed with the verifier");
        }
    });
}

#[test]
fn a_thousand_pools_take_at_most_20_kib_each() {
    run_alone(async {
        const POOLS: usize = 1000;
        let document = UserPool::start().await.unwrap().key_set().unwrap().to_json();
        let before = live();
        let mut pools = (0..POOLS).map(|number| {
            let document = document.clone();
            Pool::custom(format!("https://pool{number}.example.com"), "https://keys.example.com")
                .access_tokens(["client"])
                .key_source(move || ready(Ok(KeyDocument::new(document.clone()))))
        });
        let first = pools.next().unwrap();
        let builder = pools.fold(Verifier::builder(first), VerifierBuilder::add_pool);
        let verifier = builder.build().unwrap();
        let bare = (live() - before) / POOLS;
        // Includes the refresh tasks, the keys, and the documents that this test keeps.
        verifier.ready().await.unwrap();
        let loaded = (live() - before) / POOLS;
        println!("a pool takes {bare} bytes, and {loaded} with its keys");
        assert!(bare <= 20 << 10);
        assert!(loaded <= 20 << 10);
    });
}

#[test]
fn cached_token_costs_one_allocation_around_a_router() {
    run_alone(async {
        let pool = UserPool::start().await.unwrap();
        let verifier = pool.verifier().build().unwrap();
        verifier.ready().await.unwrap();
        let token = pool.token("alice").scope("orders/write").group("staff").sign();
        let policy = || require(scope("orders/write") & (group("admin") | group("staff")));
        let cognito = || CognitoLayer::new(verifier.clone());

        let bare =
            allocations(Router::new().route("/", get(async || "hello")).with_state(()), &token)
                .await;
        let typed = || get(async |_: Claims<Custom>| "hello");
        let around = Router::new().route("/", typed()).with_state(());
        let around = allocations(cognito().layer(policy().layer(around)), &token).await - bare;
        println!(
            "allocations of layer, policy and extractor, with the layers around a router: {around}"
        );
        assert_eq!(around, 1);

        // Inside a router, axum boxes the service and its future again for each layer, and the request's map of
        // extensions already has entries, so it grows.
        let idle = || Identity::new();
        let idle = Router::new().route("/", get(async || "hello").layer(idle())).layer(idle());
        let idle = allocations(idle, &token).await;
        let inside = Router::new().route("/", typed().layer(policy())).layer(cognito());
        let inside = allocations(inside, &token).await - idle;
        println!(
            "with the layers inside a router, in addition to those of two idle layers: {inside}"
        );
        assert!(inside <= 6);

        let one = || cognito().require(scope("orders/write") & (group("admin") | group("staff")));
        let around = one().layer(Router::new().route("/", typed()).with_state(()));
        let served = MapResponseLayer::new(|response: Response<_>| response.map(Body::from));
        let served = allocations(served.layer(around.clone()), &token).await - bare;
        let around = allocations(around, &token).await - bare;
        let idle = Router::new().route("/", get(async || "hello")).layer(Identity::new());
        let idle = allocations(idle, &token).await;
        let inside = Router::new().route("/", typed()).layer(one());
        let inside = allocations(inside, &token).await - idle;
        println!(
            "as one layer: {around} around a router, {served} with axum's body, and {inside} inside a router, in \
             addition to those of one idle layer"
        );
        assert_eq!((around, served), (1, 1));
        assert!(inside <= 4);
    });
}

/// Returns how many allocations a request with a cached token makes.
async fn allocations<S, B>(mut app: S, token: &str) -> usize
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    // The minimum of several requests, because other threads of the process may allocate too.
    let mut least = usize::MAX;
    for _ in 0..10 {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let before = ALLOCATOR.stats().allocations;
        let response = app.ready().await.unwrap().call(request).await.unwrap();
        least = least.min(ALLOCATOR.stats().allocations - before);
        assert_eq!(response.status(), 200);
    }
    least
}

/// How many different hostile tokens of each kind one round sends.
const ROUND: usize = 5000;

#[test]
fn hostile_tokens_are_not_kept_in_memory() {
    run_alone(async {
        let pool = UserPool::start().await.unwrap();
        let verifier = pool.verifier().build().unwrap();
        verifier.ready().await.unwrap();
        let good = pool.token("alice").sign();
        verifier.verify(&good).await.unwrap();
        for fault in [Fault::None, Fault::Status(500)] {
            pool.set_fault(fault.clone());
            // The first requests make the allocations that happen only once: logs, timers, the runtime's lists.
            flood(&verifier, &pool, &good, 0, 20).await;
            let before = live();
            for round in 1..=4 {
                flood(&verifier, &pool, &good, round, ROUND).await;
            }
            let grown = live().saturating_sub(before);
            println!("{fault:?}: {} hostile tokens left {grown} bytes", 4 * 4 * ROUND);
            assert!(grown <= 64 << 10, "{fault:?}: {grown} bytes were not freed");
        }
    });
}

/// Sends malformed tokens, unknown key ids, invalid signatures and unknown issuers.
async fn flood(verifier: &Verifier, pool: &UserPool, good: &str, round: usize, count: usize) {
    let payload = pool.token("mallory").payload();
    let known = pool.key_id(TokenUse::Access);
    for number in 0..count {
        let id = format!("{round}-{number}");
        let elsewhere = json!({ "iss": format!("https://issuer.example/{id}") });
        let own = pool.token("mallory").claim("nonce", id.as_str()).payload();
        for (token, kind) in [
            (format!("{id}.garbage.{id}"), AuthErrorKind::MalformedToken),
            (unsigned(&format!("k{id}"), &payload), AuthErrorKind::UnknownKey),
            (unsigned(&known, &own), AuthErrorKind::BadSignature),
            (unsigned(&known, &elsewhere), AuthErrorKind::UntrustedIssuer),
        ] {
            let found = verifier.verify(&token).await.unwrap_err().kind();
            // After a failed fetch, an unknown key may be a new key that was not fetched yet.
            let is_unavailable = kind == AuthErrorKind::UnknownKey
                && found == AuthErrorKind::KeysUnavailable
                && verifier.health().iter().any(|pool| pool.last_error.is_some());
            assert!(found == kind || is_unavailable, "{found:?} instead of {kind:?}");
        }
    }
    verifier.verify(good).await.unwrap();
}

fn unsigned(kid: &str, payload: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
    let (header, payload) =
        (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload.to_string()));
    format!("{header}.{payload}.{}", "A".repeat(342))
}
