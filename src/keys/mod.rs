//! Fetches, caches and refreshes the public keys of user pools.
//!
//! To "GET a document every 15 minutes" is not enough. A key that was withdrawn must stop working even if
//! no timer ran, as on a suspended machine or in a frozen function, and even if somebody sets the clock
//! back. A token with a new key must pass at its first request after a rotation, while a flood of made-up
//! `kid`s must not become a flood of fetches. An outage of the key endpoint must refuse nobody whose key is
//! known, but not for ever. And none of this may slow down a request with a known key, which takes no lock
//! and does not wait.
//!
//! | file | content |
//! |---|---|
//! | `cache` | [`KeyCache`]: what the verifier calls. Finds a known key without a lock |
//! | `schedule` | all rules on when to fetch and how long a set may be used: a pure state machine |
//! | `driver` | carries out what the schedule decides: lock, fetch tasks, waiting requests |
//! | `snapshot` | the current set, and for how long requests may use it without asking the schedule |
//! | `health` | [`KeyHealth`]: what the application sees |
//! | `moment` | a point in time on the wall clock and the monotonic clock |
//! | `settings` | the durations, with their defaults and ranges |
//! | `set`, `jwk` | a JWKS document (RFC 7517) and its keys |
//! | `source`, `http` | where the document comes from: [`KeySource`], and one GET request |
//! | `runtime` | what a fetch needs of tokio, replaceable for tests of interleavings |

mod cache;
mod driver;
mod health;
mod jwk;
mod moment;
mod runtime;
mod schedule;
mod set;
mod settings;
mod snapshot;
mod source;

#[cfg(feature = "fetch")]
mod http;
#[cfg(not(feature = "fetch"))]
#[path = "no_http.rs"]
mod http;

pub(crate) use self::cache::{Find, KeyCache};
pub use self::health::KeyHealth;
pub(crate) use self::http::HttpSources;
pub(crate) use self::schedule::Miss;
pub use self::set::{KeySet, KeySetError};
pub(crate) use self::settings::KeySettings;
pub use self::source::{FetchError, KeyDocument, KeySource};
