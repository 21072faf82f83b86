//! Where a provider has what, and how it is asked.

use std::{borrow::Cow, time::Duration};

use axum::http::{Method, Uri, header};
use reqwest::{Client, redirect};
use serde_json::Value;

use crate::{
    blocking,
    http::{oauth::redirect::encoded, origin::is_loopback},
    model::settings::ProviderDetails,
};

/// The addresses of a provider.
pub(crate) struct Endpoints {
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) keys: String,
    pub(crate) user_info: Option<String>,
}

/// Why a sign-in at a provider failed, for the log. It names endpoints and their hosts, never a token, a claim or a
/// secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unusable(Cow<'static, str>);

impl From<&'static str> for Unusable {
    fn from(cause: &'static str) -> Self {
        Self(cause.into())
    }
}

impl From<String> for Unusable {
    fn from(cause: String) -> Self {
        Self(cause.into())
    }
}

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

const TIME_LIMIT: Duration = Duration::from_secs(5);

/// The longest part of a provider's words that is logged.
const MAX_LOGGED: usize = 200;

/// How something is asked.
pub(crate) enum Question<'a> {
    Get,
    Form(&'a [(&'a str, &'a str)]),
    /// With an access token.
    As(Method, &'a str),
}

impl Endpoints {
    /// Takes the addresses of the settings, and those that are not set from the provider's discovery document.
    pub(crate) async fn find(details: &ProviderDetails) -> Result<Self, Unusable> {
        let own = |url: &Option<String>| url.clone();
        let (authorize, token, keys) =
            (own(&details.authorize_url), own(&details.token_url), own(&details.jwks_uri));
        let issuer = &details.oidc_issuer;
        if let (Some(authorize), Some(token), Some(keys)) = (&authorize, &token, &keys) {
            let (authorize, token, keys) = (authorize.clone(), token.clone(), keys.clone());
            let user_info = own(&details.attributes_url);
            return Self { authorize, token, keys, user_info }.checked(issuer);
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = ask("discovery document", &address, Question::Get).await?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        // OpenID Connect Discovery 1.0, section 4.3.
        let found = text("issuer").unwrap_or_default();
        if found != *issuer {
            let found: String = found.chars().take(MAX_LOGGED).collect();
            let cause = format!(
                "the discovery document has the issuer {found:?}, but `oidc_issuer` is {issuer:?}"
            );
            return Err(cause.into());
        }
        let needed = |own: Option<String>, name: &str| {
            let lacking = || format!("the discovery document has no `{name}`");
            own.or_else(|| text(name)).ok_or_else(lacking)
        };
        let endpoints = Self {
            authorize: needed(authorize, "authorization_endpoint")?,
            token: needed(token, "token_endpoint")?,
            keys: needed(keys, "jwks_uri")?,
            user_info: own(&details.attributes_url).or_else(|| text("userinfo_endpoint")),
        };
        endpoints.checked(issuer)
    }

    /// Rejects plain HTTP to other machines, except to the host of an issuer that is plain HTTP itself.
    fn checked(self, issuer: &str) -> Result<Self, Unusable> {
        let issuer: Uri = issuer.parse().unwrap_or_default();
        let host_of = |address: &str| address.parse::<Uri>().ok()?.host().map(str::to_owned);
        let is_usable = |address: &str| {
            let uri: Uri = address.parse().unwrap_or_default();
            match uri.scheme_str() {
                Some("https") => true,
                Some("http") => {
                    let is_issuers =
                        issuer.scheme_str() == Some("http") && uri.host() == issuer.host();
                    is_issuers || is_loopback(&uri)
                }
                _ => false,
            }
        };
        let called = [
            ("token endpoint", Some(&self.token)),
            ("key set", Some(&self.keys)),
            ("userInfo endpoint", self.user_info.as_ref()),
        ];
        for (what, address) in called {
            if let Some(address) = address
                && !is_usable(address)
            {
                let host = host_of(address).unwrap_or_default();
                let cause = "needs https: plain HTTP is for loopback and for the host of an `oidc_issuer` \
                             with plain HTTP";
                return Err(format!("the {what} at {host} {cause}").into());
            }
        }
        Ok(self)
    }
}

fn client(uri: &Uri) -> reqwest::Result<Client> {
    let builder = Client::builder().redirect(redirect::Policy::none()).timeout(TIME_LIMIT);
    // A proxy would look for loopback on its own machine.
    let builder = if is_loopback(uri) { builder.no_proxy() } else { builder };
    // Without TLS certificates are not needed.
    let is_plain = uri.scheme_str() == Some("http");
    let builder = if is_plain { builder.tls_certs_only([]) } else { builder };
    builder.build()
}

/// Asks a provider for JSON, and follows no redirects. `what` names the endpoint in errors.
pub(crate) async fn ask(
    what: &str,
    address: &str,
    question: Question<'_>,
) -> Result<Value, Unusable> {
    let uri: Uri = address.parse().map_err(|_| format!("the address of the {what} is no URL"))?;
    let host = uri.host().unwrap_or_default().to_owned();
    let failed = |cause: String| Unusable::from(format!("the {what} at {host} {cause}"));
    // The system's certificates are read from disk.
    let client =
        blocking::run(move || client(&uri)).await.map_err(|error| failed(network(&error)))?;
    let request = match question {
        Question::Get => client.get(address),
        Question::Form(pairs) => client
            .post(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(pairs)),
        Question::As(method, token) => client.request(method, address).bearer_auth(token),
    };
    let request = request.header(header::ACCEPT, "application/json");
    let mut answer = request.send().await.map_err(|error| failed(network(&error)))?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(network(&error)))? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
            return Err(failed(format!("answered with more than {MAX_ANSWER_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    let value = serde_json::from_slice(&body);
    if !status.is_success() {
        let code = value.as_ref().ok().and_then(error_code).unwrap_or("no error code");
        return Err(failed(format!("answered with status {} and {code}", status.as_u16())));
    }
    value.map_err(|_| failed("did not answer with JSON".to_owned()))
}

/// Returns the code of an OAuth error, such as `invalid_client`.
fn error_code(answer: &Value) -> Option<&str> {
    let is_code = |code: &&str| {
        code.len() <= MAX_LOGGED
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    answer.get("error").and_then(Value::as_str).filter(is_code)
}

/// Describes an error of the network without the address, whose query may hold a secret.
fn network(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("did not answer within {} s", TIME_LIMIT.as_secs());
    }
    let cause = if error.is_connect() { "cannot be connected to" } else { "did not answer" };
    cause.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_to_other_machines_needs_an_issuer_with_plain_http() {
        let is_usable = |issuer: &str, token: &str| {
            let endpoints = Endpoints {
                authorize: "http://browser.test/authorize".to_owned(),
                token: token.to_owned(),
                keys: "https://id.test/keys".to_owned(),
                user_info: Some("http://127.0.0.1:9229/info".to_owned()),
            };
            endpoints.checked(issuer).is_ok()
        };
        for (issuer, token, expected) in [
            ("https://id.test", "https://id.test/token", true),
            ("https://id.test", "http://localhost:9229/token", true),
            ("https://id.test", "http://id.test/token", false),
            ("http://id.test", "http://id.test/token", true),
            ("http://192.168.1.7:9229/a", "http://192.168.1.7:9229/token", true),
            ("http://id.test", "http://other.test/token", false),
            ("http://127.0.0.1:9229/a", "http://id.test/token", false),
            ("http://id.test", "ftp://id.test/token", false),
            ("http://id.test", "no address", false),
        ] {
            assert_eq!(is_usable(issuer, token), expected, "{issuer} {token}");
        }
    }
}
