//! The cost of cached tokens while the key set is replaced, and of tokens with many pools.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]

#[allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]
mod support;

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tower_cognito::{
    Pool, Verifier, VerifierBuilder,
    keys::{KeyDocument, KeySet},
};
use tower_cognito_local::UserPool;

use self::support::{TYPICAL, now, runtime, token};

fn while_replacing(c: &mut Criterion) {
    let runtime = runtime();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let document = pool.key_set().unwrap().to_json();
    let token = token(&pool, 1, TYPICAL);
    let verifier = || {
        let document = document.clone();
        let source = move || std::future::ready(Ok(KeyDocument::new(document.clone())));
        let own = Pool::custom(pool.issuer(), pool.jwks_uri())
            .access_tokens([pool.client_id()])
            .key_source(source);
        let verifier = Verifier::builder(own).build().unwrap();
        runtime.block_on(verifier.ready()).unwrap();
        verifier
    };
    let mut group = c.benchmark_group("key set");
    let (unchanged, replaced) = (verifier(), verifier());
    let refreshing = replaced.clone();
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            refreshing.force_refresh().await.unwrap();
        }
    });
    for (name, verifier) in
        [("unchanged", &unchanged), ("replaced about 1,000 times a second", &replaced)]
    {
        let before = verifier.health()[0].fetches;
        group.bench_function(BenchmarkId::new("warm", name), |b| {
            b.iter(|| now(verifier.verify(black_box(&token))).unwrap());
        });
        println!(
            "key sets fetched during the benchmark: {}",
            verifier.health()[0].fetches - before
        );
    }
}

fn many_pools(c: &mut Criterion) {
    let runtime = runtime();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let keys = KeySet::from_json(&pool.key_set().unwrap().to_json()).unwrap();
    let token = token(&pool, 1, TYPICAL);
    let mut group = c.benchmark_group("pools");
    for count in [1, 10, 100, 1000] {
        let others = (1..count).map(|number| format!("https://pool{number}.example"));
        let pools = others.chain([pool.issuer().to_owned()]).map(|issuer| {
            Pool::custom(issuer, pool.jwks_uri())
                .access_tokens([pool.client_id()])
                .static_keys(keys.clone())
        });
        let pools: Vec<_> = pools.collect();
        let builder = || {
            let (first, others) = pools.split_first().unwrap();
            others.iter().cloned().fold(Verifier::builder(first.clone()), VerifierBuilder::add_pool)
        };
        let warm = builder().build().unwrap();
        let cold = builder().token_cache_bytes(0).build().unwrap();
        for (name, verifier) in [("warm", &warm), ("cold", &cold)] {
            group.bench_function(BenchmarkId::new(name, count), |b| {
                b.iter(|| now(verifier.verify(black_box(&token))).unwrap());
            });
        }
        group.bench_function(BenchmarkId::new("build", count), |b| {
            b.iter_with_large_drop(|| builder().build().unwrap());
        });
    }
}

criterion_group!(benches, while_replacing, many_pools);
criterion_main!(benches);
