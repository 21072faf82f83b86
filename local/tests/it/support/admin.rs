//! Admin operations of the user pool API.

use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use super::cognito::call;

/// The output of an operation, or the name and message of its error.
pub(crate) type Answer = Result<Value, (String, String)>;

pub(crate) const PASSWORD: &str = "Correct-Horse-1";

pub(crate) async fn pool_of(toml: &str) -> UserPool {
    UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap()
}

/// Calls an operation on the pool.
pub(crate) async fn admin(pool: &UserPool, operation: &str, mut input: Value) -> Answer {
    input["UserPoolId"] = json!(pool.id().as_str());
    call(pool, operation, input).await
}

/// Calls an operation on a user.
pub(crate) async fn on_user(pool: &UserPool, operation: &str, name: &str) -> Answer {
    admin(pool, operation, json!({ "Username": name })).await
}

/// Creates a confirmed user with a password, and sends no invitation.
pub(crate) async fn user(pool: &UserPool, name: &str) -> Value {
    let input = json!({ "Username": name, "MessageAction": "SUPPRESS" });
    let made = admin(pool, "AdminCreateUser", input).await.unwrap();
    set_password(pool, name, PASSWORD, true).await.unwrap();
    made["User"].clone()
}

pub(crate) async fn set_password(
    pool: &UserPool,
    name: &str,
    password: &str,
    permanent: bool,
) -> Answer {
    let input = json!({ "Username": name, "Password": password, "Permanent": permanent });
    admin(pool, "AdminSetUserPassword", input).await
}

pub(crate) async fn sign_in(pool: &UserPool, name: &str, password: &str) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": name, "PASSWORD": password },
    });
    call(pool, "InitiateAuth", input).await
}

/// Signs in with [`PASSWORD`] and returns the tokens.
pub(crate) async fn tokens(pool: &UserPool, name: &str) -> Value {
    sign_in(pool, name, PASSWORD).await.unwrap()["AuthenticationResult"].clone()
}

pub(crate) async fn refresh(pool: &UserPool, tokens: &Value) -> Answer {
    let input = json!({ "ClientId": pool.client_id(), "RefreshToken": tokens["RefreshToken"] });
    call(pool, "GetTokensFromRefreshToken", input).await
}

/// Returns the messages sent to a user, newest first.
pub(crate) async fn messages(pool: &UserPool, name: &str) -> Vec<Value> {
    let address = format!("http://{}/_local/messages?username={name}", pool.address());
    let text = reqwest::get(address).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Returns the code or temporary password of the newest message.
pub(crate) async fn last_code(pool: &UserPool, name: &str) -> String {
    messages(pool, name).await[0]["code"].as_str().unwrap().to_owned()
}

/// Returns the attributes of a user by name.
pub(crate) async fn attributes(pool: &UserPool, name: &str) -> Value {
    let user = on_user(pool, "AdminGetUser", name).await.unwrap();
    by_name(&user["UserAttributes"])
}

/// Converts a list of names and values to a map.
pub(crate) fn by_name(list: &Value) -> Value {
    let pairs = list.as_array().unwrap().iter();
    pairs.map(|one| (one["Name"].as_str().unwrap().to_owned(), one["Value"].clone())).collect()
}

/// Converts a map to a list of names and values.
pub(crate) fn as_list(map: &Value) -> Value {
    let pairs = map.as_object().unwrap().iter();
    pairs.map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
}

#[track_caller]
pub(crate) fn error(result: Answer) -> (String, String) {
    result.expect_err("the operation succeeded")
}

pub(crate) fn is(name: &str, message: &str) -> (String, String) {
    (name.to_owned(), message.to_owned())
}
