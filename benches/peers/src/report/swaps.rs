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

/// The timers of the runtime have a resolution of a millisecond. With an interval of ten, each set is fetched in time,
/// and that of one pool is replaced about 115 times a second; twelve pools make more than a thousand.
const POOLS: usize = 12;
const INTERVAL: Duration = Duration::from_millis(10);

/// The measurements of a thread in one round.
#[derive(Default)]
struct Seen {
    /// Nanoseconds per request, averaged over batches.
    times: Vec<f64>,
    refused: u64,
}

pub async fn section(world: &World) -> Result<Section, Box<dyn Error>> {
    let tokens: Vec<_> = (0..POOLS)
        .map(|pool| Token::new(world.token("alice").claim("iss", issuer(world, pool)).sign()))
        .collect::<Result<_, _>>()?;
    let still = verifier(world, Duration::from_secs(900)).await?;
    let swapped = verifier(world, INTERVAL).await?;
    let sets = |verifier: &Verifier| verifier.health().iter().map(|pool| pool.fetches).sum::<u64>();

    let (mut all, mut ratios) = ([Seen::default(), Seen::default()], Vec::new());
    let (mut sets_swapped, mut spent) = (0, 0.0);
    for _ in 0..ROUNDS {
        let mut medians = [0.0; 2];
        for ((verifier, seen), own) in
            [&still, &swapped].into_iter().zip(&mut all).zip(&mut medians)
        {
            let (before, start) = (sets(verifier), Instant::now());
            let (verifier_, tokens) = (verifier.clone(), tokens.clone());
            // Runs on a separate thread, so that the runtime's thread replaces the sets.
            let round = tokio::task::spawn_blocking(move || load(&verifier_, &tokens)).await?;
            if sets(verifier) > before + 3 {
                sets_swapped += sets(verifier) - before;
                spent += start.elapsed().as_secs_f64();
            }
            *own = median(round.times.iter().copied());
            seen.times.extend(round.times);
            seen.refused += round.refused;
        }
        ratios.push(medians[1] / medians[0]);
    }
    let rate = sets_swapped as f64 / spent;
    let [still, swapped] = &all;
    let mut text = format!(
        "One thread sends warm tokens of {POOLS} pools in turn while another fetches, parses and swaps their key \
         sets, {rate:.0} times a second in all. A request takes {:.3} times as long in the median round; refused: {}.\n\n\
         | | still, ns | swapped, ns |\n\
         |---|--:|--:|\n",
        median(ratios),
        still.refused + swapped.refused,
    );
    let mut lines = [("still".to_owned(), Vec::new()), ("swapped".to_owned(), Vec::new())];
    for part in [0.1, 0.5, 0.9, 0.99, 0.999] {
        let values = [still, swapped].map(|seen| quantile(seen.times.iter().copied(), part));
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

/// Returns a verifier that fetches new keys at each interval.
async fn verifier(world: &World, interval: Duration) -> Result<Verifier, Box<dyn Error>> {
    let mut pools = (0..POOLS).map(|pool| {
        let document = world.jwks.clone();
        Pool::custom(issuer(world, pool), world.jwks_uri())
            .access_tokens([world.client_id()])
            .key_source(move || ready(Ok(KeyDocument::new(document.clone()))))
    });
    let first = pools.next().ok_or("there is no pool")?;
    let builder = pools.fold(Verifier::builder(first), VerifierBuilder::add_pool);
    let verifier = builder.refresh_interval(interval).build()?;
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
            seen.refused += u64::from(!passed);
        }
        seen.times.push(batch.elapsed().as_secs_f64() * 1e9 / 64.0);
    }
    seen
}
