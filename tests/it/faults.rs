//! Faults of the key endpoint, over HTTP.

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

/// Returns the ways in which an endpoint can fail to send a key set.
fn faults(pool: &UserPool, elsewhere: &KeyServer) -> Vec<(&'static str, Reply)> {
    let good = pool.key_set().unwrap().to_json();
    let length = good.len();
    let json = |text: &str| Reply::json(text);
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
            "one byte at a time",
            Reply::Drip(
                http(&format!("200 OK\r\nContent-Length: {length}"), &good),
                Duration::from_millis(20),
            ),
        ),
        (
            "headers one byte at a time",
            Reply::Drip(b"HTTP/1.1 200 OK\r\n".to_vec(), Duration::from_millis(50)),
        ),
        (
            "cut short",
            Reply::Bytes(http(
                &format!("200 OK\r\nContent-Length: {length}"),
                &good[..length - 10],
            )),
        ),
        (
            "Content-Length too large",
            Reply::Bytes(http(&format!("200 OK\r\nContent-Length: {}", length + 10), &good)),
        ),
        (
            "Content-Length too small",
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
        ("200 KiB of spaces before", json(&format!("{}{good}", " ".repeat(200 << 10)))),
        (
            "gzip",
            Reply::Bytes(http("200 OK\r\nContent-Encoding: gzip\r\nConnection: close", GZIP_BOMB)),
        ),
        ("204", Reply::status("204 No Content", "")),
        ("206", Reply::status("206 Partial Content", &good)),
        ("304", Reply::status("304 Not Modified", "")),
        ("HTML", json("<!doctype html><title>maintenance</title>")),
        ("empty body", json("")),
        ("empty object", json("{}")),
        ("empty set", json(r#"{"keys":[]}"#)),
        ("null keys", json(r#"{"keys":null}"#)),
        ("an array", json(&format!("[{good}]"))),
        ("half a document", json(&good[..length / 2])),
        ("two documents", json(&format!("{good}{good}"))),
        ("byte order mark", json(&format!("\u{feff}{good}"))),
        ("not UTF-8", Reply::Bytes(http("200 OK\r\nConnection: close", [0xff, 0xfe, 0x7b, 0x7d]))),
        ("deep", json(&format!(r#"{{"keys":{}{}}}"#, "[".repeat(40_000), "]".repeat(40_000)))),
        (
            "only EC keys",
            json(
                r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","x":"AA","y":"AA"}]}"#,
            ),
        ),
        ("an error document", json(r#"{"message":"User pool us-east-1_x does not exist."}"#)),
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
        // The body of an error response is not used, even if it is a key set.
        replies.push(("error status", Reply::status(status, &good)));
    }
    replies
}

/// The head of a gzip stream, which must not be decompressed.
const GZIP_BOMB: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_key_endpoint_affect_no_token_with_a_known_key() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    let elsewhere = KeyServer::start(Reply::json(&good)).await;
    let server = KeyServer::start(Reply::json(&good)).await;
    let verifier = builder(&pool, &server)
        .refresh_interval(Duration::from_secs(1))
        .unknown_key_window(Duration::from_millis(100))
        .max_staleness(Duration::from_secs(3600))
        .build()
        .unwrap();
    eventually("the keys are fetched", async || verifier.ready().await.is_ok()).await;

    // Requests without pause, half of them with tokens that are not cached yet.
    let (stop, passed, rejected) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let traffic = {
        let (verifier, stop, passed, rejected) =
            (verifier.clone(), Arc::clone(&stop), Arc::clone(&passed), Arc::clone(&rejected));
        let warm = pool.token("alice").sign();
        let tokens: Vec<_> = (0..200).map(|n| pool.token(format!("user{n}")).sign()).collect();
        tokio::spawn(async move {
            let mut round = 0_usize;
            while !stop.load(Ordering::SeqCst) {
                for token in [&warm, &tokens[round % tokens.len()]] {
                    let counter =
                        if verifier.verify(token).await.is_ok() { &passed } else { &rejected };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
                round += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    };

    let faults = faults(&pool, &elsewhere);
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
        assert_eq!(verifier.health()[0].keys, 2, "{name}: the keys were replaced");
        assert_eq!(rejected.load(Ordering::SeqCst), 0, "{name}: a valid token was rejected");
    }

    // After the faults a new key is accepted: at its first request, or when the short limiting window ends.
    pool.rotate().unwrap();
    server.set(Reply::json(&pool.key_set().unwrap().to_json()));
    let token = pool.token("bob").sign();
    eventually("the new key is accepted", async || verifier.verify(&token).await.is_ok()).await;
    stop.store(true, Ordering::SeqCst);
    traffic.await.unwrap();
    assert_eq!(rejected.load(Ordering::SeqCst), 0);
    assert_eq!(elsewhere.fetches(), 0, "a redirect was followed");
    println!(
        "faults: {}, valid tokens accepted in the meantime: {}",
        faults.len(),
        passed.load(Ordering::SeqCst)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_with_a_faulty_key_endpoint_is_unavailable_and_recovers() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    let elsewhere = KeyServer::start(Reply::json(&good)).await;
    let token = pool.token("alice").sign();
    let mut tasks = tokio::task::JoinSet::new();
    for (name, reply) in faults(&pool, &elsewhere) {
        let server = KeyServer::start(reply).await;
        let verifier =
            builder(&pool, &server).unknown_key_window(Duration::from_millis(200)).build().unwrap();
        let (token, good, issuer) = (token.clone(), good.clone(), pool.issuer().to_owned());
        tasks.spawn(async move {
            let failure = verifier.ready().await.unwrap_err();
            assert_eq!(failure.issuer(), issuer, "{name}");
            let is_unavailable = |error: AuthError| {
                assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable, "{name}");
                // The next fetch is due within the window of 200 milliseconds, and the header contains whole seconds.
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
async fn keys_are_unavailable_if_the_connection_is_refused() {
    let pool = UserPool::start().await.unwrap();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let own = Pool::custom(pool.issuer(), format!("http://{free}/jwks.json"))
        .access_tokens([pool.client_id()]);
    let verifier = Verifier::builder(own).build().unwrap();
    let error = verifier.verify(&pool.token("alice").sign()).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable);
}

#[tokio::test]
async fn unusable_entries_of_a_set_do_not_affect_the_others() {
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
async fn ten_thousand_unknown_keys_cause_two_fetches() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    for (reply, kind) in [
        (Reply::Json(good.clone()), AuthErrorKind::UnknownKey),
        (Reply::status("500 Internal Server Error", ""), AuthErrorKind::KeysUnavailable),
    ] {
        let server = KeyServer::start(Reply::json(&good)).await;
        let verifier = builder(&pool, &server)
            .fetch_timeout(Duration::from_secs(30))
            // One window for all requests, however long they take.
            .unknown_key_window(Duration::from_secs(3600))
            .build()
            .unwrap();
        eventually("the keys are fetched", async || verifier.ready().await.is_ok()).await;
        server.set(reply);
        let payload = pool.token("mallory").payload().to_string();
        let warm = pool.token("alice").sign();
        let tasks: Vec<_> = (0..10)
            .map(|task| {
                let (verifier, warm) = (verifier.clone(), warm.clone());
                // The signature is never verified, so its content does not matter.
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
        assert_eq!(server.fetches(), 3, "one at the start, and two for the unknown keys");
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
