//! `/oauth2/userInfo`: the attributes of a user that the scopes of an access token include.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};

use tower_cognito::Verified;

use crate::{
    http::oauth::json::json_response,
    model::{Client, User, released_attributes},
    pool::{Pool, site::Site},
};

const BAD_REQUEST: &str = "Bad OAuth2 request at UserInfo Endpoint";
const NO_OPENID: &str = "Access token does not contain openid scope";
const REVOKED: &str = "Access token is expired, disabled, or deleted, or the user has globally signed \
                       out.";

/// Responds with the attributes of the user of an access token.
pub(crate) async fn handle(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else {
        return error(StatusCode::BAD_REQUEST, "invalid_request", BAD_REQUEST);
    };
    let revoked = || error(StatusCode::UNAUTHORIZED, "invalid_token", REVOKED);
    let Ok((pool, verified)) = site.verified(token).await else {
        return revoked();
    };
    if !verified.has_scope("openid") {
        return error(StatusCode::UNAUTHORIZED, "invalid_token", NO_OPENID);
    }
    let Ok(user) = pool.user_of(&verified) else {
        return revoked();
    };
    match client_of(&pool, &verified) {
        Some(client) => json_response(StatusCode::OK, &attributes(&user, &client, &verified)),
        None => revoked(),
    }
}

/// Returns the token of the `Authorization` header. There must be exactly one such header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = lines.next()?.to_str().ok()?.split_once(' ')?;
    let is_one = lines.next().is_none() && !token.is_empty() && !token.contains([' ', ',']);
    (scheme.eq_ignore_ascii_case("Bearer") && is_one).then_some(token)
}

fn client_of(pool: &Pool, verified: &Verified) -> Option<Arc<Client>> {
    pool.store.read(|data| data.clients.get(verified.client_id()).cloned())
}

/// Returns the attributes. All values are strings, as in Cognito.
fn attributes(user: &User, client: &Client, verified: &Verified) -> Value {
    let scopes: Vec<_> = verified.scopes().map(str::to_owned).collect();
    let mut attributes = Map::new();
    attributes.insert("sub".to_owned(), json!(user.sub));
    attributes.insert("username".to_owned(), json!(user.username));
    if !user.identities.is_empty() {
        let identities = serde_json::to_string(&user.identities).unwrap_or_default();
        attributes.insert("identities".to_owned(), json!(identities));
    }
    for (name, value) in released_attributes(user, &client.settings, Some(&scopes)) {
        attributes.insert(name.to_owned(), json!(value));
    }
    Value::Object(attributes)
}

fn error(status: StatusCode, code: &str, description: &str) -> Response {
    let body = json!({ "error": code, "error_description": description });
    let mut response = json_response(status, &body);
    let challenge = format!("error=\"{code}\", error_description=\"{description}\"");
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
