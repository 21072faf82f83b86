//! The operations on parts of a pool: second factors, custom attributes, and the domain.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::Setting,
    domain::{
        custom_attributes, pool_domains,
        pool_mfa::{self, MfaSettings},
        pools::{self, OTHER_FACTORS},
    },
    http::api::{
        Output, empty_output, input, required,
        resources::{take_text, without_nulls},
    },
    model::settings::{CustomAttribute, Mfa},
    pool::{ACCOUNT, Pool, site::Site},
    text::words,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DomainInput {
    user_pool_id: Option<String>,
    domain: Option<String>,
}

pub(crate) async fn mfa(site: &Site, value: Value) -> Output {
    let DomainInput { user_pool_id, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    describe_mfa(&pool)
}

/// The factors that `SetUserPoolMfaConfig` sets, with the names of configuration files.
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

pub(crate) async fn set_mfa(site: &Site, value: Value) -> Output {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId")?)?;
    let file = words::to_file(value.clone());
    let factors = Factors::deserialize(&Setting::from_request(&file))?;
    let factor = |name: &str| Some((name.to_owned(), value.get(name)?.clone()));
    let settings = MfaSettings {
        mode: factors.mfa_configuration.unwrap_or(Mfa::Off),
        has_software_token: factors
            .software_token_mfa_configuration
            .is_some_and(|factor| factor.enabled),
        others: OTHER_FACTORS.into_iter().filter_map(factor).collect(),
    };
    pool_mfa::set(&pool, settings).await?;
    describe_mfa(&pool)
}

fn describe_mfa(pool: &Pool) -> Output {
    let record = pools::record(pool)?;
    let settings = &record.settings;
    let software_token = settings.software_token_mfa_configuration.enabled;
    let mut written = Map::new();
    written.insert("MfaConfiguration".to_owned(), json!(settings.mfa_configuration));
    written
        .insert("SoftwareTokenMfaConfiguration".to_owned(), json!({ "Enabled": software_token }));
    let factor = |name: &str| Some((name.to_owned(), record.others.get(name)?.clone()));
    written.extend(OTHER_FACTORS.into_iter().filter_map(factor));
    Ok(Value::Object(written))
}

#[derive(Deserialize)]
struct AddCustomAttributes {
    custom_attributes: Vec<CustomAttribute>,
}

pub(crate) async fn add_attributes(site: &Site, value: Value) -> Output {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId")?)?;
    let file = words::to_file(value);
    let AddCustomAttributes { custom_attributes } =
        AddCustomAttributes::deserialize(&Setting::from_request(&file))?;
    custom_attributes::add(&pool, custom_attributes).await?;
    empty_output()
}

pub(crate) async fn create_domain(site: &Site, value: Value) -> Output {
    let DomainInput { user_pool_id, domain } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    pool_domains::create(site, &pool, required(domain, "Domain")?).await?;
    empty_output()
}

pub(crate) async fn describe_domain(site: &Site, value: Value) -> Output {
    let DomainInput { domain, .. } = input(value)?;
    let domain = required(domain, "Domain")?;
    // An unknown domain has an empty description.
    let description = pool_domains::find(site, &domain).map_or(json!({}), |pool| {
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

pub(crate) async fn delete_domain(site: &Site, value: Value) -> Output {
    let DomainInput { user_pool_id, domain } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    pool_domains::delete(&pool, &required(domain, "Domain")?).await?;
    empty_output()
}
