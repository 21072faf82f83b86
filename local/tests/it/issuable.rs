//! Minted tokens and mocks follow what the pool would issue, and `sign_in` issues what a sign-in returns.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde_json::{Value, json};
use tower_cognito::{
    AuthErrorKind, Claims, ConfigError, Pool, Verifier, claims::ListForm, permission,
    policy::Grants, policy::pool as pool_named,
};
use tower_cognito_local::{Config, SignInError, TokenBuilder, UserPool, mock, mock_id};

use crate::support::cognito::{PASSWORD, payload, pool_with, sign_in, token};

/// Returns the text of the panic with which `sign` refuses a token, or `None` if it signs.
fn refusal(token: &TokenBuilder) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| token.sign())).err()?;
    Some(*panic.downcast::<String>().unwrap())
}

fn assert_refused(token: &TokenBuilder, texts: &[&str]) {
    let text = refusal(token).unwrap_or_else(|| panic!("signed, expected {texts:?}"));
    for expected in texts.iter().chain(&["changed_by_trigger()"]) {
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn access_token_with_a_claim_that_no_sign_in_writes_is_refused() {
    let pool = UserPool::start().await.unwrap();
    for name in ["custom:tenant_id", "email", "tenant", "permissions"] {
        let token = || pool.token("alice").claim(name, "x");
        assert_refused(&token(), &[name]);
        assert_refused(&pool.machine_token("m").claim(name, "x"), &[name]);
        assert_eq!(refusal(&token().changed_by_trigger()), None);
        assert_eq!(refusal(&token().without(name)), None);
    }
    assert_refused(&pool.token("alice").permissions(["a"]), &["custom:permissions"]);
    // A mock follows the same rules.
    assert_refused(&mock("alice").claim("custom:tenant_id", "acme"), &["custom:tenant_id"]);
}

#[tokio::test]
async fn claims_that_cognito_writes_can_have_any_value_or_be_missing() {
    let pool = UserPool::start().await.unwrap();
    for name in ["iss", "sub", "exp", "token_use", "client_id", "scope", "cnf", "nbf", "aud"] {
        assert_eq!(refusal(&pool.token("alice").claim(name, json!([7]))), None, "{name}");
        assert_eq!(refusal(&pool.token("alice").without(name)), None, "{name}");
        assert_eq!(refusal(&pool.id_token("alice").claim(name, json!([7]))), None, "{name}");
    }
}

#[tokio::test]
async fn pool_without_a_configuration_accepts_scopes_groups_and_custom_attributes() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").scope("orders/write").scope("email").group("staff");
    assert_eq!(refusal(&token), None);
    assert_eq!(refusal(&pool.machine_token(pool.client_id()).scope("orders/read")), None);
    let id = pool.id_token("alice").claim("custom:tenant_id", "acme").claim("email", "a@b.c");
    assert_eq!(refusal(&id.permissions(["a"])), None);
    assert_refused(&pool.id_token("alice").claim("tenant", "acme"), &["tenant", "schema"]);
}

const CONFIG: &str = r#"
    [aws_cognito_user_pool]
    schema = [{ name = "tenant_id", attribute_data_type = "String" }]

    [[aws_cognito_user_pool_client]]
    name = "api only"
    client_id = "apionly"
    read_attributes = ["email", "custom:tenant_id"]
    access_token_validity = 5

    [[aws_cognito_user_pool_client]]
    name = "page"
    client_id = "page"
    allowed_oauth_flows_user_pool_client = true
    allowed_oauth_flows = ["code"]
    allowed_oauth_scopes = ["openid", "email", "orders/write"]
    callback_urls = ["https://a.test"]

    [[aws_cognito_user_pool_client]]
    name = "machine"
    client_id = "machine"
    generate_secret = true
    allowed_oauth_flows_user_pool_client = true
    allowed_oauth_flows = ["client_credentials"]
    allowed_oauth_scopes = ["orders/write"]

    [[aws_cognito_resource_server]]
    identifier = "orders"
    name = "orders"
    scope = [{ scope_name = "write", scope_description = "write" }, { scope_name = "read", scope_description = "read" }]

    [[aws_cognito_user_group]]
    name = "staff"
"#;

async fn configured() -> UserPool {
    let config = Config::from_toml(CONFIG).unwrap();
    UserPool::builder().client_id("apionly").config(config).start().await.unwrap()
}

#[tokio::test]
async fn scope_that_the_app_client_is_not_granted_is_refused() {
    let pool = configured().await;
    let user = |client: &str| pool.token("alice").client(client);
    let api_scope = "aws.cognito.signin.user.admin";
    for (token, refused) in [
        (user("apionly"), None),
        (user("apionly").scope(api_scope), None),
        (user("apionly").scope("orders/write"), Some("through the API")),
        (user("apionly").scope("openid"), Some("through the API")),
        (user("page").scope("openid").scope("orders/write"), None),
        (user("page").scope("orders/write"), None),
        (user("page").scope("orders/read"), Some("allowed_oauth_scopes")),
        (user("page").scope("orders/wrte"), Some("allowed_oauth_scopes")),
        (user("page").scope("email"), Some("openid")),
        (user("machine").scope("orders/write"), Some("OAuth flow for users")),
        (pool.machine_token("machine").scope("orders/write"), None),
        (pool.machine_token("machine").scope("orders/read"), Some("allowed_oauth_scopes")),
        (pool.machine_token("page").scope("orders/write"), Some("client_credentials")),
        // No such client: a test of a wrong client.
        (user("elsewhere").scope("orders/read"), None),
        (pool.machine_token("elsewhere").scope("orders/read"), None),
    ] {
        match refused {
            Some(text) => {
                assert_refused(&token, &["scope", text]);
                assert_eq!(refusal(&token.changed_by_trigger()), None);
            }
            None => assert_eq!(refusal(&token), None, "{:?}", token.payload()),
        }
    }
}

#[tokio::test]
async fn scope_of_an_id_token_and_group_of_a_machine_are_refused() {
    let pool = UserPool::start().await.unwrap();
    let id = refusal(&pool.id_token("alice").scope("orders/write")).unwrap();
    assert!(id.contains("orders/write") && id.contains("access token"), "{id}");
    assert_refused(&pool.machine_token("m").group("staff"), &["staff", "machine"]);
}

#[tokio::test]
async fn group_and_attribute_that_the_pool_does_not_have_are_refused() {
    let pool = configured().await;
    assert_eq!(refusal(&pool.token("alice").group("staff")), None);
    assert_refused(&pool.token("alice").group("stafff"), &["stafff", "only staff"]);
    assert_eq!(refusal(&pool.id_token("alice").claim("custom:tenant_id", "acme")), None);
    assert_refused(
        &pool.id_token("alice").claim("custom:tenant", "a"),
        &["custom:tenant", "schema"],
    );
    assert_refused(&pool.id_token("alice").claim("name", "A"), &["name", "read_attributes"]);
}

#[tokio::test]
async fn minted_tokens_have_the_lifetime_of_the_app_client() {
    let pool = configured().await;
    let lifetime = |token: TokenBuilder| {
        let claims = token.payload();
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
    };
    assert_eq!(lifetime(pool.token("alice")), 5 * 60 * 60);
    assert_eq!(lifetime(pool.id_token("alice")), 60 * 60);
    assert_eq!(lifetime(pool.machine_token("machine")), 60 * 60);
}

#[tokio::test]
async fn trigger_of_the_pool_allows_what_it_can_write() {
    let first = UserPool::builder().on_pre_token_generation(|event| async { Ok(event) });
    let second = UserPool::builder().on_pre_token_generation_v2(|event| async { Ok(event) });
    for (builder, in_access) in [(first, false), (second, true)] {
        let pool = builder.start().await.unwrap();
        assert_eq!(refusal(&pool.id_token("alice").claim("tenant", "acme")), None);
        assert_eq!(refusal(&pool.token("alice").claim("tenant", "acme")).is_none(), in_access);
        assert!(refusal(&pool.machine_token("m").claim("tenant", "acme")).is_some());
    }
}

#[tokio::test]
async fn sign_in_returns_the_tokens_of_a_sign_in_through_the_api() {
    let toml = "[[aws_cognito_user_group]]\nname = \"staff\"\n[[aws_cognito_user]]\nusername = \"carol\"\n\
                password = \"Correct-Horse-1\"\ngroups = [\"staff\"]\nattributes = { email = \"c@example.com\" }\n";
    let pool = pool_with(toml, &["alice"]).await;
    for name in ["alice", "carol"] {
        let own = pool.sign_in(name).await.unwrap();
        let api = sign_in(&pool, name, PASSWORD).await.unwrap();
        for (own, kind) in [(own.access_token(), "AccessToken"), (own.id_token(), "IdToken")] {
            let (own, api) = (payload(own), payload(&token(&api, kind)));
            let names =
                |claims: &Value| claims.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&own), names(&api));
            for same in ["sub", "scope", "cognito:groups", "email", "aud", "client_id", "iss"] {
                assert_eq!(own[same], api[same], "{same}");
            }
        }
        assert!(pool.verifier().build().unwrap().verify(own.access_token()).await.is_ok());
        assert_eq!(own.refresh_token().split('.').count(), 5);
        assert!(!format!("{own:?}").contains(own.access_token()));
    }
}

#[tokio::test]
async fn sign_in_runs_the_triggers_of_the_pool() {
    let config = Config::from_toml(
        "[[aws_cognito_user]]\nusername = \"alice\"\npassword = \"Correct-Horse-1\"\n",
    );
    let pool = UserPool::builder()
        .config(config.unwrap())
        .on_pre_authentication(|event| async {
            if event.cognito_event_user_pools_header.user_name.as_deref() == Some("alice") {
                return Err("closed".into());
            }
            Ok(event)
        })
        .start()
        .await
        .unwrap();
    let error = pool.sign_in("alice").await.unwrap_err();
    assert_eq!(error.code(), "UserLambdaValidationException");
    assert!(error.to_string().contains("closed"), "{error}");
}

#[tokio::test]
async fn user_who_cannot_sign_in_is_a_clear_error() {
    let toml = r#"
        [aws_cognito_user_pool]
        mfa_configuration = "ON"

        [[aws_cognito_user]]
        username = "new"
        temporary_password = "Temporary-Word-1"

        [[aws_cognito_user]]
        username = "without-mfa"
        password = "Correct-Horse-1"

        [[aws_cognito_user]]
        username = "disabled"
        password = "Correct-Horse-1"
        enabled = false
    "#;
    let config = Config::from_toml(toml).unwrap();
    let pool = UserPool::builder().config(config).start().await.unwrap();
    for (name, code, text) in [
        ("nobody", "UserNotFoundException", "no user \"nobody\""),
        ("new", "NEW_PASSWORD_REQUIRED", "temporary"),
        ("without-mfa", "MFA_SETUP", "MFA"),
        ("disabled", "NotAuthorizedException", "disabled"),
    ] {
        let error: SignInError = pool.sign_in(name).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

/// The configuration of a service.
fn verifier(pool: Pool) -> Result<Verifier, ConfigError> {
    let pool = pool
        .name("staff")
        .access_tokens(["web"])
        .id_tokens(["web"])
        .grants(Grants::new().add_group("support", ["orders:read"]));
    Verifier::builder(pool)
        .permissions_claim("custom:teams")
        .permissions_form(ListForm::Bracketed)
        .build()
}

#[test]
fn mock_is_verified_by_the_configuration_of_the_service() {
    let claims =
        mock_id("alice").client("web").group("support").claim("custom:teams", "[a:b, c:d]");
    let claims = claims.verifier(verifier).claims::<()>().unwrap();
    assert!(claims.permissions().eq(["a:b", "c:d", "orders:read"]));
    assert!((pool_named("staff") & permission("a:b")).check(&claims).is_ok());
    let other = mock("alice").verifier(verifier).verified().unwrap_err();
    assert_eq!(other.kind(), AuthErrorKind::WrongClient);
    // Without it, a mock has no permissions that production might not have.
    let plain = mock_id("alice").group("support").permissions(["a:b"]).verified().unwrap();
    assert_eq!(plain.permissions().count(), 0);
}

#[tokio::test]
async fn one_function_configures_the_verifier_for_mocks_and_for_a_pool() {
    let pool = UserPool::builder().client_id("web").start().await.unwrap();
    let claims =
        verifier(pool.pool()).unwrap().verify(&pool.token("alice").group("support").sign()).await;
    assert!(claims.unwrap().has_permission("orders:read"));
    let without_clients = Verifier::builder(pool.pool()).build();
    assert!(matches!(without_clients, Err(ConfigError::NoClients { .. })));
}

#[tokio::test]
async fn plain_verifier_of_a_pool_accepts_access_tokens_and_reads_no_permissions() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").changed_by_trigger().permissions(["a"]).sign();
    assert_eq!(verifier.verify(&token).await.unwrap().permissions().count(), 0);
    let id = verifier.verify(&pool.id_token("alice").sign()).await.unwrap_err();
    assert_eq!(id.kind(), AuthErrorKind::WrongTokenUse);
}

#[test]
fn mock_without_an_attribute_names_the_claim() {
    #[derive(Debug, Deserialize)]
    struct Tenant {
        #[serde(rename = "custom:tenant_id")]
        _tenant: String,
    }
    let error = Claims::<Tenant>::from_verified(&mock("alice").verified().unwrap()).unwrap_err();
    assert!(error.to_string().contains("custom:tenant_id"), "{error}");
}
