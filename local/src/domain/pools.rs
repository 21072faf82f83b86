//! User pools: creation, description, update, deletion and list.

use std::sync::Arc;

use crate::{
    domain::paging::Paging,
    error::Error,
    model::{
        OtherSettings, PoolRecord,
        settings::{LambdaConfig, Mfa, PoolSettings, SoftwareTokenMfa, UsernameConfiguration},
    },
    pool::{Pool, site::Site},
    store::Data,
};

/// The members for factors that have no effect on a local pool. They are returned unchanged.
pub(crate) const OTHER_FACTORS: [&str; 3] =
    ["SmsMfaConfiguration", "EmailMfaConfiguration", "WebAuthnConfiguration"];

/// Passkeys are configured together with the second factors, but are not a second factor.
const PASSKEYS: &str = "WebAuthnConfiguration";

/// The member for functions. [`OtherSettings`] has it as it was sent, also with the ARNs of functions on AWS.
const FUNCTIONS: &str = "LambdaConfig";

/// A pool with its settings, and the number of its users.
pub(crate) struct PoolDescription {
    pub(crate) record: Arc<PoolRecord>,
    pub(crate) user_count: usize,
}

/// A pool in a list, with its settings.
pub(crate) struct ListedPool {
    pub(crate) pool: Arc<Pool>,
    pub(crate) record: Arc<PoolRecord>,
}

/// Returns Cognito's defaults for a new pool. A pool without a configuration file has other defaults.
pub(crate) fn default_settings() -> PoolSettings {
    PoolSettings {
        auto_verified_attributes: Vec::new(),
        mfa_configuration: Mfa::Off,
        software_token_mfa_configuration: SoftwareTokenMfa { enabled: false },
        username_configuration: UsernameConfiguration { case_sensitive: true },
        ..PoolSettings::default()
    }
}

/// Creates a pool in a region, by default that of the first pool, and serves it immediately.
///
/// # Errors
/// Returns an error if the URL of a function is not on this machine.
pub(crate) async fn create(
    site: &Arc<Site>,
    settings: PoolSettings,
    others: OtherSettings,
    region: Option<&str>,
) -> Result<Arc<Pool>, Error> {
    check_functions(&settings.lambda_config)?;
    let mut record = PoolRecord::new(with_factor(settings, &others), site.now());
    record.others = others;
    Ok(site.create(record, region).await?)
}

/// Returns the pool's settings and the time of their last change.
pub(crate) fn record(pool: &Pool) -> Result<Arc<PoolRecord>, Error> {
    pool.store.read(|data| record_of(pool, data).cloned())
}

pub(crate) fn describe(pool: &Pool) -> Result<PoolDescription, Error> {
    pool.store.read(|data| {
        let record = Arc::clone(record_of(pool, data)?);
        Ok(PoolDescription { record, user_count: data.users.len() })
    })
}

/// Replaces the settings of a pool. `read` is called with the settings that apply if the request omits them, and
/// returns the new settings. Changes to a setting that an update cannot change are ignored.
///
/// # Errors
/// Returns an error if `read` does, or if the URL of a new function is not on this machine.
pub(crate) async fn update(
    pool: &Pool,
    others: OtherSettings,
    read: impl FnOnce(PoolSettings) -> Result<PoolSettings, Error> + Send,
) -> Result<(), Error> {
    change(pool, |record| {
        let before = &record.settings;
        let settings = with_unchangeable(read(update_base(before))?, before);
        // The functions of a configuration file can be anywhere.
        if settings.lambda_config != before.lambda_config {
            check_functions(&settings.lambda_config)?;
        }
        let others = with_kept(others, &record.others);
        record.settings = with_factor(settings, &others).into();
        record.others = others;
        Ok(())
    })
    .await
}

/// Deletes a pool with its data.
///
/// # Errors
/// Returns an error if deletion protection is active, or if the pool has a domain.
pub(crate) async fn delete(site: &Site, pool: &Pool) -> Result<(), Error> {
    site.remove(pool, check_deletable).await
}

/// Returns a page of all pools, and the token of the next page.
pub(crate) fn list(
    site: &Site,
    limit: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<ListedPool>, Option<String>), Error> {
    let paging = Paging::new("ListUserPools", limit, token)?;
    let pools = site.pools();
    let (page, next) = paging.page(pools.iter().map(|pool| (pool.id().as_str(), pool)));
    // A pool that was deleted in the meantime has no record.
    let listed =
        |pool: &Arc<Pool>| Some(ListedPool { pool: Arc::clone(pool), record: record(pool).ok()? });
    Ok((page.into_iter().filter_map(listed).collect(), next))
}

/// Changes the record of a pool, and updates its modification time.
pub(crate) async fn change(
    pool: &Pool,
    change: impl FnOnce(&mut PoolRecord) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let (id, now) = (pool.id().as_str(), pool.now());
    pool.store
        .write(|data| {
            let record = data.pool.get_mut(id).ok_or_else(|| Error::no_pool(id))?;
            change(record)?;
            record.modified_at = now;
            Ok(())
        })
        .await?
}

fn record_of<'a>(pool: &Pool, data: &'a Data) -> Result<&'a Arc<PoolRecord>, Error> {
    let id = pool.id().as_str();
    data.pool.get(id).ok_or_else(|| Error::no_pool(id))
}

/// Returns the settings that an update starts from: the defaults, and the settings that stay if the request does not
/// have them.
fn update_base(before: &PoolSettings) -> PoolSettings {
    let base = PoolSettings {
        name: before.name.clone(),
        lambda_config: before.lambda_config.clone(),
        ..default_settings()
    };
    with_unchangeable(base, before)
}

/// Restores the settings that an update cannot change.
fn with_unchangeable(settings: PoolSettings, before: &PoolSettings) -> PoolSettings {
    PoolSettings {
        alias_attributes: before.alias_attributes.clone(),
        username_attributes: before.username_attributes.clone(),
        username_configuration: before.username_configuration.clone(),
        schema: before.schema.clone(),
        software_token_mfa_configuration: before.software_token_mfa_configuration,
        ..settings
    }
}

/// Adds the settings without effect that an update keeps: the second factors, and the functions if it has none.
fn with_kept(mut others: OtherSettings, before: &OtherSettings) -> OtherSettings {
    for name in OTHER_FACTORS {
        others.remove(name);
    }
    let is_kept = |name: &str| {
        OTHER_FACTORS.contains(&name) || name == FUNCTIONS && !others.contains_key(name)
    };
    let kept: Vec<_> = before.iter().filter(|(name, _)| is_kept(name)).collect();
    others.extend(kept.into_iter().map(|(name, value)| (name.clone(), value.clone())));
    others
}

/// Returns whether a factor other than software tokens is configured.
pub(crate) fn has_other_factor(others: &OtherSettings) -> bool {
    OTHER_FACTORS.iter().any(|name| *name != PASSKEYS && others.contains_key(*name))
}

/// Enables software tokens if MFA is on and the pool has no other factor, because MFA needs at least one. Cognito
/// requires SMS instead.
fn with_factor(mut settings: PoolSettings, others: &OtherSettings) -> PoolSettings {
    if settings.mfa_configuration != Mfa::Off && !has_other_factor(others) {
        settings.software_token_mfa_configuration.enabled = true;
    }
    settings
}

/// Checks that all functions are on this machine. Any page that a browser shows can send requests to the API, and
/// functions receive passwords.
fn check_functions(functions: &LambdaConfig) -> Result<(), Error> {
    match functions.urls().find(|url| !url.is_on_this_machine()) {
        None => Ok(()),
        Some(url) => Err(Error::invalid_parameter(format!(
            "the function at {url:?} is not on this machine: set it in the configuration file of the pool"
        ))),
    }
}

fn check_deletable(data: &Data) -> Result<(), Error> {
    if data.settings().is_protected() {
        return Err(Error::invalid_parameter(
            "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be \
             inactivated first.",
        ));
    }
    if data.pool.values().any(|record| record.domain.is_some()) {
        return Err(Error::invalid_parameter(
            "User pool cannot be deleted. It has a domain configured that should be deleted first.",
        ));
    }
    Ok(())
}
