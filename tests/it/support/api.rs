//! Signs in through the API of a user pool, as an SDK does.

use serde_json::{Value, json};
use tower_cognito_local::UserPool;

/// The tokens of a sign-in by `InitiateAuth`.
pub(crate) struct ApiTokens {
    pub(crate) access: String,
    pub(crate) id: String,
}

/// Signs in with the password of the users in the examples.
pub(crate) async fn sign_in_through_api(pool: &UserPool, name: &str) -> ApiTokens {
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": name, "PASSWORD": "Correct-Horse-1" },
    });
    let request = reqwest::Client::new()
        .post(pool.endpoint())
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")
        .body(input.to_string());
    let response: Value = request.send().await.unwrap().json().await.unwrap();
    let token = |name: &str| {
        let token = response["AuthenticationResult"][name].as_str();
        token.unwrap_or_else(|| panic!("no {name}")).to_owned()
    };
    ApiTokens { access: token("AccessToken"), id: token("IdToken") }
}
