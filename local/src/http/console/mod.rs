//! What the pool's user, the developer, may see: `/_local/`.

mod clock;
mod page;
mod visitor;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use crate::{
    http::api::shapes::time,
    model::Message,
    pool::{Shared, site::Site},
    store::Data,
};

/// What browsers are told of each answer: no other site may frame or keep it, and nothing in it runs.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
];

/// All paths of this room.
pub(crate) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/_local", get(overview))
        .route("/_local/", get(overview))
        .route("/_local/messages", get(messages))
        .route("/_local/clock", get(clock::tell).post(clock::advance))
        .layer(middleware::from_fn(marked))
}

/// Marks each answer as what browsers keep to themselves.
async fn marked(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

async fn overview(State(site): State<Arc<Site>>, request: Request) -> Response {
    if let Err(refused) = visitor::check(&site, request.uri(), request.headers()) {
        return refused.into_response();
    }
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page::overview(&site)).into_response()
}

async fn messages(State(site): State<Arc<Site>>, request: Request) -> Response {
    if let Err(refused) = visitor::check(&site, request.uri(), request.headers()) {
        return refused.into_response();
    }
    let wanted_user = parameter(request.uri(), "username");
    let pools = match wanted_pools(&site, request.uri()) {
        Ok(pools) => pools,
        Err(refused) => return refused.into_response(),
    };
    let mut found: Vec<Arc<Message>> = Vec::new();
    for pool in pools {
        pool.store.read(|data| {
            let wanted = |message: &&Arc<Message>| {
                wanted_user.as_deref().is_none_or(|name| is_for(data, message, name))
            };
            found.extend(data.messages.values().rev().filter(wanted).cloned());
        });
    }
    // Each pool's are in order already, which those of one moment keep.
    found.sort_by_key(|message| std::cmp::Reverse(message.at));
    let found: Value = found.iter().map(|message| written(message)).collect();
    ([(header::CONTENT_TYPE, "application/json")], found.to_string()).into_response()
}

/// The pool that the query names, or all.
fn wanted_pools(site: &Site, uri: &Uri) -> Result<Vec<Arc<Shared>>, (StatusCode, &'static str)> {
    match parameter(uri, "pool") {
        None => Ok(site.pools()),
        Some(id) => match site.pool(&id) {
            Some(pool) => Ok(vec![pool]),
            None => Err((StatusCode::NOT_FOUND, "There is no such pool.\n")),
        },
    }
}

/// Whether a message went to the user of a name, a `sub` or an address.
fn is_for(data: &Data, message: &Message, name: &str) -> bool {
    let key = data.user_key(&message.username);
    key == data.user_key(name)
        || message.destination.eq_ignore_ascii_case(name)
        || data.find_user(name).is_some_and(|user| data.user_key(&user.username) == key)
}

fn written(message: &Message) -> Value {
    json!({
        "username": message.username,
        "medium": message.medium,
        "destination": message.destination,
        "subject": message.subject,
        "body": message.body,
        "code": message.code,
        "at": time(message.at),
    })
}

/// A parameter of the query, if it says something.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?;
    // Only an address that is whole can be read, so that the query gets a host.
    let whole = reqwest::Url::parse(&format!("http://localhost/?{query}")).ok()?;
    let value = whole.query_pairs().find(|(known, _)| known == name)?.1.into_owned();
    (!value.is_empty()).then_some(value)
}
