//! Custom claims: a tenant, permissions from a trigger, and permissions by group.
//!
//! ```sh
//! cargo run --example custom_claims
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use serde::Deserialize;
use tower_cognito::{
    Claims, CognitoLayer, Pool, Verifier, VerifierBuilder, claims::de, group, permission,
    policy::Grants, require,
};
use tower_cognito_local::UserPool;

/// The custom claims of this service. Cognito writes every custom attribute as a string.
#[derive(Debug, Deserialize)]
pub struct Tenant {
    #[serde(rename = "custom:tenant_id")]
    tenant_id: String,
    #[serde(rename = "custom:seats", default, deserialize_with = "de::json")]
    seats: Option<u32>,
}

/// Reads permissions from a claim of the token, and grants further ones to the members of a group.
pub fn verifier(pool: Pool) -> VerifierBuilder {
    let grants = Grants::new().add_group("support", ["orders:read"]);
    Verifier::builder(pool.grants(grants)).permissions_claim("custom:permissions")
}

/// Returns a router with two routes that require permissions, and one that requires a tenant.
pub fn app(verifier: Verifier) -> Router {
    let admin = require(group("admin") | permission("write:all"));
    Router::new()
        .route("/tenant", get(tenant))
        .route("/tenants/{id}/orders", get(orders).layer(require(permission("orders:read"))))
        .route("/admin", get(|| async { "welcome, admin" }).layer(admin))
        .layer(CognitoLayer::new(verifier))
}

async fn tenant(claims: Claims<Tenant>) -> String {
    let Tenant { tenant_id, seats } = claims.custom();
    format!("{} of {tenant_id}, {} seats", claims.subject(), seats.unwrap_or(1))
}

/// Compares the tenant of the token with that of the request, which a policy cannot do.
async fn orders(Path(id): Path<String>, claims: Claims<Tenant>) -> Result<String, StatusCode> {
    if claims.custom().tenant_id == id {
        return Ok(format!("the orders of {id}"));
    }
    Err(StatusCode::FORBIDDEN)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let token = pool
        .id_token("alice")
        .claim("custom:tenant_id", "acme")
        .claim("custom:seats", "12")
        .permissions(["orders:read"])
        .sign();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("curl -i http://{address}/tenant -H 'Authorization: Bearer {token}'");
    axum::serve(listener, app(verifier(pool.pool()).build()?)).await?;
    Ok(())
}
