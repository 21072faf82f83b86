//! The custom authentication flow, in which triggers choose challenges and verify the answers.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_cognito_local::{Trigger, UserPool, UserPoolBuilder};

use crate::support::{
    admin::{Answer, PASSWORD, admin, error, is, on_user, set_password, user},
    cognito::call,
    function::{Function, Late, Outcome},
    srp::SrpClient,
};

/// Serves all three triggers at one URL. Two right answers sign the user in; the third wrong one fails the sign-in.
async fn quiz() -> Function {
    Function::answering(|_, mut event| {
        event["response"] = respond(&event);
        Outcome::Json(event)
    })
    .await
}

fn respond(event: &Value) -> Value {
    let request = &event["request"];
    let rounds = request["session"].as_array().cloned().unwrap_or_default();
    let custom: Vec<_> =
        rounds.iter().filter(|round| round["challengeName"] == "CUSTOM_CHALLENGE").collect();
    let right = custom.iter().filter(|round| round["challengeResult"] == true).count();
    match event["triggerSource"].as_str().unwrap() {
        "DefineAuthChallenge_Authentication" => {
            if rounds.len() == 1 && rounds[0]["challengeName"] == "SRP_A" {
                json!({ "challengeName": "PASSWORD_VERIFIER" })
            } else if right == 2 {
                json!({ "issueTokens": true, "failAuthentication": false })
            } else if custom.len() - right == 3 {
                json!({ "issueTokens": false, "failAuthentication": true })
            } else {
                json!({ "challengeName": "CUSTOM_CHALLENGE", "issueTokens": null })
            }
        }
        "CreateAuthChallenge_Authentication" => json!({
            "publicChallengeParameters": { "question": format!("{} + 1", custom.len()) },
            "privateChallengeParameters": { "answer": format!("{}", custom.len() + 1) },
            "challengeMetadata": format!("SUM-{}", custom.len()),
        }),
        "VerifyAuthChallengeResponse_Authentication" => {
            let expected = &request["privateChallengeParameters"]["answer"];
            json!({ "answerCorrect": request["challengeAnswer"] == *expected })
        }
        other => panic!("{other}"),
    }
}

fn with(function: &Function) -> UserPoolBuilder {
    [
        Trigger::DefineAuthChallenge,
        Trigger::CreateAuthChallenge,
        Trigger::VerifyAuthChallengeResponse,
    ]
    .into_iter()
    .fold(UserPool::builder(), |builder, trigger| builder.trigger_url(trigger, function.url()))
}

async fn begin(pool: &UserPool, name: &str) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "CUSTOM_AUTH",
        "AuthParameters": { "USERNAME": name },
        "ClientMetadata": { "step": "begin" },
    });
    call(pool, "InitiateAuth", input).await
}

async fn answer(pool: &UserPool, challenge: &Value, text: &str) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": "CUSTOM_CHALLENGE",
        "Session": challenge["Session"],
        "ChallengeResponses": {
            "USERNAME": challenge["ChallengeParameters"]["USERNAME"], "ANSWER": text,
        },
        "ClientMetadata": { "step": "answer" },
    });
    call(pool, "RespondToAuthChallenge", input).await
}

fn incorrect() -> (String, String) {
    is("NotAuthorizedException", "Incorrect username or password.")
}

fn session_expired() -> (String, String) {
    is("NotAuthorizedException", "Invalid session for the user, session is expired.")
}

#[tokio::test]
async fn right_answers_lead_to_tokens() {
    let function = quiz().await;
    let pool = with(&function).start().await.unwrap();
    user(&pool, "jane").await;
    let first = begin(&pool, "jane").await.unwrap();
    assert_eq!(first["ChallengeName"], "CUSTOM_CHALLENGE");
    let expected = json!({ "USERNAME": "jane", "question": "0 + 1" });
    assert_eq!(
        first["ChallengeParameters"], expected,
        "private parameters must not reach the client"
    );
    assert!(!first.to_string().contains("SUM"));

    let second = answer(&pool, &first, "7").await.unwrap();
    assert_ne!(second["Session"], first["Session"]);
    let third = answer(&pool, &second, "2").await.unwrap();
    assert_eq!(third["ChallengeParameters"]["question"], "2 + 1");
    let result = answer(&pool, &third, "3").await.unwrap();
    let token = result["AuthenticationResult"]["AccessToken"].as_str().unwrap();
    let claims = pool.verifier().build().unwrap().verify(token).await.unwrap();
    assert_eq!(claims.username(), Some("jane"));

    let last = function.events().pop().unwrap();
    assert_eq!(last["triggerSource"], "DefineAuthChallenge_Authentication");
    let round = |number: usize, result: bool| {
        json!({
            "challengeName": "CUSTOM_CHALLENGE",
            "challengeResult": result,
            "challengeMetadata": format!("SUM-{number}"),
        })
    };
    let request = &last["request"];
    assert_eq!(request["session"], json!([round(0, false), round(1, true), round(2, true)]));
    assert_eq!(request["userNotFound"], false);
    assert!(request["userAttributes"]["sub"].is_string());
    assert_eq!(request["clientMetadata"], json!({ "step": "answer" }));
    // Client metadata of `InitiateAuth` goes to the pre sign-up and pre authentication triggers only.
    assert_eq!(function.events()[0]["request"].get("clientMetadata"), None);
    assert_eq!(function.events()[0]["request"]["session"], json!([]));
    let created = &function.events()[1];
    assert_eq!(created["request"]["challengeName"], "CUSTOM_CHALLENGE");
}

#[tokio::test]
async fn wrong_answers_fail_the_sign_in_when_the_trigger_decides() {
    let pool = with(&quiz().await).start().await.unwrap();
    user(&pool, "jane").await;
    let mut challenge = begin(&pool, "jane").await.unwrap();
    for _ in 0..2 {
        challenge = answer(&pool, &challenge, "wrong").await.unwrap();
    }
    assert_eq!(error(answer(&pool, &challenge, "wrong").await), incorrect());
    assert_eq!(error(answer(&pool, &challenge, "3").await), session_expired());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn challenge_accepts_only_one_answer() {
    let function = quiz().await;
    let pool = Arc::new(with(&function).start().await.unwrap());
    user(&pool, "jane").await;
    let challenge = begin(&pool, "jane").await.unwrap();
    let before = function.count();
    let mut tries = JoinSet::new();
    for number in 0..12 {
        let (pool, challenge) = (Arc::clone(&pool), challenge.clone());
        tries.spawn(async move { answer(&pool, &challenge, &number.to_string()).await });
    }
    let answers = tries.join_all().await;
    let (continued, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((continued.len(), refused.len()), (1, 11));
    assert!(refused.into_iter().all(|answer| error(answer) == session_expired()));
    assert_eq!(
        function.count() - before,
        3,
        "only one answer may be verified and followed by a challenge"
    );
}

#[tokio::test]
async fn challenge_is_bound_to_its_session_and_user() {
    let pool = with(&quiz().await).start().await.unwrap();
    user(&pool, "jane").await;
    user(&pool, "john").await;
    let challenge = begin(&pool, "jane").await.unwrap();
    let mut stolen = challenge.clone();
    stolen["ChallengeParameters"]["USERNAME"] = json!("john");
    assert_eq!(error(answer(&pool, &stolen, "1").await), session_expired());
    for (member, value) in [
        ("Session", json!("AYABeIcCcK9Q2lWvBfk0b0SBxl0AHQABAAdTZXJ2aWNl")),
        ("ChallengeName", json!("SOFTWARE_TOKEN_MFA")),
        ("ChallengeName", json!("NEW_PASSWORD_REQUIRED")),
    ] {
        let mut input = json!({
            "ClientId": pool.client_id(),
            "ChallengeName": "CUSTOM_CHALLENGE",
            "Session": challenge["Session"],
            "ChallengeResponses": {
                "USERNAME": "jane",
                "ANSWER": "1",
                "SOFTWARE_TOKEN_MFA_CODE": "123456",
                "NEW_PASSWORD": PASSWORD,
            },
        });
        input[member] = value;
        assert_eq!(
            error(call(&pool, "RespondToAuthChallenge", input).await),
            session_expired(),
            "{member}"
        );
    }
    pool.advance(std::time::Duration::from_secs(3 * 60));
    assert_eq!(
        error(answer(&pool, &challenge, "1").await),
        session_expired(),
        "a challenge expires after three minutes"
    );
}

#[tokio::test]
async fn unknown_user_gets_challenges_but_never_tokens() {
    let function = quiz().await;
    let pool = with(&function).start().await.unwrap();
    let first = begin(&pool, "nobody").await.unwrap();
    assert_eq!(first["ChallengeParameters"], json!({ "USERNAME": "nobody", "question": "0 + 1" }));
    assert_eq!(function.events()[0]["request"]["userNotFound"], true);
    assert_eq!(function.events()[0]["request"]["userAttributes"], json!({}));
    let second = answer(&pool, &first, "1").await.unwrap();
    // The sign-in also fails if a user with that name is created in the meantime.
    user(&pool, "nobody").await;
    assert_eq!(error(answer(&pool, &second, "2").await), incorrect());
}

#[tokio::test]
async fn legacy_client_reports_an_unknown_user() {
    let function = quiz().await;
    let toml = "[[aws_cognito_user_pool_client]]\nprevent_user_existence_errors = \"LEGACY\"\n";
    let config = tower_cognito_local::Config::from_toml(toml).unwrap();
    let pool = with(&function).config(config).start().await.unwrap();
    let user_not_found = is("UserNotFoundException", "User does not exist.");
    assert_eq!(error(begin(&pool, "nobody").await), user_not_found);
    assert_eq!(function.count(), 0);
}

#[tokio::test]
async fn disabled_and_unconfirmed_users_are_rejected_with_the_reason() {
    let pool = with(&quiz().await).start().await.unwrap();
    user(&pool, "jane").await;
    on_user(&pool, "AdminDisableUser", "jane").await.unwrap();
    let disabled = is("NotAuthorizedException", "User is disabled.");
    assert_eq!(error(begin(&pool, "jane").await), disabled);
    let input = json!({ "ClientId": pool.client_id(), "Username": "john", "Password": PASSWORD });
    call(&pool, "SignUp", input).await.unwrap();
    let unconfirmed = is("UserNotConfirmedException", "User is not confirmed.");
    assert_eq!(error(begin(&pool, "john").await), unconfirmed);
}

#[tokio::test]
async fn number_of_challenges_is_limited() {
    let function = Function::answering(|_, mut event| {
        event["response"] = json!({ "challengeName": "CUSTOM_CHALLENGE", "answerCorrect": true });
        Outcome::Json(event)
    })
    .await;
    let pool = with(&function).start().await.unwrap();
    user(&pool, "jane").await;
    let mut challenge = begin(&pool, "jane").await.unwrap();
    let mut rounds = 0;
    let refusal = loop {
        match answer(&pool, &challenge, "x").await {
            Ok(next) => challenge = next,
            Err(refusal) => break refusal,
        }
        rounds += 1;
        assert!(rounds < 100);
    };
    assert_eq!(refusal, incorrect());
}

#[tokio::test]
async fn custom_auth_without_triggers_is_rejected() {
    let message = "Custom auth lambda trigger is not configured for the user pool.";
    let expected = is("InvalidParameterException", message);
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    assert_eq!(error(begin(&pool, "jane").await), expected);
    assert_eq!(error(begin(&pool, "nobody").await), expected);
    let define = quiz().await;
    let pool = UserPool::builder().trigger_url(Trigger::DefineAuthChallenge, define.url());
    let pool = pool.start().await.unwrap();
    user(&pool, "jane").await;
    assert_eq!(error(begin(&pool, "jane").await), expected);
}

#[tokio::test]
async fn invalid_trigger_responses_are_rejected() {
    let unrecognizable = is("InvalidLambdaResponseException", "Unrecognizable lambda output");
    for response in [
        json!({}),
        json!({ "challengeName": "SMS_MFA" }),
        json!({ "challengeName": 7 }),
        json!({ "issueTokens": "yes" }),
    ] {
        let pool = with(&Function::responding(response.clone()).await).start().await.unwrap();
        user(&pool, "jane").await;
        assert_eq!(error(begin(&pool, "jane").await), unrecognizable, "{response}");
    }
    // `failAuthentication` takes precedence.
    let response = json!({ "failAuthentication": true, "issueTokens": true });
    let pool = with(&Function::responding(response).await).start().await.unwrap();
    user(&pool, "jane").await;
    assert_eq!(error(begin(&pool, "jane").await), incorrect());
    // A trigger may issue tokens at once, but not for an unknown user.
    let response = json!({ "issueTokens": true });
    let pool = with(&Function::responding(response).await).start().await.unwrap();
    user(&pool, "jane").await;
    assert!(begin(&pool, "jane").await.unwrap()["AuthenticationResult"].is_object());
    assert_eq!(error(begin(&pool, "nobody").await), incorrect());
    // The trigger asks for a password, but the client sent no `SRP_A`.
    let response = json!({ "challengeName": "PASSWORD_VERIFIER" });
    let pool = with(&Function::responding(response).await).start().await.unwrap();
    user(&pool, "jane").await;
    let missing = is("InvalidParameterException", "Missing required parameter SRP_A");
    assert_eq!(error(begin(&pool, "jane").await), missing);
}

#[tokio::test]
async fn user_changed_during_verification_gets_no_tokens() {
    for (operation, more) in [
        ("AdminDeleteUser", json!({})),
        ("AdminDisableUser", json!({})),
        ("AdminSetUserPassword", json!({ "Password": "Another-Horse-2", "Permanent": true })),
    ] {
        let mut input = json!({ "Username": "jane" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let late = Late::default();
        let verify = Arc::clone(&late);
        let function = Function::running(move |_, mut event| {
            let (late, input) = (Arc::clone(&verify), input.clone());
            async move {
                let is_answer = event["request"]["challengeAnswer"].is_string();
                event["response"] = if is_answer {
                    admin(late.get().unwrap(), operation, input).await.unwrap();
                    json!({ "answerCorrect": true })
                } else if event["request"]["session"] == json!([]) {
                    json!({ "challengeName": "CUSTOM_CHALLENGE" })
                } else {
                    json!({ "issueTokens": true })
                };
                Outcome::Json(event)
            }
        })
        .await;
        let pool = Arc::new(with(&function).start().await.unwrap());
        late.set(Arc::clone(&pool)).unwrap();
        user(&pool, "jane").await;
        let challenge = begin(&pool, "jane").await.unwrap();
        assert_eq!(error(answer(&pool, &challenge, "x").await), incorrect(), "{operation}");
    }
}

#[tokio::test]
async fn password_change_ends_a_challenge() {
    let pool = with(&quiz().await).start().await.unwrap();
    user(&pool, "jane").await;
    let challenge = begin(&pool, "jane").await.unwrap();
    set_password(&pool, "jane", "Another-Horse-2", true).await.unwrap();
    assert_eq!(error(answer(&pool, &challenge, "1").await), session_expired());
}

async fn begin_with_password(pool: &UserPool, name: &str, client: &SrpClient) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "CUSTOM_AUTH",
        "AuthParameters": {
            "USERNAME": name, "CHALLENGE_NAME": "SRP_A", "SRP_A": client.public,
        },
    });
    call(pool, "InitiateAuth", input).await
}

async fn prove(pool: &UserPool, client: &SrpClient, challenge: &Value, text: &str) -> Answer {
    let (_, pool_name) = pool.id().as_str().split_once('_').unwrap();
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeResponses": client.answers(pool_name, challenge, text),
    });
    call(pool, "RespondToAuthChallenge", input).await
}

#[tokio::test]
async fn password_verification_can_precede_custom_challenges() {
    let function = quiz().await;
    let pool = with(&function).start().await.unwrap();
    user(&pool, "jane").await;
    let client = SrpClient::new();
    let challenge = begin_with_password(&pool, "jane", &client).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "PASSWORD_VERIFIER");
    let round = |name: &str| json!({ "challengeName": name, "challengeResult": true, "challengeMetadata": null });
    assert_eq!(function.events()[0]["request"]["session"], json!([round("SRP_A")]));

    let first = prove(&pool, &client, &challenge, PASSWORD).await.unwrap();
    assert_eq!(first["ChallengeName"], "CUSTOM_CHALLENGE");
    let after_password = json!([round("SRP_A"), round("PASSWORD_VERIFIER")]);
    assert_eq!(function.events()[1]["request"]["session"], after_password);
    let second = answer(&pool, &first, "1").await.unwrap();
    let result = answer(&pool, &second, "2").await.unwrap();
    assert!(result["AuthenticationResult"]["AccessToken"].is_string());
    let rounds = function.events().pop().unwrap()["request"]["session"].clone();
    assert_eq!(
        rounds.as_array().unwrap().len(),
        4,
        "the session must list all rounds, with those of the password"
    );
}

#[tokio::test]
async fn wrong_password_leads_to_no_challenge() {
    let function = quiz().await;
    let pool = with(&function).start().await.unwrap();
    user(&pool, "jane").await;
    for name in ["jane", "nobody"] {
        let client = SrpClient::new();
        let challenge = begin_with_password(&pool, name, &client).await.unwrap();
        let before = function.count();
        let answer = prove(&pool, &client, &challenge, "Wrong-Horse-1").await;
        assert_eq!(error(answer), incorrect());
        assert_eq!(error(prove(&pool, &client, &challenge, PASSWORD).await), session_expired());
        assert_eq!(function.count(), before);
    }
}
