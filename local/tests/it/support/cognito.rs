//! A client of the user pool API.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use super::srp::SrpClient;

/// An operation's output, or the error's name and message.
pub(crate) type Outcome = Result<Value, (String, String)>;

/// The password of all users in tests.
pub(crate) const PASSWORD: &str = "Correct-Horse-1";

/// Starts a pool configured by TOML, with users of these names, each with a verified e-mail address.
pub(crate) async fn pool_with(toml: &str, users: &[&str]) -> UserPool {
    let users: String = users
        .iter()
        .map(|name| {
            format!(
                "[[aws_cognito_user]]\nusername = \"{name}\"\npassword = \"{PASSWORD}\"\n\
                 attributes = {{ email = \"{name}@example.com\", email_verified = \"true\" }}\n"
            )
        })
        .collect();
    let config = Config::from_toml(&format!("{toml}\n{users}")).unwrap();
    UserPool::builder().config(config).start().await.unwrap()
}

/// Returns the part of the pool ID that is part of SRP hashes.
pub(crate) fn short_name(pool: &UserPool) -> &str {
    pool.id().as_str().split_once('_').unwrap().1
}

/// Signs in by `USER_PASSWORD_AUTH`.
pub(crate) async fn sign_in(pool: &UserPool, name: &str, password: &str) -> Outcome {
    let parameters = json!({ "USERNAME": name, "PASSWORD": password });
    initiate(pool, "USER_PASSWORD_AUTH", parameters).await
}

pub(crate) async fn initiate(pool: &UserPool, flow: &str, parameters: Value) -> Outcome {
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": flow,
        "AuthParameters": parameters,
    });
    call(pool, "InitiateAuth", input).await
}

pub(crate) async fn respond(
    pool: &UserPool,
    challenge: &str,
    session: &Value,
    answers: Value,
) -> Outcome {
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": challenge,
        "Session": session,
        "ChallengeResponses": answers,
    });
    call(pool, "RespondToAuthChallenge", input).await
}

/// Signs in by SRP. Returns the response to the claim, or the first error.
pub(crate) async fn srp_sign_in(pool: &UserPool, name: &str, password: &str) -> Outcome {
    let client = SrpClient::new();
    let parameters = json!({ "USERNAME": name, "SRP_A": client.public });
    let challenge = initiate(pool, "USER_SRP_AUTH", parameters).await?;
    let answers = client.answers(short_name(pool), &challenge, password);
    respond(pool, "PASSWORD_VERIFIER", &Value::Null, answers).await
}

/// Returns the messages sent to a user, newest first.
pub(crate) async fn messages(pool: &UserPool, name: &str) -> Vec<Value> {
    let address = format!("http://{}/_local/messages?username={name}", pool.address());
    let text = client().get(address).send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Returns a token of a sign-in response: `AccessToken`, `IdToken` or `RefreshToken`.
pub(crate) fn token(answer: &Value, name: &str) -> String {
    answer["AuthenticationResult"][name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
}

pub(crate) fn has_tokens(answer: &Outcome) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.get("AuthenticationResult").is_some())
}

/// Decodes the claims of a token without verification.
pub(crate) fn payload(token: &str) -> Value {
    part(token, 1)
}

/// Returns the ID of the key that signed a token.
pub(crate) fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Returns the error of an operation that must fail. A panic does not print the output, which may contain tokens.
pub(crate) fn error(answer: Outcome) -> (String, String) {
    let Err(error) = answer else { panic!("the operation succeeded") };
    error
}

pub(crate) fn is(name: &str, message: &str) -> (String, String) {
    (name.to_owned(), message.to_owned())
}

/// The error for a wrong password or an unknown user.
pub(crate) fn incorrect() -> (String, String) {
    is("NotAuthorizedException", "Incorrect username or password.")
}

/// The error for a challenge response with an expired, used or unrelated session.
pub(crate) fn session_over() -> (String, String) {
    is("NotAuthorizedException", "Invalid session for the user, session is expired.")
}

/// A client that all tests share, because creating one is slow. It keeps no connections, because they would end with
/// the runtime of their test.
pub(crate) fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> =
        LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap());
    &CLIENT
}

/// Calls an operation.
pub(crate) async fn call(pool: &UserPool, operation: &str, input: Value) -> Outcome {
    let response = client()
        .post(format!("http://{}/", pool.address()))
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(input.to_string())
        .send()
        .await
        .unwrap();
    let succeeded = response.status().is_success();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    if succeeded {
        return Ok(body);
    }
    let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
    Err((text("__type"), text("message")))
}

/// Adds an identity provider to those of an app client.
pub(crate) async fn allow_provider(pool: &UserPool, client_id: &str, name: &str) {
    let input = json!({ "UserPoolId": pool.id().as_str(), "ClientId": client_id });
    let described = call(pool, "DescribeUserPoolClient", input).await.unwrap();
    let mut settings = described["UserPoolClient"].clone();
    let members = settings.as_object_mut().unwrap();
    for member in ["ClientSecret", "CreationDate", "LastModifiedDate"] {
        members.remove(member);
    }
    let providers = members.entry("SupportedIdentityProviders").or_insert_with(|| json!([]));
    providers.as_array_mut().unwrap().push(json!(name));
    call(pool, "UpdateUserPoolClient", settings).await.unwrap();
}

/// Returns the configuration of a pool that is an identity provider for the pool `app`: it has the user `jane` and the
/// client `relying`.
pub(crate) fn provider_config(app: &UserPool) -> Config {
    let config = format!(
        r#"
        [[aws_cognito_user_pool_client]]
        client_id = "relying"
        client_secret = "relying-secret"
        allowed_oauth_flows_user_pool_client = true
        allowed_oauth_flows = ["code"]
        allowed_oauth_scopes = ["openid", "email", "profile"]
        callback_urls = ["http://{}/oauth2/idpresponse", "http://localhost:{}/oauth2/idpresponse"]

        [[aws_cognito_user]]
        username = "jane"
        password = "Correct-Horse-1"
        attributes = {{ email = "jane@corp.test", email_verified = "true", given_name = "Jane" }}
        "#,
        app.address(),
        app.address().port()
    );
    Config::from_toml(&config).unwrap()
}
