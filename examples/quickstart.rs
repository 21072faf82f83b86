//! An API that accepts the tokens of a user pool, in one file.
//!
//! Without environment variables it starts a local pool, and prints tokens and commands to try:
//!
//! ```sh
//! cargo run --example quickstart
//! ```
//!
//! With these environment variables it uses a real user pool:
//!
//! | variable | meaning |
//! |---|---|
//! | `COGNITO_USER_POOL_ID` | the user pool, such as `eu-west-1_Ab12Cd34E` |
//! | `COGNITO_CLIENT_ID` | app client ids, separated by commas; their access tokens and ID tokens are accepted |
//! | `COGNITO_ISSUER`, `COGNITO_JWKS_URI` | instead of the pool id: another issuer, such as an emulator, and the URL of its JWKS; `https`, or `http` on loopback |
//! | `COGNITO_RESOURCE` | the resource identifiers of this API, separated by commas, such as `https://api.example.com`: access tokens must be bound to one of them (RFC 8707). ID tokens are not affected |
//! | `BIND_ADDR` | the address to listen on; if it is not set, `127.0.0.1:3000`, or a free port if that one is in use |
//! | `COGNITO_JWKS_TTL_SECS` | the age at which keys are fetched again, in seconds |
//! | `COGNITO_JWKS_MIN_REFRESH_SECS` | the period in which unknown keys cause at most two fetches, in seconds |

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use std::{env, error::Error, net::SocketAddr, process::ExitCode, time::Duration};

use axum::{Json, Router, http::header, response::IntoResponse, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_cognito::{
    Claims, CognitoLayer, ConfigError, Pool, Verifier, VerifierBuilder, group, permission,
    policy::Grants, require, scope,
};
use tower_cognito_local::{Config, UserPool};

/// Returns the configuration of the verifier. Production and tests call this function, with different pools.
pub fn builder(pool: Pool, clients: &[&str]) -> VerifierBuilder {
    let clients = clients.iter().copied();
    let pool = pool.access_tokens(clients.clone()).id_tokens(clients);
    // The members of a group have permissions without a trigger that writes a claim.
    Verifier::builder(pool.grants(Grants::new().add_group("staff", ["orders:read"])))
}

/// Returns the verifier.
///
/// # Errors
/// The pool or a client id is invalid.
pub fn verifier(pool: Pool, clients: &[&str]) -> Result<Verifier, ConfigError> {
    builder(pool, clients).build()
}

/// Returns the API.
pub fn app(verifier: Verifier) -> Router {
    Router::new()
        // Any accepted token.
        .route("/api/protected", get(protected_route))
        .route("/api/me", get(me))
        // Groups are in the access tokens and ID tokens of every kind of sign-in.
        .route("/api/admin", get(|| async { "welcome, admin" }).layer(require(group("admin"))))
        .route("/api/orders", get(|| async { "[]" }).layer(require(permission("orders:read"))))
        // Only access tokens of the hosted pages have this scope. A sign-in through the API has the single scope
        // `aws.cognito.signin.user.admin`.
        .route("/api/profile", get(protected_route).layer(require(scope("profile"))))
        .layer(CognitoLayer::new(verifier))
        // Added after the layer, so it is open to all.
        .route("/public", get(|| async { "open to all" }))
}

/// Starts a local pool with two users, who sign in with the password `Correct-Horse-1`.
///
/// # Errors
/// The pool cannot be started.
pub async fn local_pool() -> Result<UserPool, Box<dyn Error>> {
    let config = Config::from_toml(
        r#"
        [[aws_cognito_user_pool_client]]
        name = "web"

        [[aws_cognito_user_group]]
        name = "admin"

        [[aws_cognito_user_group]]
        name = "staff"

        [[aws_cognito_user]]
        username = "alice"
        password = "Correct-Horse-1"
        attributes = { email = "alice@example.com" }

        [[aws_cognito_user]]
        username = "bob"
        password = "Correct-Horse-1"
        attributes = { email = "bob@example.com" }
        groups = ["admin", "staff"]
        "#,
    )?;
    Ok(UserPool::builder().config(config).start().await?)
}

async fn protected_route(claims: Claims) -> Json<Value> {
    Json(json!({
        "subject": claims.subject(),
        "username": claims.username(),
        "token_use": claims.token_use().as_str(),
        "groups": claims.groups().collect::<Vec<_>>(),
    }))
}

/// Returns all claims as they are in the token.
async fn me(claims: Claims) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], claims.payload().to_owned())
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let result = tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| {
        let result = runtime.block_on(run());
        // Do not wait for a host name lookup that does not complete.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (builder, pool) = match from_environment()? {
        Some(builder) => (builder, None),
        None => {
            let pool = local_pool().await?;
            (builder(pool.pool(), &[pool.client_id()]), Some(pool))
        }
    };
    let verifier = with_intervals(builder)?.build()?;
    // Serve even if the keys are unavailable. Requests with a token are then rejected with 503.
    let keys = verifier.clone();
    tokio::spawn(async move {
        if let Err(error) = keys.ready().await {
            eprintln!(
                "quickstart: {error}: {}; the API is served anyway, and the fetch is retried",
                error.reason()
            );
        }
    });

    let listener = listen().await?;
    let address = listener.local_addr()?;
    match &pool {
        Some(pool) => print_tokens(pool, address).await?,
        None => println!("listening on http://{address}"),
    }
    let server = axum::serve(listener, app(verifier)).with_graceful_shutdown(stopped());
    tokio::select! {
        served = server => served?,
        () = drained() => {}
    }
    Ok(())
}

/// Returns the configuration from the environment, or `None` if there is none.
///
/// An incomplete configuration is an error. The local pool signs tokens for anyone, so it must not replace a real pool by
/// mistake.
fn from_environment() -> Result<Option<VerifierBuilder>, Box<dyn Error>> {
    let id = variable("COGNITO_USER_POOL_ID")?;
    let issuer = variable("COGNITO_ISSUER")?;
    let jwks_uri = variable("COGNITO_JWKS_URI")?;
    let clients = variable("COGNITO_CLIENT_ID")?;
    let resources = variable("COGNITO_RESOURCE")?;
    let pool = match (id, issuer) {
        (_, Some(issuer)) => {
            let keys = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
            Pool::custom(issuer, jwks_uri.unwrap_or(keys))
        }
        (Some(id), None) => match jwks_uri {
            Some(jwks_uri) => Pool::new(id).jwks_uri(jwks_uri),
            None => Pool::new(id),
        },
        (None, None) if jwks_uri.is_none() && clients.is_none() && resources.is_none() => {
            return Ok(None);
        }
        (None, None) => return Err("COGNITO_USER_POOL_ID or COGNITO_ISSUER: not set".into()),
    };
    let clients = clients.ok_or("COGNITO_CLIENT_ID: not set")?;
    let pool = match resources.as_deref().map(list) {
        Some(resources) if resources.is_empty() => {
            return Err(
                "COGNITO_RESOURCE: expected at least one resource, such as https://api.example.com"
                    .into(),
            );
        }
        Some(resources) => pool.resources(resources),
        None => pool,
    };
    Ok(Some(builder(pool, &list(&clients))))
}

fn with_intervals(mut builder: VerifierBuilder) -> Result<VerifierBuilder, String> {
    if let Some(interval) = seconds("COGNITO_JWKS_TTL_SECS")? {
        builder = builder.refresh_interval(interval);
    }
    if let Some(window) = seconds("COGNITO_JWKS_MIN_REFRESH_SECS")? {
        builder = builder.unknown_key_window(window);
    }
    Ok(builder)
}

/// Returns the entries of a list that is separated by commas.
fn list(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

/// Returns the value of a variable, or `None` if it is not set or empty.
fn variable(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name}: the value is not UTF-8")),
    }
}

/// Reads a number of seconds from 1 to 86,400 (one day, the maximum age of keys).
fn seconds(name: &str) -> Result<Option<Duration>, String> {
    let Some(text) = variable(name)? else { return Ok(None) };
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(format!("{name}: {text:?} is not a number of seconds from 1 to 86400")),
    }
}

/// Listens on `BIND_ADDR`. Without it, listens on port 3000, or on a free port if that one is in use.
async fn listen() -> Result<TcpListener, Box<dyn Error>> {
    if let Some(address) = variable("BIND_ADDR")? {
        let bound = TcpListener::bind(&address).await;
        return bound.map_err(|error| format!("BIND_ADDR: {address}: {error}").into());
    }
    match TcpListener::bind("127.0.0.1:3000").await {
        Ok(listener) => Ok(listener),
        Err(_) => Ok(TcpListener::bind("127.0.0.1:0").await?),
    }
}

async fn print_tokens(pool: &UserPool, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let (alice, bob) = (pool.sign_in("alice").await?, pool.sign_in("bob").await?);
    println!("A local user pool is at {}\nThe API is at http://{address}\n", pool.issuer());
    println!("ALICE='{}'\n\nBOB='{}'\n", alice.access_token(), bob.access_token());
    println!("Paste the two lines above into a shell, then try:\n");
    for (status, path, token) in [
        (200, "/public", None),
        (401, "/api/protected", None),
        (200, "/api/protected", Some("ALICE")),
        (200, "/api/me", Some("ALICE")),
        (403, "/api/admin", Some("ALICE")),
        (200, "/api/admin", Some("BOB")),
        (200, "/api/orders", Some("BOB")),
        (403, "/api/profile", Some("BOB")),
    ] {
        let header =
            token.map(|name| format!(" -H \"Authorization: Bearer ${name}\"")).unwrap_or_default();
        println!("curl -i http://{address}{path}{header}   # {status}");
    }
    println!("\nPress Ctrl-C to stop.");
    Ok(())
}

/// Completes 3 seconds after [`stopped`]. Open requests delay the shutdown for at most that time.
async fn drained() {
    stopped().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
}

/// Completes on Ctrl-C or SIGTERM.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
