//! The console for developers under `/_local/`: users, sessions, messages and the clock. Its page needs no scripts.

mod access;
mod actions;
mod clock;
mod page;

use std::{cmp::Reverse, sync::Arc};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{
    http::api::shapes::time,
    model::Message,
    pool::{Pool, site::Site},
    store::Data,
};

/// Headers of all responses. Pages also have a content security policy.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

pub(crate) fn routes(site: &Arc<Site>) -> Router<Arc<Site>> {
    Router::new()
        .route("/_local", get(overview))
        .route("/_local/", get(overview))
        .route("/_local/messages", get(messages))
        .route("/_local/clock", get(clock::show).post(clock::advance))
        .route("/_local/actions", post(actions::submit))
        .route_layer(middleware::from_fn_with_state(Arc::clone(site), protect))
}

/// Rejects requests that are not from this machine, and sets the headers of all responses.
async fn protect(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = match access::check(&site, request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(rejection) => rejection.response(request.headers()),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn overview(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    page::overview(&site, &headers)
}

/// Responds with the messages of one pool or of all pools, newest first. The query can select one user.
async fn messages(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let pools = match requested_pools(&site, &uri) {
        Ok(pools) => pools,
        Err(rejection) => return rejection.into_response(),
    };
    let username = query_parameter(&uri, "username");
    let mut messages: Vec<Arc<Message>> = Vec::new();
    for pool in pools {
        pool.store.read(|data| {
            let is_requested = |message: &&Arc<Message>| {
                username.as_deref().is_none_or(|name| is_for_user(data, message, name))
            };
            messages.extend(data.messages.values().rev().filter(is_requested).cloned());
        });
    }
    // The sort is stable, so messages with the same time keep their order.
    messages.sort_by_key(|message| Reverse(message.at));
    Json(messages.iter().map(|message| to_json(message)).collect::<Value>()).into_response()
}

/// Returns the pool that the query names, or all pools.
fn requested_pools(site: &Site, uri: &Uri) -> Result<Vec<Arc<Pool>>, (StatusCode, &'static str)> {
    let Some(id) = query_parameter(uri, "pool") else { return Ok(site.pools()) };
    let pool = site.pool(&id).ok_or((StatusCode::NOT_FOUND, "No user pool has this ID.\n"))?;
    Ok(vec![pool])
}

/// Returns whether a message was sent to a user. `name` is a user name, `sub`, e-mail address or phone number.
fn is_for_user(data: &Data, message: &Message, name: &str) -> bool {
    let key = data.user_key(&message.username);
    key == data.user_key(name)
        || message.destination.eq_ignore_ascii_case(name)
        || data.find_user(name).is_some_and(|user| data.user_key(&user.username) == key)
}

fn to_json(message: &Message) -> Value {
    json!({
        "username": message.username,
        "medium": message.medium,
        "destination": message.destination,
        "subject": message.subject,
        "body": message.body,
        "code": message.code,
        "link": message.link,
        "at": time(message.at),
    })
}

/// Returns the first value of a parameter of the query, if it is not empty.
fn query_parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(uri.query()?.as_bytes());
    let (_, value) = parameters.find(|(known, _)| known == name)?;
    (!value.is_empty()).then(|| value.into_owned())
}
