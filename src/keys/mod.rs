//! Public keys of user pools: where they come from, and how they are kept fresh.
//!
//! [`KeySource`] fetches a JWKS document (RFC 7517), [`KeySet`] contains its keys, and [`KeyHealth`] reports on them.

// Fetches, caches and refreshes the public keys of user pools.
//
// A plain "GET the document every 15 minutes" is not enough. A withdrawn key must stop working even if no timer fired,
// as on a suspended machine or in a frozen function, and even if the clock was set back. The first token with a new key
// must pass right after a rotation, but a flood of made-up `kid`s must not become a flood of fetches. While the key
// endpoint is down, tokens with known keys must pass, but not forever. A request with a known key must not wait, and
// must not take a lock.
//
// | file | content |
// |---|---|
// | `cache` | `KeyCache`: what the verifier calls. Finds a known key without a lock |
// | `schedule` | the rules: when to fetch, and how long a set may be used. A pure state machine |
// | `driver` | executes the decisions: the lock, the fetch tasks, the waiting requests |
// | `freshness` | the current set, its age on both clocks, and for how long requests may use it without the schedule |
// | `export` | the form in which a set is exported and imported |
// | `health` | `KeyHealth`, the report for the application |
// | `settings` | the durations, with their defaults and ranges |
// | `set`, `jwk` | a JWKS document (RFC 7517) and its keys |
// | `source`, `http` | where the document comes from: `KeySource`, and one GET request |
// | `runtime` | what a fetch needs from tokio, replaced in tests of interleavings |

mod cache;
mod driver;
mod export;
mod freshness;
mod health;
mod jwk;
mod runtime;
mod schedule;
mod set;
mod settings;
mod source;

#[cfg(feature = "fetch")]
mod http;
#[cfg(not(feature = "fetch"))]
#[path = "no_http.rs"]
mod http;

pub(crate) use self::cache::{KeyCache, UsableSet};
pub(crate) use self::export::ExportedSet;
pub use self::health::KeyHealth;
pub(crate) use self::http::HttpSources;
pub(crate) use self::schedule::Miss;
pub use self::set::{KeySet, KeySetError, SignatureError};
pub(crate) use self::settings::KeySettings;
pub use self::source::{FetchError, KeyDocument, KeySource};
