//! Where a provider has what, and how it is asked.

use std::time::Duration;

use axum::http::{Method, Uri, header};
use reqwest::{Client, redirect};
use serde_json::Value;

use super::super::{
    super::{blocking, settings::ProviderDetails},
    redirect::encoded,
};
use crate::pool::is_loopback;

/// The addresses of a provider.
pub(super) struct Endpoints {
    pub(super) authorize: String,
    pub(super) token: String,
    pub(super) keys: String,
    pub(super) user_info: Option<String>,
}

/// A provider does not answer, or not with what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusable;

/// The longest answer that is read.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How something is asked.
pub(super) enum Question<'a> {
    Get,
    Form(&'a [(&'a str, &'a str)]),
    /// With an access token.
    As(Method, &'a str),
}

impl Endpoints {
    /// Those of the settings; what they do not say, of the provider's own document.
    pub(super) async fn find(details: &ProviderDetails) -> Result<Self, Unusable> {
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
        let document = ask(&address, Question::Get).await?;
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        // OpenID Connect Discovery 1.0, section 4.3: who speaks is who was asked.
        if text("issuer").as_ref() != Some(issuer) {
            return Err(Unusable);
        }
        let endpoints = Self {
            authorize: authorize.or_else(|| text("authorization_endpoint")).ok_or(Unusable)?,
            token: token.or_else(|| text("token_endpoint")).ok_or(Unusable)?,
            keys: keys.or_else(|| text("jwks_uri")).ok_or(Unusable)?,
            user_info: own(&details.attributes_url).or_else(|| text("userinfo_endpoint")),
        };
        endpoints.checked(issuer)
    }

    /// Rejects plain HTTP to other machines, unless the provider's issuer is plain HTTP too.
    fn checked(self, issuer: &str) -> Result<Self, Unusable> {
        let is_plain_provider = issuer.starts_with("http://");
        let is_usable = |address: &str| {
            let uri: Uri = address.parse().unwrap_or_default();
            match uri.scheme_str() {
                Some("https") => true,
                Some("http") => is_plain_provider || is_loopback(&uri),
                _ => false,
            }
        };
        let called = [Some(&self.token), Some(&self.keys), self.user_info.as_ref()];
        if called.into_iter().flatten().all(|address| is_usable(address)) {
            Ok(self)
        } else {
            Err(Unusable)
        }
    }
}

fn client(uri: &Uri) -> reqwest::Result<Client> {
    let builder = Client::builder().redirect(redirect::Policy::none()).timeout(TIME_LIMIT);
    // What is on this machine is not asked for by way of another.
    let builder = if is_loopback(uri) { builder.no_proxy() } else { builder };
    // Without TLS certificates are not needed.
    let is_plain = uri.scheme_str() == Some("http");
    let builder = if is_plain { builder.tls_certs_only([]) } else { builder };
    builder.build()
}

/// Asks a provider for JSON, and follows no redirects.
pub(super) async fn ask(address: &str, question: Question<'_>) -> Result<Value, Unusable> {
    let uri: Uri = address.parse().map_err(|_| Unusable)?;
    // The system's certificates are read from disk.
    let client = blocking::run(move || client(&uri)).await.map_err(|_| Unusable)?;
    let request = match question {
        Question::Get => client.get(address),
        Question::Form(pairs) => client
            .post(address)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(pairs)),
        Question::As(method, token) => client.request(method, address).bearer_auth(token),
    };
    let request = request.header(header::ACCEPT, "application/json");
    let mut answer = request.send().await.map_err(|_| Unusable)?;
    if !answer.status().is_success() {
        return Err(Unusable);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_| Unusable)? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
            return Err(Unusable);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| Unusable)
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
            ("http://id.test", "ftp://id.test/token", false),
            ("http://id.test", "no address", false),
        ] {
            assert_eq!(is_usable(issuer, token), expected, "{issuer} {token}");
        }
    }
}
