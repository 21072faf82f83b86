//! Identity providers: `CreateIdentityProvider` and related operations.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{identity_providers as providers, paging::Paging},
    error::{Error, ErrorKind},
    http::api::{Output, empty_output, input, required, shapes},
    model::{
        IdentityProvider,
        settings::{ProviderSettings, ProviderType},
    },
    pool::site::Site,
};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    user_pool_id: Option<String>,
    provider_name: Option<String>,
    provider_type: Option<Value>,
    provider_details: Option<Value>,
    attribute_mapping: Option<Value>,
    idp_identifiers: Option<Value>,
    idp_identifier: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(crate) async fn create(site: &Site, value: Value) -> Output {
    let input: Input = input(value)?;
    let pool = site.named_pool(input.user_pool_id)?;
    let provider_type = input.provider_type.as_ref().and_then(Value::as_str);
    if let Some(message) = provider_type.and_then(ProviderType::unsupported) {
        return Err(Error::new(ErrorKind::UnknownOperation, message));
    }
    let settings = read_settings(json!({
        "provider_name": required(input.provider_name, "ProviderName")?,
        "provider_type": required(input.provider_type, "ProviderType")?,
        "provider_details": required(input.provider_details, "ProviderDetails")?,
        "attribute_mapping": input.attribute_mapping.unwrap_or_else(|| json!({})),
        "idp_identifiers": input.idp_identifiers.unwrap_or_else(|| json!([])),
    }))?;
    let provider = providers::create(&pool, settings).await?;
    Ok(json!({ "IdentityProvider": write_provider(pool.id().as_str(), &provider) }))
}

pub(crate) async fn describe(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, provider_name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let provider = providers::get(&pool, &required(provider_name, "ProviderName")?)?;
    Ok(json!({ "IdentityProvider": write_provider(pool.id().as_str(), &provider) }))
}

/// Updates a provider. Members that the request omits keep their values.
pub(crate) async fn update(site: &Site, value: Value) -> Output {
    let input: Input = input(value)?;
    let pool = site.named_pool(input.user_pool_id)?;
    let name = required(input.provider_name, "ProviderName")?;
    let members = [
        ("provider_details", input.provider_details),
        ("attribute_mapping", input.attribute_mapping),
        ("idp_identifiers", input.idp_identifiers),
    ];
    let change = |settings: &ProviderSettings| {
        let mut next = json!(settings);
        for (member, value) in members {
            if let (Value::Object(next), Some(value)) = (&mut next, value) {
                next.insert(member.to_owned(), value);
            }
        }
        read_settings(next)
    };
    let provider = providers::update(&pool, &name, change).await?;
    Ok(json!({ "IdentityProvider": write_provider(pool.id().as_str(), &provider) }))
}

pub(crate) async fn delete(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, provider_name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    providers::delete(&pool, &required(provider_name, "ProviderName")?).await?;
    empty_output()
}

pub(crate) async fn list(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, max_results, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = format!("ListIdentityProviders {}", pool.id());
    let paging = Paging::new(&name, max_results, next_token.as_deref())?;
    let (providers, next) = providers::list(&pool, &paging);
    let providers = providers.iter().map(|provider| {
        json!({
            "ProviderName": provider.settings.provider_name,
            "ProviderType": provider.settings.provider_type,
            "CreationDate": shapes::time(provider.created_at),
            "LastModifiedDate": shapes::time(provider.modified_at),
        })
    });
    Ok(shapes::page("Providers", providers, next))
}

pub(crate) async fn get_by_identifier(site: &Site, value: Value) -> Output {
    let Input { user_pool_id, idp_identifier, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let provider = providers::of_identifier(&pool, &required(idp_identifier, "IdpIdentifier")?)?;
    Ok(json!({ "IdentityProvider": write_provider(pool.id().as_str(), &provider) }))
}

/// Reads the settings of a provider, whose members have the names of configuration files.
fn read_settings(value: Value) -> Result<ProviderSettings, Error> {
    serde_json::from_value(value).map_err(|error| Error::invalid_parameter(error.to_string()))
}

fn write_provider(pool_id: &str, provider: &IdentityProvider) -> Value {
    let settings = &provider.settings;
    json!({
        "UserPoolId": pool_id,
        "ProviderName": settings.provider_name,
        "ProviderType": settings.provider_type,
        "ProviderDetails": settings.provider_details,
        "AttributeMapping": settings.attribute_mapping,
        "IdpIdentifiers": settings.idp_identifiers,
        "CreationDate": shapes::time(provider.created_at),
        "LastModifiedDate": shapes::time(provider.modified_at),
    })
}
