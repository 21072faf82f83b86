//! The events of all triggers, each compared as a whole. Code that reads a member which Cognito sends as null, or does
//! not send, must also fail here.

use serde_json::{Value, json};
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    admin::{PASSWORD, admin, last_code, on_user},
    cognito::call,
    function::{Function, Outcome},
};

const TRIGGERS: [Trigger; 10] = [
    Trigger::PreSignUp,
    Trigger::PostConfirmation,
    Trigger::PreAuthentication,
    Trigger::PostAuthentication,
    Trigger::CustomMessage,
    Trigger::DefineAuthChallenge,
    Trigger::CreateAuthChallenge,
    Trigger::VerifyAuthChallengeResponse,
    Trigger::PreTokenGeneration,
    Trigger::UserMigration,
];

/// A pool whose triggers all call one function.
async fn pool_with(toml: &str, function: &Function) -> UserPool {
    let builder = UserPool::builder().config(Config::from_toml(toml).unwrap());
    let set = |builder: tower_cognito_local::UserPoolBuilder, trigger| {
        builder.trigger_url(trigger, function.url())
    };
    TRIGGERS.into_iter().fold(builder, set).start().await.unwrap()
}

/// A function that signs users in after one custom challenge, and knows all users.
async fn function() -> Function {
    Function::answering(|_, mut event| {
        let rounds = event["request"]["session"].as_array().map_or(0, Vec::len);
        let response = match event["triggerSource"].as_str().unwrap() {
            "DefineAuthChallenge_Authentication" if rounds == 0 => {
                json!({ "challengeName": "CUSTOM_CHALLENGE" })
            }
            "DefineAuthChallenge_Authentication" => json!({ "issueTokens": true }),
            "CreateAuthChallenge_Authentication" => json!({
                "publicChallengeParameters": { "question": "1 + 1" },
                "privateChallengeParameters": { "answer": "2" },
            }),
            "VerifyAuthChallengeResponse_Authentication" => json!({ "answerCorrect": true }),
            "UserMigration_Authentication" | "UserMigration_ForgotPassword" => json!({
                "userAttributes": { "email": "old@example.com", "email_verified": "true" },
                "finalUserStatus": "CONFIRMED",
                "messageAction": "SUPPRESS",
            }),
            _ => event["response"].take(),
        };
        event["response"] = response;
        Outcome::Json(event)
    })
    .await
}

/// Runs every trigger, with or without the client's metadata and validation data.
async fn run_all(pool: &UserPool, metadata: &Value) {
    let given = |mut input: Value| {
        input["ClientId"] = json!(pool.client_id());
        if !metadata.is_null() {
            input["ClientMetadata"] = metadata.clone();
        }
        input
    };
    let email = json!([{ "Name": "email", "Value": "jane@example.com" }]);
    let mut input =
        given(json!({ "Username": "jane", "Password": PASSWORD, "UserAttributes": email }));
    if !metadata.is_null() {
        input["ValidationData"] = json!([{ "Name": "invitation", "Value": "7" }]);
    }
    call(pool, "SignUp", input).await.unwrap();
    let code = last_code(pool, "jane").await;
    let input = given(json!({ "Username": "jane", "ConfirmationCode": code }));
    call(pool, "ConfirmSignUp", input).await.unwrap();
    for name in ["jane", "old"] {
        let parameters = json!({ "USERNAME": name, "PASSWORD": PASSWORD });
        let flow = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters });
        call(pool, "InitiateAuth", given(flow)).await.unwrap();
    }
    let flow = json!({ "AuthFlow": "CUSTOM_AUTH", "AuthParameters": { "USERNAME": "jane" } });
    let challenge = call(pool, "InitiateAuth", given(flow)).await.unwrap();
    let answer = given(json!({
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": challenge["Session"],
        "ChallengeResponses": { "USERNAME": "jane", "ANSWER": "2" },
    }));
    call(pool, "RespondToAuthChallenge", answer).await.unwrap();
    call(pool, "ForgotPassword", given(json!({ "Username": "older" }))).await.unwrap();
    let mut input = given(json!({ "Username": "john", "UserAttributes": email }));
    input.as_object_mut().unwrap().remove("ClientId");
    admin(pool, "AdminCreateUser", input).await.unwrap();
}

/// Returns the first event of each source. The user's `sub` is replaced by a placeholder.
fn first_event(function: &Function, source: &str) -> Value {
    let mut events = function.events().into_iter();
    let event = events.find(|event| event["triggerSource"] == source);
    let mut event = event.unwrap_or_else(|| panic!("no event {source}"));
    if let Some(sub) = event["request"]["userAttributes"].get_mut("sub") {
        assert_eq!(sub.as_str().map(str::len), Some(36), "{source}");
        *sub = json!("SUB");
    }
    event
}

#[tokio::test]
async fn events_have_the_members_and_nulls_of_cognito() {
    let function = function().await;
    let pool = pool_with("", &function).await;
    run_all(&pool, &Value::Null).await;

    let sent = json!({ "email": "jane@example.com" });
    let unconfirmed = json!({
        "sub": "SUB", "email": "jane@example.com", "email_verified": "false",
        "cognito:user_status": "UNCONFIRMED",
    });
    let mut invited = unconfirmed.clone();
    invited["cognito:user_status"] = json!("FORCE_CHANGE_PASSWORD");
    let confirmed = json!({
        "sub": "SUB", "email": "jane@example.com", "email_verified": "true",
        "cognito:user_status": "CONFIRMED",
    });
    let may_confirm =
        json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false });
    let text = json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null });
    let migrated = json!({
        "userAttributes": null, "forceAliasCreation": null, "finalUserStatus": null,
        "messageAction": null, "desiredDeliveryMediums": null, "enableSMSMFA": null,
    });
    let client = pool.client_id();
    let admin = "CLIENT_ID_NOT_APPLICABLE";
    for (source, name, client, request, response) in [
        (
            "PreSignUp_SignUp",
            "jane",
            client,
            json!({ "userAttributes": sent, "validationData": null }),
            may_confirm.clone(),
        ),
        (
            "PreSignUp_AdminCreateUser",
            "john",
            admin,
            json!({ "userAttributes": sent, "validationData": null }),
            may_confirm,
        ),
        (
            "CustomMessage_SignUp",
            "jane",
            client,
            json!({
                "userAttributes": unconfirmed, "codeParameter": "{####}",
                "linkParameter": "{##Click Here##}", "usernameParameter": null,
            }),
            text.clone(),
        ),
        (
            "CustomMessage_AdminCreateUser",
            "john",
            admin,
            json!({
                "userAttributes": invited, "codeParameter": "{####}",
                "linkParameter": "{##Click Here##}", "usernameParameter": "{username}",
            }),
            text,
        ),
        (
            "PostConfirmation_ConfirmSignUp",
            "jane",
            client,
            json!({ "userAttributes": confirmed }),
            json!({}),
        ),
        (
            "PreAuthentication_Authentication",
            "jane",
            client,
            json!({ "userAttributes": confirmed, "validationData": null, "userNotFound": false }),
            json!({}),
        ),
        (
            "PostAuthentication_Authentication",
            "jane",
            client,
            json!({ "userAttributes": confirmed, "newDeviceUsed": false }),
            json!({}),
        ),
        (
            "DefineAuthChallenge_Authentication",
            "jane",
            client,
            json!({ "userAttributes": confirmed, "session": [], "userNotFound": false }),
            json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null }),
        ),
        (
            "CreateAuthChallenge_Authentication",
            "jane",
            client,
            json!({
                "userAttributes": confirmed, "challengeName": "CUSTOM_CHALLENGE", "session": [],
                "userNotFound": false,
            }),
            json!({
                "publicChallengeParameters": null, "privateChallengeParameters": null,
                "challengeMetadata": null,
            }),
        ),
        (
            "VerifyAuthChallengeResponse_Authentication",
            "jane",
            client,
            json!({
                "userAttributes": confirmed, "privateChallengeParameters": { "answer": "2" },
                "challengeAnswer": "2", "userNotFound": false,
            }),
            json!({ "answerCorrect": null }),
        ),
        (
            "TokenGeneration_Authentication",
            "jane",
            client,
            json!({
                "userAttributes": confirmed,
                "groupConfiguration": {
                    "groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null,
                },
            }),
            json!({ "claimsOverrideDetails": null }),
        ),
        (
            "UserMigration_Authentication",
            "old",
            client,
            json!({ "password": PASSWORD, "validationData": null, "userAttributes": null }),
            migrated.clone(),
        ),
        (
            "UserMigration_ForgotPassword",
            "older",
            client,
            json!({ "password": null, "validationData": null, "userAttributes": null }),
            migrated,
        ),
    ] {
        let expected = json!({
            "version": "1",
            "triggerSource": source,
            "region": "us-east-1",
            "userPoolId": pool.id().as_str(),
            "userName": name,
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client },
            "request": request,
            "response": response,
        });
        assert_eq!(first_event(&function, source), expected);
    }
    let events = function.events();
    let mut rounds = events.iter().map(|event| event["request"]["session"].clone());
    let last = rounds.rfind(Value::is_array).unwrap();
    let round = json!({
        "challengeName": "CUSTOM_CHALLENGE", "challengeResult": true, "challengeMetadata": null,
    });
    assert_eq!(last, json!([round]));
}

#[tokio::test]
async fn metadata_reaches_the_triggers_that_receive_it_in_cognito() {
    let function = function().await;
    let pool = pool_with("", &function).await;
    let metadata = json!({ "page": "first" });
    run_all(&pool, &metadata).await;
    let member = |source: &str, name: &str| {
        first_event(&function, source)["request"].get(name).cloned().unwrap_or(json!("absent"))
    };
    for source in [
        "PreSignUp_SignUp",
        "PreSignUp_AdminCreateUser",
        "CustomMessage_SignUp",
        "CustomMessage_AdminCreateUser",
        "PostConfirmation_ConfirmSignUp",
        "VerifyAuthChallengeResponse_Authentication",
        "UserMigration_ForgotPassword",
    ] {
        assert_eq!(member(source, "clientMetadata"), metadata, "{source}");
    }
    // These triggers receive no metadata of `InitiateAuth`.
    for source in [
        "PreAuthentication_Authentication",
        "PostAuthentication_Authentication",
        "DefineAuthChallenge_Authentication",
        "CreateAuthChallenge_Authentication",
        "TokenGeneration_Authentication",
        "UserMigration_Authentication",
    ] {
        assert_eq!(member(source, "clientMetadata"), "absent", "{source}");
    }
    assert_eq!(member("PreSignUp_SignUp", "validationData"), json!({ "invitation": "7" }));
    for source in ["PreAuthentication_Authentication", "UserMigration_Authentication"] {
        assert_eq!(member(source, "validationData"), metadata, "{source}");
    }
}

#[tokio::test]
async fn contact_that_users_sign_in_with_is_also_an_alias() {
    for (setting, expected) in [
        ("username_attributes = [\"email\"]", json!("jane@example.com")),
        ("alias_attributes = [\"email\"]", json!("jane@example.com")),
        ("alias_attributes = [\"phone_number\"]", Value::Null),
        ("", Value::Null),
    ] {
        let function = function().await;
        let toml =
            format!("[aws_cognito_user_pool]\nauto_verified_attributes = [\"email\"]\n{setting}\n");
        let pool = pool_with(&toml, &function).await;
        let name = if setting.starts_with("username") { "jane@example.com" } else { "jane" };
        let email = json!([{ "Name": "email", "Value": "jane@example.com" }]);
        let input = json!({
            "ClientId": pool.client_id(), "Username": name, "Password": PASSWORD,
            "UserAttributes": email,
        });
        call(&pool, "SignUp", input).await.unwrap();
        on_user(&pool, "AdminConfirmSignUp", name).await.unwrap();
        let verified = json!([{ "Name": "email_verified", "Value": "true" }]);
        let input = json!({ "Username": name, "UserAttributes": verified });
        admin(&pool, "AdminUpdateUserAttributes", input).await.unwrap();
        let flow = json!({
            "ClientId": pool.client_id(), "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": { "USERNAME": name, "PASSWORD": PASSWORD },
        });
        call(&pool, "InitiateAuth", flow).await.unwrap();
        let alias = |source: &str| {
            first_event(&function, source)["request"]["userAttributes"]["cognito:email_alias"]
                .clone()
        };
        assert_eq!(alias("PostAuthentication_Authentication"), expected, "{setting}");
        assert_eq!(alias("PreSignUp_SignUp"), Value::Null, "{setting}");
    }
}

#[tokio::test]
async fn only_clients_that_hide_users_get_events_with_user_not_found() {
    for (setting, expected) in [("ENABLED", Some(json!(false))), ("LEGACY", None)] {
        let function = function().await;
        let toml = format!(
            "[[aws_cognito_user_pool_client]]\nprevent_user_existence_errors = \"{setting}\"\n"
        );
        let pool = pool_with(&toml, &function).await;
        run_all(&pool, &Value::Null).await;
        for source in [
            "PreAuthentication_Authentication",
            "DefineAuthChallenge_Authentication",
            "CreateAuthChallenge_Authentication",
            "VerifyAuthChallengeResponse_Authentication",
        ] {
            let event = first_event(&function, source);
            assert_eq!(event["request"].get("userNotFound"), expected.as_ref(), "{source}");
        }
    }
}
