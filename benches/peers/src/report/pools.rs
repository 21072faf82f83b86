//! Many pools in one verifier, and the time to build a verifier.

use std::{error::Error, time::Instant};

use futures_util::FutureExt;
use tower_cognito::{Pool, Verifier, VerifierBuilder, keys::KeySet};

use super::{
    Scope, Section,
    timing::{Call, median, paired, ratio},
};
use crate::world::World;

const MANY: usize = 1000;

pub fn section(world: &World, scope: &Scope) -> Result<Section, Box<dyn Error>> {
    let token = world.token("alice").sign();
    let keys = KeySet::from_json(&world.jwks)?;
    let built = |count: usize, cache_bytes: usize| {
        let mut pools = issuers(world, count).map(|issuer| {
            Pool::custom(issuer, world.jwks_uri())
                .access_tokens([world.client_id()])
                .static_keys(keys.clone())
        });
        let first = pools.next().expect("there is at least one pool");
        let builder = pools.fold(Verifier::builder(first), VerifierBuilder::add_pool);
        builder.token_cache_bytes(cache_bytes).build()
    };
    let verifiers = [built(1, 1 << 20)?, built(MANY, 1 << 20)?, built(1, 0)?, built(MANY, 0)?];
    let mut calls: Vec<Call<'_>> = Vec::new();
    for verifier in &verifiers {
        calls.push(Box::new(|| {
            assert!(verifier.verify(&token).now_or_never().is_some_and(|it| it.is_ok()));
        }));
    }
    let times = paired(scope.rounds, &mut calls);
    let one = median(times[0].iter().copied());

    let starts = (0..100).map(|_| {
        let start = Instant::now();
        let verifier = built(1, 32 << 20);
        let spent = start.elapsed().as_secs_f64() * 1e6;
        drop(verifier);
        spent
    });
    let start = median(starts);

    let text = format!(
        "Building a verifier with a static key set takes {start:.0} µs, including its token cache.\n\n\
         With {MANY} pools, a warm token takes {:.2} times as long as with one pool ({one:.0} ns), and a cold token \
         {:.2} times as long. `cargo test --test memory a_thousand_pools` measures the memory of each pool.\n",
        ratio(&times[1], &times[0]),
        ratio(&times[3], &times[2]),
    );
    Ok(Section { title: "Start, and many pools", text, charts: Vec::new() })
}

/// Returns `count` issuers. The last one is the issuer of the tokens.
fn issuers(world: &World, count: usize) -> impl Iterator<Item = String> {
    let others = (1..count).map(|number| format!("https://pool{number}.example.com/{number}"));
    others.chain([world.issuer().to_owned()])
}
