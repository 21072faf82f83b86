//! Custom claims: a tenant, permissions from a claim, and permissions by group.
//!
//! Attributes such as `custom:tenant_id` are in ID tokens, so this API accepts ID tokens. Access tokens contain no
//! attributes unless a pre-token-generation trigger (version 2 or later) adds them.
//!
//! ```sh
//! cargo run --example custom_claims
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use serde::Deserialize;
use tower_cognito::{
    Claims, CognitoLayer, ConfigError, Pool, Verifier, claims::de, group, permission,
    policy::Grants, require,
};
use tower_cognito_local::{Config, UserPool};

/// The custom claims of this service. Cognito writes every custom attribute as a string.
#[derive(Debug, Deserialize)]
pub struct Tenant {
    #[serde(rename = "custom:tenant_id")]
    tenant_id: String,
    #[serde(rename = "custom:seats", default, deserialize_with = "de::json")]
    seats: Option<u32>,
}

/// Accepts the ID tokens of an app client. Reads permissions from a claim, and grants further ones to the members of a
/// group. Production and tests call this function, with different pools.
///
/// The app client must not be allowed to write `custom:permissions`, or users could grant themselves permissions.
///
/// # Errors
/// The pool or the client id is invalid.
pub fn verifier(pool: Pool, client_id: &str) -> Result<Verifier, ConfigError> {
    let grants = Grants::new().add_group("support", ["orders:read"]);
    Verifier::builder(pool.id_tokens([client_id]).grants(grants))
        .permissions_claim("custom:permissions")
        .build()
}

/// Starts a local pool with a user of the tenant `acme`.
///
/// # Errors
/// The pool cannot be started.
pub async fn local_pool() -> Result<UserPool, Box<dyn std::error::Error>> {
    let config = Config::from_toml(
        r#"
        [aws_cognito_user_pool]
        schema = [
            { name = "tenant_id", attribute_data_type = "String" },
            { name = "seats", attribute_data_type = "String" },
            { name = "permissions", attribute_data_type = "String" },
        ]

        [[aws_cognito_user_pool_client]]
        name = "web"
        write_attributes = ["email"]

        [[aws_cognito_user_group]]
        name = "support"

        [[aws_cognito_user]]
        username = "alice"
        password = "Correct-Horse-1"
        attributes = { email = "alice@example.com", "custom:tenant_id" = "acme", "custom:seats" = "12", "custom:permissions" = "orders:read" }
        "#,
    )?;
    Ok(UserPool::builder().config(config).start().await?)
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
    let pool = local_pool().await?;
    let signed_in = pool.sign_in("alice").await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("curl -i http://{address}/tenant -H 'Authorization: Bearer {}'", signed_in.id_token());
    axum::serve(listener, app(verifier(pool.pool(), pool.client_id())?)).await?;
    Ok(())
}
