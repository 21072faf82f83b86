//! Expensive work of a local pool does not run on the async threads.
//!
//! The runtime of these tests has one blocking thread, which the test keeps busy: a request with expensive work must
//! wait for it, while other requests are served.

use std::{future::Future, pin::pin, sync::mpsc};

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    DataFile,
    admin::{PASSWORD, admin, last_code, on_user, set_password, sign_in, tokens, user},
    browser::{Browser, encoded},
    cognito::{call, error, initiate, respond, short_name},
    function::Function,
    get,
    srp::SrpClient,
};

const CONFIG: &str = r#"
[aws_cognito_user_pool]
auto_verified_attributes = ["email"]
password_policy = { password_history_size = 2 }

[[aws_cognito_user_pool_client]]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid"]
callback_urls = ["https://app.test/back"]

[[aws_cognito_user_pool_client]]
client_id = "machine"
client_secret = "machine-secret"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["client_credentials"]
allowed_oauth_scopes = ["orders/read"]

[[aws_cognito_resource_server]]
identifier = "orders"
name = "orders"
scope = [{ scope_name = "read", scope_description = "Read" }]
"#;

/// Runs a test on a runtime with one async thread and one blocking thread.
fn on_one_thread(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().max_blocking_threads(1).build().unwrap().block_on(test);
}

/// Keeps the blocking thread busy until it is dropped.
struct Busy {
    _release: mpsc::Sender<()>,
}

impl Busy {
    async fn start() -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            begin.send(()).unwrap();
            let _ = released.recv();
        });
        begun.await.unwrap();
        Self { _release: release }
    }
}

async fn is_served(pool: &UserPool) {
    let path = format!("/{}/.well-known/jwks.json", pool.id());
    assert_eq!(get(pool.address(), &path, None).await.status, 200);
}

/// Checks that a request waits for the busy thread while others are served, and returns its response once the thread
/// is free.
async fn waits<T>(pool: &UserPool, what: &str, request: impl Future<Output = T>) -> T {
    let mut request = pin!(request);
    let busy = Busy::start().await;
    for _ in 0..20 {
        tokio::select! {
            biased;
            _ = &mut request => panic!("{what}: the work ran on the async thread"),
            () = is_served(pool) => {}
        }
    }
    drop(busy);
    request.await
}

async fn post_form(pool: &UserPool, path: &str, form: &[(&str, &str)]) -> u16 {
    let request = crate::support::cognito::client()
        .post(format!("http://{}{path}", pool.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded(form));
    request.send().await.unwrap().status().as_u16()
}

async fn pool() -> UserPool {
    let config = Config::from_toml(CONFIG).unwrap();
    UserPool::builder().config(config).own_keys().start().await.unwrap()
}

#[test]
fn several_sign_ins_do_not_block_other_requests() {
    on_one_thread(async {
        let pool = pool().await;
        user(&pool, "alice").await;
        for (flow, count) in [("USER_PASSWORD_AUTH", 4), ("USER_SRP_AUTH", 4)] {
            let parameters = |number: usize| match flow {
                "USER_SRP_AUTH" => json!({ "USERNAME": "alice", "SRP_A": format!("{number}abc") }),
                _ => json!({ "USERNAME": "alice", "PASSWORD": PASSWORD }),
            };
            let one = async |number| initiate(&pool, flow, parameters(number)).await;
            let all = async { tokio::join!(one(1), one(2), one(3), one(4)) };
            let (a, b, c, d) = waits(&pool, flow, all).await;
            let succeeded = [a, b, c, d].iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(succeeded, count, "{flow}");
        }
    });
}

#[test]
fn password_computations_do_not_block_other_requests() {
    on_one_thread(async {
        let pool = pool().await;
        let client = pool.client_id();
        for name in ["alice", "bob", "carol"] {
            user(&pool, name).await;
        }
        let unknown = sign_in(&pool, "nobody", PASSWORD);
        error(waits(&pool, "a sign-in of an unknown user", unknown).await);

        let srp = SrpClient::new();
        let parameters = json!({ "USERNAME": "alice", "SRP_A": srp.public });
        let challenge = initiate(&pool, "USER_SRP_AUTH", parameters).await.unwrap();
        let answers = srp.answers(short_name(&pool), &challenge, PASSWORD);
        let proof = respond(&pool, "PASSWORD_VERIFIER", &Value::Null, answers);
        waits(&pool, "PASSWORD_VERIFIER", proof).await.unwrap();

        let input = json!({
            "ClientId": client, "Username": "jane", "Password": PASSWORD,
            "UserAttributes": [{ "Name": "email", "Value": "jane@example.com" }],
        });
        waits(&pool, "SignUp", call(&pool, "SignUp", input)).await.unwrap();

        let access = tokens(&pool, "alice").await["AccessToken"].clone();
        let input = json!({
            "AccessToken": access, "PreviousPassword": PASSWORD, "ProposedPassword": "Other-Horse-2",
        });
        waits(&pool, "ChangePassword", call(&pool, "ChangePassword", input)).await.unwrap();

        let email = json!([
            { "Name": "email", "Value": "bob@example.com" }, { "Name": "email_verified", "Value": "true" },
        ]);
        let email = json!({ "Username": "bob", "UserAttributes": email });
        admin(&pool, "AdminUpdateUserAttributes", email).await.unwrap();
        let forgotten = json!({ "ClientId": client, "Username": "bob" });
        call(&pool, "ForgotPassword", forgotten).await.unwrap();
        let input = json!({
            "ClientId": client, "Username": "bob", "Password": "Other-Horse-2",
            "ConfirmationCode": last_code(&pool, "bob").await,
        });
        let reset = call(&pool, "ConfirmForgotPassword", input);
        waits(&pool, "ConfirmForgotPassword", reset).await.unwrap();

        let input = json!({ "Username": "dave", "MessageAction": "SUPPRESS" });
        let made = admin(&pool, "AdminCreateUser", input);
        waits(&pool, "AdminCreateUser", made).await.unwrap();
        let set = set_password(&pool, "dave", "First-Horse-3", false);
        waits(&pool, "AdminSetUserPassword", set).await.unwrap();
        let asked = sign_in(&pool, "dave", "First-Horse-3").await.unwrap();
        let answers = json!({ "USERNAME": "dave", "NEW_PASSWORD": "Other-Horse-2" });
        let chosen = respond(&pool, "NEW_PASSWORD_REQUIRED", &asked["Session"], answers);
        waits(&pool, "NEW_PASSWORD_REQUIRED", chosen).await.unwrap();

        let query = [
            ("client_id", client),
            ("redirect_uri", "https://app.test/back"),
            ("response_type", "code"),
        ];
        let mut browser = Browser::new();
        let address = format!("http://{}/login?{}", pool.address(), encoded(&query));
        let page = browser.open(address).await;
        let typed = [("username", "carol"), ("password", PASSWORD)];
        let page = waits(&pool, "/login", browser.submit(&page, "/login", &typed)).await;
        assert!(page.parameter("code").is_some());
    });
}

#[test]
fn password_of_a_migrated_user_does_not_block_other_requests() {
    on_one_thread(async {
        let function = Function::responding(json!({
            "userAttributes": { "email": "old@example.com" },
            "finalUserStatus": "CONFIRMED",
            "messageAction": "SUPPRESS",
        }))
        .await;
        let builder = UserPool::builder().trigger_url(Trigger::UserMigration, function.url());
        let pool = builder.start().await.unwrap();
        waits(&pool, "migration", sign_in(&pool, "old", PASSWORD)).await.unwrap();
    });
}

#[test]
fn signatures_and_key_generation_do_not_block_other_requests() {
    on_one_thread(async {
        let pool = pool().await;
        user(&pool, "alice").await;
        let tokens = tokens(&pool, "alice").await;
        let input = json!({
            "ClientId": pool.client_id(), "RefreshToken": tokens["RefreshToken"],
        });
        let refreshed = call(&pool, "GetTokensFromRefreshToken", input);
        waits(&pool, "GetTokensFromRefreshToken", refreshed).await.unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "machine"),
            ("client_secret", "machine-secret"),
        ];
        let machine = post_form(&pool, "/oauth2/token", &form);
        assert_eq!(waits(&pool, "client credentials", machine).await, 200);
        let made = call(&pool, "CreateUserPool", json!({ "PoolName": "second" }));
        waits(&pool, "CreateUserPool", made).await.unwrap();
        let other = UserPool::builder().own_keys().start();
        waits(&pool, "the start of a pool", other).await.unwrap();
    });
}

#[test]
fn commits_to_disk_block_neither_other_requests_nor_readers() {
    let file = DataFile::new("threads");
    on_one_thread(async {
        let config = Config::from_toml(CONFIG).unwrap();
        let start = || UserPool::builder().config(config.clone()).data(file.path()).start();
        let pool = start().await.unwrap();
        user(&pool, "alice").await;
        let tokens = tokens(&pool, "alice").await;
        let staff = || json!({ "GroupName": "staff" });
        let seen = async |name: &str| admin(&pool, "GetGroup", json!({ "GroupName": name })).await;

        // A change is invisible until it is on disk, and everything else can be read meanwhile.
        let mut write = Box::pin(admin(&pool, "CreateGroup", staff()));
        let busy = Busy::start().await;
        for _ in 0..20 {
            let reads = async {
                assert_eq!(error(seen("staff").await).0, "ResourceNotFoundException");
                on_user(&pool, "AdminGetUser", "alice").await.unwrap();
                let input = json!({ "AccessToken": tokens["AccessToken"] });
                call(&pool, "GetUser", input).await.unwrap();
            };
            tokio::select! {
                biased;
                _ = &mut write => panic!("the commit ran on the async thread"),
                () = reads => {}
            }
        }
        drop(busy);
        write.await.unwrap();
        seen("staff").await.unwrap();

        // Concurrent changes wait for each other, and none is lost.
        let named = |name: &str| json!({ "GroupName": name });
        let all = async {
            tokio::join!(
                admin(&pool, "CreateGroup", named("a")),
                admin(&pool, "CreateGroup", named("a")),
                admin(&pool, "CreateGroup", named("b")),
                admin(&pool, "DeleteGroup", staff()),
            )
        };
        let (one, two, three, four) = waits(&pool, "several changes", all).await;
        assert_eq!([one, two].iter().filter(|answer| answer.is_ok()).count(), 1);
        three.unwrap();
        four.unwrap();
        let revoked = json!({ "ClientId": pool.client_id(), "Token": tokens["RefreshToken"] });
        waits(&pool, "RevokeToken", call(&pool, "RevokeToken", revoked)).await.unwrap();
        let made = call(&pool, "CreateUserPool", json!({ "PoolName": "second" })).await.unwrap();
        let id = json!({ "UserPoolId": made["UserPool"]["Id"] });
        let deleted = call(&pool, "DeleteUserPool", id.clone());
        waits(&pool, "DeleteUserPool", deleted).await.unwrap();
        error(call(&pool, "DescribeUserPool", id.clone()).await);
        drop(pool);

        let pool = start().await.unwrap();
        let seen = async |name: &str| {
            let input = json!({ "UserPoolId": pool.id().as_str(), "GroupName": name });
            call(&pool, "GetGroup", input).await.is_ok()
        };
        assert_eq!([seen("a").await, seen("b").await, seen("staff").await], [true, true, false]);
        error(call(&pool, "DescribeUserPool", id).await);
    });
}
