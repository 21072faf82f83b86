//! Parts of a pool that have operations of their own: second factors, attributes, and its domain.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    config::Setting,
    error::Error,
    http::api::{
        Answer, input, nothing, required,
        resources::{take_text, without_nulls},
    },
    model::{
        PoolRecord,
        settings::{AttributeSchema, Mfa, PoolSettings},
    },
    pool::{ACCOUNT, Pool, site::Site},
    text::words,
};

/// Factors that are told again as they were written.
const OTHER_FACTORS: [&str; 3] =
    ["SmsMfaConfiguration", "EmailMfaConfiguration", "WebAuthnConfiguration"];

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    user_pool_id: Option<String>,
    domain: Option<String>,
}

pub(crate) async fn mfa(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    Ok(described_mfa(&pool))
}

/// The factors that `SetUserPoolMfaConfig` sets, in the words of configuration files.
#[derive(Deserialize)]
struct Factors {
    mfa_configuration: Option<Mfa>,
    software_token_mfa_configuration: Option<SoftwareToken>,
}

#[derive(Deserialize)]
struct SoftwareToken {
    #[serde(default)]
    enabled: bool,
}

#[derive(Deserialize)]
struct NewAttributes {
    custom_attributes: Vec<AttributeSchema>,
}

pub(crate) async fn set_mfa(site: &Site, value: Value) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    let file = words::to_file(value.clone());
    let factors = Factors::deserialize(&Setting::from_request(&file))?;
    let wanted = factors.mfa_configuration.unwrap_or(Mfa::Off);
    let software_token =
        factors.software_token_mfa_configuration.is_some_and(|factor| factor.enabled);
    let others: Vec<_> = OTHER_FACTORS
        .into_iter()
        .filter_map(|name| Some((name, value.get(name)?.clone())))
        .collect();
    let has_factor =
        software_token || others.iter().any(|(name, _)| *name != "WebAuthnConfiguration");
    if wanted == Mfa::Off && has_factor {
        return Err(Error::invalid_parameter(
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
        ));
    }
    if wanted != Mfa::Off && !has_factor {
        return Err(Error::invalid_parameter(
            "At least one of [SmsMfaConfiguration] or [SoftwareTokenMfaConfiguration] must be provided.",
        ));
    }
    let now = pool.now();
    change(&pool, now, |record| {
        let settings = Arc::make_mut(&mut record.settings);
        settings.mfa_configuration = wanted;
        settings.software_token_mfa_configuration.enabled = software_token;
        for name in OTHER_FACTORS {
            record.others.remove(name);
        }
        record.others.extend(others.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Ok(())
    })
    .await?;
    Ok(described_mfa(&pool))
}

fn described_mfa(pool: &Pool) -> Value {
    pool.store.read(|data| {
        let Some(record) = data.pool.values().next() else {
            return json!({});
        };
        let PoolRecord { settings, others, .. } = &**record;
        let mut written = json!({
            "MfaConfiguration": settings.mfa_configuration,
            "SoftwareTokenMfaConfiguration": { "Enabled": settings.software_token_mfa_configuration.enabled },
        });
        for name in OTHER_FACTORS {
            if let (Some(factor), Value::Object(written)) = (others.get(name), &mut written) {
                written.insert(name.to_owned(), factor.clone());
            }
        }
        written
    })
}

pub(crate) async fn add_attributes(site: &Site, value: Value) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    let file = words::to_file(value);
    let setting = Setting::from_request(&file);
    let NewAttributes { custom_attributes } = NewAttributes::deserialize(&setting)?;
    for (index, attribute) in custom_attributes.iter().enumerate() {
        let path = format!("custom_attributes.{index}");
        attribute.validate().map_err(|violation| setting.violation(violation.within(&path)))?;
    }
    let now = pool.now();
    change(&pool, now, |record| {
        // All or none.
        let mut settings = PoolSettings::clone(&record.settings);
        for attribute in custom_attributes {
            settings.add_attribute(attribute).map_err(|violation| setting.violation(violation))?;
        }
        record.settings = settings.into();
        Ok(())
    })
    .await?;
    nothing()
}

pub(crate) async fn create_domain(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, domain } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let domain = required(domain, "Domain")?;
    if named(site, &domain).is_some() {
        return Err(Error::invalid_parameter("Domain already associated with another user pool."));
    }
    let now = pool.now();
    change(&pool, now, |record| {
        if record.domain.is_some() {
            return Err(Error::invalid_parameter("User pool already has a domain configured."));
        }
        record.domain = Some(domain);
        Ok(())
    })
    .await?;
    nothing()
}

pub(crate) async fn describe_domain(site: &Site, value: Value) -> Answer {
    let Named { domain, .. } = input(value)?;
    let domain = required(domain, "Domain")?;
    // An unknown domain has an empty description.
    let description = named(site, &domain).map_or(json!({}), |pool| {
        json!({
            "UserPoolId": pool.id().as_str(),
            "AWSAccountId": ACCOUNT,
            "Domain": domain,
            "CloudFrontDistribution": pool.endpoint(),
            "Status": "ACTIVE",
            "CustomDomainConfig": {},
        })
    });
    Ok(json!({ "DomainDescription": description }))
}

pub(crate) async fn delete_domain(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, domain } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let domain = required(domain, "Domain")?;
    let now = pool.now();
    change(&pool, now, |record| {
        if record.domain.take_if(|own| *own == domain).is_none() {
            return Err(Error::invalid_parameter("No such domain or user pool exists."));
        }
        Ok(())
    })
    .await?;
    nothing()
}

/// The pool that has a domain.
fn named(site: &Site, domain: &str) -> Option<Arc<Pool>> {
    site.pools().into_iter().find(|pool| {
        pool.store.read(|data| {
            let record = data.pool.values().next();
            record.is_some_and(|record| record.domain.as_deref() == Some(domain))
        })
    })
}

async fn change(
    pool: &Pool,
    now: u64,
    change: impl FnOnce(&mut PoolRecord) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    let id = pool.id().as_str();
    pool.store
        .write(|data| {
            let record = data.pool.get_mut(id).ok_or_else(|| Error::no_pool(id))?;
            change(record)?;
            record.modified_at = now;
            Ok(())
        })
        .await?
}
