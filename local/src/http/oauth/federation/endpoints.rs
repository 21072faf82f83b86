//! The endpoints of a provider, and requests to them.

use std::{borrow::Cow, time::Duration};

use axum::http::{Method, Uri, header};
use reqwest::{Certificate, Client, redirect};
use serde_json::Value;

use crate::{
    blocking, crypto::certificate::Authority, domain::federation::id_token::IdTokenError,
    http::oauth::redirect::encoded, model::settings::ProviderDetails, text::host::is_loopback,
};

/// The addresses of a provider.
pub(crate) struct Endpoints {
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) keys: String,
    pub(crate) user_info: Option<String>,
}

/// Error returned when a provider cannot be used. The text names endpoints and their hosts, but no token, claim or
/// secret, so it can be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ProviderError(Cow<'static, str>);

impl From<IdTokenError> for ProviderError {
    fn from(error: IdTokenError) -> Self {
        error.to_string().into()
    }
}

impl From<&'static str> for ProviderError {
    fn from(cause: &'static str) -> Self {
        Self(cause.into())
    }
}

impl From<String> for ProviderError {
    fn from(cause: String) -> Self {
        Self(cause.into())
    }
}

/// The maximum length of a response, in bytes.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum length of a text from the provider in the log, in characters.
const MAX_LOGGED: usize = 200;

/// A request to a provider.
pub(crate) enum ProviderRequest<'a> {
    Get,
    PostForm(&'a [(&'a str, &'a str)]),
    /// A request with an access token.
    WithToken(Method, &'a str),
}

impl Endpoints {
    /// Returns the addresses in the settings. Addresses that are not set come from the provider's discovery document.
    pub(crate) async fn find(details: &ProviderDetails) -> Result<Self, ProviderError> {
        let issuer = &details.oidc_issuer;
        if let (Some(authorize), Some(token), Some(keys)) =
            (&details.authorize_url, &details.token_url, &details.jwks_uri)
        {
            let (authorize, token, keys) = (authorize.clone(), token.clone(), keys.clone());
            let user_info = details.attributes_url.clone();
            return Self { authorize, token, keys, user_info }.checked(issuer);
        }
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = fetch_json("discovery document", &address, ProviderRequest::Get).await?;
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
        let required = |configured: &Option<String>, name: &str| {
            let missing = || format!("the discovery document has no `{name}`");
            configured.clone().or_else(|| text(name)).ok_or_else(missing)
        };
        let endpoints = Self {
            authorize: required(&details.authorize_url, "authorization_endpoint")?,
            token: required(&details.token_url, "token_endpoint")?,
            keys: required(&details.jwks_uri, "jwks_uri")?,
            user_info: details.attributes_url.clone().or_else(|| text("userinfo_endpoint")),
        };
        endpoints.checked(issuer)
    }

    /// Rejects plain HTTP to other machines, except to the host of an issuer that uses plain HTTP.
    fn checked(self, issuer: &str) -> Result<Self, ProviderError> {
        let issuer: Uri = issuer.parse().unwrap_or_default();
        let host_of = |address: &str| address.parse::<Uri>().ok()?.host().map(str::to_owned);
        let is_usable = |address: &str| {
            let uri: Uri = address.parse().unwrap_or_default();
            match uri.scheme_str() {
                Some("https") => true,
                Some("http") => {
                    let is_issuer_host =
                        issuer.scheme_str() == Some("http") && uri.host() == issuer.host();
                    is_issuer_host || uri.host().is_some_and(is_loopback)
                }
                _ => false,
            }
        };
        let endpoints = [
            ("token endpoint", Some(&self.token)),
            ("key set", Some(&self.keys)),
            ("userinfo endpoint", self.user_info.as_ref()),
        ];
        for (what, address) in endpoints {
            if let Some(address) = address
                && !is_usable(address)
            {
                let host = host_of(address).unwrap_or_default();
                let cause = "must use https: plain HTTP is allowed only for loopback and for the host of an \
                             `oidc_issuer` with plain HTTP";
                return Err(format!("the {what} at {host} {cause}").into());
            }
        }
        Ok(self)
    }
}

fn client(uri: &Uri) -> reqwest::Result<Client> {
    let builder = Client::builder().redirect(redirect::Policy::none()).timeout(TIMEOUT);
    // A proxy would connect to its own loopback address.
    let builder = if uri.host().is_some_and(is_loopback) { builder.no_proxy() } else { builder };
    // Plain HTTP needs no certificates.
    if uri.scheme_str() == Some("http") {
        return builder.tls_certs_only([]).build();
    }
    // The provider may be another pool of this process.
    let own = Authority::if_generated();
    let own = own.map(|own| Certificate::from_der(own.der())).transpose()?;
    builder.tls_certs_merge(own).build()
}

/// Sends a request to a provider and returns the JSON of its response. Redirects are not followed. `what` names the
/// endpoint in errors.
pub(crate) async fn fetch_json(
    what: &str,
    address: &str,
    request: ProviderRequest<'_>,
) -> Result<Value, ProviderError> {
    let uri: Uri =
        address.parse().map_err(|_| format!("the address of the {what} is not a URL"))?;
    let host = uri.host().unwrap_or_default().to_owned();
    let failed = |cause: String| ProviderError::from(format!("the {what} at {host} {cause}"));
    // Building a client reads the system's certificates from disk.
    let client =
        blocking::run(move || client(&uri)).await.map_err(|error| failed(network(&error)))?;
    let request = match request {
        ProviderRequest::Get => client.get(address),
        ProviderRequest::PostForm(pairs) => client
            .post(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(pairs)),
        ProviderRequest::WithToken(method, token) => {
            client.request(method, address).bearer_auth(token)
        }
    };
    let request = request.header(header::ACCEPT, "application/json");
    let mut response = request.send().await.map_err(|error| failed(network(&error)))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(network(&error)))? {
        if body.len().saturating_add(chunk.len()) > MAX_RESPONSE_BYTES {
            return Err(failed(format!("responded with more than {MAX_RESPONSE_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    let value = serde_json::from_slice(&body);
    if !status.is_success() {
        let code = value.as_ref().ok().and_then(error_code).unwrap_or("no error code");
        return Err(failed(format!("responded with status {} and {code}", status.as_u16())));
    }
    value.map_err(|_| failed("did not respond with JSON".to_owned()))
}

/// Returns the code of an OAuth error, such as `invalid_client`.
fn error_code(response: &Value) -> Option<&str> {
    let is_code = |code: &&str| {
        code.len() <= MAX_LOGGED
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    response.get("error").and_then(Value::as_str).filter(is_code)
}

/// Describes a network error without the address, whose query may contain a secret.
fn network(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("did not respond within {} s", TIMEOUT.as_secs());
    }
    let cause = if error.is_connect() { "could not be reached" } else { "did not respond" };
    cause.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_to_other_machines_requires_an_issuer_with_plain_http() {
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
