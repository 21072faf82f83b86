//! Logs the configuration of a verifier, so that an operator can see what a process accepts.

use crate::{
    claims::TokenUse,
    keys::KeySettings,
    verifier::{
        check::Checks,
        pool_rules::{KeyOrigin, PoolRules},
        pools::PoolSet,
        rules::Tolerance,
    },
};

/// How many pools are logged at `info` when a verifier is built. The others are logged at `debug`.
const MAX_POOLS: usize = 8;

/// How many app clients of a pool are logged.
const MAX_CLIENTS: usize = 8;

/// Logs what a verifier was built with: one event for the verifier, and one for each of the first pools.
pub(super) fn log_built(
    pools: &PoolSet,
    keys: &KeySettings,
    tolerance: Tolerance,
    permissions_claim: Option<&str>,
    checks: &Checks,
) {
    tracing::info!(
        pools = pools.len(),
        refresh_interval = ?keys.refresh_interval,
        refresh = if keys.background { "in the background" } else { "on demand" },
        max_staleness = ?keys.max_staleness,
        unknown_key_window = ?keys.unknown_key_window,
        fetch_timeout = ?keys.fetch_timeout,
        expiry_leeway = ?tolerance.expiry_leeway,
        clock_skew = ?tolerance.clock_skew,
        permissions_claim,
        checks = checks.len(),
        "the verifier is configured"
    );
    for (position, pool) in pools.iter().enumerate() {
        if position < MAX_POOLS {
            log_pool(pool, "tokens of this pool are accepted");
        } else {
            tracing::debug!(pool = &*pool.name, "tokens of this pool are accepted");
        }
    }
}

pub(super) fn log_added(pool: &PoolRules) {
    log_pool(pool, "a pool was added; its tokens are accepted");
}

pub(super) fn log_replaced(pool: &PoolRules) {
    log_pool(pool, "a pool was replaced; its tokens are accepted under the new configuration");
}

pub(super) fn log_removed(pool: &PoolRules) {
    tracing::info!(pool = &*pool.name, "a pool was removed; its tokens are rejected");
}

fn log_pool(pool: &PoolRules, message: &'static str) {
    let keys = match &pool.keys_from {
        KeyOrigin::Url(uri) => uri,
        KeyOrigin::Source => "the application's own source",
        KeyOrigin::Static => "a static set",
    };
    tracing::info!(
        pool = &*pool.name,
        issuers = pool.issuers.join(" "),
        access_token_clients = first_of(pool.clients(TokenUse::Access)),
        id_token_clients = first_of(pool.clients(TokenUse::Id)),
        keys,
        dangerous = (!pool.dangerous.is_empty()).then(|| pool.dangerous.join(" ")),
        "{message}"
    );
}

/// Returns the first app clients, and the number of the others. `None` if there are none.
fn first_of(clients: &[String]) -> Option<String> {
    let (first, others) = clients.split_at(clients.len().min(MAX_CLIENTS));
    match (first, others.len()) {
        ([], _) => None,
        (first, 0) => Some(first.join(" ")),
        (first, others) => Some(format!("{} and {others} more", first.join(" "))),
    }
}
