//! Soak test: traffic, key rotations, outages and floods of hostile tokens, for any number of minutes:
//!
//! ```sh
//! cargo run --release --example soak -- --minutes 10
//! ```
//!
//! At the end it prints one line of counts. It fails if a valid token was rejected or a hostile one was accepted.

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

#[allow(dead_code, unreachable_pub, reason = "only its `app` is used")]
mod quickstart;

/// The refresh interval. It is short, so that ten minutes include many refreshes.
const REFRESH_INTERVAL: Duration = Duration::from_secs(4);

struct Soak {
    pool: UserPool,
    verifier: Verifier,
    client: Client,
    address: SocketAddr,
    /// Tokens that must pass. They are replaced when the keys are rotated.
    valid: Mutex<Arc<Vec<String>>>,
    flooding: AtomicBool,
    ended: AtomicBool,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    valid_rejected: AtomicU64,
    hostile_accepted: AtomicU64,
    withdrawn_accepted: AtomicU64,
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
        .refresh_interval(REFRESH_INTERVAL)
        .unknown_key_window(Duration::from_secs(2))
        .fetch_timeout(Duration::from_secs(1))
        .build()?;
    verifier.ready().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = quickstart::app(verifier.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let soak = Arc::new(Soak {
        valid: Mutex::new(tokens(&pool)),
        client: Client::builder().no_proxy().tls_certs_only([]).build()?,
        pool,
        verifier,
        address,
        flooding: AtomicBool::new(false),
        ended: AtomicBool::new(false),
        counts: Counts::default(),
    });
    let workers = [
        tokio::spawn(traffic(Arc::clone(&soak), 0)),
        tokio::spawn(traffic(Arc::clone(&soak), 7)),
        tokio::spawn(hostile(Arc::clone(&soak))),
        tokio::spawn(flood(Arc::clone(&soak))),
    ];
    for round in 0.. {
        if Instant::now() >= end {
            break;
        }
        soak.round(round).await?;
    }
    soak.ended.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await?;
    }
    Ok(soak.report())
}

impl Soak {
    /// Runs one key rotation, one outage with a flood, and one withdrawal of keys.
    async fn round(&self, round: usize) -> Result<(), Box<dyn Error>> {
        // The new keys are used immediately. The first request with them must pass.
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
        sleep(2 * REFRESH_INTERVAL).await;
        self.pool.set_fault(Fault::None);
        self.flooding.store(false, Ordering::Relaxed);
        sleep(Duration::from_secs(3)).await;

        self.pool.withdraw_old_keys();
        sleep(REFRESH_INTERVAL + Duration::from_secs(1)).await;
        for token in old.iter().take(20) {
            if self.get("/api/protected", token).await != Some(StatusCode::UNAUTHORIZED) {
                self.counts.withdrawn_accepted.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    async fn get(&self, path: &str, token: &str) -> Option<StatusCode> {
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.client.get(format!("http://{}{path}", self.address)).bearer_auth(token);
        request.send().await.ok().map(|response| response.status())
    }

    fn valid(&self) -> std::sync::MutexGuard<'_, Arc<Vec<String>>> {
        self.valid.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Prints the counts, and returns whether the test passed.
    fn report(&self) -> bool {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counts {
            requests,
            valid_rejected,
            hostile_accepted,
            withdrawn_accepted,
            rotations,
            outages,
        } = &self.counts;
        let bad = read(valid_rejected) + read(hostile_accepted) + read(withdrawn_accepted);
        println!(
            "requests: {}, valid tokens rejected: {}, hostile tokens accepted: {}, withdrawn keys accepted too long: {}, \
             rotations: {}, outages: {}, fetches: {}, peak memory: {} KiB",
            read(requests),
            read(valid_rejected),
            read(hostile_accepted),
            read(withdrawn_accepted),
            read(rotations),
            read(outages),
            self.pool.fetches(),
            peak_memory().unwrap_or(0),
        );
        bad == 0 && read(requests) > 0
    }
}

/// Returns a thousand tokens that are signed with the pool's current keys.
fn tokens(pool: &UserPool) -> Arc<Vec<String>> {
    Arc::new(
        (0..1000).map(|user| pool.token(format!("user{user}")).scope("profile").sign()).collect(),
    )
}

async fn traffic(soak: Arc<Soak>, offset: usize) {
    let mut step = offset;
    while !soak.has_ended() {
        let tokens = Arc::clone(&soak.valid());
        // Three of four requests use one of 20 tokens; the others use all tokens in turn.
        let position = if step.is_multiple_of(4) { step / 4 % tokens.len() } else { step % 20 };
        let Some(token) = tokens.get(position) else { continue };
        if soak.get("/api/protected", token).await != Some(StatusCode::OK) {
            soak.counts.valid_rejected.fetch_add(1, Ordering::Relaxed);
        }
        step += 1;
    }
}

async fn hostile(soak: Arc<Soak>) {
    let mut step = 0_usize;
    while !soak.has_ended() {
        let tokens = Arc::clone(&soak.valid());
        let good = tokens.get(step % tokens.len()).cloned().unwrap_or_default();
        let (message, _) = good.rsplit_once('.').unwrap_or_default();
        let (_, other) = tokens.first().and_then(|it| it.rsplit_once('.')).unwrap_or_default();
        let token = match step % 6 {
            0 => format!("{message}.{}", "A".repeat(342)),
            1 => soak.pool.token("mallory").scope("profile").expired().sign(),
            2 => soak.pool.token("mallory").client("other").scope("profile").sign(),
            3 => format!("{good}A"),
            4 => soak.pool.sign_parts(r#"{"alg":"none","kid":"x"}"#, r#"{"sub":"admin"}"#),
            // Tokens with unknown keys are sent only by `flood`, because they use up the fetches that a rotation needs.
            _ => format!("{message}.{other}"),
        };
        if token != good && soak.get("/api/protected", &token).await == Some(StatusCode::OK) {
            soak.counts.hostile_accepted.fetch_add(1, Ordering::Relaxed);
        }
        step += 1;
    }
}

async fn flood(soak: Arc<Soak>) {
    let payload = URL_SAFE_NO_PAD.encode(soak.pool.token("mallory").payload().to_string());
    let mut number = 0_u64;
    while !soak.has_ended() {
        if !soak.flooding.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(50)).await;
            continue;
        }
        let header = json!({ "alg": "RS256", "kid": format!("unknown-{number}") }).to_string();
        let token = format!("{}.{payload}.{}", URL_SAFE_NO_PAD.encode(header), "A".repeat(342));
        if soak.get("/api/protected", &token).await == Some(StatusCode::OK) {
            soak.counts.hostile_accepted.fetch_add(1, Ordering::Relaxed);
        }
        number += 1;
    }
    // The verifier must still have keys.
    if soak.verifier.health().iter().any(|pool| pool.keys == 0) {
        soak.counts.valid_rejected.fetch_add(1, Ordering::Relaxed);
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

/// Returns the peak memory of the process in KiB, if the system reports it.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
