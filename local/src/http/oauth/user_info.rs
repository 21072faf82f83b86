//! `/oauth2/userInfo`: what an access token's scopes tell of its user.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Map, Value, json};

use tower_cognito::Verified;

use crate::{
    http::oauth::token::document,
    model::{Client, User},
    pool::{Shared, issue::is_in_scope, site::Site},
};

const BAD_REQUEST: &str = "Bad OAuth2 request at UserInfo Endpoint";
const NO_OPENID: &str = "Access token does not contain openid scope";
const REVOKED: &str = "Access token is expired, disabled, or deleted, or the user has globally signed \
                       out.";

pub(crate) async fn handle(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else {
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", BAD_REQUEST);
    };
    let revoked = || refusal(StatusCode::UNAUTHORIZED, "invalid_token", REVOKED);
    let Ok((pool, verified)) = site.verified(token).await else {
        return revoked();
    };
    if !verified.has_scope("openid") {
        return refusal(StatusCode::UNAUTHORIZED, "invalid_token", NO_OPENID);
    }
    let Ok(user) = pool.user_of(&verified) else {
        return revoked();
    };
    match client_of(&pool, &verified) {
        Some(client) => document(StatusCode::OK, &written(&user, &client, &verified)),
        None => revoked(),
    }
}

/// The token of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = lines.next()?.to_str().ok()?.split_once(' ')?;
    let is_one = lines.next().is_none() && !token.is_empty() && !token.contains([' ', ',']);
    (scheme.eq_ignore_ascii_case("Bearer") && is_one).then_some(token)
}

fn client_of(pool: &Shared, verified: &Verified) -> Option<Arc<Client>> {
    pool.store.read(|data| data.clients.get(verified.client_id()).cloned())
}

/// All values are texts, as Cognito writes them.
fn written(user: &User, client: &Client, verified: &Verified) -> Value {
    let scopes: Vec<_> = verified.scopes().map(str::to_owned).collect();
    let mut written = Map::new();
    written.insert("sub".to_owned(), json!(user.sub));
    written.insert("username".to_owned(), json!(user.username));
    if !user.identities.is_empty() {
        let identities = serde_json::to_string(&user.identities).unwrap_or_default();
        written.insert("identities".to_owned(), json!(identities));
    }
    for (name, value) in &user.attributes {
        if client.settings.may_read(name) && is_in_scope(name, Some(&scopes)) {
            written.insert(name.clone(), json!(value));
        }
    }
    Value::Object(written)
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    let mut response = document(status, &body);
    let challenge = format!("error=\"{error}\", error_description=\"{description}\"");
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
