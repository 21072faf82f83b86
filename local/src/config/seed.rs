//! The data with which a new pool starts, and the rules for it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    model::{
        ResourceServer,
        settings::{
            ClientSettings, PoolSettings, ProviderSettings, Violation, check_length, check_range,
        },
    },
    text::similar::did_you_mean,
};

/// The data with which a new pool starts.
#[derive(Clone, Default)]
pub(crate) struct Seed {
    /// Terraform's label of the pool.
    pub(crate) label: Option<String>,
    /// The configured id of the pool.
    pub(crate) id: Option<String>,
    pub(crate) pool: PoolSettings,
    pub(crate) domain: Option<String>,
    pub(crate) clients: Vec<ClientSettings>,
    pub(crate) groups: Vec<GroupSeed>,
    pub(crate) users: Vec<UserSeed>,
    pub(crate) resource_servers: Vec<ResourceServer>,
    pub(crate) identity_providers: Vec<ProviderSettings>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupSeed {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) precedence: Option<u32>,
}

/// An initial user. A user with a `password` is confirmed. A user with a `temporary_password` must change it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserSeed {
    pub(crate) username: String,
    pub(crate) password: Option<String>,
    pub(crate) temporary_password: Option<String>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default = "enabled")]
    pub(crate) enabled: bool,
}

/// A domain of the hosted pages.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DomainSeed {
    pub(crate) domain: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Membership {
    group_name: String,
    username: String,
}

const MAX_DOMAIN: usize = 63;
const MAX_GROUP_NAME: usize = 128;
const MAX_ROLE_ARN: usize = 2048;

impl DomainSeed {
    pub(crate) fn check(&self) -> Result<(), Violation> {
        check_length("domain", &self.domain, MAX_DOMAIN)?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if self.domain.chars().all(fits) {
            return Ok(());
        }
        Err(Violation::new("domain", "expected lowercase letters, digits, hyphens and dots"))
    }
}

impl Seed {
    /// Returns the label, or the name of a pool without a label.
    pub(crate) fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.pool.name)
    }

    /// Checks that the pool has the attributes that a provider sets, and that the provider's names are unique.
    pub(crate) fn check_provider(&self, provider: &ProviderSettings) -> Result<(), Violation> {
        if let Some(name) = provider.unknown_attribute(&self.pool) {
            let known = self.pool.attribute_names();
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            let known = known.join(", ");
            let message =
                format!("the pool has no attribute {name:?}: expected one of {known}{hint}");
            return Err(Violation::new(format!("attribute_mapping.{name}"), message));
        }
        let identifiers = &provider.idp_identifiers;
        let is_duplicate = |other: &&ProviderSettings| {
            other.provider_name == provider.provider_name
                || other.idp_identifiers.iter().any(|known| identifiers.contains(known))
        };
        match self.identity_providers.iter().find(is_duplicate) {
            Some(other) => Err(Violation::new(
                "provider_name",
                format!("the provider {:?} has the same name or identifier", other.provider_name),
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn check_resource_server(&self, server: &ResourceServer) -> Result<(), Violation> {
        let name = &server.identifier;
        if self.resource_servers.iter().any(|other| other.identifier == *name) {
            let message = format!("there is already a resource server {name:?}");
            return Err(Violation::new("identifier", message));
        }
        Ok(())
    }

    /// Returns the violations of the rules for a group.
    pub(crate) fn group_violations(&self, group: &GroupSeed) -> Vec<Violation> {
        let precedence = group.precedence.unwrap_or_default();
        let checks = [
            self.check_group_name(&group.name),
            check_range("precedence", precedence, 0..=i64::from(i32::MAX)),
            group.role_arn.as_deref().map_or(Ok(()), check_role),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn check_group_name(&self, name: &str) -> Result<(), Violation> {
        check_length("name", name, MAX_GROUP_NAME)?;
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Violation::new("name", "expected a name without spaces"));
        }
        if self.groups.iter().any(|other| other.name == *name) {
            return Err(Violation::new("name", format!("there is already a group {name:?}")));
        }
        Ok(())
    }

    /// Completes the names of a user's attributes, because Terraform writes `tenant` for `custom:tenant`. Also returns the
    /// violations of the rules for users.
    pub(crate) fn complete_user(&self, mut user: UserSeed) -> (UserSeed, Vec<Violation>) {
        let mut found = Vec::new();
        found.extend(self.check_name(&user).err());
        found.extend(self.password_violations(&user));
        let written = std::mem::take(&mut user.attributes);
        for (name, value) in written {
            match self.checked_attribute(&name, &value) {
                Ok(full_name) => drop(user.attributes.insert(full_name, value)),
                Err(message) => {
                    found.push(Violation::new(format!("attributes.{name}"), message));
                }
            }
        }
        found.extend(self.check_names_are_free(&user).err());
        for (index, group) in user.groups.iter().enumerate() {
            found.extend(self.check_group_exists(&format!("groups.{index}"), group).err());
        }
        let missing = self.pool.required_attributes().find(|name| {
            let is_name = self.pool.username_attributes.iter().any(|one| one.attribute() == name);
            name != "sub" && !is_name && !user.attributes.contains_key(name)
        });
        // A user with a temporary password must enter missing attributes when changing it.
        if let Some(name) = missing.filter(|_| found.is_empty() && user.password.is_some()) {
            let message = format!("{name}: The attribute is required");
            found.push(Violation::new("attributes", message));
        }
        (user, found)
    }

    fn password_violations(&self, user: &UserSeed) -> Vec<Violation> {
        let (password, temporary) = (&user.password, &user.temporary_password);
        let check = |(path, password): (&str, &Option<String>)| {
            let violation = self.pool.password_policy.violation(password.as_ref()?)?;
            let message = format!("Password did not conform with policy: {violation}");
            Some(Violation::new(path, message))
        };
        let passwords = [("password", password), ("temporary_password", temporary)];
        let mut found: Vec<_> = passwords.into_iter().filter_map(check).collect();
        if password.is_some() && temporary.is_some() {
            found.push(Violation::new(
                "temporary_password",
                "expected either password or temporary_password, found both",
            ));
        }
        found
    }

    fn check_name(&self, user: &UserSeed) -> Result<(), Violation> {
        let checked = self.pool.check_new_username(&user.username);
        checked.map(drop).map_err(|message| Violation::new("username", message))
    }

    /// Returns the full name of a user's attribute, or what is wrong with it.
    fn checked_attribute(&self, name: &str, value: &str) -> Result<String, String> {
        let custom = format!("custom:{name}");
        let schema = self.pool.attribute(name).or_else(|| self.pool.attribute(&custom));
        let schema = schema.ok_or_else(|| {
            let known = self.pool.attribute_names();
            let bare = known.iter().map(|name| name.strip_prefix("custom:").unwrap_or(name));
            let hint = did_you_mean(name, bare);
            let known = known.join(", ");
            format!("Attribute does not exist in the schema: expected one of {known}{hint}")
        })?;
        if name == "sub" {
            return Err("sub cannot be set: the pool generates it".to_owned());
        }
        schema.violation(value).map_or_else(|| Ok(schema.full_name()), Err)
    }

    /// Checks that no other user has one of the names of this user.
    fn check_names_are_free(&self, user: &UserSeed) -> Result<(), Violation> {
        let spelling = &self.pool.username_configuration;
        let names = |user: &UserSeed| -> Vec<String> {
            let contacts = self.pool.username_attributes.iter().map(|one| one.attribute());
            let aliases = self.pool.alias_attributes.iter().map(|one| one.attribute());
            let values = contacts.chain(aliases).filter_map(|name| user.attributes.get(name));
            values.chain([&user.username]).map(|name| spelling.key(name)).collect()
        };
        let own = names(user);
        let taken = self.users.iter().flat_map(names).find(|name| own.contains(name));
        match taken {
            Some(name) => {
                let message = format!("there is already a user with the name or alias {name:?}");
                Err(Violation::new("username", message))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn add_membership(&mut self, membership: Membership) -> Result<(), Violation> {
        let Membership { group_name, username } = membership;
        self.check_group_exists("group_name", &group_name)?;
        let Some(user) = self.users.iter_mut().find(|user| user.username == username) else {
            let known = self.users.iter().map(|user| user.username.as_str());
            let hint = did_you_mean(&username, known);
            let message = format!("there is no user {username:?}{hint}");
            return Err(Violation::new("username", message));
        };
        if !user.groups.contains(&group_name) {
            user.groups.push(group_name);
        }
        Ok(())
    }

    fn check_group_exists(&self, path: &str, name: &str) -> Result<(), Violation> {
        if self.groups.iter().any(|group| group.name == name) {
            return Ok(());
        }
        let names: Vec<_> = self.groups.iter().map(|group| group.name.as_str()).collect();
        let message = if names.is_empty() {
            format!("there is no group {name:?}: add it as aws_cognito_user_group")
        } else {
            let hint = did_you_mean(name, names.iter().copied());
            format!("there is no group {name:?}: expected one of {}{hint}", names.join(", "))
        };
        Err(Violation::new(path, message))
    }
}

fn enabled() -> bool {
    true
}

fn check_role(arn: &str) -> Result<(), Violation> {
    check_length("role_arn", arn, MAX_ROLE_ARN)?;
    if arn.starts_with("arn:") {
        return Ok(());
    }
    Err(Violation::new(
        "role_arn",
        "expected the ARN of a role, such as arn:aws:iam::000000000000:role/staff",
    ))
}
