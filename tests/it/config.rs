//! Errors for invalid configurations: each names the setting and the fix.

use std::time::Duration;

use tower_cognito::{
    CognitoLayer, ConfigError, Pool, Verifier,
    keys::{FetchError, KeyDocument, KeySet},
    service::Credential,
};
use tower_cognito_local::UserPool;

const ID: &str = "eu-west-1_Ab12Cd34E";

fn pool() -> Pool {
    Pool::new(ID).access_tokens(["web"])
}

async fn no_keys() -> Result<KeyDocument, FetchError> {
    Err(FetchError::Interrupted)
}

fn good() -> tower_cognito::VerifierBuilder {
    Verifier::builder(pool())
}

fn of(pool: Pool) -> Result<Verifier, ConfigError> {
    Verifier::builder(pool).build()
}

#[test]
fn minimal_configuration_builds() {
    assert!(good().build().is_ok());
    assert!(of(Pool::new(ID).id_tokens(["web"])).is_ok());
}

#[test]
fn error_for_a_wrong_setting_names_the_setting_and_the_fix() {
    let long = "x".repeat(129);
    let year = Duration::from_secs(367 * 86_400);
    let custom = |issuer: &str, uri: &str| Pool::custom(issuer, uri).access_tokens(["web"]);
    let cases = [
        (of(Pool::new("eu-west-1").access_tokens(["web"])), "pool id: found \"eu-west-1\""),
        (of(Pool::new(String::new()).access_tokens(["web"])), "pool id: found \"\""),
        (of(Pool::new(ID)), "access_tokens"),
        (of(pool().access_tokens::<[&str; 0]>([])), "access_tokens"),
        (of(pool().access_tokens([""])), "client id"),
        (of(pool().access_tokens(["a b"])), "client id"),
        (of(pool().access_tokens(["a,b"])), "client id"),
        (of(pool().id_tokens([long.as_str()])), "client id"),
        (of(Pool::new("local_1").access_tokens(["web"])), "endpoint"),
        (of(pool().endpoint("http://10.0.0.1:9229")), "plain HTTP"),
        (of(pool().endpoint("nonsense")), "issuer"),
        (of(custom("http://example.com/p", "https://example.com/jwks")), "issuer"),
        (of(custom("https://example.com/p", "http://example.com/jwks")), "jwks_uri"),
        (of(custom("https://u:p@example.com/p", "https://example.com/jwks")), "issuer"),
        (of(custom("", "https://example.com/jwks")), "issuer"),
        (good().add_pool(pool().name("b")).build(), "one pool"),
        (Verifier::builder(pool()).add_pool(pool()).build(), "issuer: "),
        (of(pool().resources(["api.example.com"])), "resources: found"),
        (of(pool().resources([""])), "resources: found"),
        (of(pool().resources(["https:"])), "resources: found"),
        (of(pool().resources(["https://api.example.com/#a"])), "resources: found"),
        (of(pool().resources(["https://api.example.com https://b.test"])), "resources: found"),
        (of(pool().resources_or_unbound(["//api.example.com"])), "resources_or_unbound: found"),
        (of(pool().resources::<[&str; 0]>([])), "resources: the list is empty"),
        (
            of(pool().resources_or_unbound::<[&str; 0]>([])),
            "resources_or_unbound: the list is empty",
        ),
        (
            of(pool().resources(["https://a.test"]).resources_or_unbound(["https://b.test"])),
            "resources_or_unbound: has no effect together with resources",
        ),
        (
            of(Pool::new(ID).id_tokens(["web"]).resources(["https://a.test"])),
            "id_tokens without access_tokens",
        ),
        (of(pool().add_regions(["us-esat1"])), "add_regions"),
        (of(pool().add_regions(["x.evil.test/"])), "add_regions"),
        (of(pool().endpoint("http://[::1]:1").add_regions(["us-east-1"])), "add_regions"),
        (
            of(custom("https://a.test", "https://a.test/jwks").add_regions(["us-east-1"])),
            "add_regions",
        ),
        (
            of(custom("https://a.test", "https://a.test/jwks").endpoint("http://[::1]:1")),
            "endpoint",
        ),
        (of(pool().jwks_uri("https://a.test/j").key_source(no_keys)), "jwks_uri"),
        (good().unknown_key_window(Duration::from_millis(99)).build(), "unknown_key_window"),
        (good().refresh_interval(Duration::ZERO).build(), "refresh_interval"),
        (good().refresh_interval(Duration::from_nanos(1)).build(), "at least 1 second"),
        (good().refresh_interval(Duration::from_millis(999)).build(), "at least 1 second"),
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
        assert!(error.to_string().contains(';'), "case {position} has no fix: {error}");
    }
}

#[test]
fn duration_is_accepted_up_to_its_limit() {
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
    assert!(builder().build().is_ok());
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
fn plain_http_beyond_loopback_requires_the_dangerous_setting() {
    let pool =
        || Pool::custom("http://pool.test/p", "http://pool.test/jwks").access_tokens(["web"]);
    let refused = Verifier::builder(pool()).build().err();
    assert!(matches!(refused, Some(ConfigError::PlainHttp { field: "issuer", .. })), "{refused:?}");
    assert!(Verifier::builder(pool().dangerous().allow_plain_http()).build().is_ok());
}

#[tokio::test]
async fn invalid_credential_names_and_realms_are_rejected() {
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
async fn pool_accepts_only_one_key_source() {
    let keys = UserPool::start().await.unwrap().key_set().unwrap();
    for pool in [
        pool().key_source(no_keys).static_keys(keys.clone()),
        pool().static_keys(keys.clone()).key_source(no_keys),
    ] {
        let error = of(pool).unwrap_err();
        assert!(matches!(error, ConfigError::Conflict { setting: "key_source", .. }), "{error}");
    }
    let both = pool().static_keys(keys.clone()).initial_keys(keys, std::time::UNIX_EPOCH);
    let error = of(both).unwrap_err();
    assert!(matches!(error, ConfigError::Conflict { setting: "initial_keys", .. }), "{error}");
}

#[tokio::test]
async fn both_issuer_forms_and_added_regions_are_accepted() {
    let local = UserPool::start().await.unwrap();
    let keys: KeySet = local.key_set().unwrap();
    let pool = Pool::new(ID)
        .access_tokens([local.client_id()])
        .add_regions(["us-east-2"])
        .add_issuer("https://id.example.com/")
        .static_keys(keys);
    let verifier = Verifier::builder(pool).build().unwrap();
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
