//! The custom message trigger.

use serde_json::{Value, json};
use tower_cognito_local::{Trigger, UserPool};

use crate::support::{
    admin::{PASSWORD, admin, messages, on_user, pool_of, sign_in, tokens, user},
    cognito::call,
    function::{Function, Outcome},
};

/// A trigger that writes its source and the user name into each message.
async fn writer() -> Function {
    Function::answering(|_, mut event| {
        let source = event["triggerSource"].as_str().unwrap().to_owned();
        let place = event["request"]["codeParameter"].as_str().unwrap().to_owned();
        let name = event["request"]["usernameParameter"].as_str().unwrap_or("you").to_owned();
        let body = format!("{source} for {name}: {place}");
        event["response"] =
            json!({ "emailMessage": body, "smsMessage": body, "emailSubject": source });
        Outcome::Json(event)
    })
    .await
}

async fn with_writer() -> (UserPool, Function) {
    let function = writer().await;
    let pool = UserPool::builder().trigger_url(Trigger::CustomMessage, function.url());
    (pool.start().await.unwrap(), function)
}

async fn newest(pool: &UserPool, name: &str) -> Value {
    messages(pool, name).await[0].clone()
}

/// Asserts that the newest message is the trigger's, with the code in the place of its parameter.
async fn assert_written(pool: &UserPool, source: &str, name: &str) {
    let message = newest(pool, "jane").await;
    let code = message["code"].as_str().unwrap();
    assert!(!code.is_empty());
    assert_eq!(message["body"], format!("{source} for {name}: {code}"));
    if message["medium"] == "EMAIL" {
        assert_eq!(message["subject"], source);
    }
}

#[tokio::test]
async fn trigger_writes_every_message() {
    let (pool, function) = with_writer().await;
    let with = |more: Value| {
        let mut input = json!({
            "ClientId": pool.client_id(),
            "Username": "jane",
            "ClientMetadata": { "language": "en" },
        });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let email = json!([{ "Name": "email", "Value": "jane@example.com" }]);
    let input = with(json!({ "Password": PASSWORD, "UserAttributes": email }));
    call(&pool, "SignUp", input).await.unwrap();
    assert_written(&pool, "CustomMessage_SignUp", "you").await;

    call(&pool, "ResendConfirmationCode", with(json!({}))).await.unwrap();
    assert_written(&pool, "CustomMessage_ResendCode", "you").await;
    let code = newest(&pool, "jane").await["code"].clone();
    let input = with(json!({ "ConfirmationCode": code }));
    call(&pool, "ConfirmSignUp", input).await.unwrap();

    call(&pool, "ForgotPassword", with(json!({}))).await.unwrap();
    assert_written(&pool, "CustomMessage_ForgotPassword", "you").await;

    let token = tokens(&pool, "jane").await["AccessToken"].clone();
    let email = json!([{ "Name": "email", "Value": "jane@example.org" }]);
    let input = with(json!({ "AccessToken": token, "UserAttributes": email }));
    call(&pool, "UpdateUserAttributes", input).await.unwrap();
    assert_written(&pool, "CustomMessage_UpdateUserAttribute", "you").await;
    assert_eq!(newest(&pool, "jane").await["destination"], "jane@example.org");

    let input = with(json!({ "AccessToken": token, "AttributeName": "email" }));
    call(&pool, "GetUserAttributeVerificationCode", input).await.unwrap();
    assert_written(&pool, "CustomMessage_VerifyUserAttribute", "you").await;

    for event in function.events() {
        let request = &event["request"];
        assert_eq!(request["clientMetadata"], json!({ "language": "en" }));
        assert_eq!(request["codeParameter"], "{####}");
        assert_eq!(request["usernameParameter"], Value::Null);
        assert!(request["userAttributes"]["sub"].is_string());
        assert_eq!(event["callerContext"]["clientId"], pool.client_id());
    }
    let update = &function.events()[3]["request"]["userAttributes"];
    assert_eq!([&update["email"], &update["email_verified"]], ["jane@example.org", "false"]);
}

#[tokio::test]
async fn trigger_writes_invitations_and_admin_reset_messages() {
    let (pool, function) = with_writer().await;
    let email = json!([
        { "Name": "email", "Value": "jane@example.com" },
        { "Name": "email_verified", "Value": "true" },
    ]);
    let input = json!({ "Username": "jane", "UserAttributes": email });
    admin(&pool, "AdminCreateUser", input).await.unwrap();
    assert_written(&pool, "CustomMessage_AdminCreateUser", "jane").await;
    let first = newest(&pool, "jane").await["code"].as_str().unwrap().to_owned();
    let answer = sign_in(&pool, "jane", &first).await.unwrap();
    assert_eq!(answer["ChallengeName"], "NEW_PASSWORD_REQUIRED");

    let input = json!({ "Username": "jane", "MessageAction": "RESEND" });
    admin(&pool, "AdminCreateUser", input).await.unwrap();
    assert_written(&pool, "CustomMessage_AdminCreateUser", "jane").await;

    let input = json!({ "Username": "jane", "Password": PASSWORD, "Permanent": true });
    admin(&pool, "AdminSetUserPassword", input).await.unwrap();
    on_user(&pool, "AdminResetUserPassword", "jane").await.unwrap();
    assert_written(&pool, "CustomMessage_ForgotPassword", "you").await;
    for event in function.events() {
        assert_eq!(event["callerContext"]["clientId"], "CLIENT_ID_NOT_APPLICABLE");
    }
}

#[tokio::test]
async fn trigger_writes_mfa_messages() {
    let (pool, function) = with_writer().await;
    user(&pool, "jane").await;
    let phone = json!([
        { "Name": "phone_number", "Value": "+15550123456" },
        { "Name": "phone_number_verified", "Value": "true" },
    ]);
    let input = json!({ "Username": "jane", "UserAttributes": phone });
    admin(&pool, "AdminUpdateUserAttributes", input).await.unwrap();
    let sms = json!({ "Enabled": true, "PreferredMfa": true });
    let input = json!({ "Username": "jane", "SMSMfaSettings": sms });
    admin(&pool, "AdminSetUserMFAPreference", input).await.unwrap();
    let answer = sign_in(&pool, "jane", PASSWORD).await.unwrap();
    assert_eq!(answer["ChallengeName"], "SMS_MFA");
    assert_written(&pool, "CustomMessage_Authentication", "you").await;
    assert_eq!(function.count(), 1);
    let code = newest(&pool, "jane").await["code"].clone();
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": "SMS_MFA",
        "Session": answer["Session"],
        "ChallengeResponses": { "USERNAME": "jane", "SMS_MFA_CODE": code },
    });
    call(&pool, "RespondToAuthChallenge", input).await.unwrap();
}

#[tokio::test]
async fn text_without_the_required_placeholders_is_ignored() {
    for response in [
        json!({}),
        json!({ "emailMessage": null, "emailSubject": null }),
        json!({ "emailMessage": "Welcome!" }),
        json!({ "emailMessage": "Your password is {####}." }),
        json!({ "smsMessage": "{username} {####}" }),
    ] {
        let function = Function::responding(response.clone()).await;
        let pool = UserPool::builder().trigger_url(Trigger::CustomMessage, function.url());
        let pool = pool.start().await.unwrap();
        let email = json!([{ "Name": "email", "Value": "jane@example.com" }]);
        let input = json!({ "Username": "jane", "UserAttributes": email });
        admin(&pool, "AdminCreateUser", input).await.unwrap();
        let message = newest(&pool, "jane").await;
        let code = message["code"].as_str().unwrap();
        let expected = format!("Your username is jane and temporary password is {code}.");
        assert_eq!(message["body"], expected, "{response}");
        assert_eq!(message["subject"], "Your temporary password");
    }
}

#[tokio::test]
async fn failing_trigger_aborts_the_operation() {
    let function = Function::failing("no template").await;
    let pool = UserPool::builder().trigger_url(Trigger::CustomMessage, function.url());
    let pool = pool.start().await.unwrap();
    let email = json!([{ "Name": "email", "Value": "jane@example.com" }]);
    let input = json!({ "Username": "jane", "UserAttributes": email });
    let (name, message) = admin(&pool, "AdminCreateUser", input).await.unwrap_err();
    assert_eq!(name, "UserLambdaValidationException");
    assert_eq!(message, "CustomMessage failed with error no template.");
    on_user(&pool, "AdminGetUser", "jane").await.unwrap_err();
    assert!(messages(&pool, "jane").await.is_empty());
}

#[tokio::test]
async fn trigger_does_not_run_if_no_message_is_sent() {
    let function = writer().await;
    let toml = format!(
        "[aws_cognito_user_pool]\nauto_verified_attributes = []\n\
         [aws_cognito_user_pool.lambda_config]\ncustom_message = \"{}\"\n",
        function.url()
    );
    let pool = pool_of(&toml).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "jane", "Password": PASSWORD,
    });
    call(&pool, "SignUp", input).await.unwrap();
    let input = json!({ "ClientId": pool.client_id(), "Username": "nobody" });
    call(&pool, "ForgotPassword", input).await.unwrap();
    assert_eq!(function.count(), 0);
}
