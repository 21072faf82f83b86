//! What is wrong with a configuration is told when it is built, with the setting and the fix.

use std::time::Duration;

use tower_cognito::{
    CognitoLayer, ConfigError, Credential, FetchError, KeyDocument, KeySet, Pool, PoolId, Verifier,
};
use tower_cognito_local::UserPool;

fn id() -> PoolId {
    "eu-west-1_Ab12Cd34E".parse().unwrap()
}

async fn no_keys() -> Result<KeyDocument, FetchError> {
    Err(FetchError::Interrupted)
}

fn good() -> tower_cognito::VerifierBuilder {
    Verifier::builder(id()).access_tokens(["web"])
}

#[test]
fn the_shortest_configuration_builds() {
    assert!(good().build().is_ok());
    assert!(Verifier::builder(id()).id_tokens(["web"]).build().is_ok());
}

#[test]
fn wrong_settings_name_the_field_and_the_fix() {
    let long = "x".repeat(129);
    let year = Duration::from_secs(367 * 86_400);
    let pool = || Pool::new(id()).access_tokens(["web"]);
    let custom = |issuer: &str, uri: &str| {
        Verifier::for_pools([Pool::custom(issuer, uri).access_tokens(["web"])])
    };
    let cases = [
        (Verifier::builder(id()).build(), "access_tokens"),
        (Verifier::builder(id()).access_tokens::<[&str; 0]>([]).build(), "access_tokens"),
        (Verifier::for_pools([]).build(), "pools"),
        (Verifier::builder(id()).access_tokens([""]).build(), "client id"),
        (Verifier::builder(id()).access_tokens(["a b"]).build(), "client id"),
        (Verifier::builder(id()).access_tokens(["a,b"]).build(), "client id"),
        (Verifier::builder(id()).id_tokens([long.as_str()]).build(), "client id"),
        (Verifier::builder("local_1".parse().unwrap()).access_tokens(["web"]).build(), "endpoint"),
        (good().endpoint("http://10.0.0.1:9229").build(), "plain HTTP"),
        (good().endpoint("nonsense").build(), "issuer"),
        (custom("http://example.com/p", "https://example.com/jwks").build(), "issuer"),
        (custom("https://example.com/p", "http://example.com/jwks").build(), "jwks_uri"),
        (custom("https://u:p@example.com/p", "https://example.com/jwks").build(), "issuer"),
        (custom("", "https://example.com/jwks").build(), "issuer"),
        (good().add_pool(pool().name("b")).build(), "one pool"),
        (Verifier::for_pools([pool(), pool()]).build(), "issuer: "),
        (good().resource("api.example.com").build(), "resource"),
        (good().resource("").build(), "resource"),
        (good().resource("https:").build(), "resource"),
        (good().resource("https://api.example.com/#a").build(), "resource"),
        (good().resource("https://api.example.com https://b.test").build(), "resource"),
        (good().resource_or_unbound("//api.example.com").build(), "resource"),
        (
            good().resource("https://a.test").resource_or_unbound("https://b.test").build(),
            "resource_or_unbound",
        ),
        (
            Verifier::builder(id()).id_tokens(["web"]).resource("https://a.test").build(),
            "id_tokens alone",
        ),
        (
            good().add_pool(pool().name("b")).resource("https://a.test").build(),
            "resource: the verifier has several pools",
        ),
        (
            Verifier::for_pools([pool(), pool().name("b")]).access_tokens(["c"]).build(),
            "access_tokens",
        ),
        (good().add_pool(pool().name("b")).id_tokens(["c"]).build(), "id_tokens"),
        (Verifier::for_pools([pool().add_regions(["us-esat1"])]).build(), "add_regions"),
        (Verifier::for_pools([pool().add_regions(["x.evil.test/"])]).build(), "add_regions"),
        (
            Verifier::for_pools([pool().endpoint("http://[::1]:1").add_regions(["us-east-1"])])
                .build(),
            "add_regions",
        ),
        (
            Verifier::for_pools([Pool::custom("https://a.test", "https://a.test/jwks")
                .access_tokens(["web"])
                .add_regions(["us-east-1"])])
            .build(),
            "add_regions",
        ),
        (
            custom("https://a.test", "https://a.test/jwks").endpoint("http://[::1]:1").build(),
            "endpoint",
        ),
        (
            Verifier::for_pools([pool().jwks_uri("https://a.test/j").key_source(no_keys)]).build(),
            "jwks_uri",
        ),
        (good().unknown_key_window(Duration::from_millis(99)).build(), "unknown_key_window"),
        (good().refresh_interval(Duration::ZERO).build(), "refresh_interval"),
        (good().unknown_key_window(Duration::ZERO).build(), "unknown_key_window"),
        (good().max_staleness(Duration::ZERO).build(), "max_staleness"),
        (good().fetch_timeout(Duration::ZERO).build(), "fetch_timeout"),
        (good().fetch_timeout(year).build(), "fetch_timeout"),
        (good().refresh_interval(Duration::from_secs(90_000)).build(), "max_staleness"),
        (good().expiry_leeway(Duration::from_secs(301)).build(), "expiry_leeway"),
        (good().clock_skew(Duration::from_secs(301)).build(), "clock_skew"),
        (good().permissions_claim("").build(), "permissions_claim"),
        (good().permissions_claim("scope").build(), "permissions_claim"),
        (good().permissions_claim("cognito:groups").build(), "permissions_claim"),
        (good().permissions_claim("cnf").build(), "permissions_claim"),
        (good().import_keys("{}").build(), "export_keys"),
        (good().import_keys("not json").build(), "export_keys"),
    ];
    for (position, (built, word)) in cases.into_iter().enumerate() {
        let error = built.err().unwrap_or_else(|| panic!("case {position} ({word}) was built"));
        assert!(error.to_string().contains(word), "case {position}: {error}");
        assert!(error.to_string().contains(';'), "case {position} says no fix: {error}");
    }
}

#[test]
fn a_duration_may_be_as_long_as_its_limit_and_no_longer() {
    let second = Duration::from_secs(1);
    let (longest, leeway) = (366 * 86_400 * second, 300 * second);
    let builder = || {
        good()
            .refresh_interval(longest)
            .max_staleness(longest)
            .unknown_key_window(longest)
            .fetch_timeout(longest)
            .expiry_leeway(leeway)
            .clock_skew(leeway)
    };
    assert_eq!(builder().build().err(), None);
    for (too_long, name) in [
        (builder().refresh_interval(longest + second), "refresh_interval"),
        (builder().max_staleness(longest + second), "max_staleness"),
        (builder().unknown_key_window(longest + second), "unknown_key_window"),
        (builder().fetch_timeout(longest + second), "fetch_timeout"),
        (builder().expiry_leeway(leeway + second), "expiry_leeway"),
        (builder().clock_skew(leeway + second), "clock_skew"),
    ] {
        match too_long.build() {
            Err(ConfigError::Duration { field, .. }) => assert_eq!(field, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn plain_http_off_loopback_takes_a_dangerous_word() {
    let pool =
        || Pool::custom("http://pool.test/p", "http://pool.test/jwks").access_tokens(["web"]);
    let refused = Verifier::for_pools([pool()]).build().err();
    assert!(matches!(refused, Some(ConfigError::PlainHttp { field: "issuer", .. })), "{refused:?}");
    assert!(Verifier::for_pools([pool().dangerous().allow_plain_http()]).build().is_ok());
}

#[tokio::test]
async fn wrong_names_of_credentials_and_realms_are_refused() {
    let all = |name: &str| {
        [
            ("cookie", Credential::cookie(name)),
            ("query", Credential::query(name)),
            ("websocket_protocol", Credential::websocket_protocol(name)),
            ("header", Credential::header(name)),
        ]
    };
    for (place, made) in all("x-Token_1") {
        assert!(made.is_ok(), "{place}: {made:?}");
    }
    for bad in ["", "a b", "a;b", "a=b", "é", "a\r\nb"] {
        for (place, made) in all(bad) {
            match made {
                Err(ConfigError::Name { field, .. }) => assert_eq!(field, place, "{bad:?}"),
                other => panic!("{place} {bad:?}: {other:?}"),
            }
        }
    }
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap());
    assert!(layer.realm("the orders' API, v2").is_ok());
    for bad in ["a\"b", "a\\b", "a\r\nb", "é"] {
        let layer = CognitoLayer::new(pool.verifier().build().unwrap());
        let refused = layer.realm(bad).err();
        assert!(matches!(refused, Some(ConfigError::Name { field: "realm", .. })), "{bad:?}");
    }
}

#[tokio::test]
async fn both_issuer_forms_and_further_regions_are_accepted() {
    let local = UserPool::start().await.unwrap();
    let keys: KeySet = local.key_set().unwrap();
    let pool = Pool::new(id())
        .access_tokens([local.client_id()])
        .add_regions(["us-east-2"])
        .add_issuer("https://id.example.com/")
        .static_keys(keys);
    let verifier = Verifier::for_pools([pool]).build().unwrap();
    for (issuer, accepted) in [
        ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", true),
        ("https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", true),
        ("https://issuer-cognito-idp.us-east-2.amazonaws.com/eu-west-1_Ab12Cd34E", true),
        ("https://id.example.com/", true),
        ("https://id.example.com", false),
        ("https://issuer-cognito-idp.us-west-2.amazonaws.com/eu-west-1_Ab12Cd34E", false),
        ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other", false),
    ] {
        let token = local.token("alice").claim("iss", issuer).sign();
        assert_eq!(verifier.verify(&token).await.is_ok(), accepted, "{issuer}");
    }
}
