//! Traffic, rotations, outages and floods together, for as long as you like:
//!
//! ```sh
//! cargo run --release --example soak -- --minutes 10
//! ```
//!
//! It ends with one line of counts. A valid token that was refused, or a hostile one that passed, makes
//! it fail.

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use std::{
    error::Error,
    fs,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tower_cognito::Verifier;
use tower_cognito_local::{Fault, UserPool};

#[allow(dead_code, unreachable_pub, reason = "its `app` alone is served")]
mod quickstart;

/// How often keys are refreshed here, so that ten minutes see many refreshes.
const REFRESH: Duration = Duration::from_secs(4);

struct World {
    pool: UserPool,
    verifier: Verifier,
    client: Client,
    address: SocketAddr,
    /// Tokens that must pass; replaced as a whole when keys change.
    valid: Mutex<Arc<Vec<String>>>,
    flooding: AtomicBool,
    over: AtomicBool,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    valid_refused: AtomicU64,
    hostile_passed: AtomicU64,
    withdrawn_late: AtomicU64,
    rotations: AtomicU64,
    outages: AtomicU64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, Box<dyn Error>> {
    let end = Instant::now() + minutes()?;
    let pool = UserPool::start().await?;
    let verifier = pool
        .verifier()
        .refresh_interval(REFRESH)
        .unknown_key_window(Duration::from_secs(2))
        .fetch_timeout(Duration::from_secs(1))
        .build()?;
    verifier.ready().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = quickstart::app(verifier.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let world = Arc::new(World {
        valid: Mutex::new(tokens(&pool)),
        client: Client::builder().no_proxy().tls_certs_only([]).build()?,
        pool,
        verifier,
        address,
        flooding: AtomicBool::new(false),
        over: AtomicBool::new(false),
        counts: Counts::default(),
    });
    let workers = [
        tokio::spawn(traffic(Arc::clone(&world), 0)),
        tokio::spawn(traffic(Arc::clone(&world), 7)),
        tokio::spawn(hostile(Arc::clone(&world))),
        tokio::spawn(flood(Arc::clone(&world))),
    ];
    for round in 0.. {
        if Instant::now() >= end {
            break;
        }
        world.round(round).await?;
    }
    world.over.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await?;
    }
    Ok(world.report())
}

impl World {
    /// One rotation, one outage with a flood, one withdrawal.
    async fn round(&self, round: usize) -> Result<(), Box<dyn Error>> {
        // New keys sign at once: their first request has to pass.
        self.pool.rotate()?;
        let old = std::mem::replace(&mut *self.valid(), tokens(&self.pool));
        self.counts.rotations.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_secs(2)).await;

        self.flooding.store(true, Ordering::Relaxed);
        sleep(Duration::from_secs(2)).await;
        self.pool.set_fault(match round % 5 {
            0 => Fault::Status(503),
            1 => Fault::Hang,
            2 => Fault::Slow(Duration::from_millis(900)),
            3 => Fault::Body("<html>maintenance</html>".to_owned()),
            _ => Fault::Body(r#"{"keys":[]}"#.to_owned()),
        });
        self.counts.outages.fetch_add(1, Ordering::Relaxed);
        sleep(2 * REFRESH).await;
        self.pool.set_fault(Fault::None);
        self.flooding.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(3)).await;

        self.pool.withdraw_old_keys();
        sleep(REFRESH + Duration::from_secs(1)).await;
        for token in old.iter().take(20) {
            if self.get("/api/protected", token).await != Some(StatusCode::UNAUTHORIZED) {
                self.counts.withdrawn_late.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn get(&self, path: &str, token: &str) -> Option<StatusCode> {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.client.get(format!("http://{}{path}", self.address)).bearer_auth(token);
        request.send().await.ok().map(|answer| answer.status())
    }

    fn valid(&self) -> std::sync::MutexGuard<'_, Arc<Vec<String>>> {
        self.valid.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Prints the line, and tells whether all went well.
    fn report(&self) -> bool {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counts { requests, valid_refused, hostile_passed, withdrawn_late, rotations, outages } =
            &self.counts;
        let bad = read(valid_refused) + read(hostile_passed) + read(withdrawn_late);
        println!(
            "requests {}, valid refused {}, hostile passed {}, withdrawn keys dropped late {}, \
             rotations {}, outages {}, fetches {}, peak memory {} KiB",
            read(requests),
            read(valid_refused),
            read(hostile_passed),
            read(withdrawn_late),
            read(rotations),
            read(outages),
            self.pool.fetches(),
            peak_memory().unwrap_or(0),
        );
        bad == 0 && read(requests) > 0
    }
}

/// A thousand tokens of the pool's present keys.
fn tokens(pool: &UserPool) -> Arc<Vec<String>> {
    Arc::new(
        (0..1000).map(|user| pool.token(format!("user{user}")).scope("profile").sign()).collect(),
    )
}

async fn traffic(world: Arc<World>, offset: usize) {
    let mut step = offset;
    while !world.is_over() {
        let tokens = Arc::clone(&world.valid());
        // Some tokens come often, others are seen for the first time.
        let position = if step.is_multiple_of(4) { step / 4 % tokens.len() } else { step % 20 };
        let Some(token) = tokens.get(position) else { continue };
        if world.get("/api/protected", token).await != Some(StatusCode::OK) {
            world.counts.valid_refused.fetch_add(1, Ordering::Relaxed);
        }
        step += 1;
    }
}

async fn hostile(world: Arc<World>) {
    let mut step = 0_usize;
    while !world.is_over() {
        let tokens = Arc::clone(&world.valid());
        let good = tokens.get(step % tokens.len()).cloned().unwrap_or_default();
        let (message, _) = good.rsplit_once('.').unwrap_or_default();
        let (_, other) = tokens.first().and_then(|it| it.rsplit_once('.')).unwrap_or_default();
        let token = match step % 6 {
            0 => format!("{message}.{}", "A".repeat(342)),
            1 => world.pool.token("mallory").scope("profile").expired().sign(),
            2 => world.pool.token("mallory").client("other").scope("profile").sign(),
            3 => format!("{good}A"),
            4 => world.pool.sign_parts(r#"{"alg":"none","kid":"x"}"#, r#"{"sub":"admin"}"#),
            // Unknown keys are the flood's matter: they use up the fetches that a rotation needs.
            _ => format!("{message}.{other}"),
        };
        if token != good && world.get("/api/protected", &token).await == Some(StatusCode::OK) {
            world.counts.hostile_passed.fetch_add(1, Ordering::Relaxed);
        }
        step += 1;
    }
}

async fn flood(world: Arc<World>) {
    let payload = URL_SAFE_NO_PAD.encode(world.pool.token("mallory").payload().to_string());
    let mut number = 0_u64;
    while !world.is_over() {
        if !world.flooding.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{number}") }).to_string();
        let token = format!("{}.{payload}.{}", URL_SAFE_NO_PAD.encode(header), "A".repeat(342));
        if world.get("/api/protected", &token).await == Some(StatusCode::OK) {
            world.counts.hostile_passed.fetch_add(1, Ordering::Relaxed);
        }
        number += 1;
    }
    // The verifier is still in order after all that.
    if world.verifier.health().iter().any(|pool| pool.keys == 0) {
        world.counts.valid_refused.fetch_add(1, Ordering::Relaxed);
    }
}

fn minutes() -> Result<Duration, String> {
    let usage = "usage: soak --minutes N";
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Ok(Duration::from_secs(60)),
        (Some("--minutes"), Some(number)) => {
            let minutes: f64 = number.parse().map_err(|_| usage.to_owned())?;
            Duration::try_from_secs_f64(minutes * 60.0).map_err(|_| usage.to_owned())
        }
        _ => Err(usage.to_owned()),
    }
}

/// The most memory that the process had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
