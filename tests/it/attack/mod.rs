//! The attack table: requests that must not pass, sent over real HTTP.
//!
//! Most cases are generated, for example one for each bit position of the signature, and one for each claim with each
//! wrong type. Each case has an expected status and code. In addition, no case may cause a 5xx status, a response that
//! reflects the input, a log line with a piece of the token, or a request to an address from the token.
//!
//! The table also has controls: requests that differ little from an attack but must pass.

mod claim;
mod control;
mod header;
mod places;
mod request;
mod secrets;
mod signature;
mod structure;

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{Router, routing::get};
use serde_json::Value;
use tower_cognito::{
    Claims, CognitoLayer, TokenUse, Verifier, group, permission, policy::token_use, require, scope,
};
use tower_cognito_local::UserPool;

use self::secrets::Secrets;
use crate::support::{
    HttpResponse, KeyServer, Reply, ThreadLogs, bearer, full_verifier, send, serve,
};

/// The user of all tokens. The name occurs nowhere else, so that it can be found in logs.
pub(crate) const USER: &str = "canary-user-5e1f";

/// The number of distinct attacks. The README states it too: change both.
const ATTACKS: usize = 1_063;

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

    /// A request that must pass.
    fn control(name: impl Into<String>, lines: impl Into<Vec<u8>>) -> Self {
        Self::lines(name, lines, 200, "ok")
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

/// Accepts any code, for edits that can violate one of several rules first.
const ANY_CODE: &str = "*";

/// The attacked service.
fn app(verifier: Verifier) -> Router {
    let protected = require(token_use(TokenUse::Id) | scope("profile"));
    let admin = require(group("admin") | permission("write:all"));
    let subject = |claims: Claims| async move { claims.subject().to_owned() };
    Router::new()
        .route("/api/protected", get(subject).layer(protected))
        .route("/api/admin", get(|| async {}).layer(admin))
        .route("/api/me", get(|claims: Claims| async move { claims.payload().to_owned() }))
        .layer(CognitoLayer::new(verifier))
        .route("/public", get(|| async {}))
}

struct Target {
    pool: UserPool,
    address: SocketAddr,
}

async fn target(cache_bytes: usize) -> Target {
    let pool = UserPool::start().await.unwrap();
    let verifier = full_verifier(&pool)
        .token_cache_bytes(cache_bytes)
        // All unknown keys of a run fall into one window, regardless of its duration.
        .unknown_key_window(Duration::from_secs(3600))
        .build()
        .unwrap();
    verifier.ready().await.unwrap();
    let address = serve(app(verifier)).await;
    Target { pool, address }
}

/// Runs on one thread, so that the log of that thread is complete.
#[tokio::test]
async fn no_attack_passes() {
    count_panics();
    let trap = KeyServer::start(Reply::Close).await;
    let (mut runs, mut control_runs) = (0, 0);
    for cache_bytes in [32 << 20, 0] {
        let logs = ThreadLogs::start();
        let target = target(cache_bytes).await;
        let (attacks, controls) = (attacks(&target.pool, &trap.uri()), control::all(&target.pool));
        assert_all_differ(&attacks, &controls);
        assert!(attacks.iter().all(|case| case.status >= 400));
        assert_eq!(attacks.len(), ATTACKS, "change `ATTACKS` and the README's number");

        let send_case = async |case: &Case| {
            let response = send(target.address, case.method, &case.path, &case.lines).await;
            assert_response(case, &response, &Secrets::of(&target.pool, [case]));
        };
        // Valid tokens are in the cache during the attacks, and still pass afterwards.
        for control in &controls {
            send_case(control).await;
        }
        let fetches = target.pool.fetches();
        for attack in &attacks {
            send_case(attack).await;
        }
        assert_eq!(target.pool.fetches() - fetches, 2, "unknown keys cause two fetches a window");
        for control in &controls {
            send_case(control).await;
        }
        runs += attacks.len();
        control_runs += 2 * controls.len();
        println!(
            "{} attacks and {} controls {} the token cache",
            attacks.len(),
            controls.len(),
            if cache_bytes > 0 { "with" } else { "without" }
        );

        let logs = logs.text();
        let refused = attacks.iter().filter(|case| case.status != 431).count();
        assert_eq!(
            logs.matches("request rejected").count(),
            refused,
            "some log lines were not captured"
        );
        let secrets = Secrets::of(&target.pool, attacks.iter().chain(&controls));
        assert!(secrets.len() > attacks.len(), "only {} pieces are searched for", secrets.len());
        let leaks = secrets.places_in(&logs);
        assert!(leaks.is_empty(), "a piece of a token is in the log: {leaks:?}");
    }
    assert_eq!(PANICS.load(Ordering::SeqCst), 0, "the library panicked");
    assert_eq!(trap.fetches(), 0, "keys were requested from an address in a token");
    // Checks that the trap counts requests.
    send(trap.address(), "GET", "/jwks.json", b"").await;
    assert_eq!(trap.fetches(), 1);
    println!("attacks sent: {runs}, accepted: 0; controls sent: {control_runs}, rejected: 0");
}

/// Asserts that all requests and all names are distinct.
fn assert_all_differ(attacks: &[Case], controls: &[Case]) {
    let (mut names, mut requests) = (HashSet::new(), HashSet::new());
    let mut repeated = Vec::new();
    for case in attacks.iter().chain(controls) {
        let is_new_request = requests.insert((case.method, &case.path, &case.lines));
        if !names.insert(&case.name) || !is_new_request {
            repeated.push(&case.name);
        }
    }
    assert!(repeated.is_empty(), "another case has the same name or request: {repeated:?}");
}

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts panics in the library's own code; other tests may panic on purpose.
fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let is_in_library = panic.location().is_some_and(|place| place.file().starts_with("src/"));
        // The tests of completed futures poll them again.
        if is_in_library && !panic.to_string().contains("polled after it had completed") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        before(panic);
    }));
}

/// Asserts that a response has the expected status, code and challenge, and contains no secret.
fn assert_response(case: &Case, response: &HttpResponse, secrets: &Secrets) {
    let name = &case.name;
    assert_eq!(response.status, case.status, "{name}: {:?}", response.code());
    if case.status == 200 {
        assert_eq!((response.code(), response.challenge()), (case.code.to_owned(), None), "{name}");
        return;
    }
    if case.code != ANY_CODE && case.method != "HEAD" {
        assert_eq!(response.code(), case.code, "{name}");
    }
    if matches!(response.status, 400 | 401 | 403) {
        let challenge = response.challenge().unwrap_or_else(|| panic!("{name}: no challenge"));
        assert_well_formed(challenge, name);
        if case.method != "HEAD" {
            let names_an_error = challenge.contains("error=");
            assert_eq!(
                names_an_error,
                response.code() != "missing_credential",
                "{name}: {challenge}"
            );
        }
    }
    let shown = format!("{:?} {}", response.headers, response.body);
    assert!(!secrets.are_in(&shown), "{name}: the response reflects the input");
}

/// Asserts that a challenge is `Bearer` with quoted parameters, separated by commas (RFC 6750, section 3).
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

/// Returns the tokens of all attacks and controls that are sent in the `Authorization` header.
pub(crate) fn tokens(pool: &UserPool) -> Vec<String> {
    let cases = attacks(pool, "https://trap.test/").into_iter().chain(control::all(pool));
    cases
        .filter_map(|case| {
            let lines = String::from_utf8(case.lines).ok()?;
            let token = lines.to_ascii_lowercase().find("bearer ")? + "bearer ".len();
            Some(lines[token..].trim_end().to_owned())
        })
        .collect()
}

fn attacks(pool: &UserPool, trap: &str) -> Vec<Case> {
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
    pool.token(USER).scope("profile").payload()
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
