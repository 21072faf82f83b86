use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{super::store::ResourceServer, ClientSettings, PoolSettings, ProviderSettings};

/// All that a pool starts with, in the words of Terraform's resources.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::local) struct Seed {
    #[serde(rename = "aws_cognito_user_pool")]
    pub(in crate::local) pool: PoolSettings,
    #[serde(rename = "aws_cognito_user_pool_client")]
    pub(in crate::local) clients: Vec<ClientSettings>,
    #[serde(rename = "aws_cognito_user_group")]
    pub(in crate::local) groups: Vec<GroupSeed>,
    #[serde(rename = "aws_cognito_user")]
    pub(in crate::local) users: Vec<UserSeed>,
    #[serde(rename = "aws_cognito_resource_server")]
    pub(in crate::local) resource_servers: Vec<ResourceServer>,
    #[serde(rename = "aws_cognito_identity_provider")]
    pub(in crate::local) identity_providers: Vec<ProviderSettings>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::local) struct GroupSeed {
    pub(in crate::local) name: String,
    pub(in crate::local) description: Option<String>,
    pub(in crate::local) role_arn: Option<String>,
    pub(in crate::local) precedence: Option<u32>,
}

/// A user who is there from the start: confirmed if there is a `password`, and with a first password to be
/// changed if there is a `temporary_password`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::local) struct UserSeed {
    pub(in crate::local) username: String,
    pub(in crate::local) password: Option<String>,
    pub(in crate::local) temporary_password: Option<String>,
    #[serde(default)]
    pub(in crate::local) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(in crate::local) groups: Vec<String>,
    #[serde(default = "yes")]
    pub(in crate::local) enabled: bool,
}

fn yes() -> bool {
    true
}
