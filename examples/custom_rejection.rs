//! Error responses in your own format, for the layer, `require` and the extractors.
//!
//! ```sh
//! cargo run --example custom_rejection
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use axum::{Router, routing::get};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::json;
use tower_cognito::{AuthError, Claims, CognitoLayer, ConfigError, Verifier, group, require};
use tower_cognito_local::UserPool;

/// Replaces the body. The response already has its status, its challenge and `Retry-After`.
fn reject(error: &AuthError, mut response: Response<Bytes>) -> Response<Bytes> {
    let body = json!({ "ok": false, "error": { "code": error.code(), "message": error.detail() } });
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.map(|_| Bytes::from(body.to_string()))
}

/// Returns a router that writes all rejections in the same format.
///
/// # Errors
/// The realm is not valid in a header.
pub fn app(verifier: Verifier) -> Result<Router, ConfigError> {
    let layer = CognitoLayer::new(verifier).rejection_handler(reject).realm("orders")?;
    Ok(Router::new()
        .route("/me", get(|claims: Claims| async move { claims.subject().to_owned() }))
        .route("/admin", get(|| async { "welcome" }).layer(require(group("admin"))))
        .layer(layer))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let token = pool.token("alice").sign();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    println!("curl -i http://{address}/me   # 401");
    println!("curl -i http://{address}/admin -H 'Authorization: Bearer {token}'   # 403");
    axum::serve(listener, app(pool.verifier().build()?)?).await?;
    Ok(())
}
