//! Runs expensive work on threads where it does not delay other requests.

use std::panic::resume_unwind;

/// Runs work that is expensive or blocks: modular exponentiation, signatures, key generation, writes to disk.
///
/// Never call it while the store is locked. Work that has started runs to completion, even if the caller is dropped.
pub(crate) async fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down and drops the caller.
            Err(_) => std::future::pending().await,
        },
    }
}
