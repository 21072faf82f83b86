use axum::{Router, routing::get};
use tower_cognito::{Claims, CognitoLayer, ConfigError, Pool, Verifier, group, require};

const CLIENT_ID: &str = "1example23456789"; // your app client

/// Builds the verifier. Production and tests call it with their user pool.
fn verifier(pool: Pool) -> Result<Verifier, ConfigError> {
    Verifier::builder(pool.access_tokens([CLIENT_ID])).build()
}

fn app(verifier: Verifier) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/refunds", get(|| async { "refunds" }).layer(require(group("admin"))))
        .layer(CognitoLayer::new(verifier))
        .route("/healthz", get(|| async { "ok" })) // added after the layer: open to all
}

async fn me(claims: Claims) -> String {
    format!("hello, {}", claims.username().unwrap_or("machine"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = verifier(Pool::new("eu-west-1_Ab12Cd34E"))?;
    verifier.ready().await?; // fetches the keys; fails here if the pool id is wrong
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app(verifier)).await?;
    Ok(())
}
