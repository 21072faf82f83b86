//! The configuration of a verifier from environment variables.

use std::ffi::OsString;

use tower_cognito::{ConfigError, VerifierBuilder};
use tower_cognito_local::UserPool;

const ID: (&str, &str) = ("COGNITO_USER_POOL_ID", "eu-west-1_Ab12Cd34E");
const CLIENT: (&str, &str) = ("COGNITO_CLIENT_ID", "web");

/// Returns the variables that are wrong, with the problem of each.
fn problems<const N: usize>(variables: [(&str, &str); N]) -> Vec<String> {
    match VerifierBuilder::from_vars(variables) {
        Ok(builder) => {
            builder.build().unwrap();
            Vec::new()
        }
        Err(ConfigError::Environment { problems, .. }) => {
            problems.iter().map(ToString::to_string).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn verifier_from_variables_accepts_the_tokens_that_they_describe() {
    let pool = UserPool::start().await.unwrap();
    let issuer = ("COGNITO_ISSUER", pool.issuer());
    let clients = format!("other, {},", pool.client_id());
    let clients = ("COGNITO_CLIENT_ID", &*clients);
    let api = ("COGNITO_RESOURCE", "https://api.test, https://b.test");
    let access = pool.token("alice").sign();
    let id = pool.id_token("alice").sign();
    let bound = pool.token("alice").claim("aud", "https://b.test").sign();
    let other_client = pool.token("alice").client("third").sign();
    let check = async |variables: Vec<(&str, &str)>, accepted: [bool; 4]| {
        let verifier = VerifierBuilder::from_vars(variables).unwrap().build().unwrap();
        for (token, accepted) in [&access, &id, &bound, &other_client].into_iter().zip(accepted) {
            assert_eq!(verifier.verify(token).await.is_ok(), accepted);
        }
    };
    check(vec![issuer, clients], [true, false, false, false]).await;
    let uses = |value| ("COGNITO_TOKEN_USE", value);
    check(vec![issuer, clients, uses("access")], [true, false, false, false]).await;
    check(vec![issuer, clients, uses("id")], [false, true, false, false]).await;
    check(vec![issuer, clients, uses("access, id")], [true, true, false, false]).await;
    check(vec![issuer, clients, api], [false, false, true, false]).await;
    // Empty variables count as not set.
    let empty = [("COGNITO_USER_POOL_ID", ""), ("COGNITO_RESOURCE", ""), uses("")];
    check([vec![issuer, clients], empty.into()].concat(), [true, false, false, false]).await;

    let endpoint = pool.issuer().rsplit_once('/').unwrap().0;
    let jwks_uri = pool.jwks_uri();
    let emulator = vec![
        ("COGNITO_USER_POOL_ID", pool.id().as_str()),
        ("COGNITO_ENDPOINT", endpoint),
        ("COGNITO_JWKS_URI", &jwks_uri),
        clients,
    ];
    check(emulator, [true, false, false, false]).await;

    let claim = ("COGNITO_PERMISSIONS_CLAIM", "custom:permissions");
    let verifier = VerifierBuilder::from_vars([issuer, clients, claim, uses("id")]);
    let verifier = verifier.unwrap().build().unwrap();
    let token = pool.id_token("alice").claim("custom:permissions", "a b").sign();
    assert!(verifier.verify(&token).await.unwrap().has_permission("a"));
}

#[test]
fn each_wrong_variable_is_reported_with_what_was_found_and_expected() {
    assert_eq!(problems([ID, CLIENT]), [""; 0]);
    for (name, value, words) in [
        ("COGNITO_USER_POOL_ID", "eu-west-1", "found \"eu-west-1\"; expected `<region>_<suffix>`"),
        ("COGNITO_USER_POOL_ID", "local_1a2b", "set COGNITO_ENDPOINT"),
        ("COGNITO_CLIENT_ID", ",", "found no entry; expected at least one"),
        ("COGNITO_CLIENT_ID", "a b", "found \"a b\"; expected"),
        ("COGNITO_TOKEN_USE", "refresh", "found \"refresh\"; expected `access`, `id`"),
        ("COGNITO_TOKEN_USE", "Access", "found \"Access\"; expected `access`, `id`"),
        ("COGNITO_RESOURCE", " , ", "found no entry"),
        ("COGNITO_RESOURCE", "api.test", "found \"api.test\"; expected an absolute URI"),
        ("COGNITO_PERMISSIONS_CLAIM", "sub", "found \"sub\"; expected"),
        ("COGNITO_REGION", "us-east-1", "COGNITO_USER_POOL_ID has the region \"eu-west-1\""),
        ("COGNITO_ENDPOINT", "nonsense", "found \"nonsense\"; expected"),
        ("COGNITO_ENDPOINT", "http://10.0.0.1:1", "is plain HTTP"),
        ("COGNITO_ISSUER", "https://a.test", "has no effect together with COGNITO_USER_POOL_ID"),
        ("COGNITO_JWKS_URI", "x", "found \"x\"; expected"),
        ("COGNITO_JWKS_TTL_SECS", "0", "found \"0\"; expected a number of seconds from 1 to 86400"),
        ("COGNITO_JWKS_TTL_SECS", "15m", "found \"15m\""),
        ("COGNITO_JWKS_TTL_SECS", "86401", "found \"86401\""),
        ("COGNITO_JWKS_MIN_REFRESH_SECS", "-1", "found \"-1\""),
        ("COGNITO_JWKS_MIN_REFRESH_SECS", "0.5", "found \"0.5\""),
        ("COGNITO_CLIENT_IDS", "web", "did you mean COGNITO_CLIENT_ID?"),
        ("COGNITO_RESOURCES", "https://a.test", "did you mean COGNITO_RESOURCE?"),
        ("COGNITO_USERPOOL_ID", "x", "did you mean COGNITO_USER_POOL_ID?"),
    ] {
        let mut found = problems([ID, CLIENT, (name, value)]);
        assert_eq!(found.len(), 1, "{name}={value}: {found:?}");
        let found = found.remove(0);
        assert!(found.starts_with(&format!("{name}: ")), "{found}");
        assert!(found.contains(words), "{found}");
    }
    for accepted in [
        ("COGNITO_REGION", "eu-west-1"),
        ("COGNITO_JWKS_TTL_SECS", "86400"),
        ("COGNITO_JWKS_MIN_REFRESH_SECS", "1"),
        ("COGNITO_JWKS_URI", "https://a.test/jwks.json"),
        // Variables of other programs.
        ("COGNITO_DOMAIN", "x"),
        ("COGNITO_CLIENT_SECRET", "x"),
        ("COGNITO_CLIENT_IDS", ""),
        ("PATH", "/bin"),
    ] {
        assert_eq!(problems([ID, CLIENT, accepted]), [""; 0], "{accepted:?}");
    }
}

#[test]
fn all_wrong_variables_are_reported_at_once() {
    let found = problems([
        ("COGNITO_CLIENT_ID", "a b"),
        ("COGNITO_TOKEN_USE", "id"),
        ("COGNITO_RESOURCE", "https://a.test"),
        ("COGNITO_PERMISSIONS_CLAIM", "sub"),
        ("COGNITO_JWKS_TTL_SECS", "x"),
        ("COGNITO_JWKS_MIN_REFRESH_SECS", "y"),
    ]);
    let names: Vec<_> = found.iter().map(|it| it.split_once(':').unwrap().0).collect();
    let mut expected = vec![
        "COGNITO_CLIENT_ID",
        "COGNITO_USER_POOL_ID",
        "COGNITO_RESOURCE",
        "COGNITO_PERMISSIONS_CLAIM",
        "COGNITO_JWKS_TTL_SECS",
        "COGNITO_JWKS_MIN_REFRESH_SECS",
    ];
    expected.sort_unstable();
    let mut names = names;
    names.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(problems([]).len(), 2, "the pool and the clients are missing");
    assert_eq!(problems([("COGNITO_ISSUER", "https://a.test")]).len(), 1);
    let error = VerifierBuilder::from_vars([("COGNITO_CLIENT_ID", "a b"), ID]).unwrap_err();
    assert!(error.to_string().starts_with("environment: COGNITO_CLIENT_ID: found"), "{error}");
}

#[cfg(unix)]
#[test]
fn value_that_is_not_utf8_is_an_error() {
    use std::os::unix::ffi::OsStringExt;

    let bytes = OsString::from_vec(vec![b'a', 0xff]);
    let pairs = [ID, CLIENT].map(|(name, value)| (OsString::from(name), OsString::from(value)));
    for name in ["COGNITO_RESOURCE", "COGNITO_CLIENT_ID"] {
        let variables = pairs.clone().into_iter().filter(|(known, _)| known != name);
        let variables = variables.chain([(OsString::from(name), bytes.clone())]);
        let error = VerifierBuilder::from_vars(variables).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("environment: {name}: found a value that is not UTF-8; expected text")
        );
    }
    // Names and values of other programs do not matter.
    let others = [(bytes.clone(), "x".into()), ("COGNITO_DOMAIN".into(), bytes)];
    assert!(VerifierBuilder::from_vars(pairs.into_iter().chain(others)).is_ok());
}

/// The test sets the variables for a second process of the tests, which runs it again.
#[test]
fn the_environment_of_the_process_is_read() {
    if std::env::var_os(ID.0).is_some() {
        VerifierBuilder::from_env().unwrap().build().unwrap();
        return;
    }
    let error = VerifierBuilder::from_env().unwrap_err().to_string();
    assert!(error.contains("COGNITO_USER_POOL_ID: not set"), "{error}");
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "environment::the_environment_of_the_process_is_read"])
        .envs([ID, CLIENT])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
