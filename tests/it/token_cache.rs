//! A token seen before is held to the same rules as one seen for the first time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use tower_cognito::{AuthErrorKind, Pool, Verifier, group, local::UserPool, scope};

use crate::support::{HandClock, KeyServer, Reply, eventually};

#[tokio::test]
async fn an_expired_token_is_refused_on_a_warm_hit() {
    let pool = UserPool::start().await.unwrap();
    for cache_bytes in [1 << 20, 0] {
        let clock = HandClock::new();
        let verifier =
            pool.verifier().clock(clock.clone()).token_cache_bytes(cache_bytes).build().unwrap();
        let token = pool.token("alice").expires_in(Duration::from_secs(100)).sign();
        assert!(verifier.verify(&token).await.is_ok());
        clock.advance(Duration::from_secs(98));
        assert!(verifier.verify(&token).await.is_ok());
        clock.advance(Duration::from_secs(2));
        assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), AuthErrorKind::Expired);
    }
}

#[tokio::test]
async fn leeway_is_for_the_end_and_skew_for_the_beginning() {
    let pool = UserPool::start().await.unwrap();
    let clock = HandClock::new();
    let builder = || pool.verifier().clock(clock.clone());
    let strict = builder().clock_skew(Duration::ZERO).build().unwrap();
    let lenient = builder().expiry_leeway(Duration::from_secs(60)).build().unwrap();
    let now = crate::support::wall_time();
    let early = pool.token("alice").issued_at(now + Duration::from_secs(20)).sign();
    assert_eq!(strict.verify(&early).await.unwrap_err().kind(), AuthErrorKind::NotYetValid);
    assert!(lenient.verify(&early).await.is_ok());
    let late = pool.token("alice").issued_at(now - Duration::from_secs(3630)).sign();
    assert_eq!(strict.verify(&late).await.unwrap_err().kind(), AuthErrorKind::Expired);
    assert!(lenient.verify(&late).await.is_ok());
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_on_a_warm_token() {
    let pool = UserPool::start().await.unwrap();
    for cache_bytes in [1 << 20, 0] {
        let verifier = pool
            .verifier()
            .refresh_interval(Duration::from_secs(1))
            .token_cache_bytes(cache_bytes)
            .build()
            .unwrap();
        let token = pool.token("alice").sign();
        assert!(verifier.verify(&token).await.is_ok());
        pool.rotate().unwrap();
        pool.withdraw_old_keys();
        eventually("the withdrawn key is dropped", async || verifier.verify(&token).await.is_err())
            .await;
        assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), AuthErrorKind::UnknownKey);
        assert!(verifier.verify(&pool.token("alice").sign()).await.is_ok());
    }
}

#[tokio::test]
async fn a_key_replaced_under_its_own_id_is_refused_on_a_warm_token() {
    let pool = UserPool::builder().own_keys().start().await.unwrap();
    let other = UserPool::builder().own_keys().start().await.unwrap();
    let server = KeyServer::start(Reply::json(&pool.key_set().unwrap().to_json())).await;
    let verifier = Verifier::for_pools([
        Pool::custom(pool.issuer(), server.uri()).access_tokens([pool.client_id()])
    ])
    .refresh_interval(Duration::from_millis(200))
    .build()
    .unwrap();
    let token = pool.token("alice").sign();
    assert!(verifier.verify(&token).await.is_ok());
    // The same key ids, with the key material of another pool.
    let mut ours: serde_json::Value =
        serde_json::from_str(&pool.key_set().unwrap().to_json()).unwrap();
    let theirs: serde_json::Value =
        serde_json::from_str(&other.key_set().unwrap().to_json()).unwrap();
    for position in 0..2 {
        ours["keys"][position]["n"] = theirs["keys"][position]["n"].clone();
    }
    server.set(Reply::json(&ours));
    eventually("the replaced key is dropped", async || verifier.verify(&token).await.is_err())
        .await;
    assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), AuthErrorKind::BadSignature);
}

#[tokio::test]
async fn a_policys_answer_is_not_remembered() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").scope("a").sign();
    for _ in 0..3 {
        let claims = verifier.verify(&token).await.unwrap();
        assert!(scope("a").check(&claims).is_ok());
        assert!(group("admin").check(&claims).is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_token_gets_its_own_claims_under_a_flood_that_overflows_the_cache() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().token_cache_bytes(64 * 1024).build().unwrap();
    let tokens: Arc<Vec<_>> = Arc::new(
        (0..300).map(|n| (format!("user{n}"), pool.token(format!("user{n}")).sign())).collect(),
    );
    let answered = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..4)
        .map(|offset| {
            let (verifier, tokens, answered) =
                (verifier.clone(), Arc::clone(&tokens), Arc::clone(&answered));
            tokio::spawn(async move {
                for step in 0..1500 {
                    let (name, token) = &tokens[(step * (offset + 1) + offset) % tokens.len()];
                    let claims = verifier.verify(token).await.unwrap();
                    assert_eq!(claims.username(), Some(name.as_str()));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(answered.load(Ordering::Relaxed), 6000);
}

#[tokio::test]
async fn a_warm_token_is_the_same_proof_and_a_cold_one_is_not() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    for (cache_bytes, same) in [(1 << 20, true), (0, false)] {
        let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
        let (first, again) =
            (verifier.verify(&token).await.unwrap(), verifier.verify(&token).await.unwrap());
        assert_eq!(std::ptr::eq(first.payload(), again.payload()), same);
    }
}

#[tokio::test]
async fn an_edit_of_a_warm_token_is_not_taken_for_it() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    // Once for the level that threads share, and once for the thread's own.
    for _ in 0..2 {
        assert!(verifier.verify(&token).await.is_ok());
    }
    for position in 0..token.len() {
        let mut edited = token.clone().into_bytes();
        edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
        let edited = String::from_utf8(edited).unwrap();
        assert!(verifier.verify(&edited).await.is_err(), "sign {position}");
        assert!(verifier.verify(&token[..position]).await.is_err(), "cut at {position}");
    }
}

#[tokio::test]
async fn what_one_verifier_knows_another_on_the_thread_does_not() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let knows = pool.verifier().build().unwrap();
    for _ in 0..3 {
        assert!(knows.verify(&token).await.is_ok());
    }
    let own = || Pool::custom(pool.issuer(), pool.jwks_uri());
    let other_client = Verifier::for_pools([own().access_tokens(["other"])]).build().unwrap();
    let other_keys = UserPool::builder().own_keys().start().await.unwrap().key_set().unwrap();
    let other_keys = own().access_tokens([pool.client_id()]).static_keys(other_keys);
    let other_keys = Verifier::for_pools([other_keys]).build().unwrap();
    for _ in 0..2 {
        let refused = async |verifier: &Verifier| verifier.verify(&token).await.unwrap_err().kind();
        assert_eq!(refused(&other_client).await, AuthErrorKind::WrongClient);
        assert_eq!(refused(&other_keys).await, AuthErrorKind::UnknownKey);
        assert!(knows.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn a_withdrawn_key_is_dropped_by_all_threads() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().refresh_interval(Duration::from_millis(300)).build().unwrap();
    let token = pool.token("alice").sign();
    verifier.verify(&token).await.unwrap();
    // Each of these lives through the rotation and asks whenever it is told to.
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            let (ask, asked) = mpsc::channel::<()>();
            let (answer, answers) = mpsc::channel();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.unwrap();
                while asked.recv().is_ok() {
                    let result = runtime.block_on(verifier.verify(&token));
                    answer.send(result.err().map(|error| error.kind())).unwrap();
                }
            });
            (ask, answers)
        })
        .collect();
    let all = |expected: Option<AuthErrorKind>| {
        threads.iter().all(|(ask, answers)| {
            ask.send(()).unwrap();
            answers.recv().unwrap() == expected
        })
    };
    for _ in 0..3 {
        assert!(all(None));
    }
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    eventually("this thread drops the key", async || verifier.verify(&token).await.is_err()).await;
    for _ in 0..2 {
        assert!(all(Some(AuthErrorKind::UnknownKey)));
    }
}

#[tokio::test]
async fn a_cache_of_any_size_serves() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    for cache_bytes in [0, 1, 100, 5000, usize::MAX] {
        let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
        for _ in 0..3 {
            assert!(verifier.verify(&token).await.is_ok(), "{cache_bytes}");
        }
    }
}
