//! Multi-factor authentication: when a factor is required, single use of codes, and limits on guesses.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::{
    cognito::{
        Outcome, PASSWORD, call, error, has_tokens, is, messages, pool_with, respond, session_over,
        sign_in, srp_sign_in, token,
    },
    totp::PoolTime,
};

const MINUTE: Duration = Duration::from_secs(60);
const ON: &str = "[aws_cognito_user_pool]\nmfa_configuration = \"ON\"\n";

async fn access(pool: &UserPool, name: &str) -> String {
    token(&sign_in(pool, name, PASSWORD).await.unwrap(), "AccessToken")
}

async fn associate(pool: &UserPool, access: &str) -> String {
    let respond_with_code =
        call(pool, "AssociateSoftwareToken", json!({ "AccessToken": access })).await;
    respond_with_code.unwrap()["SecretCode"].as_str().unwrap().to_owned()
}

async fn verify(pool: &UserPool, access: &str, code: &str) -> Outcome {
    let input = json!({ "AccessToken": access, "UserCode": code, "FriendlyDeviceName": "phone" });
    call(pool, "VerifySoftwareToken", input).await
}

async fn prefer(pool: &UserPool, access: &str, settings: Value) -> Outcome {
    let mut input = settings;
    input["AccessToken"] = json!(access);
    call(pool, "SetUserMFAPreference", input).await
}

fn enabled_and_preferred() -> Value {
    json!({ "Enabled": true, "PreferredMfa": true })
}

/// Sets up and enables a software token. Returns its secret, an access token and the time; the next code is unused.
async fn with_token(pool: &UserPool, time: &mut PoolTime, name: &str) -> (String, String) {
    let access = access(pool, name).await;
    let secret = associate(pool, &access).await;
    assert_eq!(
        verify(pool, &access, &time.code(&secret, 0)).await.unwrap(),
        json!({ "Status": "SUCCESS" })
    );
    // Clients send null for settings that do not change.
    let settings =
        json!({ "SMSMfaSettings": null, "SoftwareTokenMfaSettings": enabled_and_preferred() });
    prefer(pool, &access, settings).await.unwrap();
    time.next_step(pool);
    (secret, access)
}

async fn respond_with_code(pool: &UserPool, challenge: &Value, name: &str, code: &str) -> Outcome {
    let kind = challenge["ChallengeName"].as_str().unwrap();
    let mut answers = json!({ "USERNAME": name });
    answers[format!("{kind}_CODE")] = json!(code);
    respond(pool, kind, &challenge["Session"], answers).await
}

#[tokio::test]
async fn user_with_a_software_token_signs_in_with_its_code() {
    let pool = pool_with("", &["alice"]).await;
    let mut time = PoolTime::inside_a_step(&pool);
    let (secret, access) = with_token(&pool, &mut time, "alice").await;
    assert_eq!(secret.len(), 52);
    let seen = call(&pool, "GetUser", json!({ "AccessToken": access })).await.unwrap();
    assert_eq!(seen["PreferredMfaSetting"], "SOFTWARE_TOKEN_MFA");
    assert_eq!(seen["UserMFASettingList"], json!(["SOFTWARE_TOKEN_MFA"]));

    let challenge = srp_sign_in(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "SOFTWARE_TOKEN_MFA");
    assert_eq!(challenge["ChallengeParameters"]["FRIENDLY_DEVICE_NAME"], "phone");
    assert_eq!(challenge["ChallengeParameters"]["USER_ID_FOR_SRP"], "alice");
    assert!(challenge.get("AuthenticationResult").is_none());
    let right = time.code(&secret, 0);
    for wrong in ["", "abcdef", &format!("{right}0"), &format!(" {right}")] {
        assert_eq!(
            error(respond_with_code(&pool, &challenge, "alice", wrong).await),
            is("CodeMismatchException", "Invalid code received for user")
        );
    }
    assert!(has_tokens(&respond_with_code(&pool, &challenge, "alice", &right).await));
    // The challenge is complete, and the code is used.
    assert_eq!(
        error(respond_with_code(&pool, &challenge, "alice", &time.code(&secret, 1)).await),
        session_over()
    );
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    let used = is("ExpiredCodeException", "Your software token has already been used once.");
    assert_eq!(error(respond_with_code(&pool, &challenge, "alice", &right).await), used);
    // A code older than a used one counts as used too.
    assert_eq!(
        error(respond_with_code(&pool, &challenge, "alice", &time.code(&secret, -1)).await),
        used
    );
    time.next_step(&pool);
    assert!(has_tokens(
        &respond_with_code(&pool, &challenge, "alice", &time.code(&secret, 0)).await
    ));
}

#[tokio::test]
async fn code_that_verified_a_token_cannot_be_used_to_sign_in() {
    let pool = pool_with(ON, &["alice"]).await;
    let time = PoolTime::inside_a_step(&pool);
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    let (secret, session) = set_up(&pool, &challenge["Session"]).await;
    let code = time.code(&secret, 0);
    verify_in(&pool, &session, &code).await.unwrap();
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "SOFTWARE_TOKEN_MFA");
    assert_eq!(
        error(respond_with_code(&pool, &challenge, "alice", &code).await).0,
        "ExpiredCodeException"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_uses_of_a_code_succeeds() {
    let pool = std::sync::Arc::new(pool_with("", &["alice"]).await);
    let mut time = PoolTime::inside_a_step(&pool);
    let (secret, _) = with_token(&pool, &mut time, "alice").await;
    let code = time.code(&secret, 0);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
        let (pool, code) = (std::sync::Arc::clone(&pool), code.clone());
        tries.spawn(async move {
            has_tokens(&respond_with_code(&pool, &challenge, "alice", &code).await)
        });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1);
}

#[tokio::test]
async fn wrong_codes_lock_the_account_like_wrong_passwords() {
    let pool = pool_with("", &["alice"]).await;
    let mut time = PoolTime::inside_a_step(&pool);
    let (secret, _) = with_token(&pool, &mut time, "alice").await;
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    for _ in 0..5 {
        assert_eq!(
            error(respond_with_code(&pool, &challenge, "alice", "wrong").await).0,
            "CodeMismatchException"
        );
    }
    let locked = is("NotAuthorizedException", "Password attempts exceeded");
    let right = time.code(&secret, 0);
    assert_eq!(error(respond_with_code(&pool, &challenge, "alice", &right).await), locked);
    assert_eq!(error(sign_in(&pool, "alice", PASSWORD).await), locked);
    time.advance(&pool, Duration::from_secs(1));
    // The right password alone does not reset the count of wrong codes.
    let again = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(
        error(respond_with_code(&pool, &again, "alice", "wrong").await).0,
        "CodeMismatchException"
    );
    assert_eq!(error(respond_with_code(&pool, &again, "alice", &right).await), locked);
    time.advance(&pool, Duration::from_secs(2));
    assert!(has_tokens(
        &respond_with_code(&pool, &challenge, "alice", &time.code(&secret, 0)).await
    ));
}

#[tokio::test]
async fn challenge_is_bound_to_its_client_and_user_and_expires() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\n[[aws_cognito_user_pool_client]]\nclient_id = \"other\"\n",
        &["alice", "bob"],
    )
    .await;
    let mut time = PoolTime::inside_a_step(&pool);
    let (secret, _) = with_token(&pool, &mut time, "alice").await;
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    let code = time.code(&secret, 0);
    let input = json!({
        "ClientId": "other",
        "ChallengeName": "SOFTWARE_TOKEN_MFA",
        "Session": challenge["Session"],
        "ChallengeResponses": { "USERNAME": "alice", "SOFTWARE_TOKEN_MFA_CODE": code },
    });
    assert_eq!(error(call(&pool, "RespondToAuthChallenge", input).await), session_over());
    for name in ["bob", "nobody"] {
        assert_eq!(error(respond_with_code(&pool, &challenge, name, &code).await), session_over());
    }
    // The name of another challenge is rejected.
    for kind in ["SMS_MFA", "EMAIL_OTP", "SELECT_MFA_TYPE", "MFA_SETUP", "NEW_PASSWORD_REQUIRED"] {
        let answers = json!({
            "USERNAME": "alice",
            "ANSWER": "SOFTWARE_TOKEN_MFA",
            "NEW_PASSWORD": PASSWORD,
            "SMS_MFA_CODE": code,
            "EMAIL_OTP_CODE": code,
        });
        let respond_with_code = respond(&pool, kind, &challenge["Session"], answers).await;
        assert_eq!(error(respond_with_code), session_over(), "{kind}");
    }
    time.advance(&pool, 3 * MINUTE);
    assert_eq!(
        error(respond_with_code(&pool, &challenge, "alice", &time.code(&secret, 0)).await),
        session_over()
    );
}

#[tokio::test]
async fn challenge_ends_when_the_user_is_disabled_or_changes_the_password() {
    let pool = pool_with("", &["alice"]).await;
    let mut time = PoolTime::inside_a_step(&pool);
    let (secret, access) = with_token(&pool, &mut time, "alice").await;
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    let input = json!({
        "AccessToken": access, "PreviousPassword": PASSWORD, "ProposedPassword": "Another-Horse-2",
    });
    call(&pool, "ChangePassword", input).await.unwrap();
    let code = time.code(&secret, 0);
    assert_eq!(error(respond_with_code(&pool, &challenge, "alice", &code).await), session_over());
    let challenge = sign_in(&pool, "alice", "Another-Horse-2").await.unwrap();
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" });
    call(&pool, "AdminDisableUser", input).await.unwrap();
    assert_eq!(error(respond_with_code(&pool, &challenge, "alice", &code).await), session_over());
}

/// Starts the setup of a token during a sign-in. Returns the secret and the next session.
async fn set_up(pool: &UserPool, session: &Value) -> (String, Value) {
    let respond_with_code =
        call(pool, "AssociateSoftwareToken", json!({ "Session": session })).await.unwrap();
    (
        respond_with_code["SecretCode"].as_str().unwrap().to_owned(),
        respond_with_code["Session"].clone(),
    )
}

async fn verify_in(pool: &UserPool, session: &Value, code: &str) -> Outcome {
    call(pool, "VerifySoftwareToken", json!({ "Session": session, "UserCode": code })).await
}

#[tokio::test]
async fn required_mfa_is_set_up_at_the_first_sign_in() {
    let pool = pool_with(ON, &["alice"]).await;
    let mut time = PoolTime::inside_a_step(&pool);
    let challenge = srp_sign_in(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "MFA_SETUP");
    assert_eq!(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"], "[\"SOFTWARE_TOKEN_MFA\"]");
    let finish = async |session: &Value| {
        respond(&pool, "MFA_SETUP", session, json!({ "USERNAME": "alice" })).await
    };
    let unverified = is("InvalidParameterException", "User has not verified software token mfa");
    assert_eq!(error(finish(&challenge["Session"]).await), unverified);
    let (secret, second) = set_up(&pool, &challenge["Session"]).await;
    // Each session is valid for one call.
    let again =
        call(&pool, "AssociateSoftwareToken", json!({ "Session": challenge["Session"] })).await;
    assert_eq!(error(again), session_over());
    // The code of a distant time step.
    let wrong = time.code(&secret, 100);
    assert_eq!(
        error(verify_in(&pool, &second, &wrong).await),
        is("EnableSoftwareTokenMFAException", "Code mismatch and fail enable Software Token MFA")
    );
    assert_eq!(error(finish(&second).await), unverified);
    let done = verify_in(&pool, &second, &time.code(&secret, 0)).await.unwrap();
    assert_eq!(done["Status"], "SUCCESS");
    assert_eq!(error(finish(&second).await), session_over());
    assert!(has_tokens(&finish(&done["Session"]).await));
    assert_eq!(error(finish(&done["Session"]).await), session_over());

    time.next_step(&pool);
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "SOFTWARE_TOKEN_MFA");
    assert!(has_tokens(
        &respond_with_code(&pool, &challenge, "alice", &time.code(&secret, 0)).await
    ));
}

#[tokio::test]
async fn abandoned_setup_does_not_replace_a_token() {
    let pool = pool_with(ON, &["alice"]).await;
    let time = PoolTime::inside_a_step(&pool);
    let [first, second] =
        [sign_in(&pool, "alice", PASSWORD).await, sign_in(&pool, "alice", PASSWORD).await];
    let (abandoned_secret, abandoned) = set_up(&pool, &first.unwrap()["Session"]).await;
    let (secret, session) = set_up(&pool, &second.unwrap()["Session"]).await;
    verify_in(&pool, &session, &time.code(&secret, 0)).await.unwrap();
    assert_eq!(
        error(verify_in(&pool, &abandoned, &time.code(&abandoned_secret, 0)).await),
        session_over()
    );
}

#[tokio::test]
async fn pool_without_mfa_neither_requires_nor_sets_up_a_factor() {
    let pool =
        pool_with("[aws_cognito_user_pool]\nmfa_configuration = \"OFF\"\n", &["alice"]).await;
    let access = access(&pool, "alice").await;
    let respond_with_code =
        call(&pool, "AssociateSoftwareToken", json!({ "AccessToken": access })).await;
    assert_eq!(error(respond_with_code).0, "SoftwareTokenMFANotFoundException");
    assert!(has_tokens(&srp_sign_in(&pool, "alice", PASSWORD).await));
}

#[tokio::test]
async fn factor_can_be_enabled_only_once_it_is_set_up() {
    let pool = pool_with("", &["alice"]).await;
    let time = PoolTime::inside_a_step(&pool);
    let access = access(&pool, "alice").await;
    let invalid = |message: &str| is("InvalidParameterException", message);
    assert_eq!(
        error(
            prefer(&pool, &access, json!({ "SoftwareTokenMfaSettings": enabled_and_preferred() }))
                .await
        ),
        invalid("User has not verified software token mfa")
    );
    assert_eq!(
        error(prefer(&pool, &access, json!({ "SMSMfaSettings": enabled_and_preferred() })).await),
        invalid("User does not have delivery config set to turn on SMS_MFA")
    );
    let both = json!({ "Enabled": false, "PreferredMfa": true });
    assert_eq!(
        error(prefer(&pool, &access, json!({ "EmailMfaSettings": both })).await).0,
        "InvalidParameterException"
    );
    assert_eq!(
        error(verify(&pool, &access, "123456").await).0,
        "SoftwareTokenMFANotFoundException"
    );
    let secret = associate(&pool, &access).await;
    assert_eq!(
        error(verify(&pool, &access, &time.code(&secret, 5)).await).0,
        "EnableSoftwareTokenMFAException"
    );
    verify(&pool, &access, &time.code(&secret, 0)).await.unwrap();
    // A verified token is not required until the user enables it.
    assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
    assert_eq!(
        error(
            prefer(
                &pool,
                &access,
                json!({ "SoftwareTokenMfaSettings": enabled_and_preferred(), "EmailMfaSettings": enabled_and_preferred() })
            )
            .await
        ),
        invalid("Only one MFA can be preferred.")
    );
    prefer(&pool, &access, json!({ "SoftwareTokenMfaSettings": enabled_and_preferred() }))
        .await
        .unwrap();
    assert!(!has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
    prefer(&pool, &access, json!({ "SoftwareTokenMfaSettings": { "Enabled": false } }))
        .await
        .unwrap();
    assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
}

#[tokio::test]
async fn email_and_sms_codes_are_sent_and_accepted_once() {
    let pool = pool_with(
        "[[aws_cognito_user]]\nusername = \"carol\"\npassword = \"Correct-Horse-1\"\n\
         attributes = { email = \"c@example.com\", email_verified = \"true\", \
         phone_number = \"+4915112349934\", phone_number_verified = \"true\" }\n",
        &[],
    )
    .await;
    let access = access(&pool, "carol").await;
    for (setting, kind, medium, destination) in [
        ("EmailMfaSettings", "EMAIL_OTP", "EMAIL", "c***@e***"),
        ("SMSMfaSettings", "SMS_MFA", "SMS", "+*******9934"),
    ] {
        prefer(&pool, &access, json!({ setting: enabled_and_preferred() })).await.unwrap();
        let challenge = sign_in(&pool, "carol", PASSWORD).await.unwrap();
        assert_eq!(challenge["ChallengeName"], kind);
        let parameters = &challenge["ChallengeParameters"];
        assert_eq!(parameters["CODE_DELIVERY_DELIVERY_MEDIUM"], medium);
        assert_eq!(parameters["CODE_DELIVERY_DESTINATION"], destination);
        let code = messages(&pool, "carol").await[0]["code"].as_str().unwrap().to_owned();
        assert_eq!(
            error(respond_with_code(&pool, &challenge, "carol", "12345").await),
            is("CodeMismatchException", "Invalid code received for user")
        );
        // A code is valid only for the sign-in that it was sent for.
        let other = sign_in(&pool, "carol", PASSWORD).await.unwrap();
        if messages(&pool, "carol").await[0]["code"] != code.as_str() {
            assert!(!has_tokens(&respond_with_code(&pool, &other, "carol", &code).await));
        }
        assert!(has_tokens(&respond_with_code(&pool, &challenge, "carol", &code).await));
        assert_eq!(
            error(respond_with_code(&pool, &challenge, "carol", &code).await),
            session_over()
        );
        prefer(&pool, &access, json!({ setting: { "Enabled": false } })).await.unwrap();
    }
}

#[tokio::test]
async fn user_with_several_factors_and_no_preference_chooses() {
    let pool = pool_with("", &["alice"]).await;
    let mut time = PoolTime::inside_a_step(&pool);
    let (secret, access) = with_token(&pool, &mut time, "alice").await;
    let on = json!({ "Enabled": true });
    prefer(&pool, &access, json!({ "SoftwareTokenMfaSettings": on, "EmailMfaSettings": on }))
        .await
        .unwrap();
    let challenge = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "SELECT_MFA_TYPE");
    let can: Value =
        serde_json::from_str(challenge["ChallengeParameters"]["MFAS_CAN_CHOOSE"].as_str().unwrap())
            .unwrap();
    assert_eq!(can, json!(["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]));
    let choose = async |what: &str| {
        let answers = json!({ "USERNAME": "alice", "ANSWER": what });
        respond(&pool, "SELECT_MFA_TYPE", &challenge["Session"], answers).await
    };
    for wrong in ["SMS_MFA", "", "NONE"] {
        assert_eq!(error(choose(wrong).await).0, "InvalidParameterException");
    }
    let chosen = choose("SOFTWARE_TOKEN_MFA").await.unwrap();
    assert_eq!(chosen["ChallengeName"], "SOFTWARE_TOKEN_MFA");
    assert_eq!(error(choose("EMAIL_OTP").await), session_over());
    assert!(has_tokens(&respond_with_code(&pool, &chosen, "alice", &time.code(&secret, 0)).await));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn codes_are_accepted_within_one_time_step(steps in -4_i64..=4, noise in 0_u32..1_000_000) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let pool = pool_with("", &["alice"]).await;
            let time = PoolTime::inside_a_step(&pool);
            let access = access(&pool, "alice").await;
            let secret = associate(&pool, &access).await;
            let right = [-1, 0, 1].map(|step| time.code(&secret, step));
            for code in [time.code(&secret, steps), format!("{noise:06}")] {
                let accepted = verify(&pool, &access, &code).await.is_ok();
                assert_eq!(accepted, right.contains(&code), "{steps} steps away");
                if accepted {
                    break;
                }
            }
        });
    }
}
