//! Shared test support: raw requests, API clients, a browser, Lambda functions and captured logs.

pub(crate) mod admin;
pub(crate) mod browser;
pub(crate) mod cognito;
pub(crate) mod command;
pub(crate) mod function;
#[path = "../../../../tests/it/support/http.rs"]
mod http;
#[path = "../../../../tests/it/support/imports.rs"]
pub(crate) mod imports;
#[path = "../../../../tests/it/support/logs.rs"]
mod logs;
pub(crate) mod operations;
pub(crate) mod srp;
#[path = "../../../../tests/it/support/time.rs"]
mod time;
pub(crate) mod totp;

use std::net::SocketAddr;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

#[allow(unused_imports)]
pub(crate) use self::{
    http::{Answer, bearer, get, send},
    logs::{ThreadLogs, captured_logs},
    time::{HandClock, eventually, tokio_clock, wall_time},
};

/// Serves a router on loopback until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Returns the JOSE header of the pool's access tokens.
pub(crate) fn header(pool: &UserPool) -> Value {
    json!({ "kid": pool.key_id(TokenUse::Access), "alg": "RS256" })
}
