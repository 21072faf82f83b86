//! Reads the blocks of a configuration file into the data of its pools.

use std::collections::BTreeSet;

use serde::Deserialize;
use tower_cognito::verifier::PoolId;

use crate::{
    config::{
        blocks::{self, Block, RESOURCES},
        client::read_client,
        pool::read_pool,
        references::{self, Reference},
        report::Report,
        seed::{DomainSeed, GroupSeed, Membership, Seed, UserSeed},
        setting::Setting,
    },
    model::{
        ResourceServer,
        settings::{
            ClientContext, ClientSettings, OWN_PROVIDER, PoolSettings, ProviderSettings,
            ProviderType, Violation,
        },
    },
    text::similar::did_you_mean,
};

const POOL: &str = "aws_cognito_user_pool";

/// A pool of the file, while its resources are read.
#[derive(Default)]
struct PoolBlock {
    seed: Seed,
    /// The names of all its providers, also of invalid ones.
    providers: BTreeSet<String>,
}

/// The state of reading a file.
#[derive(Default)]
struct Reader {
    pools: Vec<PoolBlock>,
    report: Report,
}

/// Reads a file. Returns the data of each pool, at least of one.
pub(crate) fn read_file(file: Setting) -> (Vec<Seed>, Report) {
    let mut reader = Reader::default();
    let mut blocks = blocks::split(file, &mut reader.report);
    references::resolve(&mut blocks);
    if !blocks.iter().any(|block| block.resource == POOL) {
        reader.pools.push(PoolBlock::default());
    }
    // A stable sort: blocks of one kind stay in the order of the file.
    blocks.sort_by_key(|block| RESOURCES.iter().position(|known| *known == block.resource));
    for block in blocks {
        reader.read(block);
    }
    let Reader { pools, mut report } = reader;
    report.ignored.sort_by_key(|one| (one.place.line, one.place.column));
    report.errors.sort_by_key(|error| (error.place().line, error.place().column));
    (pools.into_iter().map(|pool| pool.seed).collect(), report)
}

impl Reader {
    fn read(&mut self, block: Block) {
        let Block { resource, label, mut setting } = block;
        if resource == POOL {
            return self.add_pool(label, setting);
        }
        let Some(index) = self.take_pool(&mut setting) else { return };
        if resource == "aws_cognito_user_pool_client" {
            return self.add_client(index, setting);
        }
        if resource == "aws_cognito_user_pool_domain" {
            return self.add_domain(index, setting);
        }
        let Self { pools, report } = self;
        let Some(pool) = pools.get_mut(index) else { return };
        match resource {
            "aws_cognito_resource_server" => pool.add_resource_server(setting, report),
            "aws_cognito_identity_provider" => pool.add_provider(setting, report),
            "aws_cognito_user_group" => {
                if let Some(group) = setting.read::<GroupSeed>(resource, report) {
                    report.add_violations(&setting, pool.seed.group_violations(&group));
                    pool.seed.groups.push(group);
                }
            }
            "aws_cognito_user" => {
                if let Some(user) = setting.read::<UserSeed>(resource, report) {
                    let (user, violations) = pool.seed.complete_user(user);
                    report.add_violations(&setting, violations);
                    pool.seed.users.push(user);
                }
            }
            _ => {
                if let Some(one) = setting.read::<Membership>(resource, report) {
                    let violation = pool.seed.add_membership(one).err();
                    report.add_violations(&setting, violation.into_iter().collect());
                }
            }
        }
    }

    fn add_pool(&mut self, label: Option<String>, mut setting: Setting) {
        let id = setting.take("id").and_then(|id| self.checked_id(&id));
        let pool = read_pool(setting, PoolSettings::default(), &mut self.report);
        let seed = Seed { label, id, pool, ..Seed::default() };
        self.pools.push(PoolBlock { seed, ..PoolBlock::default() });
    }

    /// Returns the configured id of a pool, or reports why it is invalid.
    fn checked_id(&mut self, id: &Setting) -> Option<String> {
        let read = match String::deserialize(id) {
            Ok(read) => read,
            Err(error) => {
                self.report.add(error.or_at(&id.place));
                return None;
            }
        };
        if let Err(error) = read.parse::<PoolId>() {
            self.report.add(id.place.error(error.to_string()));
        }
        if self.pools.iter().any(|pool| pool.seed.id.as_ref() == Some(&read)) {
            self.report
                .add(id.place.error(format!("there is already a pool with the id {read:?}")));
        }
        Some(read)
    }

    /// Removes `user_pool_id` from a block, and returns the index of the pool that it names. In a file with one pool, the
    /// setting is optional and has no effect if it names another pool.
    fn take_pool(&mut self, setting: &mut Setting) -> Option<usize> {
        let named = setting.take("user_pool_id");
        let found = named.as_ref().and_then(|named| self.find_pool(named.text()?));
        if let Some(index) = found {
            return Some(index);
        }
        let place = named.as_ref().map(|named| named.place.clone());
        if self.pools.len() == 1 {
            place.into_iter().for_each(|place| self.report.add_ignored(place));
            return Some(0);
        }
        let pools: Vec<_> = self.pools.iter().map(|pool| pool.seed.name()).collect();
        let known = pools.join(", ");
        let error = match (named.as_ref().and_then(Setting::text), place) {
            (Some(text), Some(place)) => {
                let name = Reference::parse(text).map_or_else(|| text.to_owned(), |one| one.label);
                let hint = did_you_mean(&name, pools.iter().copied());
                let message =
                    format!("this file has no pool {name:?}: expected one of {known}{hint}");
                place.error(message)
            }
            (_, place) => {
                let place = place.unwrap_or_else(|| setting.place.absent_member("user_pool_id"));
                let message = format!(
                    "required, because the file has several pools: expected one of {known}"
                );
                place.error(message)
            }
        };
        self.report.add(error);
        None
    }

    /// Finds the only pool with this label, id or name. The text can be a reference to a labelled pool.
    fn find_pool(&self, text: &str) -> Option<usize> {
        let reference = Reference::parse(text).filter(|one| one.resource == POOL);
        let has_label = |pool: &PoolBlock| match &reference {
            Some(reference) => pool.seed.label.as_ref() == Some(&reference.label),
            None => pool.seed.label.as_deref() == Some(text),
        };
        let has_id = |pool: &PoolBlock| pool.seed.id.as_deref() == Some(text);
        let has_name = |pool: &PoolBlock| pool.seed.pool.name == text;
        let only = |matches: &dyn Fn(&PoolBlock) -> bool| {
            let mut found = (0..).zip(&self.pools).filter(|(_, pool)| matches(pool));
            let (index, _) = found.next()?;
            found.next().is_none().then_some(index)
        };
        only(&has_label).or_else(|| only(&has_id)).or_else(|| only(&has_name))
    }

    fn add_client(&mut self, index: usize, setting: Setting) {
        let ids = self.pools.iter().flat_map(|pool| &pool.seed.clients);
        let ids: BTreeSet<_> = ids.map(|client| client.client_id.clone()).collect();
        let Self { pools, report } = self;
        let Some(PoolBlock { seed, providers, .. }) = pools.get_mut(index) else { return };
        let scopes: Vec<_> =
            seed.resource_servers.iter().flat_map(ResourceServer::full_scopes).collect();
        let context = ClientContext { pool: &seed.pool, scopes: &scopes };
        let (client, setting) = read_client(setting, ClientSettings::default(), context, report);
        let id = &client.client_id;
        if !id.is_empty() && ids.contains(id) {
            let place = setting.place_of("client_id");
            report.add(place.error(format!("there is already a client {id:?}")));
        }
        for (index, name) in client.supported_identity_providers.iter().enumerate() {
            if name != OWN_PROVIDER && !providers.contains(name) {
                let known: Vec<_> = [OWN_PROVIDER]
                    .into_iter()
                    .chain(providers.iter().map(String::as_str))
                    .collect();
                let hint = did_you_mean(name, known.iter().copied());
                let known = known.join(", ");
                let message = format!(
                    "there is no identity provider {name:?}: expected one of {known}{hint}"
                );
                let path = format!("supported_identity_providers.{index}");
                report.add_violations(&setting, vec![Violation::new(path, message)]);
            }
        }
        seed.clients.push(client);
    }

    /// Adds a domain. A pool keeps its first one.
    fn add_domain(&mut self, index: usize, mut setting: Setting) {
        let resource = "aws_cognito_user_pool_domain";
        let read = setting.read::<DomainSeed>(resource, &mut self.report);
        let Some(domain) = read else { return };
        self.report.add_violations(&setting, domain.check().err().into_iter().collect());
        let domain = domain.domain;
        let place = || setting.place_of("domain");
        if self.pools.iter().any(|pool| pool.seed.domain.as_ref() == Some(&domain)) {
            return self
                .report
                .add(place().error(format!("there is already a pool with the domain {domain:?}")));
        }
        let Some(pool) = self.pools.get_mut(index) else { return };
        match &pool.seed.domain {
            Some(_) => self.report.add_ignored(place()),
            None => pool.seed.domain = Some(domain),
        }
    }
}

impl PoolBlock {
    fn add_resource_server(&mut self, mut setting: Setting, report: &mut Report) {
        // Terraform calls this setting `scope`, the API `scopes`.
        if let Some(scopes) = setting.take("scope") {
            setting.insert("scopes".to_owned(), scopes);
        }
        let resource = "aws_cognito_resource_server";
        if let Some(server) = setting.read::<ResourceServer>(resource, report) {
            let mut violations = server.violations();
            violations.extend(self.seed.check_resource_server(&server).err());
            report.add_violations(&setting, violations);
            self.seed.resource_servers.push(server);
        }
    }

    fn add_provider(&mut self, mut setting: Setting, report: &mut Report) {
        let name = setting.member("provider_name").and_then(Setting::text);
        self.providers.extend(name.map(str::to_owned));
        let provider_type = setting.member("provider_type");
        let unsupported = provider_type.and_then(|kind| ProviderType::unsupported(kind.text()?));
        if let (Some(message), Some(kind)) = (unsupported, provider_type) {
            return report.add(kind.place.error(message));
        }
        let resource = "aws_cognito_identity_provider";
        if let Some(provider) = setting.read::<ProviderSettings>(resource, report) {
            let violation = self.seed.check_provider(&provider).err();
            report.add_violations(&setting, violation.into_iter().collect());
            self.seed.identity_providers.push(provider);
        }
    }
}
