//! The audit-only mode: rejections are logged and counted, and no request is rejected.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::error::AuthError;

/// Counts of the requests that an audit-only layer would reject. Returned by
/// [`CognitoLayer::audit_counts`](crate::CognitoLayer::audit_counts).
///
/// It is cheap to clone. All clones, and all clones of the layer, share the counts.
#[derive(Clone, Default)]
pub struct AuditCounts(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl AuditCounts {
    /// Returns the counts by the [code](AuthError::code) of the error. A request is counted once, by the error that its
    /// client would get. Codes that did not occur are absent.
    pub fn by_code(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    /// Returns the number of all requests that would be rejected.
    pub fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AuditCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.by_code()).finish()
    }
}

/// A request that passes even if a requirement is not met.
#[derive(Clone)]
pub(super) struct AuditedRequest {
    counts: AuditCounts,
    /// Whether a rejection was recorded already. Without the mode, later requirements would not have run.
    is_recorded: bool,
}

impl AuditedRequest {
    pub(super) fn new(counts: AuditCounts) -> Self {
        Self { counts, is_recorded: false }
    }

    /// Logs and counts the first reason for which the request would be rejected.
    pub(super) fn record(&mut self, error: &AuthError) {
        if std::mem::replace(&mut self.is_recorded, true) {
            return;
        }
        *self.counts.lock().entry(error.code()).or_default() += 1;
        tracing::warn!(
            code = error.code(),
            status = error.kind().status().as_u16(),
            "audit only: the request would be rejected: {error}"
        );
    }
}
