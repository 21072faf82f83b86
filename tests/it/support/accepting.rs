//! Verifiers that accept more than [`UserPool::verifier`] does.

#![allow(dead_code, reason = "two test binaries use different parts")]

use tower_cognito::{Pool, Verifier, VerifierBuilder};
use tower_cognito_local::UserPool;

/// Returns the pool's settings for a verifier of the access tokens and ID tokens of its default client.
pub(crate) fn both_uses(pool: &UserPool) -> Pool {
    pool.pool().access_tokens([pool.client_id()]).id_tokens([pool.client_id()])
}

/// Returns the builder of a verifier of both uses. It reads permissions.
pub(crate) fn full_verifier(pool: &UserPool) -> VerifierBuilder {
    Verifier::builder(both_uses(pool)).permissions_claim("custom:permissions")
}
