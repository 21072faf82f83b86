//! Fetching keys over HTTP: the request, the limits of the response, and the errors.

use std::time::Duration;

use tower_cognito::{
    Pool, Verifier, VerifierBuilder,
    keys::{FetchError, KeyDocument, KeySet},
};
use tower_cognito_local::UserPool;

use crate::support::{KeyServer, ManualClock, Reply, ThreadLogs, response};

fn builder(pool: &UserPool, uri: impl Into<String>) -> VerifierBuilder {
    Verifier::builder(Pool::custom(pool.issuer(), uri).access_tokens([pool.client_id()]))
}

#[tokio::test]
async fn documents_of_up_to_128_kib_are_accepted() {
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
async fn max_age_of_the_response_shortens_the_lifetime() {
    let pool = UserPool::start().await.unwrap();
    let good = pool.key_set().unwrap().to_json();
    let token = pool.token("alice").sign();
    for (header, is_valid) in [
        ("Cache-Control: max-age=300\r\n", true),
        ("Cache-Control: public, Max-Age=\"300\"\r\n", true),
        ("Cache-Control: public\r\nCache-Control: max-age=300\r\n", true),
        ("Cache-Control: s-maxage=300\r\n", false),
        ("Cache-Control: max-age=soon\r\n", false),
        ("", false),
    ] {
        let reply = response("200 OK", &format!("{header}Connection: close\r\n"), good.as_bytes());
        let server = KeyServer::start(Reply::Bytes(reply)).await;
        let clock = ManualClock::new();
        let verifier =
            builder(&pool, server.uri()).clock(clock.clone()).refresh_on_demand().build().unwrap();
        for (seconds, fetches) in [(0, 1), (200, 1), (101, 1 + u64::from(is_valid))] {
            clock.advance(Duration::from_secs(seconds));
            assert!(verifier.verify(&token).await.is_ok());
            assert_eq!(server.fetches(), fetches, "{header:?} after {seconds} seconds");
        }
    }
}

/// Without the header, a cache between service and endpoint could respond with an old set that has a leaked key.
#[tokio::test]
async fn each_fetch_sends_cache_control_no_cache() {
    let pool = UserPool::start().await.unwrap();
    let server = KeyServer::start(Reply::json(&pool.key_set().unwrap().to_json())).await;
    let verifier = builder(&pool, server.uri()).build().unwrap();
    verifier.ready().await.unwrap();
    for fetches in 1..=2 {
        assert_eq!(server.fetches(), fetches);
        let request = server.last_request();
        assert!(request.starts_with("get /jwks.json http/1.1\r\n"), "{request}");
        assert!(request.contains("\r\ncache-control: no-cache\r\n"), "{request}");
        verifier.force_refresh().await.unwrap();
    }
}

#[tokio::test]
async fn a_failed_connection_is_reported_with_each_cause_once() {
    let pool = UserPool::start().await.unwrap();
    let closed_port =
        tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let log = ThreadLogs::start();
    let verifier = builder(&pool, format!("http://{closed_port}/jwks.json")).build().unwrap();
    let error = verifier.ready().await.unwrap_err();
    assert!(matches!(error.reason(), FetchError::Other(_)), "{error:?}");

    let cause = tokio::net::TcpStream::connect(closed_port).await.unwrap_err();
    let chain = chain(&error);
    let refused = chain.iter().find_map(|error| error.downcast_ref::<std::io::Error>());
    assert_eq!(refused.map(std::io::Error::kind), Some(cause.kind()), "{chain:?}");
    assert!(chain[1].is::<FetchError>(), "{chain:?}");
    let texts: Vec<_> = chain.iter().map(ToString::to_string).collect();
    for text in &texts[1..] {
        let count = texts.iter().filter(|other| other.contains(text.as_str())).count();
        assert_eq!(count, 1, "{text:?} is repeated: {texts:?}");
    }
    assert!(log.text().contains(&cause.to_string()), "{}", log.text());
}

/// Returns an error and all its causes.
fn chain<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> Vec<&'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source()).collect()
}

#[tokio::test]
async fn error_for_an_unusable_document_has_its_cause() {
    let pool = UserPool::start().await.unwrap();
    let source = || std::future::ready(Ok(KeyDocument::new(r#"{"keys":[]}"#)));
    let own = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .key_source(source);
    let error = Verifier::builder(own).build().unwrap().ready().await.unwrap_err();
    let texts: Vec<_> = chain(&error).iter().map(ToString::to_string).collect();
    let expected = KeySet::from_json(r#"{"keys":[]}"#).unwrap_err();
    assert_eq!(texts[1..], [expected.to_string()]);

    let exported = format!(
        r#"{{"tower_cognito_keys":{{"{}":{{"fetched_at":1,"jwks":{{"keys":[]}}}}}}}}"#,
        pool.issuer()
    );
    let error = pool.verifier().import_keys(exported).build().unwrap_err();
    let causes = chain(&error);
    assert_eq!(causes[1].to_string(), expected.to_string(), "{error:?}");
    assert!(!causes[0].to_string().contains(&expected.to_string()), "{error}");
}

#[tokio::test]
async fn jwks_uri_can_be_set_for_a_pool_of_aws() {
    let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E";
    let local = UserPool::builder().issuer(issuer).start().await.unwrap();
    let pool = Pool::new("eu-west-1_Ab12Cd34E")
        .access_tokens([local.client_id()])
        .jwks_uri(local.jwks_uri());
    let verifier = Verifier::builder(pool).build().unwrap();
    assert!(verifier.verify(&local.token("alice").sign()).await.is_ok());
}
