//! An operation runs to completion when its client disconnects while a trigger runs. Stopping the pool aborts it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};
use tower_cognito_local::{Config, Fault, Trigger, UserPool};

use crate::support::{
    admin::{PASSWORD, admin, attributes, messages, on_user, tokens, user},
    browser::{Browser, WebForm, encoded, open},
    cognito::{allow_provider, call, provider_config},
    eventually,
    function::{Function, Outcome},
    get,
};

const CONFIG: &str = r#"
[aws_cognito_user_pool]
auto_verified_attributes = ["email"]

[[aws_cognito_user_pool_client]]
explicit_auth_flows = ["ALLOW_USER_PASSWORD_AUTH"]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code", "implicit"]
allowed_oauth_scopes = ["openid", "email"]
callback_urls = ["https://app.test/back"]
supported_identity_providers = ["COGNITO"]
refresh_token_rotation = { feature = "ENABLED", retry_grace_period_seconds = 0 }
"#;

/// Where a trigger waits, once the gate is closed, until the test releases it.
struct Gate {
    is_closed: AtomicBool,
    entered: Semaphore,
    released: Semaphore,
}

impl Gate {
    async fn pass(&self) {
        if self.is_closed.load(Ordering::SeqCst) {
            self.entered.add_permits(1);
            self.released.acquire().await.unwrap().forget();
        }
    }
}

/// A pool with one trigger that waits at a gate.
struct Gated {
    pool: UserPool,
    gate: Arc<Gate>,
    _function: Function,
}

impl Gated {
    async fn start(trigger: Trigger) -> Self {
        let gate = Arc::new(Gate {
            is_closed: AtomicBool::new(false),
            entered: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        let inside = Arc::clone(&gate);
        let function = Function::running(move |_, event| {
            let gate = Arc::clone(&inside);
            async move {
                gate.pass().await;
                Outcome::Json(event)
            }
        })
        .await;
        let config = Config::from_toml(CONFIG).unwrap();
        let builder = UserPool::builder().config(config).trigger_url(trigger, function.url());
        // Only the test releases the trigger.
        let builder = builder.trigger_time_limit(Duration::from_secs(600));
        Self { pool: builder.start().await.unwrap(), gate, _function: function }
    }

    /// Sends a request, disconnects while the trigger runs, and then releases the trigger.
    async fn hang_up(&self, request: String) {
        self.gate.is_closed.store(true, Ordering::SeqCst);
        let mut stream = TcpStream::connect(self.pool.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        self.gate.entered.acquire().await.unwrap().forget();
        drop(stream);
        // Gives the server time to notice the disconnect.
        for _ in 0..20 {
            let path = format!("/{}/.well-known/jwks.json", self.pool.id());
            assert_eq!(get(self.pool.address(), &path, None).await.status, 200);
        }
        self.gate.is_closed.store(false, Ordering::SeqCst);
        self.gate.released.add_permits(1);
    }

    async fn call_and_hang_up(&self, operation: &str, input: Value) {
        let headers = format!("X-Amz-Target: AWSCognitoIdentityProviderService.{operation}\r\n");
        let body = input.to_string();
        self.hang_up(post(self.pool.address(), "/", &headers, &body)).await;
    }

    async fn submit_and_hang_up(&self, browser: &Browser, form: &WebForm) {
        let url = &form.action;
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let headers = format!("{FORM}{}", cookies(browser));
        let body = encoded(&form.fields);
        self.hang_up(post(self.pool.address(), &path, &headers, &body)).await;
    }

    /// Waits until a session exists.
    async fn has_a_session(&self, what: &str) {
        eventually(what, async || get_local(&self.pool).await.contains(">open</div>")).await;
    }
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn post(address: SocketAddr, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

fn cookies(browser: &Browser) -> String {
    let pairs: Vec<_> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("Cookie: {}\r\n", pairs.join("; "))
}

async fn get_local(pool: &UserPool) -> String {
    let page = reqwest::get(format!("http://{}/_local/", pool.address())).await.unwrap();
    page.text().await.unwrap()
}

async fn exists(pool: &UserPool, name: &str) {
    eventually("the user exists", async || on_user(pool, "AdminGetUser", name).await.is_ok()).await;
}

#[tokio::test]
async fn api_operations_complete_after_the_client_disconnects() {
    let gated = Gated::start(Trigger::PreSignUp).await;
    let client = gated.pool.client_id();
    let input = json!({
        "ClientId": client, "Username": "jane", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "jane@example.com" }],
    });
    gated.call_and_hang_up("SignUp", input).await;
    exists(&gated.pool, "jane").await;
    let input = json!({ "UserPoolId": gated.pool.id().as_str(), "Username": "joe" });
    gated.call_and_hang_up("AdminCreateUser", input).await;
    exists(&gated.pool, "joe").await;

    let gated = Gated::start(Trigger::PostAuthentication).await;
    user(&gated.pool, "jane").await;
    let input = json!({
        "ClientId": gated.pool.client_id(), "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "jane", "PASSWORD": PASSWORD },
    });
    gated.call_and_hang_up("InitiateAuth", input).await;
    gated.has_a_session("the API's sign-in has a session").await;

    let gated = Gated::start(Trigger::CustomMessage).await;
    let pool = &gated.pool;
    user(pool, "jane").await;
    let change = json!({
        "UserPoolId": pool.id().as_str(), "Username": "jane",
        "UserAttributes": [{ "Name": "email", "Value": "jane@example.com" }],
    });
    gated.call_and_hang_up("AdminUpdateUserAttributes", change).await;
    eventually("the attribute is changed", async || {
        attributes(pool, "jane").await["email"] == "jane@example.com"
    })
    .await;
    let proven = json!([{ "Name": "email_verified", "Value": "true" }]);
    let proven = json!({ "Username": "jane", "UserAttributes": proven });
    admin(pool, "AdminUpdateUserAttributes", proven).await.unwrap();
    let before = messages(pool, "jane").await.len();
    let forgotten = json!({ "ClientId": pool.client_id(), "Username": "jane" });
    gated.call_and_hang_up("ForgotPassword", forgotten).await;
    eventually("the code is sent", async || messages(pool, "jane").await.len() == before + 1).await;
}

#[tokio::test]
async fn oauth_endpoints_complete_after_the_client_disconnects() {
    let gated = Gated::start(Trigger::PreTokenGeneration).await;
    let pool = &gated.pool;
    user(pool, "jane").await;
    let refresh = tokens(pool, "jane").await["RefreshToken"].as_str().unwrap().to_owned();
    let body = encoded(&[
        ("grant_type", "refresh_token"),
        ("client_id", pool.client_id()),
        ("refresh_token", &refresh),
    ]);
    gated.hang_up(post(pool.address(), "/oauth2/token", FORM, &body)).await;
    // A request with a token that is not yet rotated would run the waiting trigger, so it cannot rotate the
    // token itself.
    gated.gate.is_closed.store(true, Ordering::SeqCst);
    gated.gate.released.forget_permits(1);
    eventually("the refresh token was rotated", async || {
        let input = json!({ "ClientId": pool.client_id(), "RefreshToken": refresh });
        tokio::select! {
            answer = call(pool, "GetTokensFromRefreshToken", input) => {
                assert_eq!(answer.unwrap_err().0, "RefreshTokenReuseException");
                true
            }
            entered = gated.gate.entered.acquire() => {
                entered.unwrap().forget();
                false
            }
        }
    })
    .await;
}

#[tokio::test]
async fn hosted_pages_complete_after_the_browser_disconnects() {
    let gated = Gated::start(Trigger::PreSignUp).await;
    let mut browser = Browser::new();
    let mut form = open(&mut browser, &gated.pool, "/signup", "code").await.form("/signup");
    form.set("username", "jane");
    form.set("password", PASSWORD);
    form.set("attribute.email", "jane@example.com");
    gated.submit_and_hang_up(&browser, &form).await;
    exists(&gated.pool, "jane").await;

    let gated = Gated::start(Trigger::PostAuthentication).await;
    user(&gated.pool, "jane").await;
    let mut browser = Browser::new();
    let mut form = open(&mut browser, &gated.pool, "/login", "token").await.form("/login");
    form.set("username", "jane");
    form.set("password", PASSWORD);
    gated.submit_and_hang_up(&browser, &form).await;
    gated.has_a_session("the page's sign-in has a session").await;
}

#[tokio::test]
async fn sign_in_by_a_provider_completes_after_the_browser_disconnects() {
    let gated = Gated::start(Trigger::PreSignUp).await;
    let pool = &gated.pool;
    let corp = UserPool::builder().config(provider_config(pool)).start().await.unwrap();
    let provider = json!({
        "ProviderName": "Corp", "ProviderType": "OIDC", "AttributeMapping": { "email": "email" },
        "ProviderDetails": {
            "client_id": "relying", "client_secret": "relying-secret",
            "oidc_issuer": corp.issuer(), "authorize_scopes": "openid email",
            "attributes_request_method": "GET",
        },
    });
    admin(pool, "CreateIdentityProvider", provider).await.unwrap();
    allow_provider(pool, pool.client_id(), "Corp").await;
    let mut browser = Browser::new();
    let page = open(&mut browser, pool, "/login", "code").await;
    let mut form = browser.open(page.link("Continue with Corp")).await.form("/login");
    form.set("username", "jane");
    form.set("password", PASSWORD);
    let back = browser.post(&form).await.location().unwrap();
    assert_eq!(back.path(), "/oauth2/idpresponse");
    let head = format!(
        "GET {}?{} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
        back.path(),
        back.query().unwrap(),
        pool.address(),
        cookies(&browser)
    );
    gated.hang_up(head).await;
    eventually("the user of the provider exists", async || {
        let listed = admin(pool, "ListUsers", json!({})).await.unwrap();
        listed["Users"]
            .as_array()
            .unwrap()
            .iter()
            .any(|user| user["Username"].as_str().unwrap().starts_with("Corp_"))
    })
    .await;
}

/// Sets a flag when it is dropped.
struct Dropped(Arc<AtomicBool>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn stopping_the_pool_aborts_its_operations() {
    let (entered, is_dropped) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let (inside, dropped_flag) = (Arc::clone(&entered), Arc::clone(&is_dropped));
    let pool = UserPool::builder().on_pre_sign_up(move |event| {
        let (entered, dropped) = (Arc::clone(&inside), Dropped(Arc::clone(&dropped_flag)));
        async move {
            entered.add_permits(1);
            std::future::pending::<()>().await;
            drop(dropped);
            Ok(event)
        }
    });
    let pool = pool.trigger_time_limit(Duration::from_secs(600)).start().await.unwrap();
    let input = json!({ "ClientId": pool.client_id(), "Username": "jane", "Password": PASSWORD });
    let headers = "X-Amz-Target: AWSCognitoIdentityProviderService.SignUp\r\n";
    let request = post(pool.address(), "/", headers, &input.to_string());
    let mut waits = TcpStream::connect(pool.address()).await.unwrap();
    waits.write_all(request.as_bytes()).await.unwrap();
    entered.acquire().await.unwrap().forget();
    assert!(!is_dropped.load(Ordering::SeqCst));
    drop(pool);
    eventually("the function is stopped", async || is_dropped.load(Ordering::SeqCst)).await;
}

/// Sends the head of a request for the key set on a new connection.
async fn request_keys(pool: &UserPool) -> TcpStream {
    let mut stream = TcpStream::connect(pool.address()).await.unwrap();
    let path = format!("/{}/.well-known/jwks.json", pool.id());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", pool.address());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Waits until the server has ended a connection.
async fn wait_for_end(mut stream: TcpStream, what: &str) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
    // A reset ends the connection too.
    let _ = end.await.unwrap_or_else(|_| panic!("the connection is still open: {what}"));
}

#[tokio::test]
async fn stopping_the_pool_ends_all_its_connections() {
    let pool = UserPool::start().await.unwrap();
    let mut kept_alive = request_keys(&pool).await;
    let mut first = [0; 1024];
    assert!(kept_alive.read(&mut first).await.unwrap() > 0);
    let incomplete = TcpStream::connect(pool.address()).await.unwrap();
    incomplete.writable().await.unwrap();
    incomplete.try_write(b"GET / HTTP/1.1\r\nHost: a").unwrap();
    pool.set_fault(Fault::Hang);
    let waiting = request_keys(&pool).await;
    eventually("the request waits", async || pool.fetches() == 2).await;
    drop(pool);
    wait_for_end(kept_alive, "it was kept alive").await;
    wait_for_end(incomplete, "its request is incomplete").await;
    wait_for_end(waiting, "its response is delayed").await;
}
