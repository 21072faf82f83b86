//! The command line of the local pool.

use crate::support::example::local_pool;

#[tokio::test]
async fn the_local_pool_tells_where_it_is_and_no_secret() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let parse = |text: &str| local_pool::Options::parse(words(text));
    assert_eq!(parse("--port 1 --help"), Ok(None));
    for (wrong, told) in [
        ("--prot 1", "--prot: there is no such option"),
        ("--port", "--port: its value is missing"),
        ("--port 70000", "is not a number from 0 to 65535"),
        ("--port 1 --port=2", "--port: it is there twice"),
        ("--host localhost", "is not an address such as 127.0.0.1"),
        ("9229", "9229: there is no such option"),
    ] {
        let error = parse(wrong).unwrap_err();
        assert!(error.contains(told), "{wrong}: {error}");
    }

    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pool.toml");
    let options = format!("--port=0 --pool-id eu-west-1_Mine --client-id mine --config {config}");
    let pool = local_pool::start(parse(&options).unwrap().unwrap()).await.unwrap();
    let text = local_pool::description(&pool, "in memory");
    let told = ["eu-west-1_Mine", "mine (without a secret)", "000000 (with a secret)", "/_local/"];
    for told in told.into_iter().chain([pool.issuer(), &pool.jwks_uri(), &pool.endpoint()]) {
        assert!(text.contains(told), "{told}");
    }
    let secret = pool.client_secret("machineclient0000000000000").unwrap();
    assert!(!text.contains(&secret));
    assert!(!text.contains("allow_plain_http"));
    // The line for a verifier works as it is, for an issuer of another host too.
    let options = "--port 0 --issuer http://cognito:9229/us-east-1_Local0001";
    let pool = local_pool::start(parse(options).unwrap().unwrap()).await.unwrap();
    let text = local_pool::description(&pool, "in memory");
    assert!(text.contains(".dangerous().allow_plain_http())"), "{text}");
}
