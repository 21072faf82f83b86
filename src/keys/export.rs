use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A key set as [`export_keys`](crate::Verifier::export_keys) writes it.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExportedSet {
    /// When the fetch of the set began, in seconds since the Unix epoch.
    pub(crate) fetched_at: u64,
    /// The lifetime of the set in seconds. If it is absent, the set is treated like one without `max-age`.
    pub(crate) lifetime: Option<u64>,
    pub(crate) jwks: Value,
}
