use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
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
pub(crate) struct HttpSources([Arc<LazyClient>; 3]);

/// An HTTP client that is created at the first fetch: reading the certificates of the system takes tens of
/// milliseconds, and a process that starts with imported keys may end before it needs them.
struct LazyClient {
    route: Route,
    client: Mutex<Option<Client>>,
}

/// How a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    client: Arc<LazyClient>,
    uri: String,
}

impl Default for HttpSources {
    fn default() -> Self {
        Self(
            [Route::Remote, Route::Loopback, Route::PlainLoopback]
                .map(|route| Arc::new(LazyClient { route, client: Mutex::default() })),
        )
    }
}

impl HttpSources {
    /// Creates a source for a URL that was checked before.
    pub(crate) fn source(
        &self,
        _issuer: &str,
        uri: &str,
    ) -> Result<Arc<dyn KeySource>, ConfigError> {
        Ok(Arc::new(HttpSource { client: Arc::clone(self.client(uri)), uri: uri.to_owned() }))
    }

    fn client(&self, uri: &str) -> &Arc<LazyClient> {
        let [remote, loopback, plain_loopback] = &self.0;
        match Route::to(uri) {
            Route::Remote => remote,
            Route::Loopback => loopback,
            Route::PlainLoopback => plain_loopback,
        }
    }
}

impl LazyClient {
    /// Returns the client. Concurrent fetches wait until the first of them has created it.
    fn get(&self) -> Result<Client, FetchError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = client.as_ref() {
            return Ok(client.clone());
        }
        Ok(client.insert(create(self.route)?).clone())
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

fn create(route: Route) -> Result<Client, FetchError> {
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
    builder.build().map_err(|error| FetchError::HttpClient(Arc::new(error)))
}

impl KeySource for HttpSource {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<KeyDocument, FetchError>> + Send + '_>> {
        Box::pin(self.get())
    }
}

impl HttpSource {
    async fn get(&self) -> Result<KeyDocument, FetchError> {
        let request = self
            .client
            .get()?
            .get(&self.uri)
            .header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
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

    #[test]
    fn client_is_created_at_the_first_fetch_and_shared() {
        let sources = HttpSources::default();
        let uris = ["http://127.0.0.1:1/a", "http://127.0.0.1:2/b"];
        let is_created = || sources.client(uris[0]).client.lock().unwrap().is_some();
        let [first, second] = uris.map(|uri| sources.source("issuer", uri).unwrap());
        assert!(!is_created());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(runtime.block_on(first.fetch()).is_err());
        assert!(is_created());
        assert!(runtime.block_on(second.fetch()).is_err());
        assert!(Arc::ptr_eq(sources.client(uris[0]), sources.client(uris[1])));
        assert!(sources.client("https://a.test/").client.lock().unwrap().is_none());
    }

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
