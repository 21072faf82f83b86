//! The attack table: requests that must not pass, sent over real HTTP.
//!
//! Cases are made by construction: each bit position, each claim with each wrong type. Each case says
//! which status and code it wants; beside that, none may get a 5xx, a challenge that reflects what was
//! sent, a log line with a piece of the token, or a request to an address from the token.

mod claim;
mod header;
mod request;
mod signature;
mod structure;

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use tower_cognito::local::UserPool;

use crate::support::{
    Answer, KeyServer, Reply, bearer, captured_logs, example::quickstart, send, serve,
};

struct Case {
    name: String,
    method: &'static str,
    path: String,
    lines: Vec<u8>,
    status: u16,
    code: &'static str,
}

impl Case {
    fn token(name: impl Into<String>, token: &str, status: u16, code: &'static str) -> Self {
        Self::lines(name, bearer(token), status, code)
    }

    fn lines(
        name: impl Into<String>,
        lines: impl Into<Vec<u8>>,
        status: u16,
        code: &'static str,
    ) -> Self {
        let (name, lines) = (name.into(), lines.into());
        Self { name, method: "GET", path: "/api/protected".into(), lines, status, code }
    }

    fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }
}

/// Where any of several codes is right, since an edit may break one rule or another first.
const ANY_CODE: &str = "*";

struct Target {
    pool: UserPool,
    address: SocketAddr,
}

async fn target(cache_bytes: usize) -> Target {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
    verifier.ready().await.unwrap();
    let address = serve(quickstart::app(verifier)).await;
    Target { pool, address }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_attack_passes() {
    count_panics();
    let trap = KeyServer::start(Reply::Close).await;
    let mut tried = 0;
    for cache_bytes in [32 << 20, 0] {
        let target = target(cache_bytes).await;
        // A valid token is in the cache while the attacks run.
        let good = target.pool.token("alice").scope("profile").sign();
        assert_eq!(send(target.address, "GET", "/api/protected", &bearer(&good)).await.status, 200);

        captured_logs();
        let cases = all_cases(&target.pool, &trap.uri());
        let fetches = target.pool.fetches();
        for case in &cases {
            let answer = send(target.address, case.method, &case.path, &case.lines).await;
            judge(case, &answer);
        }
        tried += cases.len();
        assert!(target.pool.fetches() - fetches <= 2, "the attacks caused a flood of fetches");
        assert_eq!(send(target.address, "GET", "/api/protected", &bearer(&good)).await.status, 200);

        let logs = captured_logs();
        assert!(logs.contains("request refused"), "the logs were not captured");
        let sent: HashSet<String> = cases.iter().flat_map(|case| pieces(&case.lines)).collect();
        for window in logs.as_bytes().windows(PIECE) {
            let reflected = std::str::from_utf8(window).is_ok_and(|text| sent.contains(text));
            assert!(!reflected, "a piece of a token is in the log");
        }
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "the library panicked");
    assert_eq!(trap.fetches(), 0, "an address from a token was asked for keys");
    assert!(tried >= 800, "only {tried} attacks were tried");
    println!("attacks tried: {tried}");
}

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts panics in the library's own code; the tests beside this one may panic on purpose.
fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|place| place.file().starts_with("src/")) {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        before(panic);
    }));
}

fn judge(case: &Case, answer: &Answer) {
    let name = &case.name;
    assert_eq!(answer.status, case.status, "{name}: {answer:?}");
    if answer.status == 200 {
        return;
    }
    if case.code != ANY_CODE && case.method != "HEAD" {
        assert_eq!(answer.code(), case.code, "{name}: {answer:?}");
    }
    if matches!(answer.status, 400 | 401 | 403) {
        let challenge = answer.challenge().unwrap_or_else(|| panic!("{name}: no challenge"));
        assert_well_formed(challenge, name);
        if case.method != "HEAD" {
            let names_an_error = challenge.contains("error=");
            assert_eq!(
                names_an_error,
                answer.code() != "missing_credential",
                "{name}: {challenge}"
            );
        }
    }
    let shown = format!("{:?} {}", answer.headers, answer.body);
    for piece in pieces(&case.lines) {
        assert!(!shown.contains(&piece), "{name}: the answer reflects what was sent");
    }
}

/// `Bearer` and parameters in quotes, separated by commas (RFC 6750, section 3).
fn assert_well_formed(challenge: &str, name: &str) {
    let mut rest =
        challenge.strip_prefix("Bearer ").unwrap_or_else(|| panic!("{name}: {challenge}"));
    loop {
        let (key, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{name}: {challenge}"));
        assert!(["realm", "error", "error_description", "scope"].contains(&key), "{name}: {key}");
        let (_, after) = after.split_once('"').unwrap_or_else(|| panic!("{name}: {challenge}"));
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => {
                assert_eq!(after, "", "{name}: {challenge}");
                return;
            }
        }
    }
}

/// How many signs a piece has.
const PIECE: usize = 24;

/// Runs of a token long enough not to stand in an answer or a log by chance.
fn pieces(lines: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(lines);
    let token = text.split("earer ").nth(1).unwrap_or_default().trim();
    let signs: Vec<char> = token.chars().collect();
    signs.chunks(PIECE).filter(|chunk| chunk.len() == PIECE).map(|it| it.iter().collect()).collect()
}

fn all_cases(pool: &UserPool, trap: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(header::algorithms(pool));
    cases.extend(header::embedded_keys(pool, trap));
    cases.extend(header::key_ids(pool));
    cases.extend(structure::structures(pool));
    cases.extend(structure::json_structures(pool));
    cases.extend(signature::signatures(pool));
    cases.extend(signature::edits(pool));
    cases.extend(claim::wrong_types(pool));
    cases.extend(claim::times(pool));
    cases.extend(claim::issuers(pool));
    cases.extend(claim::uses_and_clients(pool));
    cases.extend(claim::audiences_and_confirmations(pool));
    cases.extend(claim::scopes_groups_permissions(pool));
    cases.extend(request::headers(pool));
    cases.extend(request::paths());
    cases
}

fn claims(pool: &UserPool) -> Value {
    pool.token("alice").scope("profile").payload()
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object.as_object_mut().unwrap().insert(name.into(), value);
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn signed(pool: &UserPool, header: &Value, payload: &Value) -> String {
    pool.sign_parts(header.to_string(), payload.to_string())
}
