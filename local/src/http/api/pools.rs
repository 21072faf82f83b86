//! `CreateUserPool`, `DescribeUserPool`, `UpdateUserPool`, `DeleteUserPool` and `ListUserPools`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::{Report, Setting, read_pool},
    domain::pools::{self, ListedPool, PoolDescription},
    error::Error,
    http::api::{
        Output,
        attribute_schema::attribute_schema,
        empty_output, functions, input, required,
        resources::{List, read_text, split_members, take_text, with_others, without_nulls},
        shapes::{self, time},
    },
    model::{
        OtherSettings, PoolRecord,
        settings::{LambdaConfig, PoolSettings, VerificationTemplate},
    },
    pool::{Pool, site::Site},
    text::words,
};

/// The members that have an effect on a local pool. The others are returned unchanged.
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

/// Creates a pool in the region of the request.
pub(crate) async fn create(site: &Arc<Site>, value: Value, region: Option<String>) -> Output {
    let value = without_nulls(value);
    required(read_text(&value, "PoolName")?, "PoolName")?;
    let (members, others) = split_members(value, &SETTINGS);
    let settings = read_settings(members, &others, pools::default_settings())?;
    let pool = pools::create(site, settings, others, region.as_deref()).await?;
    describe_pool(&pool)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PoolInput {
    user_pool_id: Option<String>,
}

pub(crate) async fn describe(site: &Site, value: Value) -> Output {
    let PoolInput { user_pool_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    describe_pool(&pool)
}

pub(crate) async fn update(site: &Site, value: Value) -> Output {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId")?)?;
    let (members, others) = split_members(value, &SETTINGS);
    let read = {
        let others = others.clone();
        move |base| read_settings(members, &others, base)
    };
    pools::update(&pool, others, read).await?;
    empty_output()
}

pub(crate) async fn delete(site: &Site, value: Value) -> Output {
    let PoolInput { user_pool_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    pools::delete(site, &pool).await?;
    empty_output()
}

pub(crate) async fn list(site: &Site, value: Value) -> Output {
    let List { max_results, next_token, .. } = input(value)?;
    let (pools, next) = pools::list(site, max_results, next_token.as_deref())?;
    let pools = pools.iter().map(|ListedPool { pool, record }| {
        json!({
            "Id": pool.id().as_str(),
            "Name": record.settings.name,
            "LambdaConfig": record.others.get("LambdaConfig").cloned().unwrap_or(json!({})),
            "LastModifiedDate": time(record.modified_at),
            "CreationDate": time(record.created_at),
        })
    });
    Ok(shapes::page("UserPools", pools, next))
}

/// Reads the settings of a pool. Settings that the request omits keep their values in `base`.
fn read_settings(
    mut members: Map<String, Value>,
    others: &OtherSettings,
    base: PoolSettings,
) -> Result<PoolSettings, Error> {
    if let Some(name) = members.remove("PoolName") {
        members.insert("Name".to_owned(), name);
    }
    if let Some(Value::Object(mut policies)) = members.remove("Policies") {
        members.extend(
            policies.remove("PasswordPolicy").map(|policy| ("PasswordPolicy".into(), policy)),
        );
    }
    let value = words::to_file(Value::Object(members));
    let mut report = Report::default();
    let settings = read_pool(Setting::from_request(&value), base, &mut report);
    let mut settings = report.first_error(settings)?;
    if let Some(functions) = read_functions(others)? {
        settings.lambda_config = functions;
    }
    Ok(settings)
}

/// Reads the functions of `LambdaConfig`. Without that member the pool keeps its functions.
fn read_functions(others: &OtherSettings) -> Result<Option<LambdaConfig>, Error> {
    let functions = others.get("LambdaConfig").map(functions::read_functions).transpose();
    functions.map_err(Error::invalid_parameter)
}

fn describe_pool(pool: &Pool) -> Output {
    let PoolDescription { record, user_count } = pools::describe(pool)?;
    let mut written = write_settings(&record);
    written.insert("Id".into(), json!(pool.id().as_str()));
    written.insert("Arn".into(), json!(pool.arn()));
    written.insert("EstimatedNumberOfUsers".into(), json!(user_count));
    written.insert("CreationDate".into(), time(record.created_at));
    written.insert("LastModifiedDate".into(), time(record.modified_at));
    written.extend(record.domain.as_ref().map(|domain| ("Domain".into(), json!(domain))));
    Ok(json!({ "UserPool": with_others(written, &record.others) }))
}

fn write_settings(record: &PoolRecord) -> Map<String, Value> {
    let settings = &record.settings;
    let value = serde_json::to_value(settings).unwrap_or_default();
    let Value::Object(mut written) = words::to_api(without_nulls(value)) else {
        return Map::new();
    };
    for name in ["Schema", "LambdaConfig", "SoftwareTokenMfaConfiguration"] {
        written.remove(name);
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
    written.insert("VerificationMessageTemplate".into(), verification_template(settings));
    written
}

fn verification_template(settings: &PoolSettings) -> Value {
    let mut template = Map::new();
    let VerificationTemplate { default_email_option, email_message_by_link, email_subject_by_link } =
        &settings.verification_message_template;
    template.insert("DefaultEmailOption".to_owned(), json!(default_email_option));
    for (name, text) in [
        ("EmailMessageByLink", email_message_by_link),
        ("EmailSubjectByLink", email_subject_by_link),
        ("EmailMessage", &settings.email_verification_message),
        ("EmailSubject", &settings.email_verification_subject),
        ("SmsMessage", &settings.sms_verification_message),
    ] {
        template.extend(text.as_ref().map(|text| (name.to_owned(), json!(text))));
    }
    Value::Object(template)
}
