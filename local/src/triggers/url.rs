use std::fmt;

use reqwest::{Client, Url, header::CONTENT_TYPE, redirect};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{blocking, http::origin::is_loopback, triggers::failure::Failure};

/// A function that is called as the Lambda runtime interface emulator is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct FunctionUrl {
    /// As it was written.
    text: String,
    url: Url,
}

/// Where the emulator has its function.
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

/// The longest answer that Lambda gives: 6 MiB.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

impl FunctionUrl {
    pub(crate) fn is_on_this_machine(&self) -> bool {
        self.url.as_str().parse().is_ok_and(|uri| is_loopback(&uri))
    }

    /// The function's answer.
    pub(crate) async fn call(&self, event: &Value) -> Result<Value, Failure> {
        // The address stays here: a URL can hold a password.
        let unreachable = |error: reqwest::Error| Failure::Unreachable(chain(&error.without_url()));
        // The system's certificates are read from disk.
        let url = self.url.clone();
        let client = blocking::run(move || client(&url)).await.map_err(unreachable)?;
        let mut answer = client
            .post(self.url.clone())
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
            return Err(Failure::Unreachable(format!(
                "the function answered with status {status}"
            )));
        }
        answer.ok_or(Failure::NotJson)
    }
}

impl TryFrom<String> for FunctionUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with("arn:") {
            return Err(format!(
                "`{text}` is the name of a function on AWS, which a local pool does not call: write the URL at \
                 which the function runs, such as `http://127.0.0.1:9000`"
            ));
        }
        let url = Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
        let mut url = url.ok_or_else(|| {
            format!("`{text}` is not the URL of a function, such as `http://127.0.0.1:9000`")
        })?;
        if url.path() == "/" {
            url.set_path(INVOCATIONS);
        }
        Ok(Self { text, url })
    }
}

impl From<FunctionUrl> for String {
    fn from(url: FunctionUrl) -> Self {
        url.text
    }
}

impl fmt::Debug for FunctionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}

/// A connection is made for each call: the function may have been restarted since the last.
fn client(url: &Url) -> reqwest::Result<Client> {
    let client =
        Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
    // Without TLS the system's certificates are not needed, which a small container may lack.
    let client = if url.scheme() == "http" { client.tls_certs_only([]) } else { client };
    client.build()
}

/// An error with its causes, of which the last says most.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
