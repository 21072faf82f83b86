//! Resource servers: APIs, with the scopes that machines and applications ask for.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    config::Setting,
    domain::paging::Paging,
    error::Error,
    http::api::{
        Answer, input, nothing, required,
        resources::{take_text, without_nulls},
        shapes,
    },
    model::ResourceServer,
    pool::site::Site,
    text::words,
};

pub(crate) async fn create(site: &Site, value: Value) -> Answer {
    write(site, value, Existing::Rejected).await
}

pub(crate) async fn update(site: &Site, value: Value) -> Answer {
    write(site, value, Existing::Required).await
}

/// How a write treats a server of the same identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Rejected,
    Required,
}

/// Creates or replaces a server.
async fn write(site: &Site, value: Value, existing: Existing) -> Answer {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId", true)?)?;
    let value = words::to_file(value);
    let setting = Setting::from_request(&value);
    let server = ResourceServer::deserialize(&setting)?;
    server.validate().map_err(|violation| setting.violation(violation))?;
    let id = pool.id().as_str();
    pool.store
        .write(|data| {
            if existing == Existing::Rejected && data.resource_servers.contains(&server.identifier)
            {
                return Err(Error::invalid_parameter(format!(
                    "{} already exists in user pool {id}.",
                    server.identifier
                )));
            }
            if existing == Existing::Required && !data.resource_servers.contains(&server.identifier)
            {
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

pub(crate) async fn describe(site: &Site, value: Value) -> Answer {
    let Named { user_pool_id, identifier } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let identifier = required(identifier, "Identifier")?;
    pool.store.read(|data| {
        let server = data.resource_servers.get(&identifier);
        let server = server.ok_or_else(|| unknown(&identifier))?;
        Ok(json!({ "ResourceServer": described(pool.id().as_str(), server) }))
    })
}

pub(crate) async fn delete(site: &Site, value: Value) -> Answer {
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

pub(crate) async fn list(site: &Site, value: Value) -> Answer {
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
