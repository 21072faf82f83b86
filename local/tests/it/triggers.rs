//! Lambda triggers, called at a URL or as closures.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    admin::{
        Answer, PASSWORD, admin, attributes, error, is, last_code, messages, on_user, refresh,
        sign_in, tokens, user,
    },
    cognito::call,
    function::{Function, Late, Outcome},
};

async fn with(trigger: Trigger, function: &Function) -> UserPool {
    UserPool::builder().trigger_url(trigger, function.url()).start().await.unwrap()
}

async fn sign_up(pool: &UserPool, name: &str) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": name,
        "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": format!("{name}@example.com") }],
        "ValidationData": [{ "Name": "invitation", "Value": "12" }],
        "ClientMetadata": { "page": "first", "nothing": null },
    });
    call(pool, "SignUp", input).await
}

async fn confirm(pool: &UserPool, name: &str, code: &str) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": name,
        "ConfirmationCode": code,
        "ClientMetadata": { "page": "second" },
    });
    call(pool, "ConfirmSignUp", input).await
}

async fn forgot(pool: &UserPool, name: &str) -> Answer {
    let input = json!({ "ClientId": pool.client_id(), "Username": name });
    call(pool, "ForgotPassword", input).await
}

fn refused(trigger: &str, text: &str) -> (String, String) {
    is("UserLambdaValidationException", &format!("{trigger} failed with error {text}."))
}

fn timed_out(trigger: &str) -> (String, String) {
    let why = "Socket timeout while invoking Lambda function";
    let message = format!("{trigger} invocation failed due to error {why}.");
    is("UnexpectedLambdaException", &message)
}

fn unrecognizable() -> (String, String) {
    is("InvalidLambdaResponseException", "Unrecognizable lambda output")
}

fn user_not_found() -> (String, String) {
    is("UserNotFoundException", "User does not exist.")
}

#[tokio::test]
async fn trigger_receives_cognitos_event() {
    let function = Function::doing_nothing().await;
    let pool = with(Trigger::PreSignUp, &function).await;
    sign_up(&pool, "jane").await.unwrap();
    let expected = json!({
        "version": "1",
        "triggerSource": "PreSignUp_SignUp",
        "region": "us-east-1",
        "userPoolId": pool.id().as_str(),
        "userName": "jane",
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": pool.client_id(),
        },
        "request": {
            "userAttributes": { "email": "jane@example.com" },
            "validationData": { "invitation": "12" },
            "clientMetadata": { "page": "first" },
        },
        "response": {
            "autoConfirmUser": false,
            "autoVerifyEmail": false,
            "autoVerifyPhone": false,
        },
    });
    assert_eq!(function.events(), [expected]);
}

#[tokio::test]
async fn trigger_rejects_a_sign_up_with_its_own_message() {
    let pool = UserPool::builder()
        .on_pre_sign_up(|event| async move {
            let email = event.request.user_attributes.get("email").cloned().unwrap_or_default();
            if email.ends_with("@example.com") { Err("no such host".into()) } else { Ok(event) }
        })
        .start()
        .await
        .unwrap();
    assert_eq!(error(sign_up(&pool, "jane").await), refused("PreSignUp", "no such host"));
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
    assert!(messages(&pool, "jane").await.is_empty());
}

#[tokio::test]
async fn trigger_confirms_users_and_verifies_their_contacts() {
    let confirmed = Function::doing_nothing().await;
    let pool = UserPool::builder()
        .on_pre_sign_up(|mut event| async move {
            event.response.auto_confirm_user = true;
            event.response.auto_verify_email = true;
            Ok(event)
        })
        .trigger_url(Trigger::PostConfirmation, confirmed.url())
        .start()
        .await
        .unwrap();
    let answer = sign_up(&pool, "jane").await.unwrap();
    assert_eq!(answer, json!({ "UserConfirmed": true, "UserSub": answer["UserSub"] }));
    assert!(messages(&pool, "jane").await.is_empty(), "no verification code may be sent");
    sign_in(&pool, "jane", PASSWORD).await.unwrap();

    let [event] = confirmed.events().try_into().unwrap();
    assert_eq!(event["triggerSource"], "PostConfirmation_ConfirmSignUp");
    let expected = json!({
        "userAttributes": {
            "sub": answer["UserSub"],
            "email": "jane@example.com",
            "email_verified": "true",
            "cognito:user_status": "CONFIRMED",
        },
        "clientMetadata": { "page": "first" },
    });
    assert_eq!(event["request"], expected);
}

#[tokio::test]
async fn missing_contact_cannot_be_verified_by_a_trigger() {
    let function = Function::responding(json!({ "autoVerifyPhone": true })).await;
    let pool = with(Trigger::PreSignUp, &function).await;
    assert_eq!(error(sign_up(&pool, "jane").await), unrecognizable());
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
}

#[tokio::test]
async fn trigger_can_reject_but_not_confirm_an_invitation() {
    let pool = UserPool::builder()
        .on_pre_sign_up(|mut event| async move {
            let header = &event.cognito_event_user_pools_header;
            if header.user_name.as_deref() == Some("mallory") {
                return Err("not you".into());
            }
            assert_eq!(event.request.validation_data["desk"], "4");
            assert_eq!(event.request.client_metadata["page"], "admin");
            assert_eq!(
                header.caller_context.client_id.as_deref(),
                Some("CLIENT_ID_NOT_APPLICABLE")
            );
            event.response.auto_confirm_user = true;
            event.response.auto_verify_email = true;
            Ok(event)
        })
        .start()
        .await
        .unwrap();
    let invite = async |name: &str| {
        let input = json!({
            "Username": name,
            "UserAttributes": [{ "Name": "email", "Value": format!("{name}@example.com") }],
            "ValidationData": [{ "Name": "desk", "Value": "4" }],
            "ClientMetadata": { "page": "admin" },
        });
        admin(&pool, "AdminCreateUser", input).await
    };
    let made = invite("jane").await.unwrap();
    assert_eq!(made["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD");
    assert_eq!(attributes(&pool, "jane").await["email_verified"], "false");
    assert_eq!(error(invite("mallory").await), refused("PreSignUp", "not you"));
    assert_eq!(error(on_user(&pool, "AdminGetUser", "mallory").await), user_not_found());
}

#[tokio::test]
async fn post_confirmation_runs_once_per_confirmation() {
    let function = Function::doing_nothing().await;
    let pool = with(Trigger::PostConfirmation, &function).await;
    sign_up(&pool, "jane").await.unwrap();
    confirm(&pool, "jane", "000000").await.unwrap_err();
    assert_eq!(function.count(), 0, "a wrong code must not run the trigger");
    confirm(&pool, "jane", &last_code(&pool, "jane").await).await.unwrap();

    forgot(&pool, "jane").await.unwrap();
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": "jane",
        "ConfirmationCode": last_code(&pool, "jane").await,
        "Password": "Another-Horse-2",
    });
    call(&pool, "ConfirmForgotPassword", input).await.unwrap();

    sign_up(&pool, "john").await.unwrap();
    on_user(&pool, "AdminConfirmSignUp", "john").await.unwrap();
    assert_eq!(
        function.sources(),
        [
            "PostConfirmation_ConfirmSignUp",
            "PostConfirmation_ConfirmForgotPassword",
            "PostConfirmation_ConfirmSignUp",
        ]
    );
    assert_eq!(function.events()[0]["request"]["clientMetadata"], json!({ "page": "second" }));
    assert_eq!(function.events()[2]["userName"], "john");
}

#[tokio::test]
async fn failing_post_confirmation_trigger_does_not_undo_the_confirmation() {
    let function = Function::failing("the database is down").await;
    let pool = with(Trigger::PostConfirmation, &function).await;
    sign_up(&pool, "jane").await.unwrap();
    let answer = confirm(&pool, "jane", &last_code(&pool, "jane").await).await;
    assert_eq!(error(answer), refused("PostConfirmation", "the database is down"));
    sign_in(&pool, "jane", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn code_is_consumed_before_the_post_confirmation_trigger_runs() {
    let (started, has_started) = oneshot::channel();
    let (go, can_continue) = oneshot::channel::<()>();
    let hooks = Arc::new(std::sync::Mutex::new(Some((started, can_continue))));
    let pool = UserPool::builder()
        .on_post_confirmation(move |event| {
            let hooks = hooks.lock().unwrap().take();
            async move {
                let (started, can_continue) = hooks.expect("the trigger ran more than once");
                started.send(()).unwrap();
                can_continue.await.unwrap();
                Ok(event)
            }
        })
        .start()
        .await
        .unwrap();
    sign_up(&pool, "jane").await.unwrap();
    let code = last_code(&pool, "jane").await;
    let first = confirm(&pool, "jane", &code);
    let second = async {
        has_started.await.unwrap();
        let answer = confirm(&pool, "jane", &code).await;
        go.send(()).unwrap();
        answer
    };
    let (first, second) = tokio::join!(first, second);
    first.unwrap();
    let message = "User cannot be confirmed. Current status is CONFIRMED";
    assert_eq!(error(second), is("NotAuthorizedException", message));
}

#[tokio::test]
async fn pre_authentication_runs_before_the_password_is_checked() {
    let function = Function::doing_nothing().await;
    let pool = with(Trigger::PreAuthentication, &function).await;
    let jane = user(&pool, "jane").await;
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "jane", "PASSWORD": "wrong" },
        "ClientMetadata": { "device": "7" },
    });
    call(&pool, "InitiateAuth", input).await.unwrap_err();
    let [event] = function.events().try_into().unwrap();
    assert_eq!(event["triggerSource"], "PreAuthentication_Authentication");
    assert_eq!(event["userName"], "jane");
    let request = &event["request"];
    assert_eq!(request["validationData"], json!({ "device": "7" }));
    assert_eq!(request["userNotFound"], false);
    assert_eq!(request["userAttributes"]["sub"], jane["Attributes"][0]["Value"]);

    let result = tokens(&pool, "jane").await;
    refresh(&pool, &result).await.unwrap();
    assert_eq!(function.count(), 2, "a refresh must not run the trigger");

    let unknown = error(sign_in(&pool, "nobody", PASSWORD).await);
    assert_eq!(unknown, is("NotAuthorizedException", "Incorrect username or password."));
    let request = &function.events()[2]["request"];
    assert_eq!(
        *request,
        json!({
            "userAttributes": {}, "validationData": null, "userNotFound": true,
        })
    );
}

#[tokio::test]
async fn pre_authentication_rejects_an_srp_sign_in_at_its_start() {
    let function = Function::failing("closed on Sundays").await;
    let pool = with(Trigger::PreAuthentication, &function).await;
    user(&pool, "jane").await;
    for (flow, parameters) in [
        ("USER_SRP_AUTH", json!({ "USERNAME": "jane", "SRP_A": "abcdef" })),
        ("USER_PASSWORD_AUTH", json!({ "USERNAME": "jane", "PASSWORD": PASSWORD })),
        ("USER_PASSWORD_AUTH", json!({ "USERNAME": "nobody", "PASSWORD": PASSWORD })),
    ] {
        let input = json!({
            "ClientId": pool.client_id(), "AuthFlow": flow, "AuthParameters": parameters,
        });
        let answer = call(&pool, "InitiateAuth", input).await;
        assert_eq!(error(answer), refused("PreAuthentication", "closed on Sundays"), "{flow}");
    }
}

#[tokio::test]
async fn post_authentication_can_reject_a_sign_in() {
    let function = Function::answering(|number, event| match number {
        1 => Outcome::Json(event),
        _ => Outcome::Json(json!({ "errorMessage": "too often" })),
    })
    .await;
    let pool = with(Trigger::PostAuthentication, &function).await;
    user(&pool, "jane").await;
    sign_in(&pool, "jane", "wrong").await.unwrap_err();
    assert_eq!(function.count(), 0);
    let result = tokens(&pool, "jane").await;
    refresh(&pool, &result).await.unwrap();
    assert_eq!(function.sources(), ["PostAuthentication_Authentication"]);
    assert_eq!(function.events()[0]["request"]["newDeviceUsed"], false);
    assert_eq!(function.events()[0]["request"].get("clientMetadata"), None);

    let answer = sign_in(&pool, "jane", PASSWORD).await;
    assert_eq!(error(answer), refused("PostAuthentication", "too often"));
}

/// Starts a pool whose trigger calls an admin operation on it.
async fn with_concurrent_operation(
    trigger: Trigger,
    operation: &'static str,
    input: Value,
) -> Arc<UserPool> {
    let late = Late::default();
    let function = Function::calling(&late, operation, input).await;
    let pool = Arc::new(with(trigger, &function).await);
    late.set(Arc::clone(&pool)).unwrap();
    pool
}

#[tokio::test]
async fn user_deleted_or_disabled_while_a_trigger_runs_gets_no_tokens() {
    for trigger in [
        Trigger::PreAuthentication,
        Trigger::PostAuthentication,
        Trigger::PreTokenGeneration,
        Trigger::PreTokenGenerationV2,
    ] {
        for operation in ["AdminDeleteUser", "AdminDisableUser"] {
            let pool =
                with_concurrent_operation(trigger, operation, json!({ "Username": "jane" })).await;
            user(&pool, "jane").await;
            let (name, _) = error(sign_in(&pool, "jane", PASSWORD).await);
            assert_eq!(name, "NotAuthorizedException", "{trigger:?} {operation}");
        }
    }
    // The same applies to a global sign-out, which includes the sign-in in progress.
    let input = json!({ "Username": "jane" });
    let pool = with_concurrent_operation(
        Trigger::PreTokenGeneration,
        "AdminUserGlobalSignOut",
        input.clone(),
    )
    .await;
    user(&pool, "jane").await;
    sign_in(&pool, "jane", PASSWORD).await.unwrap_err();
    sign_in(&pool, "jane", PASSWORD).await.unwrap();
    let pool =
        with_concurrent_operation(Trigger::PreTokenGeneration, "AdminDeleteUser", input).await;
    user(&pool, "jane").await;
    sign_in(&pool, "jane", PASSWORD).await.unwrap_err();
    user(&pool, "jane").await;
    sign_in(&pool, "jane", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn password_replaced_while_a_trigger_runs_is_rejected() {
    for trigger in [Trigger::PreAuthentication, Trigger::PostAuthentication] {
        let input = json!({ "Username": "jane", "Password": "Another-Horse-2", "Permanent": true });
        let late = Late::default();
        let function = Function::calling(&late, "AdminSetUserPassword", input).await;
        let pool = Arc::new(with(trigger, &function).await);
        late.set(Arc::clone(&pool)).unwrap();
        user(&pool, "jane").await;
        let old = error(sign_in(&pool, "jane", PASSWORD).await);
        let wrong = is("NotAuthorizedException", "Incorrect username or password.");
        assert_eq!(old, wrong, "{trigger:?}");
        sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
    }
}

#[tokio::test]
async fn no_code_is_sent_if_the_user_changes_while_the_message_trigger_runs() {
    let confirms = ("AdminConfirmSignUp", json!({ "Username": "jane" }));
    let moves = json!([{ "Name": "email", "Value": "new@example.com" }]);
    let moves = json!({ "Username": "jane", "UserAttributes": moves });
    let deletes = ("AdminDeleteUser", json!({ "Username": "jane" }));
    for ((operation, input), expected) in [
        (confirms, "InvalidParameterException"),
        (("AdminUpdateUserAttributes", moves), "TooManyRequestsException"),
        (deletes, ""),
    ] {
        let late = Late::default();
        let pool_of_trigger = Arc::clone(&late);
        let function = Function::running(move |_, event| {
            let (late, input) = (Arc::clone(&pool_of_trigger), input.clone());
            async move {
                if event["triggerSource"] == "CustomMessage_ResendCode" {
                    admin(late.get().unwrap(), operation, input).await.unwrap();
                }
                Outcome::Json(event)
            }
        })
        .await;
        let pool = Arc::new(with(Trigger::CustomMessage, &function).await);
        late.set(Arc::clone(&pool)).unwrap();
        sign_up(&pool, "jane").await.unwrap();
        let before = messages(&pool, "jane").await.len();
        let input = json!({ "ClientId": pool.client_id(), "Username": "jane" });
        let answer = call(&pool, "ResendConfirmationCode", input).await;
        let name = answer.err().map(|(name, _)| name).unwrap_or_default();
        assert_eq!(name, expected, "{operation}");
        let sent = messages(&pool, "jane").await;
        let to_old = sent.iter().filter(|one| one["destination"] == "jane@example.com").count();
        assert_eq!(to_old, before, "{operation}");
    }
}

#[tokio::test]
async fn attribute_update_fails_if_the_user_changed_in_the_meantime() {
    let moves = |email: &str| json!([{ "Name": "email", "Value": email }]);
    for (meanwhile, expected) in [
        // The other update was completed first: the address is already set, and its code was sent.
        (("AdminUpdateUserAttributes", Some("new@example.com")), "TooManyRequestsException"),
        (("AdminDisableUser", None), "NotAuthorizedException"),
        (("AdminDeleteUser", None), "UserNotFoundException"),
    ] {
        let (operation, email) = meanwhile;
        let mut input = json!({ "Username": "jane" });
        if let Some(email) = email {
            input["UserAttributes"] = moves(email);
        }
        let pool = with_concurrent_operation(Trigger::CustomMessage, operation, input).await;
        user(&pool, "jane").await;
        let token = tokens(&pool, "jane").await["AccessToken"].clone();
        let input = json!({ "AccessToken": token, "UserAttributes": moves("new@example.com") });
        let answer = call(&pool, "UpdateUserAttributes", input).await;
        assert_eq!(error(answer).0, expected, "{operation}");
        // A code is sent only for the change that succeeded.
        let sent = messages(&pool, "jane").await.len();
        assert_eq!(sent, usize::from(email.is_some()), "{operation}");
    }
}

#[tokio::test]
async fn address_that_is_no_longer_verified_cannot_reset_a_password() {
    let email = |verified: &str| {
        json!([
            { "Name": "email", "Value": "jane@example.com" },
            { "Name": "email_verified", "Value": verified },
        ])
    };
    let input = json!({ "Username": "jane", "UserAttributes": email("false") });
    for by_admin in [false, true] {
        let concurrent = ("AdminUpdateUserAttributes", input.clone());
        let pool =
            with_concurrent_operation(Trigger::CustomMessage, concurrent.0, concurrent.1).await;
        user(&pool, "jane").await;
        let proven = json!({ "Username": "jane", "UserAttributes": email("true") });
        admin(&pool, "AdminUpdateUserAttributes", proven).await.unwrap();
        if by_admin {
            let (name, _) = error(on_user(&pool, "AdminResetUserPassword", "jane").await);
            assert_eq!(name, "InvalidParameterException");
        } else {
            // The same response as for an unknown user.
            forgot(&pool, "jane").await.unwrap();
        }
        assert!(messages(&pool, "jane").await.is_empty());
        sign_in(&pool, "jane", PASSWORD).await.unwrap();
    }
}

#[tokio::test]
async fn no_code_is_sent_if_the_alias_moves_while_the_message_trigger_runs() {
    for (operation, source, is_confirmed) in [
        ("ForgotPassword", "CustomMessage_ForgotPassword", true),
        ("ResendConfirmationCode", "CustomMessage_ResendCode", false),
        ("AdminResetUserPassword", "CustomMessage_ForgotPassword", true),
    ] {
        let late = Late::default();
        let pool_of_trigger = Arc::clone(&late);
        // The alias of jane, who is disabled, becomes the alias of bob.
        let function = Function::running(move |_, event| {
            let pool = Arc::clone(&pool_of_trigger);
            async move {
                if event["triggerSource"] == source {
                    let pool = pool.get().unwrap();
                    on_user(pool, "AdminDisableUser", "jane").await.unwrap();
                    set_alias(pool, "jane", "jane-2").await;
                    set_alias(pool, "bob", "chief").await;
                }
                Outcome::Json(event)
            }
        })
        .await;
        let toml = format!(
            "[aws_cognito_user_pool]\nalias_attributes = [\"preferred_username\"]\n\
             auto_verified_attributes = [\"email\"]\n\
             [aws_cognito_user_pool.lambda_config]\ncustom_message = \"{}\"\n",
            function.url()
        );
        let config = Config::from_toml(&toml).unwrap();
        let pool = Arc::new(UserPool::builder().config(config).start().await.unwrap());
        late.set(Arc::clone(&pool)).unwrap();
        for name in ["jane", "bob"] {
            sign_up(&pool, name).await.unwrap();
            if is_confirmed {
                confirm(&pool, name, &last_code(&pool, name).await).await.unwrap();
            }
        }
        set_alias(&pool, "jane", "chief").await;
        let sent = messages(&pool, "jane").await.len();
        let mut input = json!({ "Username": "chief" });
        let (name, _) = error(if operation.starts_with("Admin") {
            admin(&pool, operation, input).await
        } else {
            input["ClientId"] = json!(pool.client_id());
            call(&pool, operation, input).await
        });
        assert_eq!(name, "TooManyRequestsException", "{operation}");
        for name in ["jane", "bob"] {
            assert_eq!(messages(&pool, name).await.len(), sent, "{operation} {name}");
        }
    }
}

/// Sets the attribute that is an alias of the user.
async fn set_alias(pool: &UserPool, name: &str, alias: &str) {
    let list = json!([{ "Name": "preferred_username", "Value": alias }]);
    let input = json!({ "Username": name, "UserAttributes": list });
    admin(pool, "AdminUpdateUserAttributes", input).await.unwrap();
}

#[tokio::test]
async fn one_of_two_concurrent_sign_ups_past_the_trigger_succeeds() {
    let late = Late::default();
    let function = Function::calling(&late, "AdminCreateUser", json!({ "Username": "jane" }));
    let pool = Arc::new(with(Trigger::CustomMessage, &function.await).await);
    late.set(Arc::clone(&pool)).unwrap();
    assert_eq!(error(sign_up(&pool, "jane").await).0, "UsernameExistsException");
    let there = on_user(&pool, "AdminGetUser", "jane").await.unwrap();
    assert_eq!(there["UserStatus"], "FORCE_CHANGE_PASSWORD");
}

#[tokio::test]
async fn trigger_that_does_not_respond_is_called_three_times() {
    const LIMIT: Duration = Duration::from_secs(3600);
    let (called, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let function = Function::answering(move |number, _| {
        called.send(number).unwrap();
        Outcome::Never
    })
    .await;
    let pool = UserPool::builder()
        .trigger_url(Trigger::PreSignUp, function.url())
        .trigger_time_limit(LIMIT)
        .start()
        .await
        .unwrap();
    let exceed_the_limit_of_each_call = async {
        loop {
            calls.recv().await;
            // The call has arrived, however long that took; now let its time limit pass.
            tokio::time::pause();
            tokio::time::advance(LIMIT).await;
            tokio::time::resume();
        }
    };
    let answer = tokio::select! {
        answer = sign_up(&pool, "jane") => answer,
        () = exceed_the_limit_of_each_call => unreachable!(),
    };
    assert_eq!(error(answer), timed_out("PreSignUp"));
    assert_eq!(function.count(), 3);

    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let pool = UserPool::builder()
        .on_pre_sign_up(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::pending()
        })
        .trigger_time_limit(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    assert_eq!(error(sign_up(&pool, "jane").await), timed_out("PreSignUp"));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
}

#[tokio::test(start_paused = true)]
async fn trigger_call_times_out_after_five_seconds() {
    let pool = UserPool::builder().on_pre_sign_up(|_| std::future::pending()).start().await;
    let pool = pool.unwrap();
    let started = tokio::time::Instant::now();
    assert_eq!(error(sign_up(&pool, "jane").await), timed_out("PreSignUp"));
    assert_eq!(started.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn response_to_a_retry_is_accepted() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let pool = UserPool::builder()
        .on_pre_sign_up(move |mut event| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                if number < 2 {
                    std::future::pending::<()>().await;
                }
                event.response.auto_confirm_user = true;
                Ok(event)
            }
        })
        .trigger_time_limit(Duration::from_millis(500))
        .start()
        .await
        .unwrap();
    assert_eq!(sign_up(&pool, "jane").await.unwrap()["UserConfirmed"], true);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn failing_trigger_is_not_retried() {
    let function = Function::failing("no").await;
    let pool = with(Trigger::PreSignUp, &function).await;
    assert_eq!(error(sign_up(&pool, "jane").await), refused("PreSignUp", "no"));
    assert_eq!(function.count(), 1);
}

#[tokio::test]
async fn panic_in_a_closure_is_reported_as_a_trigger_error() {
    let pool = UserPool::builder()
        .on_pre_sign_up(|event| async move {
            assert!(event.request.validation_data.is_empty(), "no validation data");
            Ok(event)
        })
        .on_pre_authentication(|event| {
            assert!(event.request.user_attributes.is_empty(), "no user attributes");
            std::future::ready(Ok(event))
        })
        .start()
        .await
        .unwrap();
    assert_eq!(error(sign_up(&pool, "jane").await), refused("PreSignUp", "no validation data"));
    user(&pool, "jo").await;
    let answer = sign_in(&pool, "jo", PASSWORD).await;
    assert_eq!(error(answer), refused("PreAuthentication", "no user attributes"));
}

#[tokio::test]
async fn invalid_responses_of_a_function_are_reported() {
    let not_json = "Invalid lambda function output : Invalid JSON";
    let not_json = is("InvalidLambdaResponseException", not_json);
    let status = "PreSignUp invocation failed due to error the function responded with status 502.";
    let status = is("UnexpectedLambdaException", status);
    let long = format!("\"{}\"", "x".repeat(7 * 1024 * 1024));
    for (code, text, expected) in [
        (200, "", &not_json),
        (200, "<html>", &not_json),
        (200, long.as_str(), &not_json),
        (200, "null", &unrecognizable()),
        (200, "[]", &unrecognizable()),
        (200, "{}", &unrecognizable()),
        (200, r#"{"response": null}"#, &unrecognizable()),
        (200, r#"{"response": []}"#, &unrecognizable()),
        (200, r#"{"response": {"autoConfirmUser": "yes"}}"#, &unrecognizable()),
        (502, "down", &status),
        (502, r#"{"errorMessage": "out of memory"}"#, &refused("PreSignUp", "out of memory")),
        (200, r#"{"errorMessage": "no", "errorType": "E"}"#, &refused("PreSignUp", "no")),
    ] {
        let text = text.to_owned();
        let function = Function::answering(move |_, _| Outcome::Text(code, text.clone())).await;
        let pool = with(Trigger::PreSignUp, &function).await;
        assert_eq!(error(sign_up(&pool, "jane").await), *expected);
        assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
    }
    // Null members count as absent.
    let function = Function::responding(json!({ "autoConfirmUser": null })).await;
    let pool = with(Trigger::PreSignUp, &function).await;
    assert_eq!(sign_up(&pool, "jane").await.unwrap()["UserConfirmed"], false);
}

#[tokio::test]
async fn unreachable_function_is_reported() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let pool = UserPool::builder().trigger_url(Trigger::PreSignUp, url).start().await.unwrap();
    let (name, message) = error(sign_up(&pool, "jane").await);
    assert_eq!(name, "UnexpectedLambdaException");
    assert!(message.starts_with("PreSignUp invocation failed due to error "), "{message}");
    assert!(message.contains("refused"), "{message}");
}

#[tokio::test]
async fn url_without_a_path_gets_the_path_of_the_lambda_emulator() {
    let function = Function::doing_nothing().await;
    let emulator = "/2015-03-31/functions/function/invocations";
    for (path, expected) in [("", emulator), ("/", emulator), ("/hook", "/hook")] {
        let url = format!("{}{path}", function.url());
        let pool = UserPool::builder().trigger_url(Trigger::PreSignUp, url).start().await.unwrap();
        sign_up(&pool, "jane").await.unwrap();
        assert_eq!(function.paths().last().unwrap(), expected);
    }
}

#[tokio::test]
async fn invalid_trigger_url_is_rejected_at_startup() {
    for url in ["", "127.0.0.1:9000", "ftp://127.0.0.1", "arn:aws:lambda:us-east-1:1:function:f"] {
        let builder = UserPool::builder().trigger_url(Trigger::PreSignUp, url);
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("http://127.0.0.1:9000"), "{error}");
    }
}

#[tokio::test]
async fn each_closure_has_a_typed_event() {
    let pool = UserPool::builder()
        .on_pre_sign_up(|event| async move { Ok(event) })
        .on_post_confirmation(|event| async move { Ok(event) })
        .on_pre_authentication(|event| async move { Ok(event) })
        .on_post_authentication(|event| async move { Ok(event) })
        .on_pre_token_generation_v2(|event| async move { Ok(event) })
        .on_custom_message(|mut event| async move {
            let place = event.request.code_parameter.clone().unwrap_or_default();
            event.response.email_message = Some(format!("Type {place}"));
            Ok(event)
        })
        .on_define_auth_challenge(|mut event| async move {
            let last = event.request.session.last().and_then(Option::as_ref);
            event.response.issue_tokens = last.is_some_and(|round| round.challenge_result);
            event.response.challenge_name = Some("CUSTOM_CHALLENGE".to_owned());
            Ok(event)
        })
        .on_create_auth_challenge(|mut event| async move {
            let private = &mut event.response.private_challenge_parameters;
            private.insert("answer".to_owned(), "42".to_owned());
            Ok(event)
        })
        .on_verify_auth_challenge_response(|mut event| async move {
            let expected = event.request.private_challenge_parameters.get("answer").cloned();
            let answer = event.request.challenge_answer.as_ref().and_then(Value::as_str);
            event.response.answer_correct = answer == expected.as_deref();
            Ok(event)
        })
        .on_user_migration(|mut event| async move {
            let name = event.cognito_event_user_pools_header.user_name.clone();
            if name.as_deref() == Some("old") {
                let response = &mut event.cognito_event_user_pools_migrate_user_response;
                let attributes = &mut response.user_attributes;
                attributes.insert("email".to_owned(), "old@example.com".to_owned());
                response.final_user_status = Some("CONFIRMED".to_owned());
                response.message_action = Some("SUPPRESS".to_owned());
            }
            Ok(event)
        })
        .start()
        .await
        .unwrap();
    sign_up(&pool, "jane").await.unwrap();
    let message = messages(&pool, "jane").await[0].clone();
    let code = message["code"].as_str().unwrap();
    assert_eq!(message["body"], format!("Type {code}"));
    confirm(&pool, "jane", code).await.unwrap();
    sign_in(&pool, "jane", PASSWORD).await.unwrap();
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "CUSTOM_AUTH",
        "AuthParameters": { "USERNAME": "jane" },
    });
    let challenge = call(&pool, "InitiateAuth", input).await.unwrap();
    assert!(!challenge.to_string().contains("42"));
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": challenge["Session"],
        "ChallengeResponses": { "USERNAME": "jane", "ANSWER": "42" },
    });
    let result = call(&pool, "RespondToAuthChallenge", input).await.unwrap();
    assert!(result["AuthenticationResult"].is_object());
    sign_in(&pool, "old", PASSWORD).await.unwrap();
    sign_in(&pool, "nobody", PASSWORD).await.unwrap_err();
    assert_eq!(error(on_user(&pool, "AdminGetUser", "nobody").await), user_not_found());
}

#[tokio::test]
async fn configuration_names_triggers_like_terraform() {
    let function = Function::responding(json!({ "autoConfirmUser": true })).await;
    let toml =
        format!("[aws_cognito_user_pool.lambda_config]\npre_sign_up = \"{}\"\n", function.url());
    let config = Config::from_toml(&toml).unwrap();
    let pool = UserPool::builder().config(config.clone()).start().await.unwrap();
    assert_eq!(sign_up(&pool, "jane").await.unwrap()["UserConfirmed"], true);

    // The builder takes precedence over the configuration.
    let pool = UserPool::builder()
        .config(config)
        .on_pre_sign_up(|event| async move { Ok(event) })
        .start()
        .await
        .unwrap();
    assert_eq!(sign_up(&pool, "jane").await.unwrap()["UserConfirmed"], false);
    assert_eq!(function.count(), 1);

    for word in [
        "pre_sign_up",
        "custom_message",
        "post_confirmation",
        "pre_authentication",
        "post_authentication",
        "define_auth_challenge",
        "create_auth_challenge",
        "verify_auth_challenge_response",
        "pre_token_generation",
        "user_migration",
    ] {
        let toml =
            |value: &str| format!("[aws_cognito_user_pool.lambda_config]\n{word} = \"{value}\"\n");
        Config::from_toml(&toml("http://127.0.0.1:9000")).unwrap();
        let arn = "arn:aws:lambda:us-east-1:111122223333:function:f";
        let error = Config::from_toml(&toml(arn)).unwrap_err();
        assert_eq!(error.line(), 2);
        assert!(error.to_string().contains("expected the URL"), "{error}");
    }
}

#[tokio::test]
async fn api_sets_triggers_at_loopback_urls() {
    let site = UserPool::start().await.unwrap();
    let function = Function::failing("no").await;
    let arn = "arn:aws:lambda:us-east-1:111122223333:function:f";
    let config = json!({
        "PreSignUp": function.url(),
        "PostConfirmation": arn,
        "PreTokenGenerationConfig": { "LambdaVersion": "V2_0", "LambdaArn": arn },
        "KMSKeyID": "arn:aws:kms:us-east-1:111122223333:key/k",
    });
    let input = json!({ "PoolName": "other", "LambdaConfig": config });
    let made = call(&site, "CreateUserPool", input).await.unwrap();
    assert_eq!(
        made["UserPool"]["LambdaConfig"], config,
        "`LambdaConfig` must be returned as it was set"
    );
    let id = made["UserPool"]["Id"].clone();
    let input = json!({ "UserPoolId": id, "ClientName": "web" });
    let client = call(&site, "CreateUserPoolClient", input).await.unwrap();
    let client_id = client["UserPoolClient"]["ClientId"].clone();
    let sign_up = async |name: &str| {
        let input = json!({ "ClientId": client_id, "Username": name, "Password": PASSWORD });
        call(&site, "SignUp", input).await
    };
    assert_eq!(error(sign_up("jane").await), refused("PreSignUp", "no"));

    // An update without `LambdaConfig` keeps the triggers and reports them. One with it replaces them.
    call(&site, "UpdateUserPool", json!({ "UserPoolId": id })).await.unwrap();
    assert_eq!(error(sign_up("jane").await), refused("PreSignUp", "no"));
    let described = async || {
        let pools = call(&site, "ListUserPools", json!({ "MaxResults": 60 })).await.unwrap();
        let listed = pools["UserPools"].as_array().unwrap().iter().find(|pool| pool["Id"] == id);
        let listed = listed.unwrap()["LambdaConfig"].clone();
        let pool = call(&site, "DescribeUserPool", json!({ "UserPoolId": id })).await.unwrap();
        assert_eq!(pool["UserPool"]["LambdaConfig"], listed);
        listed
    };
    assert_eq!(described().await, config);
    for config in [json!({ "PreSignUp": arn }), json!({})] {
        let input = json!({ "UserPoolId": id, "LambdaConfig": config });
        call(&site, "UpdateUserPool", input).await.unwrap();
        sign_up(&format!("jane{config}").replace(['"', ' '], "")).await.unwrap();
        assert_eq!(described().await, config);
    }
    assert_eq!(function.count(), 2);
}

#[tokio::test]
async fn update_accepts_configured_triggers_at_other_urls() {
    let toml =
        "[aws_cognito_user_pool.lambda_config]\npre_sign_up = \"http://functions.example\"\n";
    let config = Config::from_toml(toml).unwrap();
    let pool = UserPool::builder().config(config).start().await.unwrap();
    let update = json!({ "UserPoolId": pool.id().as_str() });
    call(&pool, "UpdateUserPool", update).await.unwrap();
}

#[tokio::test]
async fn api_rejects_triggers_at_other_urls() {
    let pool = UserPool::start().await.unwrap();
    for value in [
        json!("http://functions.example"),
        json!("https://10.0.0.1/hook"),
        json!("http://127.0.0.1.example:9000"),
        json!("http://user@functions.example"),
        json!("ftp://127.0.0.1"),
        json!("127.0.0.1:9000"),
        json!(7),
        json!(["http://127.0.0.1:9000"]),
    ] {
        let expected =
            if value.is_string() { "InvalidParameterException" } else { "SerializationException" };
        for config in [
            json!({ "UserMigration": value }),
            json!({ "PreTokenGenerationConfig": { "LambdaArn": value, "LambdaVersion": "V1_0" } }),
        ] {
            let made = json!({ "PoolName": "other", "LambdaConfig": config });
            let changed = json!({ "UserPoolId": pool.id().as_str(), "LambdaConfig": config });
            for (operation, input) in [("CreateUserPool", made), ("UpdateUserPool", changed)] {
                let (name, _) = error(call(&pool, operation, input).await);
                assert_eq!(name, expected, "{operation} {config}");
            }
        }
    }
    for value in ["http://localhost:9000", "http://[::1]:9000", "http://127.0.0.1:9000/path"] {
        let config = json!({ "UserMigration": value });
        let input = json!({ "UserPoolId": pool.id().as_str(), "LambdaConfig": config });
        call(&pool, "UpdateUserPool", input).await.unwrap();
    }
}
