//! Reads the resources of a configuration file: the data with which a new pool starts.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, Visitor},
};

use crate::{
    config::{
        client::read_client,
        error::{Place, Reason, SettingError},
        labels::remove_labels,
        pool::read_pool,
        setting::{Setting, Value},
    },
    model::{
        ResourceServer,
        settings::{
            ClientContext, ClientSettings, PoolSettings, ProviderSettings, Violation, check_length,
            check_range,
        },
    },
};

/// The data with which a new pool starts.
#[derive(Clone, Default)]
pub(crate) struct Seed {
    pub(crate) pool: PoolSettings,
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
    #[serde(default, deserialize_with = "texts")]
    pub(crate) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) groups: Vec<String>,
    #[serde(default = "enabled")]
    pub(crate) enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    group_name: String,
    username: String,
}

/// The resources, in the order in which they are read. Later ones refer to earlier ones.
const RESOURCES: [&str; 7] = [
    "aws_cognito_user_pool",
    "aws_cognito_resource_server",
    "aws_cognito_identity_provider",
    "aws_cognito_user_group",
    "aws_cognito_user_pool_client",
    "aws_cognito_user",
    "aws_cognito_user_in_group",
];

/// Terraform resources that have no effect on a local pool.
const IGNORED: [&str; 8] = [
    "aws_cognito_identity_pool",
    "aws_cognito_identity_pool_roles_attachment",
    "aws_cognito_log_delivery_configuration",
    "aws_cognito_managed_login_branding",
    "aws_cognito_managed_user_pool_client",
    "aws_cognito_risk_configuration",
    "aws_cognito_user_pool_domain",
    "aws_cognito_user_pool_ui_customization",
];

/// Settings of every resource that have no effect, since there is one pool.
const IGNORED_IN_RESOURCES: [&str; 2] = ["region", "user_pool_id"];

const IGNORED_IN_USERS: [&str; 5] = [
    "client_metadata",
    "desired_delivery_mediums",
    "force_alias_creation",
    "message_action",
    "validation_data",
];

const MAX_GROUP_NAME: usize = 128;
const MAX_ROLE_ARN: usize = 2048;

/// The state of reading a file.
#[derive(Default)]
struct Reader {
    seed: Seed,
    ignored: Vec<Place>,
}

/// Reads a file. Also returns the places of settings without effect.
///
/// # Errors
/// Returns the errors of all resources of one kind. In that case, resources that refer to them are not checked.
pub(crate) fn read_seed(file: Setting) -> Result<(Seed, Vec<Place>), Vec<SettingError>> {
    let mut file = remove_labels(file);
    let mut reader = Reader::default();
    file.remove_ignored(&IGNORED, &mut reader.ignored);
    let mut errors = Vec::new();
    for name in RESOURCES {
        let blocks = file.take(name).map_or(Vec::new(), Setting::into_items);
        for (index, block) in blocks.into_iter().enumerate() {
            if name == "aws_cognito_user_pool" && index > 0 {
                errors.push(block.place.error("expected one block of this name"));
                continue;
            }
            errors.extend(reader.read(name, block).err());
        }
        if !errors.is_empty() {
            return Err(errors);
        }
    }
    if let Value::Table(unknown) = &file.value
        && !unknown.is_empty()
    {
        let reason = Reason::Unknown { allowed: &RESOURCES };
        let error =
            |(_, one): &(String, Setting)| SettingError::new(one.place.clone(), reason.clone());
        return Err(unknown.iter().map(error).collect());
    }
    reader.ignored.sort_by_key(|place| place.line);
    Ok((reader.seed, reader.ignored))
}

impl Reader {
    fn read(&mut self, resource: &str, mut block: Setting) -> Result<(), SettingError> {
        if resource == "aws_cognito_user_pool" {
            self.seed.pool = read_pool(block, PoolSettings::default(), &mut self.ignored)?;
            return Ok(());
        }
        block.remove_ignored(&IGNORED_IN_RESOURCES, &mut self.ignored);
        match resource {
            "aws_cognito_resource_server" => {
                let server = read_valid(&block, ResourceServer::validate)?;
                self.seed.resource_servers.push(server);
            }
            "aws_cognito_identity_provider" => {
                let provider = read_valid(&block, |provider| self.seed.check_provider(provider))?;
                self.seed.identity_providers.push(provider);
            }
            "aws_cognito_user_group" => {
                let group = read_valid(&block, |group| self.seed.check_group(group))?;
                self.seed.groups.push(group);
            }
            "aws_cognito_user_pool_client" => self.add_client(block)?,
            "aws_cognito_user" => {
                block.remove_ignored(&IGNORED_IN_USERS, &mut self.ignored);
                let user = UserSeed::deserialize(&block)?;
                let user = self.seed.checked_user(user).map_err(|wrong| block.violation(wrong))?;
                self.seed.users.push(user);
            }
            _ => {
                let membership = Membership::deserialize(&block)?;
                self.seed
                    .add_membership(membership)
                    .map_err(|violation| block.violation(violation))?;
            }
        }
        Ok(())
    }

    fn add_client(&mut self, block: Setting) -> Result<(), SettingError> {
        let seed = &mut self.seed;
        let scopes: Vec<_> =
            seed.resource_servers.iter().flat_map(ResourceServer::full_scopes).collect();
        let context = ClientContext { pool: &seed.pool, scopes: &scopes };
        let place = block.place_of("client_id");
        let client = read_client(block, ClientSettings::default(), context, &mut self.ignored)?;
        let id = &client.client_id;
        if !id.is_empty() && seed.clients.iter().any(|other| other.client_id == *id) {
            return Err(place.error(format!("there is already a client {id:?}")));
        }
        seed.clients.push(client);
        Ok(())
    }
}

/// Deserializes a block and checks its rules.
fn read_valid<T: DeserializeOwned>(
    block: &Setting,
    validate: impl FnOnce(&T) -> Result<(), Violation>,
) -> Result<T, SettingError> {
    let read = T::deserialize(block)?;
    validate(&read).map_err(|violation| block.violation(violation))?;
    Ok(read)
}

impl Seed {
    /// Checks that the pool has the attributes that a provider sets, and that the provider's names are unique.
    fn check_provider(&self, provider: &ProviderSettings) -> Result<(), Violation> {
        if let Some(name) = provider.unknown_attribute(&self.pool) {
            let message = format!(
                "the pool has no attribute {name:?}: expected one of {}",
                self.pool.attribute_names().join(", ")
            );
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

    fn check_group(&self, group: &GroupSeed) -> Result<(), Violation> {
        let name = &group.name;
        check_length("name", name, MAX_GROUP_NAME)?;
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Violation::new("name", "expected a name without spaces"));
        }
        if self.groups.iter().any(|other| other.name == *name) {
            return Err(Violation::new("name", format!("there is already a group {name:?}")));
        }
        if let Some(arn) = &group.role_arn {
            check_length("role_arn", arn, MAX_ROLE_ARN)?;
            if !arn.starts_with("arn:") {
                return Err(Violation::new(
                    "role_arn",
                    "expected the ARN of a role, such as arn:aws:iam::000000000000:role/staff",
                ));
            }
        }
        let precedence = group.precedence.unwrap_or_default();
        check_range("precedence", precedence, 0..=i64::from(i32::MAX))
    }

    /// Checks the rules for a user. Completes the names of attributes, because Terraform writes `tenant` for
    /// `custom:tenant`.
    fn checked_user(&self, mut user: UserSeed) -> Result<UserSeed, Violation> {
        self.check_name(&user)?;
        for (path, password) in
            [("password", &user.password), ("temporary_password", &user.temporary_password)]
        {
            let policy = &self.pool.password_policy;
            if let Some(violation) = password.as_ref().and_then(|text| policy.violation(text)) {
                let message = format!("Password did not conform with policy: {violation}");
                return Err(Violation::new(path, message));
            }
        }
        if user.password.is_some() && user.temporary_password.is_some() {
            return Err(Violation::new(
                "temporary_password",
                "expected either password or temporary_password, found both",
            ));
        }
        user.attributes = self.checked_attributes(user.attributes)?;
        self.check_names_are_free(&user)?;
        for (index, group) in user.groups.iter().enumerate() {
            self.check_group_exists(&format!("groups.{index}"), group)?;
        }
        let missing = self.pool.required_attributes().find(|name| {
            let is_name = self.pool.username_attributes.iter().any(|one| one.attribute() == name);
            name != "sub" && !is_name && !user.attributes.contains_key(name)
        });
        match missing {
            // A user with a temporary password must enter missing attributes when changing it.
            Some(name) if user.password.is_some() => {
                Err(Violation::new("attributes", format!("{name}: The attribute is required")))
            }
            _ => Ok(user),
        }
    }

    fn check_name(&self, user: &UserSeed) -> Result<(), Violation> {
        let checked = self.pool.check_new_username(&user.username);
        checked.map(drop).map_err(|message| Violation::new("username", message))
    }

    fn checked_attributes(
        &self,
        written: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Violation> {
        let mut attributes = BTreeMap::new();
        for (name, value) in written {
            let wrong = |message: String| Violation::new(format!("attributes.{name}"), message);
            let custom = format!("custom:{name}");
            let schema = self.pool.attribute(&name).or_else(|| self.pool.attribute(&custom));
            let schema = schema.ok_or_else(|| {
                wrong(format!(
                    "Attribute does not exist in the schema: expected one of {}",
                    self.pool.attribute_names().join(", ")
                ))
            })?;
            if name == "sub" {
                return Err(wrong("sub cannot be set: the pool generates it".to_owned()));
            }
            if let Some(violation) = schema.violation(&value) {
                return Err(wrong(violation));
            }
            attributes.insert(schema.full_name(), value);
        }
        Ok(attributes)
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

    fn add_membership(&mut self, membership: Membership) -> Result<(), Violation> {
        let Membership { group_name, username } = membership;
        self.check_group_exists("group_name", &group_name)?;
        let Some(user) = self.users.iter_mut().find(|user| user.username == username) else {
            return Err(Violation::new("username", format!("there is no user {username:?}")));
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
            format!("there is no group {name:?}: expected one of {}", names.join(", "))
        };
        Err(Violation::new(path, message))
    }
}

fn enabled() -> bool {
    true
}

/// Deserializes attributes as texts. Numbers and booleans may be written without quotes.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let texts = BTreeMap::<String, Text>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|(name, Text(text))| (name, text)).collect())
}

struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, an integer or a boolean")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Text, E> {
        Ok(Text(flag.to_string()))
    }
}
