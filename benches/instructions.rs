//! A performance test that does not measure time. Callgrind counts the instructions of the hot paths, and the test
//! compares them with recorded values.
//!
//! ```sh
//! cargo bench --bench instructions
//! ```
//!
//! Without valgrind it is skipped. If a path changes on purpose, update its value in [`RECORDED`] and state the reason
//! in the commit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark"
)]

#[allow(dead_code, unreachable_pub, reason = "each benchmark uses a part")]
mod support;

use std::{
    env, fs,
    process::{Command, ExitCode},
};

use axum::{Router, body::Body, routing::get};
use http::{HeaderValue, Request, header};
use tower::{Layer, Service};
use tower_cognito::{Claims, CognitoLayer, require};
use tower_cognito_local::UserPool;

use self::support::{
    Limit, TYPICAL, Tenant, now, runtime, three_nodes, token, with_bad_signature, with_unknown_key,
};

/// Instructions of one call, counted with Rust 1.95 on x86-64, without those of RSA and axum.
const RECORDED: [Recorded; 8] = [
    Recorded { path: "cold verify", beyond: Some("limit"), instructions: 22_800 },
    Recorded { path: "bad signature", beyond: Some("limit"), instructions: 15_700 },
    Recorded { path: "warm verify", beyond: None, instructions: 1_650 },
    Recorded { path: "garbage", beyond: None, instructions: 850 },
    Recorded { path: "unknown kid beyond the limit", beyond: None, instructions: 16_500 },
    Recorded { path: "policy", beyond: None, instructions: 640 },
    Recorded { path: "warm request", beyond: Some("bare request"), instructions: 4_080 },
    Recorded { path: "warm request, one layer", beyond: Some("bare request"), instructions: 3_730 },
];

/// How much larger than recorded a count may be, in percent: compilers and processors differ.
const MARGIN: u64 = 15;

struct Recorded {
    path: &'static str,
    /// The path whose instructions are subtracted.
    beyond: Option<&'static str>,
    instructions: u64,
}

/// How many calls are counted.
const CALLS: u64 = 200;

fn main() -> ExitCode {
    if let Ok(path) = env::var(PATH) {
        run(&path);
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed");
        return ExitCode::SUCCESS;
    }
    let mut passed = true;
    for Recorded { path, beyond, instructions } in RECORDED {
        let counted = count(path).saturating_sub(beyond.map_or(0, count));
        let allowed = instructions + instructions * MARGIN / 100;
        let verdict = if counted <= allowed { "as recorded" } else { "TOO MANY" };
        let excess = beyond.map(|beyond| format!(" beyond {beyond}")).unwrap_or_default();
        println!("{path}{excess}: {counted} instructions, recorded {instructions}: {verdict}");
        passed &= counted <= allowed;
    }
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The environment variable that selects the path to run under callgrind.
const PATH: &str = "COUNTED_PATH";

/// Runs this program under callgrind and returns the instructions of one call.
fn count(path: &str) -> u64 {
    let report = env::temp_dir().join(format!("instructions-{}", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*instructions*counted*"])
        .arg(format!("--callgrind-out-file={}", report.display()))
        .arg(env::current_exe().unwrap())
        .env(PATH, path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(&report).unwrap();
    fs::remove_file(report).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    total.trim().parse::<u64>().unwrap() / CALLS
}

/// Only instructions in this function are counted.
#[inline(never)]
fn counted(call: &mut dyn FnMut()) {
    call();
}

/// Calls one path, under callgrind.
fn run(path: &str) {
    let runtime = runtime();
    let _runs = runtime.enter();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let cache_bytes = if path == "cold verify" { 0 } else { 32 << 20 };
    let verifier = support::verifier(&pool).token_cache_bytes(cache_bytes).build().unwrap();
    runtime.block_on(verifier.ready()).unwrap();
    let good = token(&pool, 1, TYPICAL);
    match path {
        "limit" => {
            let limit = Limit::of(&pool, &good);
            repeat(|| limit.verify());
        }
        "cold verify" | "warm verify" => repeat(|| drop(now(verifier.verify(&good)).unwrap())),
        "garbage" => repeat(|| drop(now(verifier.verify("garbage")).unwrap_err())),
        "unknown kid beyond the limit" => {
            let unknown = with_unknown_key(&pool);
            // Use up the fetches that the window allows.
            for _ in 0..2 {
                drop(runtime.block_on(verifier.verify(&unknown)));
            }
            repeat(|| drop(now(verifier.verify(&unknown)).unwrap_err()));
        }
        "bad signature" => {
            let bad = with_bad_signature(&good);
            repeat(|| drop(now(verifier.verify(&bad)).unwrap_err()));
        }
        "policy" => {
            let (policy, verified) = (three_nodes(), now(verifier.verify(&good)).unwrap());
            repeat(|| policy.check(&verified).unwrap());
        }
        "bare request" => {
            requests(Router::new().route("/", get(async || "hello")), &good);
        }
        "warm request" => {
            let app = CognitoLayer::new(verifier).layer(require(three_nodes()).layer(typed()));
            requests(app, &good);
        }
        "warm request, one layer" => {
            let app = CognitoLayer::new(verifier).require(three_nodes()).layer(typed());
            requests(app, &good);
        }
        _ => panic!("there is no path {path}"),
    }
}

fn typed() -> Router {
    Router::new().route("/", get(async |_: Claims<Tenant>| "hello"))
}

fn requests<S, B>(mut app: S, token: &str)
where
    S: Service<Request<Body>, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
{
    let bearer = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    repeat(|| {
        let request = Request::get("/").header(header::AUTHORIZATION, bearer.clone());
        let response = now(app.call(request.body(Body::empty()).unwrap())).unwrap();
        assert_eq!(response.status(), 200);
    });
}

/// Calls a path several times as a warm-up, and then counts the instructions of further calls.
fn repeat(mut call: impl FnMut()) {
    for _ in 0..20 {
        call();
    }
    for _ in 0..CALLS {
        counted(&mut call);
    }
}
