//! A React page that signs users in, an API that it calls, and a user pool, all on this machine.
//!
//! ```sh
//! cargo run --example web                   # then open http://localhost:5173
//! cargo run --example web -- --port 8080    # serves the page on another port
//! ```
//!
//! The sources of the page are in `examples/web/`. It uses React and Vite, which need Node.js. It shows two ways to sign in:
//! its own forms with `amazon-cognito-identity-js`, and the pool's hosted pages with PKCE. With the token of either it
//! calls this API.

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use std::{env, error::Error, net::SocketAddr, path::Path, process::ExitCode, sync::Arc};

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};
use tower_cognito::{AccessClaims, CognitoLayer, Pool, Verifier, group, require};
use tower_cognito_local::{Config, UserPool};

/// The folder with the sources of the page.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/web");

/// Returns the API, with a route for users and one for administrators.
pub fn app(verifier: Verifier) -> Router {
    Router::new()
        .route("/api/me", get(me))
        .route("/api/admin", get(admin).layer(require(group("admin"))))
        .layer(CognitoLayer::new(verifier))
}

async fn me(claims: AccessClaims) -> Json<Value> {
    Json(json!({
        "username": claims.username(),
        "subject": claims.subject(),
        "groups": claims.groups().collect::<Vec<_>>(),
        "scopes": claims.scopes().collect::<Vec<_>>(),
    }))
}

async fn admin() -> Json<Value> {
    Json(json!({ "message": "Welcome, admin." }))
}

/// Starts a pool for a page on this port. It has one user who is an administrator, and one with a temporary password.
///
/// # Errors
/// The pool cannot be started.
pub async fn pool(page_port: u16) -> Result<UserPool, Box<dyn Error>> {
    let config = Config::from_toml(&format!(
        r#"
        [[aws_cognito_user_pool_client]]
        name = "page"
        allowed_oauth_flows_user_pool_client = true
        allowed_oauth_flows = ["code"]
        allowed_oauth_scopes = ["openid", "email", "profile"]
        callback_urls = ["http://localhost:{page_port}/callback"]
        logout_urls = ["http://localhost:{page_port}/hosted"]

        [[aws_cognito_user_group]]
        name = "admin"

        [[aws_cognito_user]]
        username = "ada"
        password = "Correct-Horse-1"
        attributes = {{ email = "ada@example.com", email_verified = "true" }}
        groups = ["admin"]

        [[aws_cognito_user]]
        username = "ida"
        temporary_password = "Temporary-Word-1"
        attributes = {{ email = "ida@example.com", email_verified = "true" }}
        "#
    ))?;
    Ok(UserPool::builder().config(config).start().await?)
}

/// Returns a verifier that accepts the access tokens of the page. It uses the pool's clock, which tests can advance.
///
/// # Errors
/// The verifier cannot be configured with the pool's URLs.
pub fn verifier(pool: Arc<UserPool>) -> Result<Verifier, Box<dyn Error>> {
    let tokens = Pool::custom(pool.issuer(), pool.jwks_uri()).access_tokens([pool.client_id()]);
    Ok(Verifier::builder(tokens).clock(move || pool.time()).build()?)
}

fn main() -> ExitCode {
    let port = match port(env::args().skip(1)) {
        Ok(port) => port,
        Err(error) => {
            eprintln!("web: {error}");
            return ExitCode::from(2);
        }
    };
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let result = tokio::runtime::Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(port)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web: {error}");
            ExitCode::FAILURE
        }
    }
}

fn port(arguments: impl Iterator<Item = String>) -> Result<u16, String> {
    let arguments: Vec<_> = arguments.collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(5173),
        ["--port", port] => port.parse().map_err(|_| format!("{port:?} is not a port")),
        _ => Err("usage: cargo run --example web -- [--port PORT]".to_owned()),
    }
}

async fn run(port: u16) -> Result<(), Box<dyn Error>> {
    let pool = Arc::new(pool(port).await?);
    let verifier = verifier(Arc::clone(&pool))?;
    verifier.ready().await?;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let api = listener.local_addr()?;
    install().await?;
    let mut page = page(&pool, api, port)?;
    println!(
        "page      http://localhost:{port}
api       http://{api}/api/me
pool      {}, with all users and messages at {0}/_local/
users     ada, an administrator, password Correct-Horse-1
          ida, temporary password Temporary-Word-1

Press Ctrl-C to stop.",
        pool.endpoint()
    );
    tokio::select! {
        served = axum::serve(listener, app(verifier)) => served?,
        status = page.wait() => return Err(format!("Vite, which serves the page, exited: {}", status?).into()),
        () = stopped() => {}
    }
    page.kill().await?;
    Ok(())
}

/// Installs the dependencies of the page, unless they are installed already.
async fn install() -> Result<(), Box<dyn Error>> {
    if Path::new(FOLDER).join("node_modules").exists() {
        return Ok(());
    }
    println!("installing the dependencies of the page");
    let npm = Command::new("npm").arg("ci").current_dir(FOLDER).status().await;
    match npm {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("npm ci: {status}").into()),
        Err(error) => Err(format!("npm (part of Node.js) cannot be started: {error}").into()),
    }
}

/// Starts a process that serves the page, and forwards requests for `/api` to the API.
fn page(pool: &UserPool, api: SocketAddr, port: u16) -> Result<Child, Box<dyn Error>> {
    let vite = Command::new("node")
        .args(["node_modules/vite/bin/vite.js", "--port", &port.to_string(), "--logLevel", "warn"])
        .current_dir(FOLDER)
        .env("API", format!("http://{api}"))
        .env("VITE_POOL_ENDPOINT", pool.endpoint())
        .env("VITE_POOL_ID", pool.id().as_str())
        .env("VITE_CLIENT_ID", pool.client_id())
        .kill_on_drop(true)
        .spawn();
    vite.map_err(|error| format!("node cannot be started: {error}").into())
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
