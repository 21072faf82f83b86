use std::collections::BTreeMap;

use crate::model::{
    ResourceServer,
    settings::{ClientSettings, PoolSettings, ProviderSettings},
};

/// All that a pool starts with, in the words of Terraform's resources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seed {
    pub(crate) pool: PoolSettings,
    pub(crate) clients: Vec<ClientSettings>,
    pub(crate) groups: Vec<GroupSeed>,
    pub(crate) users: Vec<UserSeed>,
    pub(crate) resource_servers: Vec<ResourceServer>,
    pub(crate) identity_providers: Vec<ProviderSettings>,
}

#[derive(Debug, Clone)]
pub(crate) struct GroupSeed {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) precedence: Option<u32>,
}

/// A user who is there from the start: confirmed if there is a `password`, and with a first password to be
/// changed if there is a `temporary_password`.
#[derive(Debug, Clone)]
pub(crate) struct UserSeed {
    pub(crate) username: String,
    pub(crate) password: Option<String>,
    pub(crate) temporary_password: Option<String>,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) groups: Vec<String>,
    pub(crate) enabled: bool,
}
