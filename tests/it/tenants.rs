//! Pools that are added to a running verifier and removed from it.

use std::time::Duration;

use tokio::runtime::Handle;
use tower_cognito::{
    AuthErrorKind, CognitoLayer, ConfigError, Pool, Verifier,
    keys::KeySet,
    permission,
    policy::{Grants, pool as pool_named},
};
use tower_cognito_local::UserPool;

use crate::support::{Source, ThreadLogs, builder, eventually, on_threads, tokio_clock};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

async fn code(verifier: &Verifier, token: &str) -> Option<&'static str> {
    verifier.verify(token).await.err().map(|error| error.code())
}

/// Returns a pool under a name that gets its keys from a source.
fn with_source(pool: &UserPool, name: &str, source: &Source) -> Pool {
    Pool::custom(pool.issuer(), pool.jwks_uri())
        .name(name)
        .access_tokens([pool.client_id()])
        .key_source(source.key_source())
}

async fn start() -> UserPool {
    UserPool::builder().own_keys().start().await.unwrap()
}

/// A pool that no token is for.
fn other(number: usize) -> Pool {
    Pool::new(format!("eu-west-1_{number}")).access_tokens(["web"]).name(format!("other {number}"))
}

/// Verifies a token often enough for it to be in both levels of the cache.
async fn warm(verifier: &Verifier, token: &str) {
    for _ in 0..4 {
        assert_eq!(code(verifier, token).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_removed_pool_are_rejected_from_the_cache_and_as_new_ones() {
    let (first, second) = (start().await, start().await);
    let (source, second_source) = (Source::of(&first), Source::of(&second));
    for cache_bytes in [1 << 20, 0] {
        let verifier = builder(&first, &source).token_cache_bytes(cache_bytes).build().unwrap();
        let cold = second.token("bob").sign();
        let cached = second.token("alice").sign();
        assert_eq!(code(&verifier, &cached).await, Some("untrusted_issuer"));
        verifier.add_pool(with_source(&second, "second", &second_source)).unwrap();
        warm(&verifier, &cached).await;
        assert!(verifier.clone().remove_pool("second"));
        assert!(!verifier.remove_pool("second"));
        for token in [&cached, &cold] {
            assert_eq!(code(&verifier, token).await, Some("untrusted_issuer"));
            assert!(verifier.try_verify(token).unwrap().is_err());
        }
        assert_eq!(code(&verifier, &first.token("alice").sign()).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn changes_keep_the_keys_and_cached_tokens_of_other_pools() {
    let (first, second) = (start().await, start().await);
    let (source, second_source) = (Source::of(&first), Source::of(&second));
    let verifier = builder(&first, &source).build().unwrap();
    let token = first.token("alice").sign();
    warm(&verifier, &token).await;
    // It stays in memory, so that its address is not used again.
    let first_verified = verifier.verify(&token).await.unwrap();
    for _ in 0..3 {
        verifier.add_pool(with_source(&second, "second", &second_source)).unwrap();
        assert_eq!(code(&verifier, &second.token("bob").sign()).await, None);
        assert!(verifier.remove_pool("second"));
        // The copies of one cached token share its payload.
        let again = verifier.try_verify(&token).unwrap().unwrap();
        let payloads = [&first_verified, &again].map(|verified| verified.payload().as_ptr());
        assert_eq!(payloads[0], payloads[1], "the token was verified again");
    }
    assert_eq!((source.fetches(), second_source.fetches()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn cached_token_is_checked_by_a_pool_that_takes_over_its_issuer() {
    let pool = start().await;
    let source = Source::of(&pool);
    let verifier = Verifier::builder_without_pools().clock(tokio_clock()).build().unwrap();
    let token = pool.token("alice").sign();
    for (client, expected) in
        [(pool.client_id(), None), ("other", Some("wrong_client")), (pool.client_id(), None)]
    {
        let tenant = with_source(&pool, "tenant", &source).access_tokens([client]);
        verifier.add_pool(tenant).unwrap();
        for _ in 0..4 {
            assert_eq!(code(&verifier, &token).await, expected, "{client}");
        }
        assert!(verifier.remove_pool("tenant"));
    }
}

#[tokio::test(start_paused = true)]
async fn replaced_pool_decides_at_once_by_its_new_configuration() {
    let pool = UserPool::start().await.unwrap();
    let tenant = |client: &str| {
        let issuer = pool.issuer();
        Pool::custom(issuer, pool.jwks_uri()).name("tenant").access_tokens([client])
    };
    let verifier = Verifier::builder_without_pools().build().unwrap();
    let token = pool.token("alice").sign();
    let before = pool.fetches();
    for (client, expected) in
        [(pool.client_id(), None), ("other", Some("wrong_client")), (pool.client_id(), None)]
    {
        verifier.add_or_replace_pool(tenant(client)).unwrap();
        for _ in 0..4 {
            assert_eq!(code(&verifier, &token).await, expected, "{client}");
        }
    }
    assert_eq!(pool.fetches() - before, 1, "the keys of the same URL were not kept");
    // Keys of another URL are not kept.
    let elsewhere = Pool::custom(pool.issuer(), "http://127.0.0.1:1/jwks.json").name("tenant");
    verifier.add_or_replace_pool(elsewhere.access_tokens([pool.client_id()])).unwrap();
    assert_eq!(code(&verifier, &token).await, Some("keys_unavailable"));
    // Neither are those of the application's own source.
    let sources = [start().await, start().await].each_ref().map(Source::of);
    for source in &sources {
        verifier.add_or_replace_pool(with_source(&pool, "tenant", source)).unwrap();
        assert_eq!(code(&verifier, &token).await, Some("unknown_key"));
        assert!(source.fetches() > 0);
    }
}

#[tokio::test]
async fn replaced_pool_starts_with_its_initial_keys_if_they_are_newer() {
    let (pool, elsewhere) = (start().await, start().await);
    let token = pool.token("alice").sign();
    let tenant = || {
        let tenant = Pool::custom(pool.issuer(), "http://127.0.0.1:1/jwks.json").name("tenant");
        tenant.access_tokens([pool.client_id()])
    };
    let (keys, others) = (pool.key_set().unwrap(), elsewhere.key_set().unwrap());
    let now = pool.time();
    let verifier = Verifier::builder(tenant()).build().unwrap();
    let is_accepted = |initial: &KeySet, age| {
        let replacement = tenant().initial_keys(initial.clone(), now - age);
        verifier.add_or_replace_pool(replacement).unwrap();
        verifier.try_verify(&token).is_some_and(|verified| verified.is_ok())
    };
    // The first pool has no keys.
    assert!(is_accepted(&keys, 60 * SECOND));
    assert!(is_accepted(&others, 90 * SECOND));
    assert!(!is_accepted(&others, 30 * SECOND));
    assert!(is_accepted(&keys, SECOND));
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_removed_pool_are_no_longer_refreshed() {
    let pool = start().await;
    let source = Source::of(&pool);
    let verifier = Verifier::builder_without_pools()
        .clock(tokio_clock())
        .refresh_interval(100 * SECOND)
        .build()
        .unwrap();
    let tasks = Handle::current().metrics().num_alive_tasks();
    verifier.add_pool(with_source(&pool, "tenant", &source)).unwrap();
    verifier.ready().await.unwrap();
    tokio::time::sleep(95 * SECOND).await;
    assert_eq!(source.fetches(), 2);
    assert!(Handle::current().metrics().num_alive_tasks() > tasks);
    assert!(verifier.remove_pool("tenant"));
    tokio::time::sleep(HOUR).await;
    assert_eq!(source.fetches(), 2);
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks);
    assert_eq!(verifier.health().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn request_that_waits_for_the_keys_of_a_removed_pool_is_rejected() {
    let pool = start().await;
    let source = Source::of(&pool);
    source.delay(SECOND);
    let verifier = Verifier::builder_without_pools().clock(tokio_clock()).build().unwrap();
    let token = pool.token("alice").sign();
    for (is_removed, expected) in [(false, None), (true, Some("untrusted_issuer"))] {
        verifier.add_pool(with_source(&pool, "tenant", &source)).unwrap();
        let waiting = {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { code(&verifier, &token).await })
        };
        tokio::time::sleep(SECOND / 2).await;
        if is_removed {
            verifier.remove_pool("tenant");
        }
        assert_eq!(waiting.await.unwrap(), expected);
        verifier.remove_pool("tenant");
    }
    assert_eq!(source.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_change_leaves_the_pools_unchanged() {
    let (first, second) = (start().await, start().await);
    let (source, second_source) = (Source::of(&first), Source::of(&second));
    let verifier = Verifier::builder(with_source(&first, "first", &source))
        .clock(tokio_clock())
        .build()
        .unwrap();
    let tokens = [first.token("alice").sign(), second.token("bob").sign()];
    verifier.add_pool(with_source(&second, "second", &second_source)).unwrap();
    for token in &tokens {
        warm(&verifier, token).await;
    }
    let add = |pool: Pool| verifier.add_pool(pool).unwrap_err();
    let same_issuer = other(1).add_issuer(second.issuer());
    for error in [
        add(same_issuer.clone()),
        add(with_source(&second, "second", &second_source)),
        verifier.add_or_replace_pool(same_issuer).unwrap_err(),
        // The name of one pool, and the issuer of another one.
        verifier.add_or_replace_pool(with_source(&second, "first", &source)).unwrap_err(),
    ] {
        assert!(matches!(error, ConfigError::DuplicateIssuer { .. }), "{error}");
    }
    assert!(matches!(add(other(1).name("first")), ConfigError::DuplicatePoolName { .. }));
    assert!(matches!(add(Pool::new("eu-west-1_A")), ConfigError::NoClients { .. }));
    assert!(matches!(add(Pool::new("x").access_tokens(["web"])), ConfigError::PoolId { .. }));
    let plain = Pool::custom("http://a.test/", "https://a.test/j").access_tokens(["web"]);
    assert!(matches!(add(plain), ConfigError::PlainHttp { .. }));
    for token in &tokens {
        assert!(verifier.try_verify(token).unwrap().is_ok());
    }
    let names: Vec<_> = verifier.health().into_iter().map(|health| health.pool).collect();
    assert_eq!(names, ["first", "second"].map(std::sync::Arc::from));
    assert_eq!((source.fetches(), second_source.fetches()), (1, 1));
    // The issuers and names of failed changes are free.
    verifier.add_pool(other(1)).unwrap();
}

#[tokio::test]
async fn concurrent_changes_lose_nothing() {
    let verifier = Verifier::builder(other(0)).build().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let verifier = &verifier;
            scope.spawn(move || {
                for number in (1..200).filter(|number| number % 4 == thread) {
                    verifier.add_pool(other(number)).unwrap();
                    if number >= 100 {
                        assert!(verifier.remove_pool(&format!("other {number}")));
                    }
                    if number >= 150 {
                        verifier.add_or_replace_pool(other(number)).unwrap();
                    }
                }
            });
        }
    });
    let mut names: Vec<_> =
        verifier.health().iter().map(|health| health.pool.to_string()).collect();
    let mut expected: Vec<_> = (0..100).chain(150..200).map(|it| format!("other {it}")).collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_unused_pools_cause_no_task_and_no_fetch() {
    let pool = start().await;
    let source = Source::of(&pool);
    let verifier = builder(&pool, &source).build().unwrap();
    let token = pool.token("alice").sign();
    warm(&verifier, &token).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    for number in 0..1000 {
        verifier.add_pool(other(number)).unwrap();
    }
    assert_eq!(verifier.health().len(), 1001);
    assert!(verifier.try_verify(&token).unwrap().is_ok());
    assert!(verifier.health().iter().all(|health| health.fetches == u64::from(health.keys > 0)));
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks);
    for number in 0..1000 {
        assert!(verifier.remove_pool(&format!("other {number}")));
    }
    assert_eq!(verifier.health().len(), 1);
    assert!(verifier.try_verify(&token).unwrap().is_ok());
    assert_eq!(source.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn ready_fetches_the_keys_of_many_pools_a_few_at_a_time() {
    let pool = start().await;
    let source = Source::of(&pool);
    source.delay(SECOND);
    let verifier = Verifier::builder_without_pools().clock(tokio_clock()).build().unwrap();
    for number in 0..200 {
        verifier.add_pool(other(number).key_source(source.key_source())).unwrap();
    }
    let begun = tokio::time::Instant::now();
    verifier.ready().await.unwrap();
    assert_eq!((source.fetches(), source.max_in_flight()), (200, 64));
    assert!(begun.elapsed() < 5 * SECOND, "{:?}", begun.elapsed());
    source.fail();
    verifier.add_pool(other(200).key_source(source.key_source())).unwrap();
    verifier.add_pool(other(201).key_source(source.key_source())).unwrap();
    let error = verifier.ready().await.unwrap_err();
    assert!(error.issuer().ends_with("eu-west-1_200"), "{error}");
}

#[tokio::test]
async fn verifier_without_pools_rejects_all_tokens_and_is_ready() {
    let pool = UserPool::start().await.unwrap();
    let verifier = Verifier::builder_without_pools().build().unwrap();
    verifier.ready().await.unwrap();
    verifier.force_refresh().await.unwrap();
    assert!(verifier.health().is_empty());
    let token = pool.token("alice").sign();
    assert_eq!(code(&verifier, &token).await, Some("untrusted_issuer"));
    verifier.add_pool(pool.pool().access_tokens([pool.client_id()])).unwrap();
    verifier.ready().await.unwrap();
    assert_eq!(verifier.health()[0].keys, 2);
    assert_eq!(code(&verifier, &token).await, None);
}

#[tokio::test]
async fn tokens_of_a_removed_pool_are_rejected_in_all_threads() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let name = verifier.health()[0].pool.clone();
    let token = pool.token("alice").sign();
    verifier.verify(&token).await.unwrap();
    let all = on_threads((0..4).map(|_| {
        let (verifier, token) = (verifier.clone(), token.clone());
        move || verifier.try_verify(&token).unwrap().err().map(|error| error.kind())
    }));
    for _ in 0..4 {
        assert!(all(None));
    }
    verifier.remove_pool(&name);
    for _ in 0..2 {
        assert!(all(Some(AuthErrorKind::UntrustedIssuer)));
    }
}

#[tokio::test]
async fn policies_are_compared_with_the_current_pools() {
    let verifier = Verifier::builder_without_pools().build().unwrap();
    let logged = |policy| {
        let logs = ThreadLogs::start();
        let _layer = CognitoLayer::new(verifier.clone()).require(policy);
        logs.text()
    };
    assert_eq!(logged(permission("a") & pool_named("b")), "", "there are no pools to compare with");
    verifier.add_pool(other(0)).unwrap();
    assert!(logged(permission("a")).contains("no source of permissions"));
    assert!(logged(pool_named("other 1")).contains("no pool of this name"));
    verifier.add_pool(other(1).grants(Grants::new().add_group("g", ["a"]))).unwrap();
    assert_eq!(logged(permission("a") & pool_named("other 1")), "");
    assert!(verifier.remove_pool("other 1"));
    assert!(logged(permission("a")).contains("no source of permissions"));
}

#[tokio::test]
async fn built_verifier_and_changes_of_its_pools_are_logged_at_info() {
    let logs = ThreadLogs::start();
    let clients: Vec<_> = (0..20).map(|number| format!("client{number}")).collect();
    let pool = Pool::new("eu-west-1_A").name("staff").access_tokens(&clients).id_tokens(["app"]);
    let risky = Pool::custom("http://a.test/p", "http://a.test/jwks")
        .access_tokens(["web"])
        .dangerous()
        .allow_plain_http();
    let verifier = Verifier::builder(pool)
        .add_pool(risky)
        .permissions_claim("custom:permissions")
        .add_check(|_| Ok(()))
        .build()
        .unwrap();
    let built = logs.text();
    assert_eq!(built.lines().count(), 3, "{built}");
    assert!(built.lines().all(|line| line.contains(" INFO ")), "{built}");
    for part in [
        "pools=2",
        "refresh_interval=900s",
        "max_staleness=86400s",
        "permissions_claim=\"custom:permissions\"",
        "checks=1",
        "pool=\"staff\"",
        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",
        "client7 and 12 more",
        "id_token_clients=\"app\"",
        "dangerous=\"allow_plain_http\"",
    ] {
        assert!(built.contains(part), "{part}: {built}");
    }
    assert_eq!(built.matches("dangerous=").count(), 1);
    verifier.add_pool(other(1)).unwrap();
    verifier.add_or_replace_pool(other(1)).unwrap();
    verifier.remove_pool("other 1");
    let changes = logs.text().split_off(built.len());
    let lines: Vec<_> = changes.lines().collect();
    assert_eq!(lines.len(), 3, "{changes}");
    for (line, word) in lines.iter().zip(["was added", "was replaced", "was removed"]) {
        assert!(line.contains(" INFO ") && line.contains(word), "{line}");
        assert!(line.contains("pool=\"other 1\""), "{line}");
    }
}

#[tokio::test]
async fn few_pools_are_logged_at_info() {
    let pools = (1..100).map(other);
    let logs = ThreadLogs::start();
    pools
        .fold(Verifier::builder(other(0)), |builder, pool| builder.add_pool(pool))
        .build()
        .unwrap();
    let text = logs.text();
    assert_eq!(text.matches(" INFO ").count(), 9, "{text}");
    assert_eq!(text.lines().count(), 101);
}

#[tokio::test]
async fn keys_of_a_removed_pool_are_dropped() {
    let kept = std::sync::Arc::new(());
    let source = std::sync::Arc::clone(&kept);
    let verifier = Verifier::builder_without_pools().build().unwrap();
    let fetch = move || {
        let source = std::sync::Arc::clone(&source);
        async move {
            drop(source);
            Err(tower_cognito::keys::FetchError::Status(500))
        }
    };
    verifier.add_pool(other(1).key_source(fetch)).unwrap();
    assert!(verifier.ready().await.is_err());
    assert_eq!(std::sync::Arc::strong_count(&kept), 2);
    verifier.remove_pool("other 1");
    eventually("the source is dropped", async || std::sync::Arc::strong_count(&kept) == 1).await;
}
