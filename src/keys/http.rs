use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header::CACHE_CONTROL};
use reqwest::{Client, StatusCode, redirect};

use crate::{
    error::ConfigError,
    keys::{
        set::KeySetError,
        source::{FetchError, KeyDocument, KeySource},
    },
    pool::is_loopback,
};

/// The size limit of a document. Cognito's documents are smaller than 1 KiB.
const MAX_DOCUMENT_BYTES: usize = 128 * 1024;

/// Creates key sources. Pools whose hosts are reached in the same way share an HTTP client.
#[derive(Default)]
pub(crate) struct HttpSources(HashMap<Route, Client>);

/// How a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Route {
    Remote,
    /// On this machine, without a proxy.
    Loopback,
    /// On this machine, without a proxy and without TLS.
    PlainLoopback,
}

/// Fetches a document with one GET request.
///
/// Each request has `Cache-Control: no-cache`, so that no cache in between responds with an older set. A fetch has to
/// detect new and withdrawn keys, and fetches are rare enough for all of them to reach the endpoint.
struct HttpSource {
    client: Client,
    uri: String,
}

impl HttpSources {
    /// Creates a source for a URL that was checked before.
    pub(crate) fn source(
        &mut self,
        _issuer: &str,
        uri: &str,
    ) -> Result<Arc<dyn KeySource>, ConfigError> {
        let route = Route::to(uri);
        let client = match self.0.entry(route) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => place.insert(client(route)?).clone(),
        };
        Ok(Arc::new(HttpSource { client, uri: uri.to_owned() }))
    }
}

impl Route {
    fn to(uri: &str) -> Self {
        let uri: http::Uri = uri.parse().unwrap_or_default();
        match uri.scheme_str() {
            _ if !is_loopback(&uri) => Self::Remote,
            Some("http") => Self::PlainLoopback,
            _ => Self::Loopback,
        }
    }
}

fn client(route: Route) -> Result<Client, ConfigError> {
    let builder = Client::builder()
        .user_agent(concat!("tower-cognito/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        // Fetches are minutes apart, so an idle connection would be closed by then.
        .pool_max_idle_per_host(0);
    let builder = match route {
        Route::Remote => builder,
        Route::Loopback => builder.no_proxy(),
        // Without TLS the certificates of the system are not needed. A small container may have none.
        Route::PlainLoopback => builder.no_proxy().tls_certs_only([]),
    };
    builder.build().map_err(|error| ConfigError::HttpClient { source: Arc::new(error) })
}

impl KeySource for HttpSource {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<KeyDocument, FetchError>> + Send + '_>> {
        Box::pin(self.get())
    }
}

impl HttpSource {
    async fn get(&self) -> Result<KeyDocument, FetchError> {
        let request =
            self.client.get(&self.uri).header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let mut response = request.send().await.map_err(FetchError::other)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let max_age = max_age(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(FetchError::other)? {
            if body.len() + chunk.len() > MAX_DOCUMENT_BYTES {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(body).map_err(|_| KeySetError::NotAKeySet)?;
        let document = KeyDocument::new(text);
        Ok(match max_age {
            Some(max_age) => document.with_max_age(max_age),
            None => document,
        })
    }
}

/// Returns `max-age` of `Cache-Control` (RFC 9111, section 5.2.2.1).
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|directive| directive.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("max-age"))
        .and_then(|(_, seconds)| seconds.trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Only the choice is tested. The proxy and the certificates come from the environment of the process, which a test
    // cannot change.
    #[test]
    fn loopback_uses_no_proxy_and_plain_loopback_no_certificates() {
        for (uri, route) in [
            ("https://cognito-idp.eu-west-1.amazonaws.com/p/jwks.json", Route::Remote),
            ("http://10.0.0.1:9229/jwks.json", Route::Remote),
            ("https://localhost/jwks.json", Route::Loopback),
            ("https://[::1]:9229/jwks.json", Route::Loopback),
            ("http://localhost/jwks.json", Route::PlainLoopback),
            ("http://127.0.0.1:9229/jwks.json", Route::PlainLoopback),
        ] {
            assert_eq!(Route::to(uri), route, "{uri}");
        }
    }
}
