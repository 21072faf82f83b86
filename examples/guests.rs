//! Accepts anonymous requests, but still rejects invalid tokens.
//!
//! ```sh
//! cargo run --example guests
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use axum::{Router, routing::get};
use tower_cognito::{Claims, CognitoLayer, Verifier, policy::authenticated, require};
use tower_cognito_local::UserPool;

/// Returns the router of a shop, which serves both anonymous visitors and customers.
pub fn app(verifier: Verifier) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/orders", get(orders))
        .route("/basket", get(|| async { "your basket" }).layer(require(authenticated())))
        .layer(CognitoLayer::new(verifier).allow_anonymous())
}

/// Serves anonymous requests and signed-in users.
async fn home(claims: Option<Claims>) -> String {
    match claims {
        Some(claims) => format!("hello, {}", claims.username().unwrap_or("machine")),
        None => "hello, guest".to_owned(),
    }
}

/// Serves only signed-in users. An anonymous request is rejected with 401 and a challenge.
async fn orders(claims: Claims) -> String {
    format!("the orders of {}", claims.subject())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let token = pool.token("alice").sign();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("curl -i http://{address}/   # hello, guest");
    println!("curl -i http://{address}/ -H 'Authorization: Bearer {token}'   # hello, alice");
    println!("curl -i http://{address}/orders   # 401");
    axum::serve(listener, app(pool.verifier().build()?)).await?;
    Ok(())
}
