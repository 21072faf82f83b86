//! Expensive work, on threads where it holds up no other request.

use std::panic::resume_unwind;

/// Runs work that takes long without a pause: powers of large numbers, signatures, new keys, commits to disk.
///
/// It must not run while the store is locked. Once begun, it runs to its end.
pub(super) async fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends, and with it whoever waits.
            Err(_) => std::future::pending().await,
        },
    }
}
