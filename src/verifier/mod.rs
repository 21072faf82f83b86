//! Verifies tokens without HTTP: [`Verifier`], its builder, and the configuration of each [`Pool`].

// Verifies tokens: which pools, keys, rules and checks decide, and in which order.
//
// Two paths lead through this module. Both start in `verify.rs` at `Verifier::begin`, which never waits and
// returns a `Verification` or an `AuthError`.
//
// A **warm** token was verified before. `Inner::verify_now` (`verify.rs`):
// 1. gets it from the cache of verified tokens (`cache.rs`), which compares the whole token;
// 2. looks for the key that signed it in the current set (`keys/cache.rs`), by its fingerprint: a token whose key was
//    withdrawn or replaced is removed from the cache and verified as a cold one;
// 3. checks its times (`Validity` in `claims/verified.rs`);
// 4. runs the application's own checks (`check.rs`).
//
// A **cold** token takes `Inner::verify_cold` (`cold.rs`):
// 1. it is decoded and parsed as `Unverified` (`token/`). Its issuer determines the pool (`pools.rs`), and its key id
//    the key (`keys/cache.rs`);
// 2. with a valid signature it is `Signed`, and its claims can be read;
// 3. once it has passed the list of rules (`rules.rs`) it is `Verified` (`claims/`), and the cache keeps it;
// 4. the application's own checks follow (`check.rs`).
//
// Where a key is missing, or checks are asynchronous, `Verifier::finish` waits and completes the verification.
//
// The other files: `builder.rs`, `environment.rs` and `pool.rs` contain the configuration, and `pool_rules.rs` what a pool
// is built into. `pools.rs` contains the current set of pools, and `changes.rs` the methods that change it. `pool_keys.rs`
// contains the methods with which an application fetches, exports and monitors keys. `explain.rs` explains a verification
// for support, `banner.rs` logs the configuration, and `defects.rs` finds policies that no token can meet.

mod banner;
mod builder;
mod cache;
mod changes;
mod check;
mod cold;
mod defects;
mod environment;
mod explain;
mod pool;
mod pool_keys;
mod pool_rules;
mod pools;
mod rules;
mod verify;
#[cfg(test)]
mod wycheproof;

pub use self::builder::VerifierBuilder;
pub use self::check::Refusal;
pub(crate) use self::defects::NO_PERMISSION_SOURCE;
pub use self::explain::{Explanation, Outcome, Step};
pub use self::pool::{DangerousPool, Pool};
pub use self::pool_keys::ReadyError;
pub(crate) use self::verify::Verification;
pub use self::verify::Verifier;
pub use crate::{clock::Clock, error::VariableError, pool::PoolId};
