//! Warm requests while key sets are replaced.

use std::{
    error::Error,
    future::ready,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tower_cognito::{Pool, Verifier, VerifierBuilder, keys::KeyDocument};

use super::{
    Section,
    chart::{Chart, Kind},
    timing::{median, quantile},
};
use crate::world::{Token, World};

const ROUNDS: usize = 15;
const TIME: Duration = Duration::from_millis(300);

/// The number of pools. Their key sets are replaced together, so this multiplies the number of replacements.
const POOLS: usize = 12;

/// The pause between two replacements, which are then about a thousand a second in total.
const PAUSE: Duration = Duration::from_millis(10);

/// The measurements of a thread in one round.
#[derive(Default)]
struct Seen {
    /// Nanoseconds per request, averaged over batches.
    times: Vec<f64>,
    /// The number of tokens that were not accepted at once.
    not_accepted: u64,
}

pub async fn section(world: &World) -> Result<Section, Box<dyn Error>> {
    let tokens: Vec<_> = (0..POOLS)
        .map(|pool| Token::new(world.token("alice").claim("iss", issuer(world, pool)).sign()))
        .collect::<Result<_, _>>()?;
    let (unchanged, replaced) = (verifier(world).await?, verifier(world).await?);
    let replacing = tokio::spawn(replace_keys(replaced.clone()));
    let sets = |verifier: &Verifier| verifier.health().iter().map(|pool| pool.fetches).sum::<u64>();

    let (mut all, mut ratios) = ([Seen::default(), Seen::default()], Vec::new());
    let (mut sets_replaced, mut spent) = (0, 0.0);
    for _ in 0..ROUNDS {
        let mut medians = [0.0; 2];
        for ((verifier, seen), own) in
            [&unchanged, &replaced].into_iter().zip(&mut all).zip(&mut medians)
        {
            let (before, start) = (sets(verifier), Instant::now());
            let (verifier_, tokens) = (verifier.clone(), tokens.clone());
            // Runs on a separate thread, while the threads of the runtime replace the sets.
            let round = tokio::task::spawn_blocking(move || load(&verifier_, &tokens)).await?;
            let fetched = sets(verifier) - before;
            if fetched > 0 {
                sets_replaced += fetched;
                spent += start.elapsed().as_secs_f64();
            }
            *own = median(round.times.iter().copied());
            seen.times.extend(round.times);
            seen.not_accepted += round.not_accepted;
        }
        ratios.push(medians[1] / medians[0]);
    }
    replacing.abort();
    let rate = sets_replaced as f64 / spent;
    let [unchanged, replaced] = &all;
    let mut text = format!(
        "One thread verifies warm tokens of {POOLS} pools in turn. Another thread fetches, parses and replaces the key \
         sets of these pools, {rate:.0} times a second in total. In the median round, a token takes {:.3} times as \
         long as with unchanged key sets. Tokens that were not accepted at once: {}.\n\n\
         | | unchanged, ns | replaced, ns |\n\
         |---|--:|--:|\n",
        median(ratios),
        unchanged.not_accepted + replaced.not_accepted,
    );
    let mut lines = [("unchanged".to_owned(), Vec::new()), ("replaced".to_owned(), Vec::new())];
    for part in [0.1, 0.5, 0.9, 0.99, 0.999] {
        let values = [unchanged, replaced].map(|seen| quantile(seen.times.iter().copied(), part));
        text +=
            &format!("| {} % of batches | {:.0} | {:.0} |\n", part * 100.0, values[0], values[1]);
        for ((_, points), value) in lines.iter_mut().zip(values) {
            points.push((part * 100.0, value));
        }
    }
    let chart = Chart {
        file: "swaps.svg",
        title: "A warm request while keys rotate",
        unit: "ns",
        kind: Kind::Lines { over: "percentile of batches of 64 requests", lines: lines.into() },
    };
    Ok(Section { title: "While keys rotate", text, charts: vec![chart] })
}

/// Replaces the key sets of all pools again and again.
async fn replace_keys(verifier: Verifier) {
    loop {
        tokio::time::sleep(PAUSE).await;
        verifier.force_refresh().await.expect("the key source returns a valid key set");
    }
}

/// Returns a verifier of all pools that has fetched their keys.
async fn verifier(world: &World) -> Result<Verifier, Box<dyn Error>> {
    let mut pools = (0..POOLS).map(|pool| {
        let document = world.jwks.clone();
        Pool::custom(issuer(world, pool), world.jwks_uri())
            .access_tokens([world.client_id()])
            .key_source(move || ready(Ok(KeyDocument::new(document.clone()))))
    });
    let first = pools.next().ok_or("there is no pool")?;
    let builder = pools.fold(Verifier::builder(first), VerifierBuilder::add_pool);
    let verifier = builder.build()?;
    verifier.ready().await?;
    Ok(verifier)
}

fn issuer(world: &World, pool: usize) -> String {
    format!("{}-{pool}", world.issuer())
}

fn load(verifier: &Verifier, tokens: &[Token]) -> Seen {
    let (mut seen, start) = (Seen::default(), Instant::now());
    while start.elapsed() < TIME {
        let batch = Instant::now();
        for token in tokens.iter().cycle().take(64) {
            let passed = verifier.verify(&token.text).now_or_never().is_some_and(|it| it.is_ok());
            seen.not_accepted += u64::from(!passed);
        }
        seen.times.push(batch.elapsed().as_secs_f64() * 1e9 / 64.0);
    }
    seen
}
