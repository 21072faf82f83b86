use serde::{Deserialize, Serialize};

use crate::{
    model::{User, settings::ProviderSettings},
    store::Data,
};

/// Another place where users can prove who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdentityProvider {
    pub(crate) settings: ProviderSettings,
    pub(crate) created_at: u64,
    pub(crate) modified_at: u64,
}

/// A browser that was sent to a provider and is waited for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ExternalSignIn {
    pub(crate) provider: String,
    /// The app's request, as a query.
    pub(crate) request: String,
    /// Where the provider sends the browser back to.
    #[serde(default)]
    pub(crate) redirect_uri: String,
    /// The digest of the cookie that the browser was given.
    pub(crate) browser: String,
    pub(crate) nonce: String,
    pub(crate) code_verifier: String,
    pub(crate) expires_at: u64,
}

impl Data {
    /// The user to whom an account at a provider belongs.
    pub(crate) fn user_of_account(&self, provider: &str, id: &str) -> Option<&User> {
        self.users.values().find(|user| {
            let is_it = |account: &crate::model::Identity| {
                account.provider_name == provider && account.user_id == id
            };
            user.identities.iter().any(is_it)
        })
    }
}
