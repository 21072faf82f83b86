//! Throughput by number of threads.

use std::{
    error::Error,
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tower_cognito::Verifier;

use super::{
    Section, call_of,
    chart::{Chart, Kind},
    timing::median,
};
use crate::{
    subjects::{functions, ours},
    world::{Token, World},
};

/// The duration of each measurement, and the number of rounds.
const TIME: Duration = Duration::from_millis(200);
const ROUNDS: usize = 21;

pub async fn section(world: &World) -> Result<Section, Box<dyn Error>> {
    let tokens = Arc::new(world.tokens(64)?);
    let one = Arc::new(vec![tokens[0].clone()]);
    let (warm, cold) = (ours::warm_verifier(world).await?, ours::cold_verifier(world).await?);
    let limit: Arc<Check> = Arc::from(call_of(functions::limit(world)?)?);
    let most = std::thread::available_parallelism()?.get();

    let mut text =
        "| | threads | thousand tokens a second | times one thread |\n|---|--:|--:|--:|\n"
            .to_owned();
    let mut lines = Vec::new();
    let verify = |verifier: Verifier| -> Arc<Check> {
        Arc::new(move |token| {
            verifier.verify(&token.text).now_or_never().is_some_and(|result| result.is_ok())
        })
    };
    let (warm, cold) = (verify(warm), verify(cold));
    let rows = [
        ("warm, many users", &warm, &tokens),
        ("warm, one token for all threads", &warm, &one),
        ("cold", &cold, &tokens),
        ("the signature alone", &limit, &tokens),
    ];
    let mut rates = rows.map(|_| vec![Vec::new(); most]);
    // Measured in turn, so that other load on the machine affects all of them.
    for _ in 0..ROUNDS {
        for ((_, check, tokens), rates) in rows.iter().zip(&mut rates) {
            for (threads, rates) in (1..).zip(rates) {
                rates.push(rate(check, tokens, threads));
            }
        }
    }
    for ((name, ..), rates) in rows.iter().zip(&rates) {
        let mut points = Vec::new();
        for (threads, own) in (1..).zip(rates) {
            let times = median(own.iter().zip(&rates[0]).map(|(own, one)| own / one));
            let rate = median(own.iter().copied()) / 1e3;
            text += &format!("| {name} | {threads} | {rate:.0} | {times:.2} |\n");
            points.push((threads as f64, times));
        }
        lines.push(((*name).to_owned(), points));
    }
    let chart = Chart {
        file: "threads.svg",
        title: "Throughput by threads",
        unit: "times one thread",
        kind: Kind::Lines { over: "threads", lines },
    };
    let text = format!(
        "`Verifier::verify` on one thread, and on up to all threads of the machine.\n\n{text}"
    );
    Ok(Section { title: "Threads", text, charts: vec![chart] })
}

type Check = dyn Fn(&Token) -> bool + Send + Sync;

/// Returns the number of tokens per second that `threads` threads verify together.
fn rate(check: &Arc<Check>, tokens: &Arc<Vec<Token>>, threads: usize) -> f64 {
    let barrier = Arc::new(Barrier::new(threads));
    let workers: Vec<_> = (0..threads)
        .map(|number| {
            let (check, tokens, barrier) =
                (Arc::clone(check), Arc::clone(tokens), Arc::clone(&barrier));
            std::thread::spawn(move || {
                barrier.wait();
                let start = Instant::now();
                let mut count = 0_usize;
                while start.elapsed() < TIME {
                    for step in 0..32 {
                        // Each thread starts at a different position of the list.
                        let token = &tokens[(count + step + number * 29) % tokens.len()];
                        assert!(check(token));
                    }
                    count += 32;
                }
                count as f64 / start.elapsed().as_secs_f64()
            })
        })
        .collect();
    workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).sum()
}
