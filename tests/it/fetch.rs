//! Keys that are fetched over real HTTP: what is read of the answer, and what is told of a failure.

use std::time::Duration;

use tower_cognito::{Pool, Verifier, VerifierBuilder, keys::FetchError};
use tower_cognito_local::UserPool;

use crate::support::{HandClock, KeyServer, Reply, response};

fn builder(pool: &UserPool, uri: impl Into<String>) -> VerifierBuilder {
    Verifier::builder(Pool::custom(pool.issuer(), uri).access_tokens([pool.client_id()]))
}

#[tokio::test]
async fn a_document_of_128_kib_is_read_and_a_longer_one_is_not() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    for (bytes, fits) in [(128 << 10, true), ((128 << 10) + 1, false)] {
        let document = format!("{good}{}", " ".repeat(bytes - good.len()));
        let server = KeyServer::start(Reply::Json(document)).await;
        let verifier = builder(&pool, server.uri()).build().unwrap();
        assert_eq!(verifier.ready().await.is_ok(), fits, "{bytes}");
        let error = verifier.health()[0].last_error.clone();
        match error {
            None => assert!(fits),
            Some(error) => assert!(!fits && matches!(error, FetchError::TooLarge), "{error:?}"),
        }
    }
}

#[tokio::test]
async fn max_age_of_the_answer_is_how_long_it_stays_fresh() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    let token = pool.token("alice").sign();
    for (header, is_told) in [
        ("Cache-Control: max-age=300\r\n", true),
        ("Cache-Control: public, Max-Age=\"300\"\r\n", true),
        ("Cache-Control: public\r\nCache-Control: max-age=300\r\n", true),
        ("Cache-Control: s-maxage=300\r\n", false),
        ("Cache-Control: max-age=soon\r\n", false),
        ("", false),
    ] {
        let reply = response("200 OK", &format!("{header}Connection: close\r\n"), good.as_bytes());
        let server = KeyServer::start(Reply::Bytes(reply)).await;
        let clock = HandClock::new();
        let verifier =
            builder(&pool, server.uri()).clock(clock.clone()).refresh_on_demand().build().unwrap();
        for (seconds, fetches) in [(0, 1), (200, 1), (101, 1 + u64::from(is_told))] {
            clock.advance(Duration::from_secs(seconds));
            assert!(verifier.verify(&token).await.is_ok());
            assert_eq!(server.fetches(), fetches, "{header:?} after {seconds} seconds");
        }
    }
}

#[tokio::test]
async fn a_failed_connection_is_told_with_its_cause() {
    let pool = UserPool::start().await.unwrap();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let verifier = builder(&pool, format!("http://{nobody}/jwks.json")).build().unwrap();
    let error = verifier.ready().await.unwrap_err();
    assert!(matches!(error.reason(), FetchError::Other(_)), "{error:?}");
    let told = verifier.health()[0].last_error.clone().unwrap().to_string();
    let cause = tokio::net::TcpStream::connect(nobody).await.unwrap_err().to_string();
    assert!(told.contains(&cause), "{told}");
}

#[tokio::test]
async fn the_address_of_the_keys_may_be_set_for_a_pool_of_awss() {
    let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E";
    let local = UserPool::builder().issuer(issuer).start().await.unwrap();
    let pool = Pool::new("eu-west-1_Ab12Cd34E")
        .access_tokens([local.client_id()])
        .jwks_uri(local.jwks_uri());
    let verifier = Verifier::builder(pool).build().unwrap();
    assert!(verifier.verify(&local.token("alice").sign()).await.is_ok());
}
