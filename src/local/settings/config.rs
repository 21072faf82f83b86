use std::collections::BTreeMap;

use super::{super::store::ResourceServer, ClientSettings, PoolSettings, ProviderSettings};

/// All that a pool starts with, in the words of Terraform's resources.
#[derive(Debug, Clone, Default)]
pub(in crate::local) struct Seed {
    pub(in crate::local) pool: PoolSettings,
    pub(in crate::local) clients: Vec<ClientSettings>,
    pub(in crate::local) groups: Vec<GroupSeed>,
    pub(in crate::local) users: Vec<UserSeed>,
    pub(in crate::local) resource_servers: Vec<ResourceServer>,
    pub(in crate::local) identity_providers: Vec<ProviderSettings>,
}

#[derive(Debug, Clone)]
pub(in crate::local) struct GroupSeed {
    pub(in crate::local) name: String,
    pub(in crate::local) description: Option<String>,
    pub(in crate::local) role_arn: Option<String>,
    pub(in crate::local) precedence: Option<u32>,
}

/// A user who is there from the start: confirmed if there is a `password`, and with a first password to be
/// changed if there is a `temporary_password`.
#[derive(Debug, Clone)]
pub(in crate::local) struct UserSeed {
    pub(in crate::local) username: String,
    pub(in crate::local) password: Option<String>,
    pub(in crate::local) temporary_password: Option<String>,
    pub(in crate::local) attributes: BTreeMap<String, String>,
    pub(in crate::local) groups: Vec<String>,
    pub(in crate::local) enabled: bool,
}
