use reqwest::{Client, Url, header::CONTENT_TYPE, redirect};
use serde_json::Value;

use crate::{blocking, model::settings::FunctionUrl, triggers::failure::Failure};

/// The longest answer that Lambda gives: 6 MiB.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// Calls a function as the Lambda runtime interface emulator is called, and returns its answer.
pub(crate) async fn call(function: &FunctionUrl, event: &Value) -> Result<Value, Failure> {
    // The address stays here: a URL can hold a password.
    let unreachable = |error: reqwest::Error| Failure::Unreachable(chain(&error.without_url()));
    // The system's certificates are read from disk.
    let url = function.url().clone();
    let client = blocking::run(move || client(&url)).await.map_err(unreachable)?;
    let mut answer = client
        .post(function.url().clone())
        .header(CONTENT_TYPE, "application/json")
        .body(event.to_string())
        .send()
        .await
        .map_err(unreachable)?;
    let succeeded = answer.status().is_success();
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
            return Err(Failure::NotJson);
        }
        body.extend_from_slice(&chunk);
    }
    let answer = serde_json::from_slice::<Value>(&body).ok();
    // An error of the function's has this shape, and comes with the status of a success.
    if let Some(text) = answer.as_ref().and_then(|answer| answer.get("errorMessage")) {
        return Err(Failure::Error(text.as_str().unwrap_or_default().to_owned()));
    }
    if !succeeded {
        return Err(Failure::Unreachable(format!("the function answered with status {status}")));
    }
    answer.ok_or(Failure::NotJson)
}

/// A connection is made for each call: the function may have been restarted since the last.
fn client(url: &Url) -> reqwest::Result<Client> {
    let client =
        Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
    // Without TLS the system's certificates are not needed, which a small container may lack.
    let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
    client.build()
}

/// An error with its causes, with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
