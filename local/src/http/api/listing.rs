//! `ListUsers`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    error::Error,
    http::api::{Answer, filter::Filter, input, paging::Paging, shapes},
    model::{User, settings::PoolSettings},
    pool::site::Site,
    store::Data,
};

/// The operations of this group; nothing for others.
pub(crate) async fn call(site: &Arc<Site>, operation: &str, input: Value) -> Option<Answer> {
    match operation {
        "ListUsers" => Some(list_users(site, input)),
        _ => None,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListUsers {
    user_pool_id: Option<String>,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<i64>,
    pagination_token: Option<String>,
    filter: Option<String>,
}

fn list_users(site: &Site, value: Value) -> Answer {
    let ListUsers { user_pool_id, attributes_to_get, limit, pagination_token, filter } =
        input(value)?;
    let pool = site.named_pool(user_pool_id)?;
    let text = filter.unwrap_or_default();
    let filter = Filter::parse(&text)?;
    let list = format!("ListUsers {} {}", pool.id(), text.trim());
    let paging = Paging::new(&list, limit, pagination_token.as_deref())?;
    let wanted = attributes_to_get.filter(|names| !names.is_empty());
    check_known(&pool.store.read(Data::settings), wanted.as_deref().unwrap_or_default())?;
    let (users, next): (Vec<_>, _) = pool.store.read(|data| {
        let found = |(_, user): &(&str, &User)| filter.as_ref().is_none_or(|f| f.lets(user));
        let (users, next) = paging.page(data.users.iter().filter(found));
        (users.into_iter().map(|user| written(user, wanted.as_deref())).collect(), next)
    });
    let mut answer = json!({ "Users": users });
    if let (Some(token), Value::Object(answer)) = (next, &mut answer) {
        answer.insert("PaginationToken".to_owned(), Value::String(token));
    }
    Ok(answer)
}

fn check_known(settings: &PoolSettings, names: &[String]) -> Result<(), Error> {
    if names.iter().all(|name| settings.attribute(name).is_some()) {
        return Ok(());
    }
    Err(Error::invalid_parameter("One or more requested attributes do not exist."))
}

fn written(user: &User, wanted: Option<&[String]>) -> Value {
    let mut written = shapes::user(user, "Attributes");
    if let (Some(names), Some(Value::Array(attributes))) = (wanted, written.get_mut("Attributes")) {
        let is_wanted = |name: &str| names.iter().any(|wanted| wanted == name);
        attributes.retain(|one| one.get("Name").and_then(Value::as_str).is_some_and(is_wanted));
    }
    Value::Object(written)
}
