//! One API for the users of two pools: staff and customers.
//!
//! ```sh
//! cargo run --example two_pools
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use axum::{Router, routing::get};
use tower_cognito::{
    Claims, CognitoLayer, ConfigError, Pool, Verifier, group, policy::pool, require,
};
use tower_cognito_local::UserPool;

const STAFF_CLIENT: &str = "staffweb";
const CUSTOMER_CLIENT: &str = "shop";

/// Returns a verifier for both pools. Each pool has its own issuers, clients, groups and keys, and a key of one pool is
/// not accepted for the other.
///
/// # Errors
/// A pool has no client, or both pools have the same issuer.
pub fn verifier(staff: Pool, customers: Pool) -> Result<Verifier, ConfigError> {
    let staff = staff.name("staff").access_tokens([STAFF_CLIENT]);
    let customers = customers.name("customers").access_tokens([CUSTOMER_CLIENT]);
    Verifier::builder(staff).add_pool(customers).build()
}

/// Returns a router that requires a group of the staff pool for one route. A group of the other pool with the same name
/// does not grant access.
pub fn app(verifier: Verifier) -> Router {
    let back_office = require(pool("staff") & group("back-office"));
    Router::new()
        .route("/whoami", get(|claims: Claims| async move { claims.pool().to_owned() }))
        .route("/back-office", get(|| async { "welcome" }).layer(back_office))
        .layer(CognitoLayer::new(verifier))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let staff =
        UserPool::builder().pool_id("us-east-1_Staff").client_id(STAFF_CLIENT).start().await?;
    let customers =
        UserPool::builder().pool_id("us-east-1_Shop").client_id(CUSTOMER_CLIENT).start().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    for pool in [&staff, &customers] {
        let token = pool.token("alice").group("back-office").sign();
        println!("curl -i http://{address}/back-office -H 'Authorization: Bearer {token}'\n");
    }
    let verifier = verifier(staff.pool(), customers.pool())?;
    axum::serve(listener, app(verifier)).await?;
    Ok(())
}
