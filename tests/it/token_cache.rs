//! A cached token is checked by the same rules as a new one.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Waker},
    time::{Duration, UNIX_EPOCH},
};

use tower_cognito::{AuthErrorKind, Claims, Pool, Verified, Verifier, group, scope};
use tower_cognito_local::UserPool;

use crate::support::{KeyServer, ManualClock, Reply, Source, builder, eventually, on_threads};

#[tokio::test]
async fn expired_token_is_rejected_from_cache() {
    let pool = UserPool::start().await.unwrap();
    for cache_bytes in [1 << 20, 0] {
        let clock = ManualClock::new();
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
async fn cached_token_is_not_yet_valid_after_the_clock_is_set_back() {
    let pool = UserPool::start().await.unwrap();
    let keys = pool.key_set().unwrap();
    let fixed = Pool::custom(pool.issuer(), pool.jwks_uri()).access_tokens([pool.client_id()]);
    let fixed = Verifier::builder(fixed.static_keys(keys));
    for builder in [pool.verifier(), pool.verifier().token_cache_bytes(0), fixed] {
        let clock = ManualClock::new();
        let verifier = builder.clock(clock.clone()).build().unwrap();
        let begin = crate::support::wall_time() + Duration::from_secs(100);
        let token = pool.token("alice").issued_at(begin).sign();
        let kind = async || verifier.verify(&token).await.err().map(|error| error.kind());
        assert_eq!(kind().await, Some(AuthErrorKind::NotYetValid));
        clock.advance(Duration::from_secs(100));
        for _ in 0..4 {
            assert_eq!(kind().await, None);
        }
        clock.set(Duration::from_secs(10));
        assert_eq!(kind().await, Some(AuthErrorKind::NotYetValid));
        clock.set(Duration::from_secs(4000));
        assert_eq!(kind().await, Some(AuthErrorKind::Expired));
    }
}

#[tokio::test]
async fn no_token_is_valid_with_a_clock_before_1970() {
    let pool = UserPool::start().await.unwrap();
    let clock = || UNIX_EPOCH - Duration::from_secs(1);
    let verifier = pool.verifier().clock(clock).build().unwrap();
    let error = verifier.verify(&pool.token("alice").claim("iat", 0).sign()).await.unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::NotYetValid);
    assert!(error.detail().contains("before 1970"), "{error}");
}

#[tokio::test]
async fn leeway_applies_to_expiry_and_skew_to_not_before() {
    let pool = UserPool::start().await.unwrap();
    let clock = ManualClock::new();
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
async fn leeway_and_skew_are_exact_to_the_second() {
    const NOW: u64 = 1_800_000_000;
    let pool = UserPool::start().await.unwrap();
    let verifier = pool
        .verifier()
        .clock(|| UNIX_EPOCH + Duration::from_secs(NOW))
        .expiry_leeway(Duration::from_secs(60))
        .clock_skew(Duration::from_secs(30))
        .build()
        .unwrap();
    let token = || pool.token("alice").claim("exp", NOW + 3600).claim("iat", NOW);
    for (claim, time, expected) in [
        ("exp", NOW - 59, None),
        ("exp", NOW - 60, Some(AuthErrorKind::Expired)),
        ("iat", NOW + 30, None),
        ("iat", NOW + 31, Some(AuthErrorKind::NotYetValid)),
        ("nbf", NOW + 30, None),
        ("nbf", NOW + 31, Some(AuthErrorKind::NotYetValid)),
    ] {
        let outcome = verifier.verify(&token().claim(claim, time).sign()).await;
        assert_eq!(outcome.err().map(|error| error.kind()), expected, "{claim} {time}");
    }
}

#[tokio::test]
async fn withdrawn_key_is_rejected_from_cache() {
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
async fn cached_token_is_rejected_by_the_first_set_without_its_key() {
    for cache_bytes in [1 << 20, 0] {
        let pool = UserPool::builder().own_keys().start().await.unwrap();
        let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
        let token = pool.token("alice").sign();
        for _ in 0..4 {
            assert!(verifier.verify(&token).await.is_ok());
        }
        pool.rotate().unwrap();
        pool.withdraw_old_keys();
        assert!(verifier.verify(&token).await.is_ok(), "the new set is not fetched yet");
        assert!(verifier.verify(&pool.token("alice").sign()).await.is_ok());
        assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), AuthErrorKind::UnknownKey);
    }
}

#[tokio::test]
async fn withdrawn_key_is_rejected_from_cache_with_several_pools() {
    for withdrawn in [0, 1] {
        let start = || UserPool::builder().own_keys().start();
        let pools = [start().await.unwrap(), start().await.unwrap()];
        let own = |pool: &UserPool| {
            Pool::custom(pool.issuer(), pool.jwks_uri()).access_tokens([pool.client_id()])
        };
        let verifier = Verifier::builder(own(&pools[0])).add_pool(own(&pools[1])).build().unwrap();
        let tokens = pools.each_ref().map(|pool| pool.token("alice").sign());
        for _ in 0..4 {
            for token in &tokens {
                assert!(verifier.verify(token).await.is_ok());
            }
        }
        let pool = &pools[withdrawn];
        pool.rotate().unwrap();
        pool.withdraw_old_keys();
        assert!(verifier.verify(&pool.token("alice").sign()).await.is_ok());
        for (position, token) in tokens.iter().enumerate() {
            let kind = verifier.verify(token).await.err().map(|error| error.kind());
            let expected = (position == withdrawn).then_some(AuthErrorKind::UnknownKey);
            assert_eq!(kind, expected, "pool {position}, withdrawn in {withdrawn}");
        }
    }
}

#[tokio::test]
async fn key_replaced_under_the_same_id_is_rejected_from_cache() {
    let pool = UserPool::builder().own_keys().start().await.unwrap();
    let other = UserPool::builder().own_keys().start().await.unwrap();
    let server = KeyServer::start(Reply::json(&pool.key_set().unwrap().to_json())).await;
    let verifier = Verifier::builder(
        Pool::custom(pool.issuer(), server.uri()).access_tokens([pool.client_id()]),
    )
    .refresh_interval(Duration::from_secs(1))
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
async fn policy_results_are_not_cached() {
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
async fn each_token_gets_its_own_claims_from_an_overflowing_cache() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().token_cache_bytes(64 * 1024).build().unwrap();
    let tokens: Arc<Vec<_>> = Arc::new(
        (0..300).map(|n| (format!("user{n}"), pool.token(format!("user{n}")).sign())).collect(),
    );
    let verified = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..4)
        .map(|offset| {
            let (verifier, tokens, verified) =
                (verifier.clone(), Arc::clone(&tokens), Arc::clone(&verified));
            tokio::spawn(async move {
                for step in 0..1500 {
                    let (name, token) = &tokens[(step * (offset + 1) + offset) % tokens.len()];
                    let claims = verifier.verify(token).await.unwrap();
                    assert_eq!(claims.username(), Some(name.as_str()));
                    verified.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(verified.load(Ordering::Relaxed), 6000);
}

#[tokio::test]
async fn cached_token_is_not_verified_again() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    for (cache_bytes, same) in [(1 << 20, true), (0, false)] {
        let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
        let (first, again) =
            (verifier.verify(&token).await.unwrap(), verifier.verify(&token).await.unwrap());
        assert_eq!(is_same(&first, &again), same);
    }
}

#[tokio::test]
async fn edited_copies_of_a_cached_token_are_rejected() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    // After three requests it is in both levels of the cache.
    for _ in 0..3 {
        assert!(verifier.verify(&token).await.is_ok());
    }
    for position in 0..token.len() {
        let mut edited = token.clone().into_bytes();
        edited[position] = if edited[position] == b'A' { b'B' } else { b'A' };
        let edited = String::from_utf8(edited).unwrap();
        assert!(verifier.verify(&edited).await.is_err(), "byte {position}");
        assert!(verifier.verify(&token[..position]).await.is_err(), "cut at {position}");
    }
}

#[tokio::test]
async fn verifiers_do_not_share_cached_tokens() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let knows = pool.verifier().build().unwrap();
    for _ in 0..4 {
        assert!(knows.verify(&token).await.is_ok());
    }
    let own = || Pool::custom(pool.issuer(), pool.jwks_uri());
    let other_client = Verifier::builder(own().access_tokens(["other"])).build().unwrap();
    let other_keys = UserPool::builder().own_keys().start().await.unwrap().key_set().unwrap();
    let other_keys = own().access_tokens([pool.client_id()]).static_keys(other_keys);
    let other_keys = Verifier::builder(other_keys).build().unwrap();
    for _ in 0..2 {
        let refused = async |verifier: &Verifier| verifier.verify(&token).await.unwrap_err().kind();
        assert_eq!(refused(&other_client).await, AuthErrorKind::WrongClient);
        assert_eq!(refused(&other_keys).await, AuthErrorKind::UnknownKey);
        assert!(knows.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn withdrawn_key_is_rejected_in_all_threads() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().refresh_interval(Duration::from_secs(1)).build().unwrap();
    let token = pool.token("alice").sign();
    verifier.verify(&token).await.unwrap();
    // These threads run until the end of the test and verify the token at each request.
    let all = on_threads((0..4).map(|_| {
        let (verifier, token) = (verifier.clone(), token.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        move || runtime.block_on(verifier.verify(&token)).err().map(|error| error.kind())
    }));
    // After four requests the token is in the cache of each thread.
    for _ in 0..4 {
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
async fn tokens_are_accepted_with_any_cache_size() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    for cache_bytes in [0, 1, 100, 5000, usize::MAX] {
        let verifier = pool.verifier().token_cache_bytes(cache_bytes).build().unwrap();
        for _ in 0..3 {
            assert!(verifier.verify(&token).await.is_ok(), "{cache_bytes}");
        }
    }
}

#[tokio::test]
async fn cache_is_bounded_in_bytes() {
    let pool = UserPool::start().await.unwrap();
    // Each token counts as about 20 KiB, including what may be decoded from it.
    let token =
        |n| pool.token(format!("user{n}")).changed_by_trigger().claim("list", vec![0; 100]).sign();
    let tokens: Vec<_> = (0..100).map(token).collect();
    let (default, mib) = (pool.verifier(), pool.verifier().token_cache_bytes(1 << 20));
    for (builder, expected) in [(default, 100..=100), (mib, 20..=60)] {
        let verifier = builder.build().unwrap();
        let mut first = Vec::new();
        for token in &tokens {
            first.push(verifier.verify(token).await.unwrap());
        }
        let mut remembered = 0;
        // Newest first: a token that has to be verified again then replaces only tokens that are already counted.
        for (token, first) in tokens.iter().zip(&first).rev() {
            remembered += u32::from(is_same(first, &verifier.verify(token).await.unwrap()));
        }
        assert!(expected.contains(&remembered), "{remembered} instead of {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn token_is_verified_again_when_its_withdrawn_key_returns() {
    let interval = Duration::from_secs(100);
    let pool = UserPool::start().await.unwrap();
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).refresh_interval(interval).build().unwrap();
    let (token, keys) = (pool.token("alice").sign(), pool.key_set().unwrap().to_json());
    let first = verifier.verify(&token).await.unwrap();
    assert!(is_same(&first, &verifier.verify(&token).await.unwrap()));
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    source.publish(&pool);
    tokio::time::sleep(interval).await;
    assert_eq!(verifier.verify(&token).await.unwrap_err().kind(), AuthErrorKind::UnknownKey);
    source.publish_text(keys);
    tokio::time::sleep(interval).await;
    assert!(!is_same(&first, &verifier.verify(&token).await.unwrap()));
}

#[tokio::test]
async fn evicted_values_can_use_the_verifier_when_dropped() {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    static COMPLETED: AtomicU64 = AtomicU64::new(0);

    #[derive(serde::Deserialize)]
    struct VerifiesOnDrop {}

    impl Drop for VerifiesOnDrop {
        fn drop(&mut self) {
            let verify = pin!(VERIFIER.get().unwrap().verify("not seen before"));
            let outcome = verify.poll(&mut Context::from_waker(Waker::noop()));
            COMPLETED.fetch_add(outcome.is_ready().into(), Ordering::Relaxed);
        }
    }

    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().token_cache_bytes(64 << 10).build().unwrap();
    let verifier = VERIFIER.get_or_init(|| verifier);
    for n in 0..50 {
        let claims = verifier.verify(&pool.token(format!("user{n}")).sign()).await.unwrap();
        assert!(Claims::<VerifiesOnDrop>::from_verified(&claims).is_ok());
    }
    assert!(COMPLETED.load(Ordering::Relaxed) > 0);
}

/// Returns whether both are the result of the same verification.
fn is_same(a: &Verified, b: &Verified) -> bool {
    std::ptr::eq(a.payload(), b.payload())
}
