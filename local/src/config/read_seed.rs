//! All that a pool starts with, from a file.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    config::{
        GroupSeed, Seed, UserSeed,
        fields::Fields,
        labels,
        read_client::Around,
        written::{Place, Written, Wrong},
    },
    domain::user_names::new_name,
    model::{
        ResourceServer, ResourceServerScope,
        settings::{ClientSettings, PoolSettings, ProviderDetails, ProviderSettings},
    },
};

/// Resources of Terraform's that make no difference here.
const WITHOUT_EFFECT: [&str; 8] = [
    "aws_cognito_identity_pool",
    "aws_cognito_identity_pool_roles_attachment",
    "aws_cognito_log_delivery_configuration",
    "aws_cognito_managed_login_branding",
    "aws_cognito_managed_user_pool_client",
    "aws_cognito_risk_configuration",
    "aws_cognito_user_pool_domain",
    "aws_cognito_user_pool_ui_customization",
];

impl Seed {
    /// Reads a file, and tells what of it makes no difference.
    pub(crate) fn read(written: &Written) -> Result<(Self, Vec<Place>), Wrong> {
        let written = labels::without(written);
        let mut fields = written.fields()?;
        let mut notes = Vec::new();
        let mut seed = Self::default();
        if let Some(block) = fields.block("aws_cognito_user_pool")? {
            seed.pool = PoolSettings::read(block, PoolSettings::default(), &mut notes)?;
        }
        for block in fields.blocks("aws_cognito_resource_server")? {
            let server = resource_server(block, &mut notes)?;
            seed.resource_servers.push(server);
        }
        let providers = fields.get("aws_cognito_identity_provider").map(Written::one_or_many);
        for written in providers.into_iter().flatten() {
            let provider = provider(written, &mut notes)?;
            seed.check_provider(written, &provider)?;
            seed.identity_providers.push(provider);
        }
        for block in fields.blocks("aws_cognito_user_group")? {
            let place = block.place_of("name");
            let group = group(block, &mut notes)?;
            if seed.groups.iter().any(|other| other.name == group.name) {
                return Err(place.breaks(format!("there is a group {:?} already", group.name)));
            }
            seed.groups.push(group);
        }
        for block in fields.blocks("aws_cognito_user_pool_client")? {
            seed.add_client(block, &mut notes)?;
        }
        for block in fields.blocks("aws_cognito_user")? {
            seed.add_user(block, &mut notes)?;
        }
        for block in fields.blocks("aws_cognito_user_in_group")? {
            seed.add_membership(block, &mut notes)?;
        }
        fields.ignore(&WITHOUT_EFFECT, &mut notes);
        fields.finish()?;
        notes.sort_by_key(|place| place.line);
        Ok((seed, notes))
    }

    /// Whether the pool has the attributes that a provider writes, and nobody else has its names.
    fn check_provider(&self, written: &Written, provider: &ProviderSettings) -> Result<(), Wrong> {
        if let Some(name) = provider.unknown_attribute(&self.pool) {
            return Err(written.breaks(format!(
                "attribute_mapping: {name} is not an attribute: there are {}",
                self.pool.attribute_names().join(", ")
            )));
        }
        let identifiers = &provider.idp_identifiers;
        let clashes = |other: &&ProviderSettings| {
            other.provider_name == provider.provider_name
                || other.idp_identifiers.iter().any(|known| identifiers.contains(known))
        };
        match self.identity_providers.iter().find(clashes) {
            Some(other) => Err(written.breaks(format!(
                "the provider {:?} has its name or one of its identifiers",
                other.provider_name
            ))),
            None => Ok(()),
        }
    }

    fn add_client(&mut self, block: Fields<'_>, notes: &mut Vec<Place>) -> Result<(), Wrong> {
        let place = block.place_of("client_id");
        let scopes = self.resource_servers.iter().flat_map(ResourceServer::full_scopes).collect();
        let around = Around { pool: &self.pool, scopes };
        let client = ClientSettings::read(block, ClientSettings::default(), &around, notes)?;
        let is_taken = |other: &ClientSettings| other.client_id == client.client_id;
        if !client.client_id.is_empty() && self.clients.iter().any(is_taken) {
            return Err(place.breaks(format!("there is a client {:?} already", client.client_id)));
        }
        self.clients.push(client);
        Ok(())
    }

    fn add_user(&mut self, mut block: Fields<'_>, notes: &mut Vec<Place>) -> Result<(), Wrong> {
        let name_place = block.place_of("username");
        let username = block.required("username", |written| written.text_up_to(128))?;
        let mut user = UserSeed {
            username,
            password: None,
            temporary_password: None,
            attributes: BTreeMap::new(),
            groups: Vec::new(),
            enabled: true,
        };
        let place_of_temporary = block.place_of("temporary_password");
        for (name, into) in
            [("password", &mut user.password), ("temporary_password", &mut user.temporary_password)]
        {
            block.read(name, into, |written| {
                let password = written.text()?;
                match self.pool.password_policy.violation(&password) {
                    None => Ok(Some(password)),
                    Some(violation) => Err(written
                        .breaks(format!("Password did not conform with policy: {violation}"))),
                }
            })?;
        }
        if user.password.is_some() && user.temporary_password.is_some() {
            return Err(
                place_of_temporary.breaks("a user has password or temporary_password, not both")
            );
        }
        block
            .read("attributes", &mut user.attributes, |written| attributes(&self.pool, written))?;
        block.read("groups", &mut user.groups, |written| {
            written.items()?.iter().map(|item| self.known_group(item)).collect()
        })?;
        block.read("enabled", &mut user.enabled, Written::flag)?;
        let without_effect = [
            "client_metadata",
            "desired_delivery_mediums",
            "force_alias_creation",
            "message_action",
            "region",
            "user_pool_id",
            "validation_data",
        ];
        block.ignore(&without_effect, notes);
        let required = self.pool.required_attributes().find(|name| {
            let is_name = self.pool.username_attributes.iter().any(|one| one.attribute() == name);
            name != "sub" && !is_name && !user.attributes.contains_key(name)
        });
        // Users with a first password of an administrator's are asked for what is missing.
        if let (Some(name), Some(_)) = (required, &user.password) {
            return Err(block
                .place_of("attributes")
                .breaks(format!("{name}: The attribute is required")));
        }
        block.finish()?;
        self.check_names(&user, &name_place)?;
        self.users.push(user);
        Ok(())
    }

    fn add_membership(
        &mut self,
        mut block: Fields<'_>,
        notes: &mut Vec<Place>,
    ) -> Result<(), Wrong> {
        let group = block.required("group_name", |written| self.known_group(written))?;
        let place = block.place_of("username");
        let username = block.required("username", Written::text)?;
        block.ignore(&["region", "user_pool_id"], notes);
        block.finish()?;
        let Some(user) = self.users.iter_mut().find(|user| user.username == username) else {
            return Err(place.breaks(format!("there is no user {username:?}")));
        };
        if !user.groups.contains(&group) {
            user.groups.push(group);
        }
        Ok(())
    }

    fn known_group(&self, written: &Written) -> Result<String, Wrong> {
        let name = written.text()?;
        if self.groups.iter().any(|group| group.name == name) {
            return Ok(name);
        }
        let names: Vec<_> = self.groups.iter().map(|group| group.name.as_str()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Err(written.breaks(format!("there is no group {name:?}: there are {known}")))
    }

    /// Whether a user is known by what no other user is.
    fn check_names(&self, user: &UserSeed, place: &Place) -> Result<(), Wrong> {
        let settings = &self.pool;
        let case_sensitive = settings.username_configuration.case_sensitive;
        let folded =
            |text: &str| if case_sensitive { text.to_owned() } else { text.to_lowercase() };
        let names = |user: &UserSeed| -> Vec<String> {
            let contacts = settings.username_attributes.iter().map(|one| one.attribute());
            let aliases = settings.alias_attributes.iter().map(|one| one.attribute());
            let held = contacts.chain(aliases).filter_map(|name| user.attributes.get(name));
            held.chain([&user.username]).map(|name| folded(name)).collect()
        };
        let own = names(user);
        for other in &self.users {
            if let Some(name) = names(other).iter().find(|name| own.contains(name)) {
                return Err(place.breaks(format!("there is a user known as {name:?} already")));
            }
        }
        new_name(settings, &user.username).map_err(|wrong| place.breaks(wrong.message))?;
        Ok(())
    }
}

impl ResourceServer {
    /// As clients ask for them: `orders/read`.
    pub(crate) fn full_scopes(&self) -> impl Iterator<Item = String> {
        self.scopes.iter().map(|scope| format!("{}/{}", self.identifier, scope.scope_name))
    }
}

/// Texts of printable ASCII but the quotation mark and the backslash, which is what Cognito lets scopes have.
fn identifier(written: &Written, but: &str) -> Result<String, Wrong> {
    let text = written.text_up_to(256)?;
    if !text.chars().all(|sign| sign.is_ascii_graphic() && !but.contains(sign)) {
        return Err(written.breaks(format!("it is to have printable ASCII without {but}")));
    }
    Ok(text)
}

pub(crate) fn resource_server(
    mut block: Fields<'_>,
    notes: &mut Vec<Place>,
) -> Result<ResourceServer, Wrong> {
    let identifier_of = |written: &Written| identifier(written, "\"\\");
    let mut server = ResourceServer {
        identifier: block.required("identifier", identifier_of)?,
        name: block.required("name", |written| written.text_up_to(256))?,
        scopes: Vec::new(),
    };
    for name in ["scope", "scopes"] {
        for mut scope in block.blocks(name)? {
            let place = scope.place_of("scope_name");
            let scope_name =
                scope.required("scope_name", |written| identifier(written, "\"\\/"))?;
            let scope_description =
                scope.required("scope_description", |written| written.text_up_to(256))?;
            scope.finish()?;
            if server.scopes.iter().any(|other| other.scope_name == scope_name) {
                return Err(place.breaks(format!("there is a scope {scope_name:?} already")));
            }
            server.scopes.push(ResourceServerScope { scope_name, scope_description });
        }
    }
    block.ignore(&["region", "user_pool_id"], notes);
    block.finish()?;
    Ok(server)
}

fn provider(written: &Written, notes: &mut Vec<Place>) -> Result<ProviderSettings, Wrong> {
    let mut members = written.to_json();
    let mut fields = written.fields()?;
    fields.ignore(&["region", "user_pool_id"], notes);
    if let Some(details) = fields.get("provider_details") {
        // What is wrong in here is told at its line.
        serde_json::from_value::<ProviderDetails>(details.to_json())
            .map_err(|error| details.breaks(error.to_string()))?;
    }
    if let Value::Object(members) = &mut members {
        members.retain(|name, _| name != "region" && name != "user_pool_id");
    }
    serde_json::from_value(members).map_err(|error| written.breaks(error.to_string()))
}

fn group(mut block: Fields<'_>, notes: &mut Vec<Place>) -> Result<GroupSeed, Wrong> {
    let name = block.required("name", |written| {
        let name = written.text_up_to(128)?;
        if name.chars().any(|sign| sign.is_whitespace() || sign.is_control()) {
            return Err(written.breaks("the name of a group is to be without spaces"));
        }
        Ok(name)
    })?;
    let mut group = GroupSeed { name, description: None, role_arn: None, precedence: None };
    block.read("description", &mut group.description, |written| written.text().map(Some))?;
    block.read("role_arn", &mut group.role_arn, |written| {
        let arn = written.text_up_to(2048)?;
        if !arn.starts_with("arn:") {
            return Err(
                written.breaks("it is to be a role such as arn:aws:iam::000000000000:role/staff")
            );
        }
        Ok(Some(arn))
    })?;
    block.read("precedence", &mut group.precedence, |written| {
        written.count(0..=i64::from(i32::MAX)).map(Some)
    })?;
    block.ignore(&["region", "user_pool_id"], notes);
    block.finish()?;
    Ok(group)
}

/// Attributes of a user, which may be written without the prefix `custom:`, as Terraform does.
fn attributes(
    settings: &PoolSettings,
    written: &Written,
) -> Result<BTreeMap<String, String>, Wrong> {
    let mut attributes = BTreeMap::new();
    for (name, value) in written.fields()?.all() {
        let custom = format!("custom:{name}");
        let own = || settings.attribute(&custom).map(|schema| (custom.clone(), schema));
        let Some((name, schema)) =
            settings.attribute(name).map(|schema| (name.clone(), schema)).or_else(own)
        else {
            return Err(value.breaks(format!(
                "Attribute does not exist in the schema: there are {}",
                settings.attribute_names().join(", ")
            )));
        };
        if name == "sub" {
            return Err(value.breaks("sub cannot be set: the pool makes it"));
        }
        let text = value.plain()?;
        if let Some(violation) = schema.violation(&text) {
            return Err(value.breaks(violation));
        }
        attributes.insert(name, text);
    }
    Ok(attributes)
}
