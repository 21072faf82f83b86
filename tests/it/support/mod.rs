//! Shared test support: a served app, raw requests, a faulty key server, and captured logs.

pub(crate) mod example;
mod http;
pub(crate) mod imports;
mod key_server;
mod logs;
mod source;
mod time;

use std::net::SocketAddr;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

pub(crate) use self::{
    http::{Answer, bearer, get, send},
    key_server::{KeyServer, Reply, response},
    logs::{ThreadLogs, captured_logs},
    source::{Source, builder},
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
