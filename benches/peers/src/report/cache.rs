//! The cache of verified tokens under many users.

use std::{env, error::Error, process::Command, time::Instant};

use futures_util::FutureExt;
use tower_cognito::Verifier;

use super::{Scope, Section, machine::resident_bytes, timing::median};
use crate::{subjects::ours, world::World};

/// The number of users, and of the requests that they send.
const USERS: usize = 100_000;
const REQUESTS: usize = 1_000_000;

pub async fn section(world: &World, scope: &Scope) -> Result<Section, Box<dyn Error>> {
    let verifier = ours::warm_verifier(world).await?;
    let tokens = signed(world, USERS);
    let before = resident_bytes()?;
    let hits = tokio::task::block_in_place(|| hits(&verifier, &tokens));
    let grown = resident_bytes()?.saturating_sub(before);
    let mut text = format!(
        "{USERS} users send {REQUESTS} requests. The share of each user is proportional to 1/rank (Zipf's law). In \
         the default cache of 32 MiB, {:.1} % of the tokens were found. The process grew by {:.1} MiB.\n",
        hits * 100.0,
        mebibytes(grown),
    );
    if scope.million {
        // Runs in a new process, because other measurements have increased the memory of this one.
        let output = Command::new(env::current_exe()?).arg(MILLION).output()?;
        text += &String::from_utf8(output.stdout)?;
    }
    Ok(Section { title: "The cache of verified tokens", text, charts: Vec::new() })
}

/// The argument that makes this program only verify a million tokens.
pub const MILLION: &str = "--million-alone";

/// Verifies a million distinct valid tokens, and prints the growth of the process.
///
/// # Errors
/// A token is rejected, or memory usage cannot be read.
pub async fn million(world: &World) -> Result<(), Box<dyn Error>> {
    const BATCH: usize = 1000;
    let verifier = ours::warm_verifier(world).await?;
    // Allocates what signing and verifying need before the first reading.
    for token in signed_from(world, 0, BATCH) {
        verifier.verify(&token).await?;
    }
    let (before, mut most) = (resident_bytes()?, 0);
    for batch in 1..=1000 {
        for token in signed_from(world, batch * BATCH, BATCH) {
            verifier.verify(&token).await?;
        }
        most = most.max(resident_bytes()?.saturating_sub(before));
    }
    println!(
        "\nWith a million distinct valid tokens, a process with the same cache grew by at most {:.1} MiB.",
        mebibytes(most)
    );
    Ok(())
}

/// Returns the share of requests that took less than half the time of a signature.
fn hits(verifier: &Verifier, tokens: &[String]) -> f64 {
    let verify = |token: &String| {
        let start = Instant::now();
        assert!(verifier.verify(token).now_or_never().is_some_and(|it| it.is_ok()));
        start.elapsed().as_secs_f64()
    };
    let cold = median(tokens.iter().take(200).map(verify));
    let mut random = Random(0x2545_f491_4f6c_dd17);
    let harmonic: Vec<f64> = (1..=tokens.len())
        .scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        })
        .collect();
    let total = harmonic.last().copied().unwrap_or(1.0);
    let mut hits = 0_usize;
    for _ in 0..REQUESTS {
        let at = random.next() * total;
        let rank = harmonic.partition_point(|sum| *sum < at).min(tokens.len() - 1);
        hits += usize::from(verify(&tokens[rank]) < cold / 2.0);
    }
    hits as f64 / REQUESTS as f64
}

fn signed(world: &World, count: usize) -> Vec<String> {
    signed_from(world, 0, count)
}

/// Returns tokens of users starting at a number, signed on all processors.
fn signed_from(world: &World, first: usize, count: usize) -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = count.div_ceil(threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                let numbers = thread * share..((thread + 1) * share).min(count);
                scope.spawn(move || {
                    numbers
                        .map(|number| world.token(&format!("u{:07}", first + number)).sign())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

/// A xorshift generator: the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
