//! Serves routers, and describes the tokens of a pool.

#![allow(dead_code, reason = "two test binaries use different parts")]

use std::net::SocketAddr;

use axum::Router;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

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
