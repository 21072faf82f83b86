//! Resource servers: APIs, with the scopes that machines and applications ask for.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    config::Setting,
    error::Error,
    http::api::{
        Answer, input, nothing,
        paging::Paging,
        required,
        resources::{take_text, without_nulls},
        shapes,
    },
    model::ResourceServer,
    pool::site::Site,
    text::words,
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "CreateResourceServer" => Some(write(site, input, true).await),
        "DescribeResourceServer" => Some(describe(site, input)),
        "UpdateResourceServer" => Some(write(site, input, false).await),
        "DeleteResourceServer" => Some(delete(site, input).await),
        "ListResourceServers" => Some(list(site, input)),
        _ => None,
    }
}

/// Makes a server, or puts another in the place of one.
async fn write(site: &Site, value: Value, is_new: bool) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    let value = words::to_file(value);
    let setting = Setting::from_request(&value);
    let server = ResourceServer::deserialize(&setting)?;
    server.validate().map_err(|violation| setting.violation(violation))?;
    let id = pool.id().as_str();
    pool.store
        .write(|data| {
            if is_new && data.resource_servers.contains(&server.identifier) {
                return Err(Error::invalid_parameter(format!(
                    "{} already exists in user pool {id}.",
                    server.identifier
                )));
            }
            if !is_new && !data.resource_servers.contains(&server.identifier) {
                return Err(unknown(&server.identifier));
            }
            let answer = json!({ "ResourceServer": described(id, &server) });
            data.resource_servers.insert(server.identifier.clone(), server);
            Ok(answer)
        })
        .await?
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    user_pool_id: Option<String>,
    identifier: Option<String>,
}

fn describe(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, identifier } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let identifier = required(identifier, "Identifier")?;
    pool.store.read(|data| {
        let server = data.resource_servers.get(&identifier);
        let server = server.ok_or_else(|| unknown(&identifier))?;
        Ok(json!({ "ResourceServer": described(pool.id().as_str(), server) }))
    })
}

async fn delete(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, identifier } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let identifier = required(identifier, "Identifier")?;
    pool.store
        .write(|data| data.resource_servers.remove(&identifier).ok_or_else(|| unknown(&identifier)))
        .await??;
    nothing()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct List {
    user_pool_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

fn list(site: &Site, value: Value) -> Answer {
    let List { user_pool_id, max_results, next_token } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let list = format!("ListResourceServers {}", pool.id());
    let paging = Paging::new(&list, max_results, next_token.as_deref())?;
    pool.store.read(|data| {
        let (page, next) = paging.page(data.resource_servers.iter());
        let rows = page.into_iter().map(|server| described(pool.id().as_str(), server));
        Ok(shapes::page("ResourceServers", rows, next))
    })
}

fn described(pool_id: &str, server: &ResourceServer) -> Value {
    let scopes: Vec<_> = server
        .scopes
        .iter()
        .map(|scope| {
            json!({ "ScopeName": scope.scope_name, "ScopeDescription": scope.scope_description })
        })
        .collect();
    json!({
        "UserPoolId": pool_id,
        "Identifier": server.identifier,
        "Name": server.name,
        "Scopes": scopes,
    })
}

fn unknown(identifier: &str) -> Error {
    Error::not_found(format!("Resource server {identifier} does not exist."))
}
