//! What the layer, a policy and an extractor add to a bare axum router, called in process.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a benchmark")]

#[allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]
mod support;

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, routing::get};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderValue, Request, Response, header};
use tower::{Layer, Service, layer::util::Identity};
use tower_cognito::{AuthErrorKind, Claims, CognitoLayer, require};
use tower_cognito_local::UserPool;

use self::support::{
    TYPICAL, Tenant, now, runtime, three_nodes, token, with_bad_signature, with_invalid_payload,
    with_unknown_key,
};

async fn plain() -> &'static str {
    "hello"
}

async fn typed(claims: Claims<Tenant>) -> &'static str {
    assert!(!claims.custom().tenant_id.is_empty());
    "hello"
}

/// Creates a request, sends it, and checks the status of the response.
fn send<S, B>(app: &mut S, credential: &HeaderValue, status: u16)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let request = Request::get("/")
        .header(header::AUTHORIZATION, credential.clone())
        .body(Body::empty())
        .unwrap();
    let response = now(app.call(request)).unwrap();
    assert_eq!(response.status(), status);
}

fn layer(c: &mut Criterion) {
    let runtime = runtime();
    let _runs = runtime.enter();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let hour = Duration::from_secs(3600);
    let verifier = support::verifier(&pool).unknown_key_window(hour).build().unwrap();
    let without_cache = support::verifier(&pool).token_cache_bytes(0).build().unwrap();
    runtime.block_on(async { verifier.ready().await.and(without_cache.ready().await) }).unwrap();
    let cognito = || CognitoLayer::new(verifier.clone());

    let bearer = |token: &str| HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    let text = token(&pool, 1, TYPICAL);
    let good = bearer(&text);
    let unknown = with_unknown_key(&pool);
    // Uses up the fetches that the window allows.
    while verifier.health()[0].fetches < 3 {
        let error = runtime.block_on(verifier.verify(&unknown)).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::UnknownKey);
    }
    let mut group = c.benchmark_group("request");

    let bare = || Router::new().route("/", get(plain));
    let mut app = bare();
    group.bench_function("bare router", |b| b.iter(|| send(&mut app, &good, 200)));
    // The cost of two layers in axum itself.
    let mut app =
        Router::new().route("/", get(plain).layer(Identity::new())).layer(Identity::new());
    group.bench_function("two idle layers", |b| b.iter(|| send(&mut app, &good, 200)));

    // Around the router.
    let mut app = cognito().layer(bare());
    group.bench_function("around: layer", |b| b.iter(|| send(&mut app, &good, 200)));
    let mut app = cognito().require(three_nodes()).layer(bare());
    group.bench_function("around: layer + policy", |b| b.iter(|| send(&mut app, &good, 200)));
    let guarded = || Router::new().route("/", get(typed));
    let mut app = cognito().require(three_nodes()).layer(guarded());
    group.bench_function("around: layer + policy + extractor", |b| {
        b.iter(|| send(&mut app, &good, 200));
    });
    let mut app = CognitoLayer::new(without_cache).require(three_nodes()).layer(guarded());
    group.bench_function("around: layer + policy + extractor, cold", |b| {
        b.iter(|| send(&mut app, &good, 200));
    });

    // Inside the router, by axum's own `layer`.
    let mut app = guarded().layer(cognito().require(three_nodes()));
    group.bench_function("inside: layer with policy + extractor", |b| {
        b.iter(|| send(&mut app, &good, 200));
    });
    let guarded = || Router::new().route("/", get(typed).layer(require(three_nodes())));
    let mut app = guarded().layer(cognito());
    group.bench_function("inside: layer + policy + extractor", |b| {
        b.iter(|| send(&mut app, &good, 200));
    });

    // Rejected requests, including the creation of the response.
    let mut app = cognito().layer(bare());
    for (name, credential) in [
        ("rejected: garbage", bearer("garbage")),
        ("rejected: invalid payload", bearer(&with_invalid_payload(&text))),
        ("rejected: unknown kid beyond the limit", bearer(&unknown)),
        ("rejected: bad signature", bearer(&with_bad_signature(&text))),
    ] {
        group.bench_function(name, |b| b.iter(|| send(&mut app, &credential, 401)));
    }
}

criterion_group!(benches, layer);
criterion_main!(benches);
