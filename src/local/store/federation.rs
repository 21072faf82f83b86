use serde::{Deserialize, Serialize};

use super::{super::settings::ProviderSettings, Data, User};

/// Another place where users can prove who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::local) struct IdentityProvider {
    pub(in crate::local) settings: ProviderSettings,
    pub(in crate::local) created_at: u64,
    pub(in crate::local) modified_at: u64,
}

/// A browser that was sent to a provider and is waited for.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::local) struct ExternalSignIn {
    pub(in crate::local) provider: String,
    /// The app's request, as a query.
    pub(in crate::local) request: String,
    /// Where the provider sends the browser back to.
    #[serde(default)]
    pub(in crate::local) redirect_uri: String,
    /// The digest of the cookie that the browser was given.
    pub(in crate::local) browser: String,
    pub(in crate::local) nonce: String,
    pub(in crate::local) code_verifier: String,
    pub(in crate::local) expires_at: u64,
}

impl Data {
    /// The user to whom an account at a provider belongs.
    pub(in crate::local) fn user_of_account(&self, provider: &str, id: &str) -> Option<&User> {
        self.users.values().find(|user| {
            let is_it = |account: &super::Identity| {
                account.provider_name == provider && account.user_id == id
            };
            user.identities.iter().any(is_it)
        })
    }
}
