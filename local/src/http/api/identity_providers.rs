//! Identity providers: made, changed, listed and deleted.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    http::api::{Answer, input, nothing, paging::Paging, required, shapes},
    model::settings::ProviderSettings,
    pool::site::Site,
    store::{Data, IdentityProvider},
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "CreateIdentityProvider" => Some(create(site, input).await),
        "DescribeIdentityProvider" => Some(describe(site, input)),
        "UpdateIdentityProvider" => Some(update(site, input).await),
        "DeleteIdentityProvider" => Some(delete(site, input).await),
        "ListIdentityProviders" => Some(list(site, input)),
        "GetIdentityProviderByIdentifier" => Some(by_identifier(site, input)),
        _ => None,
    }
}

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

async fn create(site: &Site, value: Value) -> Answer {
    let input: Input = input(value)?;
    let pool = site.named_pool(input.user_pool_id)?;
    let settings = checked(json!({
        "provider_name": required(input.provider_name, "ProviderName")?,
        "provider_type": required(input.provider_type, "ProviderType")?,
        "provider_details": required(input.provider_details, "ProviderDetails")?,
        "attribute_mapping": input.attribute_mapping.unwrap_or_else(|| json!({})),
        "idp_identifiers": input.idp_identifiers.unwrap_or_else(|| json!([])),
    }))?;
    let now = pool.now();
    pool.store
        .write(|data| {
            if data.identity_providers.contains(&settings.provider_name) {
                return Err(duplicate("A provider with the name already exists."));
            }
            check(data, &settings)?;
            let name = settings.provider_name.clone();
            let provider = IdentityProvider { settings, created_at: now, modified_at: now };
            let written = written(pool.id().as_str(), &provider);
            data.identity_providers.insert(name, provider);
            Ok(json!({ "IdentityProvider": written }))
        })
        .await?
}

fn describe(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, provider_name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(provider_name, "ProviderName")?;
    let id = pool.id().as_str();
    let provider = pool
        .store
        .read(|data| data.identity_providers.get(&name).map(|provider| written(id, provider)));
    Ok(json!({ "IdentityProvider": provider.ok_or_else(|| unknown(&name))? }))
}

/// What the request does not say stays as it is.
async fn update(site: &Site, value: Value) -> Answer {
    let input: Input = input(value)?;
    let pool = site.named_pool(input.user_pool_id)?;
    let name = required(input.provider_name, "ProviderName")?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let provider = data.identity_providers.get(&name).ok_or_else(|| unknown(&name))?;
            let mut next = json!(provider.settings);
            for (member, value) in [
                ("provider_details", input.provider_details),
                ("attribute_mapping", input.attribute_mapping),
                ("idp_identifiers", input.idp_identifiers),
            ] {
                if let (Value::Object(next), Some(value)) = (&mut next, value) {
                    next.insert(member.to_owned(), value);
                }
            }
            let settings = checked(next)?;
            check(data, &settings)?;
            let provider = data.identity_providers.get_mut(&name).ok_or_else(|| unknown(&name))?;
            provider.settings = settings;
            provider.modified_at = now;
            Ok(json!({ "IdentityProvider": written(pool.id().as_str(), provider) }))
        })
        .await?
}

async fn delete(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, provider_name, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = required(provider_name, "ProviderName")?;
    pool.store
        .write(|data| {
            data.identity_providers.remove(&name).ok_or_else(|| unknown(&name))?;
            // Nobody is waited for any more, and nobody is signed in by it.
            data.external_sign_ins.retain(|_, sign_in| sign_in.provider != name);
            data.browser_sessions.retain(|_, session| session.provider != name);
            Ok::<_, Error>(())
        })
        .await??;
    nothing()
}

fn list(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, max_results, next_token, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let name = format!("ListIdentityProviders {}", pool.id());
    let paging = Paging::new(&name, max_results, next_token.as_deref())?;
    let (providers, next) = pool.store.read(|data| {
        paging.page(data.identity_providers.iter().map(|(name, provider)| {
            let row = json!({
                "ProviderName": name,
                "ProviderType": provider.settings.provider_type,
                "CreationDate": shapes::time(provider.created_at),
                "LastModifiedDate": shapes::time(provider.modified_at),
            });
            (name, row)
        }))
    });
    let mut answer = Map::new();
    answer.insert("Providers".to_owned(), json!(providers));
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), json!(next));
    }
    Ok(Value::Object(answer))
}

fn by_identifier(site: &Site, value: Value) -> Answer {
    let Input { user_pool_id, idp_identifier, .. } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let identifier = required(idp_identifier, "IdpIdentifier")?;
    let id = pool.id().as_str();
    let provider = pool.store.read(|data| {
        let is_it =
            |provider: &&IdentityProvider| provider.settings.idp_identifiers.contains(&identifier);
        data.identity_providers.values().find(is_it).map(|provider| written(id, provider))
    });
    Ok(json!({ "IdentityProvider": provider.ok_or_else(|| unknown(&identifier))? }))
}

/// Settings under the names that configuration files use.
fn checked(value: Value) -> Result<ProviderSettings, Error> {
    serde_json::from_value(value).map_err(|error| Error::invalid_parameter(error.to_string()))
}

/// Whether the pool has the attributes that are written, and an identifier means one provider alone.
fn check(data: &Data, settings: &ProviderSettings) -> Result<(), Error> {
    if let Some(name) = settings.unknown_attribute(&data.settings()) {
        return Err(Error::invalid_parameter(format!(
            "Invalid attribute mapping: {name} is not an attribute of the user pool."
        )));
    }
    let clashes = |other: &IdentityProvider| {
        other.settings.provider_name != settings.provider_name
            && other
                .settings
                .idp_identifiers
                .iter()
                .any(|known| settings.idp_identifiers.contains(known))
    };
    if data.identity_providers.values().any(clashes) {
        return Err(duplicate("An identifier is another provider's already."));
    }
    Ok(())
}

fn written(pool_id: &str, provider: &IdentityProvider) -> Value {
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

fn unknown(name: &str) -> Error {
    Error::not_found(format!("Identity provider {name} does not exist."))
}

fn duplicate(message: &str) -> Error {
    Error::new("DuplicateProviderException", message)
}
