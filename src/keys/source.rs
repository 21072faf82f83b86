use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::keys::set::KeySetError;

/// Fetches the JWKS document of a pool. A closure that returns a future is a source:
///
/// ```
/// use tower_cognito::keys::{FetchError, KeyDocument, KeySource};
///
/// async fn from_parameter_store() -> Result<KeyDocument, FetchError> {
///     let text = r#"{"keys":[]}"#; // read it from where your platform keeps it
///     Ok(KeyDocument::new(text))
/// }
///
/// fn accepts(source: impl KeySource) {}
/// accepts(from_parameter_store);
/// ```
///
/// There is at most one fetch at a time, and the number of fetches is limited. A fetch is stopped after
/// [`fetch_timeout`](crate::VerifierBuilder::fetch_timeout). The document determines which tokens are accepted, so load
/// it over a trusted channel only.
///
/// Always fetch the current document, not a cached one: a withdrawn key stops working only when a fetch returns a
/// document without it, and [`force_refresh`](crate::Verifier::force_refresh) relies on it. The built-in HTTP source
/// sends `Cache-Control: no-cache` with each request.
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the current document.
    ///
    /// # Errors
    /// The document could not be fetched. The known keys stay in use.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<KeyDocument, FetchError>> + Send + '_>>;
}

impl<F, Fut> KeySource for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<KeyDocument, FetchError>> + Send + 'static,
{
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<KeyDocument, FetchError>> + Send + '_>> {
        Box::pin(self())
    }
}

/// The text of a JWKS document, and for how long it is fresh.
#[derive(Clone)]
pub struct KeyDocument {
    pub(crate) text: String,
    pub(crate) max_age: Option<Duration>,
}

impl KeyDocument {
    /// Creates a document from the text of a JWKS (RFC 7517, section 5).
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), max_age: None }
    }

    /// Sets how long the document is fresh (`Cache-Control: max-age`, RFC 9111).
    ///
    /// The keys are refreshed earlier if this is shorter than the
    /// [refresh interval](crate::VerifierBuilder::refresh_interval), and never later.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }
}

impl fmt::Debug for KeyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDocument")
            .field("bytes", &self.text.len())
            .field("max_age", &self.max_age)
            .finish()
    }
}

/// Error returned when the keys of a pool could not be fetched.
///
/// It contains no key and no part of a token. The variants [`Document`](Self::Document) and [`Other`](Self::Other)
/// display the error that they wrap, and return its `source()`.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The response does not have status 200. Redirects are not followed.
    #[error("the key endpoint responded with status {0}; expected 200")]
    Status(u16),
    /// The document is longer than 128 KiB.
    #[error("the key endpoint sent more than 128 KiB; Cognito's key sets are smaller than 1 KiB")]
    TooLarge,
    /// The response was not complete within the time limit.
    #[error("the key endpoint did not respond within {0:?}")]
    Timeout(Duration),
    /// The fetch was stopped before it ended, because its runtime shut down or the source panicked.
    #[error("the fetch of the keys was stopped before it ended")]
    Interrupted,
    /// The caller is not on a tokio runtime with timers, which a fetch needs for its time limit.
    #[error(
        "the keys cannot be fetched without a tokio runtime that has I/O and timers; build it with \
         `enable_all`"
    )]
    NoRuntime,
    /// The HTTP client could not be set up.
    #[error(
        "the HTTP client could not be set up; check that the machine has CA certificates installed"
    )]
    HttpClient(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The document is not a usable key set.
    #[error(transparent)]
    Document(#[from] KeySetError),
    /// The connection failed, or your own [`KeySource`] did.
    #[error(transparent)]
    Other(Arc<dyn std::error::Error + Send + Sync>),
}

impl FetchError {
    /// Wraps the error of your own [`KeySource`].
    ///
    /// Its text and those of its causes are logged, and [`health`](crate::Verifier::health) returns it.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into().into())
    }
}
