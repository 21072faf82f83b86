//! A user pool for each tenant, while the service runs: tenants are added and removed without a restart.
//!
//! ```sh
//! cargo run --example tenants
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use std::collections::HashSet;

use axum::{Router, routing::get};
use tower_cognito::{Claims, CognitoLayer, ConfigError, Pool, Verifier};
use tower_cognito_local::UserPool;

/// One row of the table of tenants.
#[derive(Debug)]
pub struct Tenant {
    /// The name of the tenant, which becomes that of its pool.
    pub name: String,
    /// The user pool and its app clients.
    pub pool: Pool,
}

/// Makes the verifier accept the tokens of these tenants and of no others. Call it at start and after each change of
/// the table. Keys and cached tokens of tenants that stay are not affected.
///
/// # Errors
/// The pool of a tenant is invalid, or has the issuer of another one. The other tenants are up to date.
pub fn sync(verifier: &Verifier, tenants: Vec<Tenant>) -> Result<(), ConfigError> {
    let wanted: HashSet<&str> = tenants.iter().map(|tenant| &*tenant.name).collect();
    let current: HashSet<_> = verifier.health().into_iter().map(|health| health.pool).collect();
    for name in current.iter().filter(|name| !wanted.contains(&***name)) {
        verifier.remove_pool(name);
    }
    let mut result = Ok(());
    for Tenant { name, pool } in tenants {
        if !current.contains(&*name) {
            result = result.and(verifier.add_pool(pool.name(name)));
        }
    }
    result
}

/// Returns a router that responds with the tenant of the caller.
pub fn app(verifier: Verifier) -> Router {
    Router::new()
        .route("/tenant", get(|claims: Claims| async move { claims.pool().to_owned() }))
        .layer(CognitoLayer::new(verifier))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::builder_without_pools().build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, app(verifier.clone())).into_future());

    // A service would read the tenants from its database.
    let acme = UserPool::builder().pool_id("us-east-1_Acme").start().await?;
    let globex = UserPool::builder().pool_id("us-east-1_Globex").own_keys().start().await?;
    let tenants = [("acme", &acme), ("globex", &globex)].map(|(name, pool)| Tenant {
        name: name.to_owned(),
        pool: pool.pool().access_tokens([pool.client_id()]),
    });
    sync(&verifier, tenants.into())?;
    for pool in [&acme, &globex] {
        let token = pool.token("alice").sign();
        println!("curl -i http://{address}/tenant -H 'Authorization: Bearer {token}'\n");
    }
    server.await??;
    Ok(())
}
