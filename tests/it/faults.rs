//! A key endpoint that breaks in every way, over real HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use tower_cognito::{AuthError, AuthErrorKind, Pool, Verifier, VerifierBuilder};
use tower_cognito_local::UserPool;

use crate::support::{KeyServer, Reply, eventually};

fn builder(pool: &UserPool, server: &KeyServer) -> VerifierBuilder {
    Verifier::builder(Pool::custom(pool.issuer(), server.uri()).access_tokens([pool.client_id()]))
        .fetch_timeout(Duration::from_millis(300))
}

fn http(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\n\r\n").as_bytes(), body.as_ref()].concat()
}

/// Every way in which an endpoint can fail to give a key set.
fn broken(pool: &UserPool, elsewhere: &KeyServer) -> Vec<(&'static str, Reply)> {
    let good = pool.key_set().unwrap().to_json();
    let length = good.len();
    let odd = |text: &str| Reply::json(text);
    let mut replies = vec![
        ("closes", Reply::Close),
        ("hangs", Reply::Hang(Vec::new())),
        (
            "hangs after the head",
            Reply::Hang(http(&format!("200 OK\r\nContent-Length: {length}"), "")),
        ),
        (
            "hangs in the body",
            Reply::Hang(http(&format!("200 OK\r\nContent-Length: {length}"), &good[..50])),
        ),
        (
            "drips",
            Reply::Drip(
                http(&format!("200 OK\r\nContent-Length: {length}"), &good),
                Duration::from_millis(20),
            ),
        ),
        ("drips its head", Reply::Drip(b"HTTP/1.1 200 OK\r\n".to_vec(), Duration::from_millis(50))),
        (
            "cut short",
            Reply::Bytes(http(
                &format!("200 OK\r\nContent-Length: {length}"),
                &good[..length - 10],
            )),
        ),
        (
            "says too long",
            Reply::Bytes(http(&format!("200 OK\r\nContent-Length: {}", length + 10), &good)),
        ),
        (
            "says too short",
            Reply::Bytes(http(&format!("200 OK\r\nContent-Length: {}", length - 10), &good)),
        ),
        ("no HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH\r\n".to_vec())),
        ("NULs", Reply::Bytes(vec![0; 4096])),
        ("TLS alert", Reply::Bytes(vec![0x15, 3, 3, 0, 2, 2, 40])),
        (
            "endless head",
            Reply::Bytes(
                b"HTTP/1.1 200 OK\r\n"
                    .iter()
                    .copied()
                    .chain(b"X: y\r\n".iter().copied().cycle().take(2 << 20))
                    .collect(),
            ),
        ),
        ("bad chunks", Reply::Bytes(http("200 OK\r\nTransfer-Encoding: chunked", "zz\r\n{}"))),
        ("50 MB", Reply::Bytes(http("200 OK\r\nContent-Length: 52428800", vec![b' '; 1 << 20]))),
        ("200 KiB of spaces before", odd(&format!("{}{good}", " ".repeat(200 << 10)))),
        (
            "gzip",
            Reply::Bytes(http("200 OK\r\nContent-Encoding: gzip\r\nConnection: close", GZIP_BOMB)),
        ),
        ("204", Reply::status("204 No Content", "")),
        ("206", Reply::status("206 Partial Content", &good)),
        ("304", Reply::status("304 Not Modified", "")),
        ("HTML", odd("<!doctype html><title>maintenance</title>")),
        ("empty body", odd("")),
        ("empty object", odd("{}")),
        ("empty set", odd(r#"{"keys":[]}"#)),
        ("null keys", odd(r#"{"keys":null}"#)),
        ("an array", odd(&format!("[{good}]"))),
        ("half a document", odd(&good[..length / 2])),
        ("two documents", odd(&format!("{good}{good}"))),
        ("a mark before", odd(&format!("\u{feff}{good}"))),
        ("not UTF-8", Reply::Bytes(http("200 OK\r\nConnection: close", [0xff, 0xfe, 0x7b, 0x7d]))),
        ("deep", odd(&format!(r#"{{"keys":{}{}}}"#, "[".repeat(40_000), "]".repeat(40_000)))),
        (
            "EC keys alone",
            odd(
                r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","x":"AA","y":"AA"}]}"#,
            ),
        ),
        ("an error document", odd(r#"{"message":"User pool us-east-1_x does not exist."}"#)),
    ];
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let head = format!("{status}\r\nLocation: {}\r\nContent-Length: 0", elsewhere.uri());
        replies.push(("redirects", Reply::Bytes(http(&head, ""))));
    }
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
    ] {
        // A document in an error's body is no key set.
        replies.push(("error status", Reply::status(status, &good)));
    }
    replies
}

/// The head of a gzip stream; what matters is that nobody unpacks it.
const GZIP_BOMB: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_of_the_endpoint_refuses_a_token_whose_key_is_known() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    let elsewhere = KeyServer::start(Reply::json(&good)).await;
    let server = KeyServer::start(Reply::json(&good)).await;
    let verifier = builder(&pool, &server)
        .refresh_interval(Duration::from_secs(1))
        .unknown_key_window(Duration::from_millis(100))
        .build_with_room();
    eventually("the keys are there", async || verifier.ready().await.is_ok()).await;

    // Steady traffic, some of it with tokens never seen before.
    let (stop, passed, refused) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let traffic = {
        let (verifier, stop, passed, refused) =
            (verifier.clone(), Arc::clone(&stop), Arc::clone(&passed), Arc::clone(&refused));
        let warm = pool.token("alice").sign();
        let tokens: Vec<_> = (0..200).map(|n| pool.token(format!("user{n}")).sign()).collect();
        tokio::spawn(async move {
            let mut round = 0_usize;
            while !stop.load(Ordering::SeqCst) {
                for token in [&warm, &tokens[round % tokens.len()]] {
                    let counter =
                        if verifier.verify(token).await.is_ok() { &passed } else { &refused };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                round += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };

    let faults = broken(&pool, &elsewhere);
    for (name, reply) in &faults {
        server.set(reply.clone());
        let (before, seen) = (verifier.health()[0].fetches, passed.load(Ordering::SeqCst));
        eventually(name, async || {
            let health = &verifier.health()[0];
            health.fetches >= before + 2
                && health.last_error.is_some()
                && passed.load(Ordering::SeqCst) > seen
        })
        .await;
        assert_eq!(verifier.health()[0].keys, 2, "{name}: good keys were replaced");
        assert_eq!(refused.load(Ordering::SeqCst), 0, "{name}: a valid token was refused");
    }

    // Well again: a new key is accepted by its first request, or after the limit's short window.
    pool.rotate().unwrap();
    server.set(Reply::json(&pool.key_set().unwrap().to_json()));
    let token = pool.token("bob").sign();
    eventually("the new key is accepted", async || verifier.verify(&token).await.is_ok()).await;
    stop.store(true, Ordering::SeqCst);
    traffic.await.unwrap();
    assert_eq!(refused.load(Ordering::SeqCst), 0);
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
    println!(
        "faults survived: {}, valid tokens meanwhile: {}",
        faults.len(),
        passed.load(Ordering::SeqCst)
    );
}

trait BuildWithRoom {
    fn build_with_room(self) -> Verifier;
}

impl BuildWithRoom for VerifierBuilder {
    /// Keys live long enough for the whole test.
    fn build_with_room(self) -> Verifier {
        self.max_staleness(Duration::from_secs(3600)).build().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_at_a_broken_endpoint_answers_503_and_heals() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    let elsewhere = KeyServer::start(Reply::json(&good)).await;
    let token = pool.token("alice").sign();
    let mut tasks = tokio::task::JoinSet::new();
    for (name, reply) in broken(&pool, &elsewhere) {
        let server = KeyServer::start(reply).await;
        let verifier =
            builder(&pool, &server).unknown_key_window(Duration::from_millis(200)).build().unwrap();
        let (token, good, issuer) = (token.clone(), good.clone(), pool.issuer().to_owned());
        tasks.spawn(async move {
            let failure = verifier.ready().await.unwrap_err();
            assert_eq!(failure.issuer(), issuer, "{name}");
            let is_unavailable = |error: AuthError| {
                assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable, "{name}");
                // The next fetch is due within the window, and the header has whole seconds.
                assert_eq!(error.retry_after(), Some(Duration::from_secs(1)), "{name}");
            };
            is_unavailable(verifier.verify(&token).await.unwrap_err());
            server.set(Reply::json(&good));
            while let Err(error) = verifier.verify(&token).await {
                is_unavailable(error);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
}

#[tokio::test]
async fn nobody_listening_is_unavailable_too() {
    let pool = UserPool::start().await.unwrap();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let own = Pool::custom(pool.issuer(), format!("http://{free}/jwks.json"))
        .access_tokens([pool.client_id()]);
    let verifier = Verifier::builder(own).build().unwrap();
    let error = verifier.verify(&pool.token("alice").sign()).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable);
}

#[tokio::test]
async fn a_set_with_odd_entries_works_for_the_others() {
    let pool = UserPool::start().await.unwrap();
    let mut document: serde_json::Value =
        serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    document["keys"]
        .as_array_mut()
        .unwrap()
        .splice(0..0, [json!(null), json!({ "kty": "AKP", "kid": "pq" })]);
    for kind in ["application/json", "application/jwk-set+json", "text/plain", "text/html"] {
        let head = format!("200 OK\r\nContent-Type: {kind}\r\nConnection: close");
        let server = KeyServer::start(Reply::Bytes(http(&head, document.to_string()))).await;
        let verifier = builder(&pool, &server).build().unwrap();
        assert!(verifier.verify(&pool.token("alice").sign()).await.is_ok(), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_unknown_keys_cost_two_fetches() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    for (reply, kind) in [
        (Reply::Json(good.clone()), AuthErrorKind::UnknownKey),
        (Reply::status("500 Internal Server Error", ""), AuthErrorKind::KeysUnavailable),
    ] {
        let server = KeyServer::start(Reply::json(&good)).await;
        let verifier = builder(&pool, &server)
            .fetch_timeout(Duration::from_secs(30))
            // One window for all, however long they take.
            .unknown_key_window(Duration::from_secs(3600))
            .build()
            .unwrap();
        eventually("the keys are there", async || verifier.ready().await.is_ok()).await;
        server.set(reply);
        let payload = pool.token("mallory").payload().to_string();
        let warm = pool.token("alice").sign();
        let tasks: Vec<_> = (0..10)
            .map(|task| {
                let (verifier, warm) = (verifier.clone(), warm.clone());
                // The signature is never looked at, so that any will do.
                let tokens: Vec<_> =
                    (0..1000).map(|n| unsigned(&format!("k{task}-{n}"), &payload)).collect();
                tokio::spawn(async move {
                    for token in tokens {
                        assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), kind);
                        verifier.verify(&warm).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(server.fetches(), 3, "one at the start, and two for all the unknown keys");
    }
}

fn unsigned(kid: &str, payload: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload),
        "A".repeat(342)
    )
}
