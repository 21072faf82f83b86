//! `CreateResourceServer`, `DescribeResourceServer`, `UpdateResourceServer`, `DeleteResourceServer` and
//! `ListResourceServers`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    config::Setting,
    domain::resource_servers,
    error::Error,
    http::api::{
        Output, empty_output, input, required,
        resources::{List, take_text, without_nulls},
        shapes,
    },
    model::ResourceServer,
    pool::{Pool, site::Site},
    text::words,
};

pub(crate) async fn create(site: &Site, value: Value) -> Output {
    let (pool, server) = read_server(site, value)?;
    let server = resource_servers::create(&pool, server).await?;
    Ok(json!({ "ResourceServer": write_server(pool.id().as_str(), &server) }))
}

pub(crate) async fn update(site: &Site, value: Value) -> Output {
    let (pool, server) = read_server(site, value)?;
    let server = resource_servers::update(&pool, server).await?;
    Ok(json!({ "ResourceServer": write_server(pool.id().as_str(), &server) }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ServerInput {
    user_pool_id: Option<String>,
    identifier: Option<String>,
}

pub(crate) async fn describe(site: &Site, value: Value) -> Output {
    let ServerInput { user_pool_id, identifier } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let server = resource_servers::get(&pool, &required(identifier, "Identifier")?)?;
    Ok(json!({ "ResourceServer": write_server(pool.id().as_str(), &server) }))
}

pub(crate) async fn delete(site: &Site, value: Value) -> Output {
    let ServerInput { user_pool_id, identifier } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    resource_servers::delete(&pool, &required(identifier, "Identifier")?).await?;
    empty_output()
}

pub(crate) async fn list(site: &Site, value: Value) -> Output {
    let List { user_pool_id, max_results, next_token } = input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let (servers, next) = resource_servers::list(&pool, max_results, next_token.as_deref())?;
    let servers = servers.iter().map(|server| write_server(pool.id().as_str(), server));
    Ok(shapes::page("ResourceServers", servers, next))
}

fn read_server(site: &Site, value: Value) -> Result<(Arc<Pool>, ResourceServer), Error> {
    let mut value = without_nulls(value);
    let pool = site.named_pool(take_text(&mut value, "UserPoolId")?)?;
    let file = words::to_file(value);
    Ok((pool, ResourceServer::deserialize(&Setting::from_request(&file))?))
}

fn write_server(pool_id: &str, server: &ResourceServer) -> Value {
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
