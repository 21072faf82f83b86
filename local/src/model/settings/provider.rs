use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize};

use crate::model::settings::PoolSettings;

/// Another place where users can prove who they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderSettings {
    #[serde(deserialize_with = "provider_name")]
    pub(crate) provider_name: String,
    pub(crate) provider_type: ProviderType,
    pub(crate) provider_details: ProviderDetails,
    /// The pool's attributes, and the provider's claims that they are written from.
    #[serde(default)]
    pub(crate) attribute_mapping: BTreeMap<String, String>,
    /// Other names by which apps ask for the provider: domains, mostly.
    #[serde(default)]
    pub(crate) idp_identifiers: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ProviderType {
    #[serde(rename = "OIDC")]
    Oidc,
}

/// How a provider of OpenID Connect is asked. What is not said of its addresses is found by discovery.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderDetails {
    pub(crate) client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<String>,
    #[serde(deserialize_with = "address")]
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
    /// Terraform writes it back; it says nothing that the pool does not know.
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

/// The name of signing in with a password here, among those of providers.
pub(crate) const OWN_PROVIDER: &str = "COGNITO";

impl ProviderSettings {
    /// An attribute that the provider is to write and the pool does not have.
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

/// User names begin with it, and an underscore ends it there.
fn provider_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_sign = |sign: char| !sign.is_whitespace() && !sign.is_control() && sign != '_';
    let length = name.chars().count();
    let is_good = (3..=32).contains(&length) && name.chars().all(is_sign);
    if is_good && !name.eq_ignore_ascii_case(OWN_PROVIDER) {
        return Ok(name);
    }
    Err(serde::de::Error::custom(format!(
        "`{name}` is not a provider's name: 3 to 32 signs, no spaces, no underscores, and not `{OWN_PROVIDER}`"
    )))
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(text);
    }
    Err(serde::de::Error::custom(format!(
        "`{text}` is not the address of a provider, such as `https://id.example.com`"
    )))
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.split(' ').any(|scope| scope == "openid") {
        return Ok(text);
    }
    Err(serde::de::Error::custom("`authorize_scopes` has to hold `openid`, as in `openid email`"))
}
