//! The cost of checking a policy.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a benchmark")]

#[allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]
mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tower_cognito::{
    group,
    policy::{all, any, authenticated, claim},
    scope,
};
use tower_cognito_local::UserPool;

use self::support::{TYPICAL, runtime, three_nodes, token};

fn policy(c: &mut Criterion) {
    let runtime = runtime();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let verifier = support::verifier(&pool).build().unwrap();
    let token = token(&pool, 1, TYPICAL);
    let verified = runtime.block_on(verifier.verify(&token)).unwrap();
    let mut benches = c.benchmark_group("policy");
    for (name, policy, met) in [
        ("baseline: authenticated", authenticated(), true),
        ("scope", scope("orders/write"), true),
        ("three nodes", three_nodes(), true),
        ("claim", claim("custom:tenant_id", "tenant-1"), true),
        ("a hundred groups", any((0..100).map(|number| group(format!("group{number}")))), false),
        ("a hundred scopes", all((0..100).map(|_| scope("orders/write"))), true),
    ] {
        benches.bench_function(name, |b| {
            b.iter(|| assert_eq!(policy.check(black_box(&verified)).is_ok(), met));
        });
    }
}

criterion_group!(benches, policy);
criterion_main!(benches);
