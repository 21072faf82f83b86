//! `CreateUserPoolClient`, `DescribeUserPoolClient`, `UpdateUserPoolClient`, `DeleteUserPoolClient` and
//! `ListUserPoolClients`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    config::{Report, Setting, read_client},
    domain::clients,
    error::Error,
    http::api::{
        Output, empty_output, input, required,
        resources::{List, read_text, split_members, take_text, with_others, without_nulls},
        shapes::{self, time},
    },
    model::{
        Client,
        settings::{ClientContext, ClientSettings},
    },
    pool::site::Site,
    text::words,
};

/// The members that have no effect on a local pool. They are returned unchanged.
const OTHERS: [&str; 2] = ["AnalyticsConfiguration", "EnablePropagateAdditionalUserContextData"];

pub(crate) async fn create(site: &Site, value: Value) -> Output {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId")?)?;
    required(read_text(&value, "ClientName")?, "ClientName")?;
    let (others, members) = split_members(value, &OTHERS);
    let read = |base, context: ClientContext<'_>| read_settings(members, base, context);
    let client = clients::create(&pool, others, read).await?;
    Ok(json!({ "UserPoolClient": write_client(pool.id().as_str(), &client) }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ClientInput {
    user_pool_id: Option<String>,
    client_id: Option<String>,
}

pub(crate) async fn describe(site: &Site, value: Value) -> Output {
    let ClientInput { user_pool_id, client_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let client = clients::get(&pool, &required(client_id, "ClientId")?)?;
    Ok(json!({ "UserPoolClient": write_client(pool.id().as_str(), &client) }))
}

pub(crate) async fn update(site: &Site, value: Value) -> Output {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId")?)?;
    let id = required(take_text(&mut value, "ClientId")?, "ClientId")?;
    let (others, members) = split_members(value, &OTHERS);
    let read = |base, context: ClientContext<'_>| read_settings(members, base, context);
    let client = clients::update(&pool, &id, others, read).await?;
    Ok(json!({ "UserPoolClient": write_client(pool.id().as_str(), &client) }))
}

pub(crate) async fn delete(site: &Site, value: Value) -> Output {
    let ClientInput { user_pool_id, client_id } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    clients::delete(&pool, &required(client_id, "ClientId")?).await?;
    empty_output()
}

pub(crate) async fn list(site: &Site, value: Value) -> Output {
    let List { user_pool_id, max_results, next_token } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (clients, next) = clients::list(&pool, max_results, next_token.as_deref())?;
    let clients = clients.iter().map(|client| {
        json!({
            "ClientId": client.settings.client_id,
            "UserPoolId": pool.id().as_str(),
            "ClientName": client.settings.name,
        })
    });
    Ok(shapes::page("UserPoolClients", clients, next))
}

/// Reads the settings of an app client. Settings that the request omits keep their values in `base`.
fn read_settings(
    mut members: Map<String, Value>,
    base: ClientSettings,
    context: ClientContext<'_>,
) -> Result<ClientSettings, Error> {
    if let Some(name) = members.remove("ClientName") {
        members.insert("Name".to_owned(), name);
    }
    let value = words::to_file(Value::Object(members));
    let mut report = Report::default();
    let (settings, _) = read_client(Setting::from_request(&value), base, context, &mut report);
    Ok(report.first_error(settings)?)
}

fn write_client(pool_id: &str, client: &Client) -> Value {
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
    with_others(written, &client.others)
}
