use serde::Deserialize;
use serde_json::Value;

use crate::claims::{de, verified::Verified};

/// Entry of the `identities` claim: an account at another identity provider that is linked to the user.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identity {
    /// The user's id at the provider. Member `userId`.
    pub user_id: String,
    /// The provider's name in the pool. Member `providerName`.
    pub provider_name: String,
    /// `SAML`, `OIDC`, `Google`, `Facebook`, `LoginWithAmazon` or `SignInWithApple`. Member
    /// `providerType`.
    #[serde(default)]
    pub provider_type: Option<String>,
    /// The entity id of a SAML provider. Member `issuer`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// Whether the user was created from this account. Member `primary`, a boolean or a string.
    #[serde(default, deserialize_with = "de::json")]
    pub primary: bool,
    /// When the account was linked, in milliseconds since the Unix epoch. Member `dateCreated`, a number or a string.
    #[serde(default, deserialize_with = "de::json")]
    pub date_created: Option<u64>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("provider_type", &self.provider_type)
            .finish_non_exhaustive()
    }
}

impl Verified {
    /// Returns the linked accounts of a federated user. Claim `identities` of ID tokens: an array, or a string that
    /// contains one as JSON. Entries that are not an [`Identity`] are skipped.
    pub fn identities(&self) -> Vec<Identity> {
        let entries = match self.claim("identities") {
            Some(Value::Array(entries)) => entries.clone(),
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => Vec::new(),
        };
        entries.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect()
    }
}
