use reqwest::{Client, Url, header::CONTENT_TYPE, redirect};
use serde_json::Value;

use crate::{blocking, model::settings::FunctionUrl, triggers::failure::Failure};

/// The largest response of a Lambda function: 6 MiB.
const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024;

/// Calls a function like the Lambda runtime interface emulator. Returns its output.
pub(crate) async fn call(function: &FunctionUrl, event: &Value) -> Result<Value, Failure> {
    // The error must not contain the URL, which can contain a password.
    let unreachable = |error: reqwest::Error| Failure::Unreachable(chain(&error.without_url()));
    // A client reads the system's certificates from disk.
    let url = function.url().clone();
    let client = blocking::run(move || client(&url)).await.map_err(unreachable)?;
    let mut response = client
        .post(function.url().clone())
        .header(CONTENT_TYPE, "application/json")
        .body(event.to_string())
        .send()
        .await
        .map_err(unreachable)?;
    let succeeded = response.status().is_success();
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len().saturating_add(chunk.len()) > MAX_RESPONSE_BYTES {
            return Err(Failure::NotJson);
        }
        body.extend_from_slice(&chunk);
    }
    let output = serde_json::from_slice::<Value>(&body).ok();
    // The emulator reports an error of the function with this member and a success status.
    if let Some(text) = output.as_ref().and_then(|output| output.get("errorMessage")) {
        return Err(Failure::Error(text.as_str().unwrap_or_default().to_owned()));
    }
    if !succeeded {
        return Err(Failure::Unreachable(format!("the function responded with status {status}")));
    }
    output.ok_or(Failure::NotJson)
}

/// Returns a client that opens a new connection for each call, because the function may have been restarted.
fn client(url: &Url) -> reqwest::Result<Client> {
    let client =
        Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
    // A small container may lack the system's certificates, which plain HTTP does not need.
    let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
    client.build()
}

/// Returns the text of an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
