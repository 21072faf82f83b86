use std::{sync::Arc, time::Duration};

use crate::keys::source::FetchError;

/// The state of one pool's keys.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The pool's name: see [`Pool::name`](crate::Pool::name).
    pub pool: Arc<str>,
    /// The pool's first issuer.
    pub issuer: Arc<str>,
    /// The number of keys in use; 0 before the first successful fetch, or if all keys are too old.
    pub keys: usize,
    /// The time since the keys were fetched; `None` for a static set, or if no keys are in use.
    pub age: Option<Duration>,
    /// Why the last fetch failed; `None` after a success.
    pub last_error: Option<FetchError>,
    /// The number of fetches that were started.
    pub fetches: u64,
}
