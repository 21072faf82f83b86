use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tower_cognito::{
    Pool, Verifier, VerifierBuilder,
    keys::{FetchError, KeyDocument, KeySource},
};
use tower_cognito_local::UserPool;

use super::tokio_clock;

/// A key source in memory, so that time can be paused. It can fail and delay, and counts fetches.
#[derive(Clone)]
pub(crate) struct Source {
    response: Arc<Mutex<Result<String, FetchError>>>,
    delay: Arc<Mutex<Duration>>,
    max_age: Arc<Mutex<Option<Duration>>>,
    fetches: Arc<AtomicU64>,
    open: Arc<AtomicU64>,
    max_in_flight: Arc<AtomicU64>,
}

/// Counts a fetch as open until it completes or is dropped.
struct Open(Arc<AtomicU64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Source {
    pub(crate) fn of(pool: &UserPool) -> Self {
        Self {
            response: Arc::new(Mutex::new(Ok(pool.key_set().unwrap().to_json()))),
            delay: Arc::default(),
            max_age: Arc::default(),
            fetches: Arc::default(),
            open: Arc::default(),
            max_in_flight: Arc::default(),
        }
    }

    /// Returns the pool's current keys from now on.
    pub(crate) fn publish(&self, pool: &UserPool) {
        *self.response.lock().unwrap() = Ok(pool.key_set().unwrap().to_json());
    }

    pub(crate) fn fail(&self) {
        *self.response.lock().unwrap() = Err(FetchError::Status(500));
    }

    pub(crate) fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// Returns this text from now on.
    pub(crate) fn publish_text(&self, text: impl Into<String>) {
        *self.response.lock().unwrap() = Ok(text.into());
    }

    /// Returns each document with this `max-age`.
    pub(crate) fn max_age(&self, max_age: Duration) {
        *self.max_age.lock().unwrap() = Some(max_age);
    }

    pub(crate) fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Returns the maximum number of concurrent fetches.
    pub(crate) fn max_in_flight(&self) -> u64 {
        self.max_in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn key_source(&self) -> impl KeySource + use<> {
        let source = self.clone();
        move || {
            source.fetches.fetch_add(1, Ordering::SeqCst);
            let source = source.clone();
            async move {
                let open = source.open.fetch_add(1, Ordering::SeqCst) + 1;
                source.max_in_flight.fetch_max(open, Ordering::SeqCst);
                let _open = Open(Arc::clone(&source.open));
                let delay = *source.delay.lock().unwrap();
                tokio::time::sleep(delay).await;
                let text = source.response.lock().unwrap().clone()?;
                let document = KeyDocument::new(text);
                Ok(match *source.max_age.lock().unwrap() {
                    Some(max_age) => document.with_max_age(max_age),
                    None => document,
                })
            }
        }
    }
}

/// Returns the builder of a verifier with this source. Its clock follows tokio's.
pub(crate) fn builder(pool: &UserPool, source: &Source) -> VerifierBuilder {
    let pool = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .key_source(source.key_source());
    Verifier::builder(pool).clock(tokio_clock())
}
