//! The data file: what a pool stores survives restarts and kills.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_cognito::TokenUse;
use tower_cognito_local::{Config, UserPool};

use crate::support::{DataFile, captured_logs, cognito::call, command::Served};

async fn create_pool(pool: &UserPool, name: &str) -> Value {
    let answer = call(pool, "CreateUserPool", json!({ "PoolName": name })).await.unwrap();
    answer["UserPool"]["Id"].clone()
}

#[tokio::test]
async fn tokens_users_and_pools_survive_a_restart() {
    let file = DataFile::new("restart");
    let pool = file.pool().await;
    let id = json!(pool.id().as_str());
    let user = json!({ "UserPoolId": id, "Username": "alice", "MessageAction": "SUPPRESS" });
    call(&pool, "AdminCreateUser", user).await.unwrap();
    let password = json!({
        "UserPoolId": id, "Username": "alice", "Password": "Correct-Horse-1", "Permanent": true,
    });
    call(&pool, "AdminSetUserPassword", password).await.unwrap();
    let sign_in = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": "Correct-Horse-1" },
    });
    let answer = call(&pool, "InitiateAuth", sign_in.clone()).await.unwrap();
    let tokens = answer["AuthenticationResult"].clone();
    let other = create_pool(&pool, "other").await;
    let deleted = create_pool(&pool, "deleted").await;
    call(&pool, "DeleteUserPool", json!({ "UserPoolId": deleted })).await.unwrap();
    pool.rotate().unwrap();
    let keys = [TokenUse::Access, TokenUse::Id].map(|kind| pool.key_id(kind));
    drop(pool);

    let pool = file.pool().await;
    assert_eq!([TokenUse::Access, TokenUse::Id].map(|kind| pool.key_id(kind)), keys);
    let token = json!({ "AccessToken": tokens["AccessToken"] });
    assert_eq!(call(&pool, "GetUser", token).await.unwrap()["Username"], "alice");
    let verifier = crate::support::full_verifier(&pool).build().unwrap();
    verifier.verify(tokens["IdToken"].as_str().unwrap()).await.unwrap();
    let refresh = json!({ "ClientId": pool.client_id(), "RefreshToken": tokens["RefreshToken"] });
    call(&pool, "GetTokensFromRefreshToken", refresh).await.unwrap();
    call(&pool, "InitiateAuth", sign_in).await.unwrap();
    call(&pool, "DescribeUserPool", json!({ "UserPoolId": other })).await.unwrap();
    call(&pool, "DescribeUserPool", json!({ "UserPoolId": deleted })).await.unwrap_err();
}

#[tokio::test]
async fn withdrawn_keys_stay_withdrawn_after_a_restart() {
    let file = DataFile::new("withdrawn");
    let pool = file.pool().await;
    let old = pool.key_id(TokenUse::Access);
    pool.rotate().unwrap();
    pool.withdraw_old_keys();
    drop(pool);
    let pool = file.pool().await;
    let keys = reqwest::get(pool.jwks_uri()).await.unwrap().text().await.unwrap();
    assert!(!keys.contains(&old) && keys.contains(&pool.key_id(TokenUse::Access)));
}

#[tokio::test]
async fn file_in_use_by_another_process_is_rejected() {
    let file = DataFile::new("twice");
    let pool = file.pool().await;
    let error = UserPool::builder().data(file.path()).start().await.unwrap_err().to_string();
    assert!(error.contains("-twice.redb: another process has it open"), "{error}");
    drop(pool);
    UserPool::builder().data(file.path()).start().await.unwrap();
}

#[tokio::test]
async fn file_of_another_format_is_rejected_and_unchanged() {
    let file = DataFile::new("other-format");
    for text in ["hello", &"a longer text ".repeat(10_000)] {
        fs::write(file.path(), text).unwrap();
        let error = UserPool::builder().data(file.path()).start().await.unwrap_err().to_string();
        assert!(
            error.contains("-other-format.redb: it is not a data file of a local pool"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(file.path()).unwrap(), text);
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn data_file_is_private_with_any_umask() {
    for umask in ["000", "022", "077", "777"] {
        let file = DataFile::new(&format!("umask-{umask}"));
        let served = Served::start_with_umask(file.path(), umask);
        let found = mode(file.path());
        served.kill();
        assert_eq!(found, 0o600, "umask {umask}: found {found:o}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn data_file_with_a_permissive_mode_is_tightened_and_reported_once() {
    use std::os::unix::fs::PermissionsExt;

    let file = DataFile::new("lax");
    captured_logs();
    drop(file.pool().await);
    let reports = |text: &str| {
        let is_report = |line: &&str| line.contains("-lax.redb: ") && line.contains(text);
        captured_logs().lines().filter(is_report).count()
    };
    assert_eq!(reports(""), 0, "a new file must be created with mode 0600");
    for (number, lax) in [0o644, 0o660, 0o606, 0o777].into_iter().enumerate() {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(lax)).unwrap();
        drop(file.pool().await);
        assert_eq!(mode(file.path()), 0o600, "{lax:o}");
        drop(file.pool().await);
        assert_eq!(reports(&format!("(mode 0{lax:o}); its mode is now 0600")), 1, "{lax:o}");
        assert_eq!(reports(""), number + 1, "{lax:o}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn mode_of_a_file_of_another_format_is_unchanged() {
    use std::os::unix::fs::PermissionsExt;

    let file = DataFile::new("other-format-mode");
    fs::write(file.path(), "hello").unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    UserPool::builder().data(file.path()).start().await.unwrap_err();
    assert_eq!(mode(file.path()), 0o644);
}

#[tokio::test]
async fn error_names_a_missing_folder() {
    let error = UserPool::builder().data("/nowhere/pool.redb").start().await.unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/pool.redb: "), "{error}");
}

#[tokio::test]
async fn error_names_a_pool_or_client_that_is_not_in_the_file() {
    let file = DataFile::new("other");
    let builder = || UserPool::builder().data(file.path());
    let pool = builder().pool_id("eu-west-1_Mine").client_id("mine").start().await.unwrap();
    drop(pool);
    let error = builder().pool_id("eu-west-1_Other").start().await.unwrap_err().to_string();
    assert!(error.contains("no pool \"eu-west-1_Other\", only eu-west-1_Mine"), "{error}");
    let error = builder().client_id("other").start().await.unwrap_err().to_string();
    assert!(error.contains("no app client \"other\": expected one of mine"), "{error}");
    let pool = builder().start().await.unwrap();
    assert_eq!((pool.id().as_str(), pool.client_id()), ("eu-west-1_Mine", "mine"));
}

const COUNTERS: &str = r#"
[aws_cognito_user_pool]
auto_verified_attributes = ["email"]

[[aws_cognito_user_pool_client]]
client_id = "web"
prevent_user_existence_errors = "ENABLED"
refresh_token_rotation = { feature = "ENABLED", retry_grace_period_seconds = 0 }
explicit_auth_flows = ["ALLOW_USER_PASSWORD_AUTH"]

[[aws_cognito_user]]
username = "alice"
password = "Correct-Horse-1"
attributes = { email = "alice@example.com", email_verified = "true" }

[[aws_cognito_user]]
username = "bob"
password = "Correct-Horse-1"
attributes = { email = "bob@example.com", email_verified = "true" }
"#;

#[tokio::test]
async fn counters_and_revocations_of_rejected_requests_survive_a_restart() {
    let file = DataFile::new("counters");
    let start = async || {
        let config = Config::from_toml(COUNTERS).unwrap();
        let builder = UserPool::builder().config(config).issuer("https://pool.test/a");
        builder.data(file.path()).start().await.unwrap()
    };
    let sign_in = async |pool: &UserPool, name: &str, password: &str| {
        let input = json!({
            "ClientId": "web", "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": { "USERNAME": name, "PASSWORD": password },
        });
        call(pool, "InitiateAuth", input).await
    };
    let refresh = async |pool: &UserPool, token: &Value| {
        let input = json!({ "ClientId": "web", "RefreshToken": token });
        call(pool, "GetTokensFromRefreshToken", input).await
    };
    let confirm = async |pool: &UserPool, name: &str, code: &str| {
        let input = json!({
            "ClientId": "web", "Username": name, "ConfirmationCode": code,
            "Password": "Other-Horse-2",
        });
        call(pool, "ConfirmForgotPassword", input).await
    };

    let pool = start().await;
    let tokens = sign_in(&pool, "bob", "Correct-Horse-1").await.unwrap();
    let first = tokens["AuthenticationResult"]["RefreshToken"].clone();
    let second = refresh(&pool, &first).await.unwrap();
    let second = second["AuthenticationResult"]["RefreshToken"].clone();
    // Reuse of a rotated refresh token revokes its session.
    let reused = refresh(&pool, &first).await.unwrap_err();
    assert_eq!(reused.0, "RefreshTokenReuseException");
    // Wrong codes are counted for existing and for unknown users.
    for name in ["alice", "nobody"] {
        let input = json!({ "ClientId": "web", "Username": name });
        call(&pool, "ForgotPassword", input).await.unwrap();
        for _ in 0..5 {
            let wrong = confirm(&pool, name, "no-code").await.unwrap_err();
            assert_eq!(wrong.0, "CodeMismatchException", "{name}");
        }
    }
    // Wrong passwords lock the account, finally for 15 minutes.
    for name in ["alice", "nobody"] {
        for _ in 0..15 {
            let wrong = sign_in(&pool, name, "Wrong-Horse-1").await.unwrap_err();
            assert_eq!(wrong.1, "Incorrect username or password.", "{name}");
            pool.advance(Duration::from_secs(15 * 60));
        }
        sign_in(&pool, name, "Wrong-Horse-1").await.unwrap_err();
    }
    drop(pool);

    let pool = start().await;
    let revoked = refresh(&pool, &second).await.unwrap_err();
    assert_eq!(revoked.1, "Refresh Token has been revoked");
    for name in ["alice", "nobody"] {
        let limit = confirm(&pool, name, "no-code").await.unwrap_err();
        assert_eq!(limit.0, "LimitExceededException", "{name}");
        let locked = sign_in(&pool, name, "Correct-Horse-1").await.unwrap_err();
        assert_eq!(locked.1, "Password attempts exceeded", "{name}");
    }
    sign_in(&pool, "bob", "Correct-Horse-1").await.unwrap();
}

/// Calls an operation of a pool that may be killed meanwhile. Returns the output of a successful response.
async fn try_call(address: SocketAddr, operation: &str, input: Value) -> Option<Value> {
    let response = reqwest::Client::new()
        .post(format!("http://{address}/"))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(input.to_string())
        .send()
        .await
        .ok()?;
    let succeeded = response.status().is_success();
    let body = response.text().await.ok()?;
    succeeded.then(|| serde_json::from_str(&body).ok())?
}

/// An acknowledged change, as the operation and input that must find it.
type Found = (&'static str, Value);

async fn traffic(address: SocketAddr, name: String, found: Arc<Mutex<Vec<Found>>>) {
    let id = "us-east-1_Local0001";
    for number in 0.. {
        let name = format!("{name}-{number}");
        let user = json!({ "UserPoolId": id, "Username": name, "MessageAction": "SUPPRESS" });
        let named = json!({ "UserPoolId": id, "Username": name });
        let group = json!({ "UserPoolId": id, "GroupName": name });
        let client = json!({ "UserPoolId": id, "ClientName": name });
        let kept = |operation, input| found.lock().unwrap().push((operation, input));
        if try_call(address, "CreateGroup", group.clone()).await.is_none() {
            return;
        }
        kept("GetGroup", group);
        let Some(made) = try_call(address, "CreateUserPoolClient", client).await else { return };
        let client = &made["UserPoolClient"]["ClientId"];
        kept("DescribeUserPoolClient", json!({ "UserPoolId": id, "ClientId": client }));
        if try_call(address, "AdminCreateUser", user).await.is_none() {
            return;
        }
        kept("AdminGetUser", named);
        let Some(made) = try_call(address, "CreateUserPool", json!({ "PoolName": name })).await
        else {
            return;
        };
        kept("DescribeUserPool", json!({ "UserPoolId": made["UserPool"]["Id"] }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_changes_survive_a_kill() {
    let file = DataFile::new("killed");
    let found: Arc<Mutex<Vec<Found>>> = Arc::default();
    for round in 0..4 {
        let served = Served::start(file.path());
        let mut tasks = JoinSet::new();
        for task in 0..4 {
            let name = format!("{round}-{task}");
            tasks.spawn(traffic(served.address, name, Arc::clone(&found)));
        }
        let before = found.lock().unwrap().len();
        crate::support::eventually("enough changes are acknowledged", async || {
            found.lock().unwrap().len() >= before + 17 + round
        })
        .await;
        served.kill();
        while tasks.join_next().await.is_some() {}
    }
    let served = Served::start(file.path());
    let found = Arc::into_inner(found).unwrap().into_inner().unwrap();
    assert!(found.len() >= 70);
    for (operation, input) in found {
        let answer = try_call(served.address, operation, input.clone()).await;
        assert!(answer.is_some(), "acknowledged change was lost: {operation} {input}");
    }
    served.kill();
}
