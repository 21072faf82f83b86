//! The user migration trigger, which brings users of another system into the pool.

use std::sync::Arc;

use serde_json::{Value, json};
use tower_cognito_local::{Trigger, UserPool};

use crate::support::{
    admin::{
        PASSWORD, admin, attributes, error, is, last_code, messages, on_user, pool_of,
        set_password, sign_in, tokens, user,
    },
    cognito::call,
    function::{Function, Late, Outcome},
};

/// A trigger that accepts every user with the password [`PASSWORD`].
async fn knowing(status: &'static str) -> Function {
    Function::answering(move |_, mut event| {
        let password = &event["request"]["password"];
        if !password.is_null() && password != PASSWORD {
            return Outcome::Json(json!({ "errorMessage": "Bad password" }));
        }
        let name = event["userName"].as_str().unwrap().to_owned();
        event["response"] = json!({
            "userAttributes": { "email": format!("{name}@example.com"), "email_verified": "true" },
            "finalUserStatus": status,
            "messageAction": "SUPPRESS",
        });
        Outcome::Json(event)
    })
    .await
}

async fn with(function: &Function) -> UserPool {
    UserPool::builder().trigger_url(Trigger::UserMigration, function.url()).start().await.unwrap()
}

async fn responding(response: Value) -> UserPool {
    with(&Function::responding(response).await).await
}

fn user_not_found() -> (String, String) {
    is("UserNotFoundException", "User does not exist.")
}

fn wrong_password() -> (String, String) {
    is("NotAuthorizedException", "Incorrect username or password.")
}

#[tokio::test]
async fn first_sign_in_migrates_the_user_permanently() {
    let function = knowing("CONFIRMED").await;
    let pool = with(&function).await;
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "jane", "PASSWORD": PASSWORD },
        "ClientMetadata": { "from": "old" },
    });
    let answer = call(&pool, "InitiateAuth", input).await.unwrap();
    assert!(answer["AuthenticationResult"]["AccessToken"].is_string());
    let [event] = function.events().try_into().unwrap();
    assert_eq!(event["triggerSource"], "UserMigration_Authentication");
    assert_eq!(event["userName"], "jane");
    assert_eq!(
        event["request"],
        json!({
            "password": PASSWORD, "validationData": { "from": "old" }, "userAttributes": null,
        })
    );
    let jane = on_user(&pool, "AdminGetUser", "jane").await.unwrap();
    assert_eq!(jane["UserStatus"], "CONFIRMED");
    let stored = attributes(&pool, "jane").await;
    assert_eq!([&stored["email"], &stored["email_verified"]], ["jane@example.com", "true"]);
    assert!(messages(&pool, "jane").await.is_empty());

    tokens(&pool, "jane").await;
    assert_eq!(error(sign_in(&pool, "jane", "wrong").await), wrong_password());
    assert_eq!(function.count(), 1);
    let input = json!({
        "UserPoolId": pool.id().as_str(),
        "ClientId": pool.client_id(),
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "john", "PASSWORD": PASSWORD },
    });
    call(&pool, "AdminInitiateAuth", input).await.unwrap();
}

#[tokio::test]
async fn user_that_the_trigger_does_not_know_does_not_exist() {
    let function = knowing("CONFIRMED").await;
    let pool = with(&function).await;
    let message = "UserMigration failed with error Bad password.";
    let refused = is("UserLambdaValidationException", message);
    assert_eq!(error(sign_in(&pool, "jane", "wrong").await), refused);
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());

    let empty = json!({ "userAttributes": {}, "finalUserStatus": "CONFIRMED" });
    let pool = responding(empty).await;
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), wrong_password());
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());

    let function = Function::doing_nothing().await;
    let pool = with(&function).await;
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), wrong_password());
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_SRP_AUTH",
        "AuthParameters": { "USERNAME": "jane", "SRP_A": "abcdef" },
    });
    call(&pool, "InitiateAuth", input).await.unwrap();
    assert_eq!(function.count(), 1, "SRP sends no password, so the trigger must not run");
}

#[tokio::test]
async fn migrated_user_that_must_reset_the_password_chooses_one() {
    let email = json!({ "email": "jane@example.com", "email_verified": "true" });
    for status in [json!("RESET_REQUIRED"), Value::Null] {
        let response = json!({
            "userAttributes": email, "finalUserStatus": status, "messageAction": "SUPPRESS",
        });
        let pool = responding(response).await;
        let reset = "Password reset required for the user";
        let reset = is("PasswordResetRequiredException", reset);
        assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), reset);
        let input = json!({ "ClientId": pool.client_id(), "Username": "jane" });
        call(&pool, "ForgotPassword", input).await.unwrap();
        let input = json!({
            "ClientId": pool.client_id(),
            "Username": "jane",
            "ConfirmationCode": last_code(&pool, "jane").await,
            "Password": "Another-Horse-2",
        });
        call(&pool, "ConfirmForgotPassword", input).await.unwrap();
        sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
    }
}

#[tokio::test]
async fn forgotten_password_migrates_the_user() {
    let function = knowing("CONFIRMED").await;
    let pool = with(&function).await;
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": "jane",
        "ClientMetadata": { "from": "old" },
    });
    let answer = call(&pool, "ForgotPassword", input.clone()).await.unwrap();
    assert_eq!(answer["CodeDeliveryDetails"]["Destination"], "j***@e***");
    let [event] = function.events().try_into().unwrap();
    assert_eq!(event["triggerSource"], "UserMigration_ForgotPassword");
    let expected = json!({
        "password": null,
        "validationData": null,
        "userAttributes": null,
        "clientMetadata": { "from": "old" },
    });
    assert_eq!(event["request"], expected);
    assert_eq!(
        error(sign_in(&pool, "jane", PASSWORD).await),
        wrong_password(),
        "no password may be set yet"
    );
    let confirm = json!({
        "ClientId": pool.client_id(),
        "Username": "jane",
        "ConfirmationCode": last_code(&pool, "jane").await,
        "Password": "Another-Horse-2",
    });
    call(&pool, "ConfirmForgotPassword", confirm).await.unwrap();
    sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
    call(&pool, "ForgotPassword", input).await.unwrap();
    assert_eq!(function.count(), 1);
}

#[tokio::test]
async fn migration_does_not_overwrite_an_existing_user() {
    // While the trigger runs, an administrator creates the same user with another password.
    let late = Late::default();
    let pool_of_trigger = Arc::clone(&late);
    let function = Function::running(move |_, mut event| {
        let late = Arc::clone(&pool_of_trigger);
        async move {
            let pool = late.get().unwrap();
            user(pool, "jane").await;
            set_password(pool, "jane", "Another-Horse-2", true).await.unwrap();
            event["response"] = json!({
                "userAttributes": { "name": "Someone else" },
                "finalUserStatus": "CONFIRMED",
                "messageAction": "SUPPRESS",
            });
            Outcome::Json(event)
        }
    })
    .await;
    let pool = Arc::new(with(&function).await);
    late.set(Arc::clone(&pool)).unwrap();
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), wrong_password());
    assert_eq!(attributes(&pool, "jane").await.get("name"), None);
    sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
}

#[tokio::test]
async fn alias_moves_to_the_migrated_user_only_if_the_trigger_forces_it() {
    for (force, expected) in [(false, Some("AliasExistsException")), (true, None)] {
        let function = Function::responding(json!({
            "userAttributes": {
                "email": "shared@example.com", "email_verified": "true", "username": "jane",
            },
            "finalUserStatus": "CONFIRMED",
            "messageAction": "SUPPRESS",
            "forceAliasCreation": force,
        }))
        .await;
        let pool = pool_of(&format!(
            "[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n\
             [aws_cognito_user_pool.lambda_config]\nuser_migration = \"{}\"\n",
            function.url()
        ))
        .await;
        let email = json!([
            { "Name": "email", "Value": "shared@example.com" },
            { "Name": "email_verified", "Value": "true" },
        ]);
        let input = json!({ "Username": "old", "UserAttributes": email });
        admin(&pool, "AdminCreateUser", input).await.unwrap();
        let answer = sign_in(&pool, "jane", PASSWORD).await;
        assert_eq!(answer.err().map(|(name, _)| name).as_deref(), expected);
        let verified = attributes(&pool, "old").await["email_verified"].clone();
        assert_eq!(verified, if force { "false" } else { "true" });
        assert_eq!(on_user(&pool, "AdminGetUser", "jane").await.is_ok(), force);
    }
}

#[tokio::test]
async fn migrated_user_with_an_email_user_name_has_that_email() {
    let function = Function::responding(json!({
        "userAttributes": { "email_verified": "true" },
        "finalUserStatus": "CONFIRMED",
        "messageAction": "SUPPRESS",
    }))
    .await;
    let pool = pool_of(&format!(
        "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n\
         [aws_cognito_user_pool.lambda_config]\nuser_migration = \"{}\"\n",
        function.url()
    ))
    .await;
    tokens(&pool, "jane@example.com").await;
    let jane = on_user(&pool, "AdminGetUser", "jane@example.com").await.unwrap();
    let stored = attributes(&pool, "jane@example.com").await;
    assert_eq!(stored["email"], "jane@example.com");
    assert_eq!(jane["Username"], stored["sub"]);
}

#[tokio::test]
async fn invalid_migrated_user_is_rejected() {
    let unrecognizable = "InvalidLambdaResponseException";
    for (response, expected) in [
        (
            json!({ "userAttributes": { "name": "J" }, "finalUserStatus": "ARCHIVED" }),
            unrecognizable,
        ),
        (json!({ "userAttributes": { "name": "J" }, "messageAction": "SHOUT" }), unrecognizable),
        (json!({ "userAttributes": { "email": 7 } }), unrecognizable),
        (json!({ "userAttributes": { "custom:unknown": "x" } }), "InvalidParameterException"),
        (json!({ "userAttributes": { "email": "none" } }), "InvalidParameterException"),
        (json!({ "userAttributes": { "sub": "mine" } }), "InvalidParameterException"),
    ] {
        let pool = responding(response.clone()).await;
        let (name, _) = error(sign_in(&pool, "jane", PASSWORD).await);
        assert_eq!(name, expected, "{response}");
        assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
    }
}

#[tokio::test]
async fn welcome_message_contains_no_password() {
    let pool = responding(json!({
        "userAttributes": { "email": "jane@example.com", "phone_number": "+15550123456" },
        "finalUserStatus": "CONFIRMED",
        "desiredDeliveryMediums": ["EMAIL"],
    }))
    .await;
    tokens(&pool, "jane").await;
    let [message] = messages(&pool, "jane").await.try_into().unwrap();
    assert_eq!([&message["medium"], &message["destination"]], ["EMAIL", "jane@example.com"]);
    assert!(!message.to_string().contains(PASSWORD));
}
