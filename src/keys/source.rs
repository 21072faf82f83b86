use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::keys::set::KeySetError;

/// Brings a pool's JWKS document. One method, so that a closure will do:
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
/// The cache calls it for one fetch at a time, stops it after
/// [`fetch_timeout`](crate::VerifierBuilder::fetch_timeout), and limits how often it is called. What
/// it returns decides whom the service trusts, so it must come over a channel that nobody else
/// can write to.
pub trait KeySource: Send + Sync + 'static {
    /// Fetches the document as it is now.
    ///
    /// # Errors
    /// Whatever kept it from that. The keys that are known stay in use.
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

/// A JWKS document as it was received.
#[derive(Clone)]
pub struct KeyDocument {
    pub(crate) text: String,
    pub(crate) max_age: Option<Duration>,
}

impl KeyDocument {
    /// The text of a JWKS document (RFC 7517, section 5).
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), max_age: None }
    }

    /// For how long its sender calls it fresh (`Cache-Control: max-age`, RFC 9111). It can bring
    /// the next refresh forward, never put it off past the refresh interval.
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

/// Why keys could not be fetched. It holds no key and nothing of a token.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The answer did not have status 200. Redirects are not followed.
    #[error("the key endpoint answered with status {0}; expected 200")]
    Status(u16),
    /// The document is longer than 128 KiB.
    #[error("the key endpoint sent more than 128 KiB")]
    TooLarge,
    /// The answer was not complete in time.
    #[error("the key endpoint did not answer within {0:?}")]
    Timeout(Duration),
    /// The fetch was stopped before it ended: its runtime shut down, or the source panicked.
    #[error("the fetch of the keys was stopped before it ended")]
    Interrupted,
    /// The caller is not on a tokio runtime with timers, which a fetch needs for its time limit.
    #[error(
        "the keys cannot be fetched without a tokio runtime that has I/O and timers; build it with \
         `enable_all`"
    )]
    NoRuntime,
    /// The document holds no usable key set.
    #[error(transparent)]
    Document(#[from] KeySetError),
    /// The connection failed, or a source of your own did.
    #[error("the keys could not be fetched: {0}")]
    Other(Arc<dyn std::error::Error + Send + Sync>),
}

impl FetchError {
    /// Wraps the error of a source of your own. Its text goes to the log and to
    /// [`health`](crate::Verifier::health).
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into().into())
    }
}
