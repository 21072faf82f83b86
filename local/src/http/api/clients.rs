//! App clients: made, described, changed, deleted and listed.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::{Setting, read_client},
    crypto::secret,
    domain::paging::Paging,
    error::Error,
    http::api::{
        Answer, input, nothing, required,
        resources::{after, parted, take_text, without_nulls},
        shapes::{self, time},
    },
    model::{
        Client,
        settings::{AuthFlow, ClientContext, ClientSettings, ExistenceErrors},
    },
    pool::site::Site,
    store::Data,
    text::words,
};

/// Settings that make no difference here, but are told again as they were written.
const OTHERS: [&str; 2] = ["AnalyticsConfiguration", "EnablePropagateAdditionalUserContextData"];

pub(crate) async fn create(site: &Site, value: Value) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    required(take_text(&mut value, "ClientName", false)?, "ClientName")?;
    // The pool gives the id.
    take_text(&mut value, "ClientId", true)?;
    let (others, settings) = parted(value, &OTHERS);
    let now = pool.now();
    pool.store
        .write(|data| {
            let mut settings = read(data, settings, untold())?;
            settings.client_id = secret::client_id();
            if settings.generate_secret && settings.client_secret.is_none() {
                settings.client_secret = Some(secret::client_secret());
            }
            let mut client = Client::new(settings, now);
            client.others = others;
            let answer = json!({ "UserPoolClient": described(pool.id().as_str(), &client) });
            data.clients.insert(client.settings.client_id.clone(), client);
            Ok(answer)
        })
        .await?
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    user_pool_id: Option<String>,
    client_id: Option<String>,
}

pub(crate) async fn describe(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, client_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let id = required(client_id, "ClientId")?;
    pool.store.read(|data| {
        let client = data.clients.get(&id).ok_or_else(|| Error::no_client(&id))?;
        Ok(json!({ "UserPoolClient": described(pool.id().as_str(), client) }))
    })
}

/// Members that are absent are reset to their defaults.
pub(crate) async fn update(site: &Site, value: Value) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    let id = required(take_text(&mut value, "ClientId", true)?, "ClientId")?;
    let (others, mut settings) = parted(value, &OTHERS);
    for fixed in ["GenerateSecret", "ClientSecret"] {
        settings.remove(fixed);
    }
    let now = pool.now();
    pool.store
        .write(|data| {
            let before = data.clients.get(&id).ok_or_else(|| Error::no_client(&id))?;
            let base = ClientSettings {
                name: before.settings.name.clone(),
                client_id: id.clone(),
                client_secret: before.settings.client_secret.clone(),
                generate_secret: before.settings.generate_secret,
                ..untold()
            };
            let settings = read(data, settings, base)?;
            let client = data.clients.get_mut(&id).ok_or_else(|| Error::no_client(&id))?;
            client.settings = settings;
            client.others = others;
            client.modified_at = now;
            Ok(json!({ "UserPoolClient": described(pool.id().as_str(), client) }))
        })
        .await?
}

pub(crate) async fn delete(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, client_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let id = required(client_id, "ClientId")?;
    pool.store.write(|data| data.remove_client(&id).ok_or_else(|| Error::no_client(&id))).await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct List {
    user_pool_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(crate) async fn list(site: &Site, value: Value) -> Answer {
    let List { user_pool_id, max_results, next_token } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let list = format!("ListUserPoolClients {}", pool.id());
    let paging = Paging::new(&list, max_results, next_token.as_deref())?;
    pool.store.read(|data| {
        let (page, next) = paging.page(data.clients.iter());
        let rows = page.into_iter().map(|client| {
            json!({
                "ClientId": client.settings.client_id,
                "UserPoolId": pool.id().as_str(),
                "ClientName": client.settings.name,
            })
        });
        Ok(shapes::page("UserPoolClients", rows, next))
    })
}

/// What a client is that the API is told nothing of.
fn untold() -> ClientSettings {
    ClientSettings {
        explicit_auth_flows: vec![
            AuthFlow::RefreshTokenAuth,
            AuthFlow::UserSrpAuth,
            AuthFlow::CustomAuth,
        ],
        prevent_user_existence_errors: ExistenceErrors::Legacy,
        ..ClientSettings::default()
    }
}

fn read(
    data: &Data,
    mut settings: Map<String, Value>,
    base: ClientSettings,
) -> Result<ClientSettings, Error> {
    if let Some(name) = settings.remove("ClientName") {
        settings.insert("Name".to_owned(), name);
    }
    let pool = data.settings();
    let scopes: Vec<_> =
        data.resource_servers.values().flat_map(|server| server.full_scopes()).collect();
    let value = words::to_file(Value::Object(settings));
    let context = ClientContext { pool: &pool, scopes: &scopes };
    Ok(read_client(Setting::from_request(&value), base, context, &mut Vec::new())?)
}

fn described(pool_id: &str, client: &Client) -> Value {
    let value = serde_json::to_value(&client.settings).unwrap_or_default();
    let Value::Object(mut written) = words::to_api(without_nulls(value)) else {
        return json!({});
    };
    written.remove("GenerateSecret");
    let name = written.remove("Name");
    written.extend(name.map(|name| ("ClientName".to_owned(), name)));
    // Empty lists are omitted.
    written.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    written.insert("UserPoolId".into(), json!(pool_id));
    written.insert("CreationDate".into(), time(client.created_at));
    written.insert("LastModifiedDate".into(), time(client.modified_at));
    after(&client.others, written)
}
