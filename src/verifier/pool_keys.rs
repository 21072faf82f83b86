use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use serde_json::json;

use crate::{
    keys::{FetchError, KeyCache, KeyHealth},
    verifier::{pool_rules::PoolRules, verify::Verifier},
};

/// Error returned when the keys of a pool could not be fetched. Its `source()` is the [`FetchError`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("the keys of {issuer} could not be fetched; check the pool's id and the network")]
pub struct ReadyError {
    issuer: Arc<str>,
    #[source]
    reason: FetchError,
}

impl ReadyError {
    /// Returns the first issuer of the pool.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns why its keys could not be fetched.
    pub fn reason(&self) -> &FetchError {
        &self.reason
    }
}

/// The keys of the verifier's pools.
impl Verifier {
    /// Fetches the keys of all pools that have none, concurrently, so that a wrong pool id or a blocked network is an
    /// error at start instead of at the first request. Returns at once if all pools have keys.
    ///
    /// Call it before the service accepts requests. Without the call, the first request with a token waits for the
    /// fetch. If the fetch fails, the request is rejected with 503. Repeated calls cause no more fetches than the
    /// [limit](crate::VerifierBuilder::unknown_key_window) allows. The keys of at most 64 pools are fetched at once.
    ///
    /// A verifier without pools is ready. Call it again after you have added a pool, or let its first token wait for the
    /// fetch.
    ///
    /// # Errors
    /// The keys of a pool could not be fetched. The error names the first such pool.
    pub async fn ready(&self) -> Result<(), ReadyError> {
        self.for_all_pools(KeyCache::ready).await
    }

    /// Fetches the keys of all pools now, regardless of their age, and waits for the fetches to end. Keys that are not
    /// in the new sets stop working at once, also for cached tokens.
    ///
    /// Use it for a leaked key: once the pool's key set no longer has the key, call this in each process of the
    /// service. Without the call the key stops working at the next [refresh](crate::VerifierBuilder::refresh_interval).
    /// The limit on fetches for unknown keys does not apply, so do not let callers of the service trigger it. Pools
    /// with static keys are not affected.
    ///
    /// ```no_run
    /// # async fn example(verifier: tower_cognito::Verifier) {
    /// if let Err(error) = verifier.force_refresh().await {
    ///     tracing::error!(%error, "the leaked key may still be accepted");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// The keys of a pool could not be fetched. Its previous keys stay in use, including the leaked one.
    /// The error names the first such pool; the sets of the others may be new.
    pub async fn force_refresh(&self) -> Result<(), ReadyError> {
        self.for_all_pools(KeyCache::force_refresh).await
    }

    /// Returns the state of the keys of each current pool, for a health endpoint or a metric.
    pub fn health(&self) -> Vec<KeyHealth> {
        let pools = self.0.pools.load();
        let health = |pool: &Arc<PoolRules>| {
            pool.keys.health(Arc::clone(&pool.name), Arc::clone(&pool.issuer))
        };
        pools.iter().map(health).collect()
    }

    /// Returns the fetched keys of all pools as text, for
    /// [`import_keys`](crate::VerifierBuilder::import_keys) in a process that starts later. Anyone who can
    /// change the text decides which tokens that process accepts, so protect it like the configuration.
    pub fn export_keys(&self) -> String {
        let sets: serde_json::Map<_, _> = self
            .0
            .pools
            .load()
            .iter()
            .filter_map(|pool| Some((pool.issuer.to_string(), json!(pool.keys.export()?))))
            .collect();
        json!({ "tower_cognito_keys": sets }).to_string()
    }

    /// Runs an action on the keys of all pools concurrently.
    ///
    /// # Errors
    /// The error of the first pool that has one.
    async fn for_all_pools(
        &self,
        action: impl AsyncFn(&KeyCache) -> Result<(), FetchError>,
    ) -> Result<(), ReadyError> {
        let pools = self.0.pools.load_full();
        let results = join_all(pools.iter().map(|pool| async {
            let issuer = Arc::clone(&pool.issuer);
            action(&pool.keys).await.map_err(|reason| ReadyError { issuer, reason })
        }));
        results.await.into_iter().collect()
    }
}

/// The maximum number of pools whose keys are fetched at once. With more, a verifier of a thousand pools would
/// open so many connections at once that the fetches exceed their time limit.
const MAX_CONCURRENT: usize = 64;

/// Awaits futures, up to [`MAX_CONCURRENT`] at once, and returns their results in order.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting = futures.enumerate();
    let mut running = Vec::new();
    let mut results = Vec::new();
    poll_fn(|cx| {
        loop {
            let free = MAX_CONCURRENT - running.len();
            let started =
                waiting.by_ref().take(free).map(|(position, it)| (position, Box::pin(it)));
            running.extend(started);
            let before = results.len();
            running.retain_mut(|(position, future)| match future.as_mut().poll(cx) {
                Poll::Ready(output) => {
                    results.push((*position, output));
                    false
                }
                Poll::Pending => true,
            });
            if results.len() == before {
                return if running.is_empty() { Poll::Ready(()) } else { Poll::Pending };
            }
        }
    })
    .await;
    results.sort_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, output)| output).collect()
}
