use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::settings::PoolSettings;

/// An external identity provider that users can sign in with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderSettings {
    #[serde(deserialize_with = "provider_name")]
    pub(crate) provider_name: String,
    pub(crate) provider_type: ProviderType,
    pub(crate) provider_details: ProviderDetails,
    /// Maps the pool's attributes to the claims of the provider.
    #[serde(default)]
    pub(crate) attribute_mapping: BTreeMap<String, String>,
    /// Other names by which apps can request the provider, for example domains.
    #[serde(default)]
    pub(crate) idp_identifiers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProviderType {
    #[serde(rename = "OIDC")]
    Oidc,
}

impl ProviderType {
    /// Cognito's types that a local pool does not support.
    const UNSUPPORTED: [&str; 5] =
        ["SAML", "Google", "Facebook", "LoginWithAmazon", "SignInWithApple"];

    /// Returns the message for a type that a local pool does not support.
    pub(crate) fn unsupported(word: &str) -> Option<String> {
        Self::UNSUPPORTED.contains(&word).then(|| {
            format!(
                "A local pool does not support identity providers of the type {word}. It supports the type OIDC: \
                 another local pool can replace {word}."
            )
        })
    }
}

/// The endpoints and credentials of an OpenID Connect provider. Endpoints that are not set are discovered.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderDetails {
    pub(crate) client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    #[serde(deserialize_with = "issuer_url")]
    pub(crate) oidc_issuer: String,
    #[serde(deserialize_with = "scopes")]
    pub(crate) authorize_scopes: String,
    #[serde(default)]
    pub(crate) attributes_request_method: RequestMethod,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorize_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attributes_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_uri: Option<String>,
    /// Terraform sends this setting. It has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attributes_url_add_attributes: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum RequestMethod {
    #[default]
    Get,
    Post,
}

/// The name of the pool itself among the providers of a client.
pub(crate) const OWN_PROVIDER: &str = "COGNITO";

impl ProviderSettings {
    /// Returns the first attribute of the mapping that the pool does not have.
    pub(crate) fn unknown_attribute(&self, pool: &PoolSettings) -> Option<&str> {
        let mut names = self.attribute_mapping.keys().map(String::as_str);
        names.find(|name| *name != "username" && pool.attribute(name).is_none())
    }
}

impl fmt::Debug for ProviderDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderDetails")
            .field("oidc_issuer", &self.oidc_issuer)
            .finish_non_exhaustive()
    }
}

/// Deserializes a name. User names of federated users begin with the name and an underscore, so the name cannot contain
/// an underscore.
fn provider_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && c != '_';
    let length = name.chars().count();
    let is_valid = (3..=32).contains(&length) && name.chars().all(fits);
    if is_valid && !name.eq_ignore_ascii_case(OWN_PROVIDER) {
        return Ok(name);
    }
    Err(serde::de::Error::custom(format!(
        "invalid provider name `{name}`: expected 3 to 32 characters without spaces and underscores, and \
         not `{OWN_PROVIDER}`"
    )))
}

fn issuer_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(text);
    }
    Err(serde::de::Error::custom(format!(
        "invalid issuer `{text}`: expected the URL of a provider, such as `https://id.example.com`"
    )))
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.split(' ').any(|scope| scope == "openid") {
        return Ok(text);
    }
    Err(serde::de::Error::custom("`authorize_scopes` must contain `openid`, as in `openid email`"))
}
