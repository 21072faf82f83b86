use serde::{Deserialize, Serialize};

use crate::model::settings::ProviderSettings;

/// An identity provider at which users sign in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdentityProvider {
    pub(crate) settings: ProviderSettings,
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
}

/// A sign-in at a provider that is not completed yet.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ExternalSignIn {
    pub(crate) provider: String,
    /// The query of the app's authorization request.
    pub(crate) request: String,
    /// The address to which the provider sends the browser back.
    #[serde(default)]
    pub(crate) redirect_uri: String,
    /// The digest of the browser's cookie for this sign-in.
    pub(crate) browser: String,
    pub(crate) nonce: String,
    pub(crate) code_verifier: String,
    pub(crate) expires_at: u64,
}
