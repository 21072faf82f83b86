//! Measures the same request through this crate and four comparable ones, in one process and one thread:
//!
//! ```sh
//! cargo run --release -- --rounds 200
//! ```
//!
//! With `--write` it measures more and writes `docs/performance.md`; `--million` adds a run with a million tokens,
//! which takes a few minutes.
//!
//! With `--crypto shipped`, peers that support several RSA implementations use their default instead of the fastest one.

mod check;
mod crypto;
mod measure;
mod report;
mod subject;
mod subjects;
mod world;

use std::{env, error::Error, process::ExitCode};

use self::{crypto::Crypto, measure::Figures, subject::Subject, world::World};

/// The number of users in each round.
pub const USERS: usize = 200;

struct Options {
    rounds: usize,
    crypto: Crypto,
    write: bool,
    million: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some(report::cache::MILLION) => {
            return report::cache::million(&World::start().await?).await;
        }
        Some(report::served::SERVE) => return report::served::serve(&World::start().await?).await,
        _ => {}
    }
    let options = options()?;
    options.crypto.install()?;
    let world = World::start().await?;
    if options.write {
        let Options { rounds, crypto, million, .. } = options;
        return report::write(&world, &report::Scope { rounds, crypto, million }).await;
    }
    let mut subjects = subjects::all(&world, options.crypto).await?;
    check::all(&world, &mut subjects).await?;

    let tokens = world.tokens(USERS)?;
    let figures = measure::all(&mut subjects, &tokens, options.rounds, subjects::LIMIT).await?;
    let bytes = tokens.first().map_or(0, |token| token.text.len());
    println!("Medians of {} rounds of {USERS} tokens of {bytes} bytes.\n", options.rounds);
    print(&subjects, &figures);
    Ok(())
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options =
        Options { rounds: 100, crypto: Crypto::default(), write: false, million: false };
    let mut arguments = env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("`{name}` has no value"));
        match name.as_str() {
            "--rounds" => options.rounds = value()?.parse()?,
            "--crypto" => options.crypto = value()?.parse()?,
            "--write" => options.write = true,
            "--million" => options.million = true,
            _ => return Err(format!("unknown option `{name}`").into()),
        }
    }
    if options.rounds == 0 {
        return Err("`--rounds` is 0; it must be at least 1".into());
    }
    Ok(options)
}

fn print(subjects: &[Subject], figures: &[Figures]) {
    println!("| | version | RSA by | µs | added over bare, µs | times the signature alone |");
    println!("|---|---|---|--:|--:|--:|");
    for (subject, figures) in subjects.iter().zip(figures) {
        let Subject { name, version, rsa, .. } = subject;
        let Figures { time, added, ratio } = figures;
        let rsa = rsa.unwrap_or_default();
        let time = time / 1e3;
        let added = added.map(|added| format!("{:.2}", added / 1e3)).unwrap_or_default();
        println!("| {name} | {version} | {rsa} | {time:.2} | {added} | {ratio:.2} |");
    }
}
