//! User pools themselves: made, described, changed, deleted and listed.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::{Setting, read_pool},
    domain::paging::Paging,
    error::Error,
    http::api::{
        Answer,
        attribute_schema::attribute_schema,
        functions::read_functions,
        input, nothing, required,
        resources::{after, parted, take_text, without_nulls},
        shapes::{self, time},
    },
    model::{
        PoolRecord,
        settings::{
            Contact, LambdaConfig, Mfa, PoolSettings, SoftwareTokenMfa, UsernameConfiguration,
        },
    },
    pool::{Pool, site::Site},
    store::Data,
    text::words,
};

/// The settings that have a meaning here, in the API's words. Others are told again as they were written.
const SETTINGS: [&str; 16] = [
    "PoolName",
    "Policies",
    "DeletionProtection",
    "AutoVerifiedAttributes",
    "AliasAttributes",
    "UsernameAttributes",
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "VerificationMessageTemplate",
    "MfaConfiguration",
    "AdminCreateUserConfig",
    "Schema",
    "UsernameConfiguration",
    "SoftwareTokenMfaConfiguration",
    "UserPoolId",
];

/// Settings that cannot change after the pool was created.
const FIXED: [&str; 4] =
    ["AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration"];

pub(crate) async fn create(site: &Arc<Site>, value: Value) -> Answer {
    let mut value = without_nulls(value);
    required(take_text(&mut value, "PoolName", false)?, "PoolName")?;
    let (settings, others) = parted(value, &SETTINGS);
    let mut settings = read(settings, untold())?;
    if let Some(functions) = functions(&others)? {
        settings.lambda_config = functions;
    }
    let now = site.now();
    let mut record = PoolRecord::new(settings, now);
    record.others = others;
    let pool = site.create(record).await?;
    Ok(described(&pool))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    user_pool_id: Option<String>,
}

pub(crate) async fn describe(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    Ok(described(&pool))
}

/// What is not told again goes back to what it is in a new pool, but what cannot change.
pub(crate) async fn update(site: &Site, value: Value) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    let (mut settings, others) = parted(value, &SETTINGS);
    for fixed in FIXED {
        settings.remove(fixed);
    }
    let now = pool.now();
    pool.store
        .write(|data| {
            let before = data.settings();
            let base = PoolSettings {
                name: before.name.clone(),
                alias_attributes: before.alias_attributes.clone(),
                username_attributes: before.username_attributes.clone(),
                username_configuration: before.username_configuration.clone(),
                schema: before.schema.clone(),
                software_token_mfa_configuration: before.software_token_mfa_configuration,
                lambda_config: before.lambda_config.clone(),
                ..untold()
            };
            let mut settings = read(settings, base)?;
            if let Some(functions) = functions(&others)? {
                settings.lambda_config = functions;
            }
            if let Some(record) = data.pool.get_mut(pool.id().as_str()) {
                record.settings = settings.into();
                record.others = others;
                record.modified_at = now;
            }
            nothing()
        })
        .await?
}

pub(crate) async fn delete(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    pool.store.read(|data| {
        let record = data.pool.values().next();
        if data.settings().is_protected() {
            return Err(Error::invalid_parameter(
                "The user pool cannot be deleted because deletion protection is activated. Deletion protection \
                 must be inactivated first.",
            ));
        }
        if record.is_some_and(|record| record.domain.is_some()) {
            return Err(Error::invalid_parameter(
                "User pool cannot be deleted. It has a domain configured that should be deleted first.",
            ));
        }
        Ok(())
    })?;
    site.remove(&pool).await?;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct List {
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(crate) async fn list(site: &Site, value: Value) -> Answer {
    let List { max_results, next_token } = input(value)?;
    let paging = Paging::new("ListUserPools", max_results, next_token.as_deref())?;
    let pools = site.pools();
    let rows = pools.iter().map(|pool| (pool.id().as_str(), pool));
    let (page, next) = paging.page(rows);
    let rows = page.into_iter().filter_map(|pool| {
        pool.store.read(|data| {
            let record = data.pool.values().next()?;
            Some(json!({
                "Id": pool.id().as_str(),
                "Name": record.settings.name,
                "LambdaConfig": record.others.get("LambdaConfig").cloned().unwrap_or(json!({})),
                "LastModifiedDate": time(record.modified_at),
                "CreationDate": time(record.created_at),
            }))
        })
    });
    Ok(shapes::page("UserPools", rows, next))
}

/// What a pool is that the API is told nothing of.
fn untold() -> PoolSettings {
    PoolSettings {
        auto_verified_attributes: Vec::<Contact>::new(),
        mfa_configuration: Mfa::Off,
        software_token_mfa_configuration: SoftwareTokenMfa { enabled: false },
        username_configuration: UsernameConfiguration { case_sensitive: true },
        ..PoolSettings::default()
    }
}

/// The functions that a request names, if it speaks of them: those of a configuration file stay otherwise.
fn functions(others: &Map<String, Value>) -> Result<Option<LambdaConfig>, Error> {
    let functions = others.get("LambdaConfig").map(read_functions).transpose();
    functions.map_err(Error::invalid_parameter)
}

fn read(settings: Map<String, Value>, base: PoolSettings) -> Result<PoolSettings, Error> {
    let mut settings = settings;
    if let Some(name) = settings.remove("PoolName") {
        settings.insert("Name".to_owned(), name);
    }
    if let Some(Value::Object(mut policies)) = settings.remove("Policies") {
        settings.extend(
            policies.remove("PasswordPolicy").map(|policy| ("PasswordPolicy".into(), policy)),
        );
    }
    let value = words::to_file(Value::Object(settings));
    let mut read = read_pool(Setting::from_request(&value), base, &mut Vec::new())?;
    // MFA needs at least one factor. Cognito would require SMS to be configured.
    if read.mfa_configuration != Mfa::Off {
        read.software_token_mfa_configuration.enabled = true;
    }
    Ok(read)
}

fn described(pool: &Pool) -> Value {
    let id = pool.id().as_str();
    pool.store.read(|data| {
        let Some(record) = data.pool.values().next() else { return json!({}) };
        let mut written = settings_of(data, record);
        written.insert("Id".into(), json!(id));
        written.insert("Arn".into(), json!(pool.arn()));
        written.insert("CreationDate".into(), time(record.created_at));
        written.insert("LastModifiedDate".into(), time(record.modified_at));
        written.extend(record.domain.clone().map(|domain| ("Domain".into(), json!(domain))));
        json!({ "UserPool": after(&record.others, written) })
    })
}

fn settings_of(data: &Data, record: &PoolRecord) -> Map<String, Value> {
    let settings = &record.settings;
    let value = serde_json::to_value(settings).unwrap_or_default();
    let Value::Object(mut written) = words::to_api(without_nulls(value)) else {
        return Map::new();
    };
    for local in ["Schema", "LambdaConfig", "SoftwareTokenMfaConfiguration"] {
        written.remove(local);
    }
    let invitation = written
        .get_mut("AdminCreateUserConfig")
        .and_then(|config| config.get_mut("InviteMessageTemplate"))
        .and_then(Value::as_object_mut);
    if let Some(template) = invitation {
        let text = template.remove("SmsMessage");
        template.extend(text.map(|text| ("SMSMessage".to_owned(), text)));
    }
    if let Some(policy) = written.remove("PasswordPolicy") {
        written.insert("Policies".into(), json!({ "PasswordPolicy": policy }));
    }
    for (list, is_empty) in [
        ("AliasAttributes", settings.alias_attributes.is_empty()),
        ("UsernameAttributes", settings.username_attributes.is_empty()),
    ] {
        if is_empty {
            written.remove(list);
        }
    }
    let attributes: Vec<_> = settings
        .attribute_names()
        .iter()
        .filter_map(|name| settings.attribute(name))
        .map(|attribute| attribute_schema(&attribute))
        .collect();
    written.insert("SchemaAttributes".into(), json!(attributes));
    written.insert("EstimatedNumberOfUsers".into(), json!(data.users.len()));
    let mut template = json!({ "DefaultEmailOption": "CONFIRM_WITH_CODE" });
    for (name, text) in [
        ("EmailMessage", &settings.email_verification_message),
        ("EmailSubject", &settings.email_verification_subject),
        ("SmsMessage", &settings.sms_verification_message),
    ] {
        if let (Some(text), Value::Object(template)) = (text, &mut template) {
            template.insert(name.to_owned(), json!(text));
        }
    }
    written.insert("VerificationMessageTemplate".into(), template);
    written
}
