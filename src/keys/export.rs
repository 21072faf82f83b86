use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A key set as [`export_keys`](crate::Verifier::export_keys) writes it.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExportedSet {
    /// When the fetch of the set began, in seconds since the Unix epoch.
    pub(crate) fetched_at: u64,
    /// The lifetime of the set in seconds, from the key endpoint or the settings.
    pub(crate) max_age: Option<u64>,
    pub(crate) jwks: Value,
}
