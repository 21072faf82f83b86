//! The cost of `Verifier::verify`, compared with the RSA verification alone and with `jsonwebtoken`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a benchmark")]

#[allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]
mod support;

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tower_cognito::AuthErrorKind;
use tower_cognito_local::UserPool;

use self::support::{
    Baseline, Limit, TYPICAL, now, runtime, token, with_bad_signature, with_invalid_payload,
    with_unknown_key,
};

fn good_tokens(c: &mut Criterion) {
    let runtime = runtime();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let warm = support::verifier(&pool).build().unwrap();
    let cold = support::verifier(&pool).token_cache_bytes(0).build().unwrap();
    runtime.block_on(async { warm.ready().await.and(cold.ready().await) }).unwrap();
    let baseline = Baseline::of(&pool);

    let mut group = c.benchmark_group("good token");
    for bytes in [TYPICAL, 4 << 10, 12 << 10] {
        let token = token(&pool, 1, bytes);
        let limit = Limit::of(&pool, &token);
        group.throughput(Throughput::Bytes(token.len().try_into().unwrap()));
        let id = |name| BenchmarkId::new(name, bytes);
        group.bench_function(id("limit: only RSA"), |b| b.iter(|| limit.verify()));
        group.bench_function(id("baseline: jsonwebtoken"), |b| {
            b.iter(|| baseline.decode(black_box(&token)));
        });
        group.bench_function(id("cold"), |b| {
            b.iter(|| now(cold.verify(black_box(&token))).unwrap());
        });
        group.bench_function(id("warm"), |b| {
            b.iter(|| now(warm.verify(black_box(&token))).unwrap());
        });
    }
}

fn bad_tokens(c: &mut Criterion) {
    let runtime = runtime();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let hour = Duration::from_secs(3600);
    let verifier = support::verifier(&pool).unknown_key_window(hour).build().unwrap();
    runtime.block_on(verifier.ready()).unwrap();
    let good = token(&pool, 1, TYPICAL);
    let unknown = with_unknown_key(&pool);
    let _runs = runtime.enter();
    // Uses up the fetches that the window allows.
    for _ in 0..3 {
        let error = runtime.block_on(verifier.verify(&unknown)).unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::UnknownKey);
    }

    let limit = Limit::of(&pool, &good);
    let mut group = c.benchmark_group("bad token");
    group.bench_function("limit: only RSA", |b| b.iter(|| limit.verify()));
    for (name, token, kind) in [
        ("no token at all", "garbage".to_owned(), AuthErrorKind::MalformedToken),
        (
            "invalid character in base64url",
            good.replacen('.', "!.", 1),
            AuthErrorKind::MalformedToken,
        ),
        ("payload is not JSON", with_invalid_payload(&good), AuthErrorKind::MalformedToken),
        ("expired", pool.token("user1").expired().sign(), AuthErrorKind::Expired),
        ("bad signature", with_bad_signature(&good), AuthErrorKind::BadSignature),
        ("unknown kid beyond the limit", unknown, AuthErrorKind::UnknownKey),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let error = now(verifier.verify(black_box(&token))).unwrap_err();
                assert_eq!(error.kind(), kind);
            });
        });
    }
}

criterion_group!(benches, good_tokens, bad_tokens);
criterion_main!(benches);
