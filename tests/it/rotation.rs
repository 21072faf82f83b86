//! The time until a key rotation has an effect. The README states these figures.

use std::time::{Duration, Instant};

use tower_cognito::{AuthErrorKind, Pool, Verifier};
use tower_cognito_local::UserPool;

use crate::support::{KeyServer, Reply, Source, builder};

#[tokio::test]
async fn new_key_is_accepted_at_its_first_request() {
    let pool = UserPool::start().await.unwrap();
    let document = || pool.key_set().unwrap().to_json();
    let server = KeyServer::start(Reply::json(&document())).await;
    let own = Pool::custom(pool.issuer(), server.uri()).access_tokens([pool.client_id()]);
    let verifier = Verifier::builder(own).build().unwrap();
    verifier.ready().await.unwrap();
    let mut longest = Duration::ZERO;
    for rotation in 0..2 {
        pool.rotate().unwrap();
        server.set(Reply::json(&document()));
        let token = pool.token("alice").sign();
        let start = Instant::now();
        // The first request waits for one fetch and passes.
        verifier.verify(&token).await.unwrap();
        longest = longest.max(start.elapsed());
        assert_eq!(
            server.fetches(),
            rotation + 2,
            "one fetch at the start, and one for each rotation"
        );
    }
    println!(
        "seconds until a new key is accepted, with one fetch over HTTP: {:.3}",
        longest.as_secs_f64()
    );
}

#[tokio::test(start_paused = true)]
async fn withdrawn_key_is_rejected_within_the_refresh_interval() {
    let pool = UserPool::start().await.unwrap();
    // The key is withdrawn at several times after a refresh. The test prints the longest time until its rejection.
    let mut longest = 0;
    for offset in [1, 200, 500, 800] {
        let source = Source::of(&pool);
        let verifier = builder(&pool, &source).build().unwrap();
        let token = pool.token("alice").expires_in(Duration::from_secs(86400)).sign();
        verifier.verify(&token).await.unwrap();
        tokio::time::sleep(Duration::from_secs(offset)).await;
        pool.rotate().unwrap();
        pool.withdraw_old_keys();
        source.publish(&pool);
        let mut seconds = 0;
        while verifier.verify(&token).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            seconds += 1;
            assert!(seconds <= 900, "a withdrawn key is accepted past the refresh interval");
        }
        assert_eq!(
            verifier.verify(&token).await.unwrap_err().kind(),
            AuthErrorKind::UnknownKey,
            "the token is rejected because of its key"
        );
        longest = longest.max(seconds);
    }
    println!("seconds until a withdrawn key is rejected, with the defaults: {longest}");
}
