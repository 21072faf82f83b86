//! The user pool API as a client speaks it.

use serde_json::Value;
use tower_cognito::local::UserPool;

/// Calls an operation: its output, or the error's name and message.
pub(crate) async fn call(
    pool: &UserPool,
    operation: &str,
    input: Value,
) -> Result<Value, (String, String)> {
    let response = reqwest::Client::new()
        .post(format!("http://{}/", pool.address()))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(input.to_string())
        .send()
        .await
        .unwrap();
    let succeeded = response.status().is_success();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    if succeeded {
        return Ok(body);
    }
    let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
    Err((text("__type"), text("message")))
}
