//! Sign-in with a password: account states, lockout after wrong passwords, and temporary passwords.

use std::time::Duration;

use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::cognito::{
    Outcome, PASSWORD, call, error, has_tokens, incorrect, is, payload, pool_with, respond,
    session_over, sign_in, srp_sign_in, token,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn admin(pool: &UserPool, operation: &str, name: &str) {
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": name });
    call(pool, operation, input).await.unwrap();
}

#[tokio::test]
async fn account_state_is_reported_only_with_the_right_password() {
    let pool = pool_with("", &["alice", "bob"]).await;
    let input = json!({ "ClientId": pool.client_id(), "Username": "carol", "Password": PASSWORD });
    call(&pool, "SignUp", input).await.unwrap();
    admin(&pool, "AdminDisableUser", "alice").await;
    for (name, why) in [
        ("alice", is("NotAuthorizedException", "User is disabled.")),
        ("carol", is("UserNotConfirmedException", "User is not confirmed.")),
    ] {
        assert_eq!(error(sign_in(&pool, name, PASSWORD).await), why);
        assert_eq!(error(srp_sign_in(&pool, name, PASSWORD).await), why);
        assert_eq!(error(sign_in(&pool, name, "Wrong-Horse-1").await), incorrect());
        assert_eq!(error(srp_sign_in(&pool, name, "Wrong-Horse-1").await), incorrect());
    }
    admin(&pool, "AdminResetUserPassword", "bob").await;
    let response = sign_in(&pool, "bob", PASSWORD).await;
    assert_eq!(
        error(response),
        is("PasswordResetRequiredException", "Password reset required for the user")
    );
    admin(&pool, "AdminEnableUser", "alice").await;
    assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
}

#[tokio::test]
async fn lockout_doubles_from_the_fifth_failure_up_to_15_minutes() {
    let pool = pool_with("", &["alice", "bob"]).await;
    let locked = is("NotAuthorizedException", "Password attempts exceeded");
    for _ in 0..2 {
        assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
        assert_eq!(error(srp_sign_in(&pool, "alice", "wrong").await), incorrect());
    }
    assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
    // The wait is one second shorter than the longest lockout, so that all but the last lockout are over by then.
    for _ in 0..12 {
        assert_eq!(error(sign_in(&pool, "alice", PASSWORD).await), locked);
        assert_eq!(error(srp_sign_in(&pool, "alice", PASSWORD).await), locked);
        assert!(has_tokens(&sign_in(&pool, "bob", PASSWORD).await));
        pool.advance(15 * MINUTE - Duration::from_secs(1));
        let response = sign_in(&pool, "alice", "wrong").await;
        if error(response) == locked {
            pool.advance(Duration::from_secs(1));
            assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
            return;
        }
    }
    panic!("no lockout lasted 15 minutes");
}

#[tokio::test]
async fn unknown_user_name_is_locked_out_like_a_user() {
    let emails = "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n";
    for (toml, name, nobody) in
        [("", "alice", "nobody"), (emails, "alice@example.com", "nobody@example.com")]
    {
        let pool = pool_with(toml, &[name]).await;
        let locked = is("NotAuthorizedException", "Password attempts exceeded");
        for by_srp in [false, true, false, true, true] {
            for name in [name, nobody] {
                let response = if by_srp {
                    srp_sign_in(&pool, name, "wrong").await
                } else {
                    sign_in(&pool, name, "wrong").await
                };
                assert_eq!(error(response), incorrect(), "{name}");
            }
        }
        for name in [name, &nobody.to_uppercase()] {
            assert_eq!(error(sign_in(&pool, name, "wrong").await), locked, "{name}");
            assert_eq!(error(srp_sign_in(&pool, name, "wrong").await), locked, "{name}");
        }
        assert_eq!(error(sign_in(&pool, "someone", "wrong").await), incorrect());
        pool.advance(Duration::from_secs(1));
        assert_eq!(error(sign_in(&pool, nobody, "wrong").await), incorrect());
        assert_eq!(error(sign_in(&pool, nobody, "wrong").await), locked);
        pool.advance(15 * MINUTE + Duration::from_secs(2));
        assert_eq!(error(sign_in(&pool, nobody, "wrong").await), incorrect());
        assert_eq!(error(sign_in(&pool, nobody, "wrong").await), incorrect());
    }
}

#[tokio::test]
async fn lockout_counts_failures_of_all_operations_together() {
    let pool = pool_with("", &["alice"]).await;
    let access = token(&sign_in(&pool, "alice", PASSWORD).await.unwrap(), "AccessToken");
    let change = async |previous: &str| {
        let input = json!({
            "AccessToken": access, "PreviousPassword": previous, "ProposedPassword": "Another-Horse-2",
        });
        call(&pool, "ChangePassword", input).await
    };
    for _ in 0..3 {
        assert_eq!(error(change("wrong").await), incorrect());
    }
    for _ in 0..2 {
        assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
    }
    assert_eq!(error(change(PASSWORD).await).0, "LimitExceededException");
    assert_eq!(
        error(sign_in(&pool, "alice", PASSWORD).await),
        is("NotAuthorizedException", "Password attempts exceeded")
    );
    pool.advance(Duration::from_secs(1));
    // The next failure locks the account for two seconds, and a success resets the count.
    assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
    pool.advance(Duration::from_secs(1));
    assert!(!has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
    pool.advance(Duration::from_secs(1));
    assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
    for _ in 0..4 {
        assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
    }
    assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
}

#[tokio::test]
async fn old_failures_do_not_count() {
    let pool = pool_with("", &["alice"]).await;
    for _ in 0..5 {
        assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
    }
    pool.advance(16 * MINUTE);
    for _ in 0..4 {
        assert_eq!(error(sign_in(&pool, "alice", "wrong").await), incorrect());
    }
    assert!(has_tokens(&sign_in(&pool, "alice", PASSWORD).await));
}

const TEMPORARY: &str = "First-Horse-1";

/// A user with a temporary password, in a pool with a required `name` and an immutable `tenant` attribute.
async fn invited(policy: &str) -> UserPool {
    pool_with(
        &format!(
            r#"
            [aws_cognito_user_pool]
            alias_attributes = ["email"]

            [aws_cognito_user_pool.password_policy]
            {policy}

            [[aws_cognito_user_pool.schema]]
            name = "email"
            required = true

            [[aws_cognito_user_pool.schema]]
            name = "name"
            required = true

            [[aws_cognito_user_pool.schema]]
            name = "tenant"
            mutable = false

            [[aws_cognito_user_pool_client]]
            write_attributes = ["email", "name", "custom:tenant"]

            [[aws_cognito_user]]
            username = "alice"
            temporary_password = "{TEMPORARY}"
            attributes = {{ email = "alice@example.com", email_verified = "true" }}
            "#
        ),
        &[],
    )
    .await
}

async fn set(pool: &UserPool, session: &Value, password: &str, attributes: Value) -> Outcome {
    let mut answers = json!({ "USERNAME": "alice", "NEW_PASSWORD": password });
    for (name, value) in attributes.as_object().unwrap() {
        answers[format!("userAttributes.{name}")] = value.clone();
    }
    respond(pool, "NEW_PASSWORD_REQUIRED", session, answers).await
}

#[tokio::test]
async fn temporary_password_is_replaced_by_one_the_user_chooses() {
    let pool = invited("").await;
    let challenge = srp_sign_in(&pool, "alice", TEMPORARY).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    let text = |name: &str| -> Value {
        serde_json::from_str(challenge["ChallengeParameters"][name].as_str().unwrap()).unwrap()
    };
    assert_eq!(challenge["ChallengeParameters"]["USER_ID_FOR_SRP"], "alice");
    assert_eq!(text("requiredAttributes"), json!(["userAttributes.name"]));
    assert_eq!(text("userAttributes")["email"], "alice@example.com");
    let session = &challenge["Session"];
    let parameter = |message: &str| is("InvalidParameterException", message);
    for (attributes, why) in [
        (json!({}), parameter("Invalid attributes given, name is missing")),
        (json!({ "name": "" }), parameter("Invalid attributes given, name is missing")),
        (
            json!({ "name": "Alice", "email": "a@example.org" }),
            parameter("Cannot modify an already provided email"),
        ),
        (
            json!({ "name": "Alice", "custom:x": "1" }),
            parameter(
                "Attributes did not conform to the schema: custom:x: Attribute does not exist in the schema.",
            ),
        ),
        (
            json!({ "name": "Alice", "email_verified": "true" }),
            is("NotAuthorizedException", "A client attempted to write unauthorized attribute"),
        ),
        (
            json!({ "name": "Alice", "nickname": "Al" }),
            is("NotAuthorizedException", "A client attempted to write unauthorized attribute"),
        ),
    ] {
        assert_eq!(error(set(&pool, session, PASSWORD, attributes).await), why);
    }
    let response = set(&pool, session, "short", json!({ "name": "Alice" })).await;
    assert_eq!(
        error(response),
        is(
            "InvalidPasswordException",
            "Password did not conform with policy: Password not long enough"
        )
    );
    // None of these requests consumed the challenge.
    let attributes = json!({ "name": "Alice", "custom:tenant": "t1" });
    let done = set(&pool, session, PASSWORD, attributes.clone()).await.unwrap();
    let claims = payload(&token(&done, "IdToken"));
    assert_eq!((&claims["name"], &claims["custom:tenant"]), (&json!("Alice"), &json!("t1")));
    assert_eq!(claims["email_verified"], true);
    assert_eq!(error(set(&pool, session, PASSWORD, attributes).await), session_over());
    assert!(has_tokens(&srp_sign_in(&pool, "alice", PASSWORD).await));
    assert_eq!(error(sign_in(&pool, "alice", TEMPORARY).await), incorrect());
}

#[tokio::test]
async fn temporary_password_counts_in_the_password_history() {
    let pool = invited("password_history_size = 3").await;
    let challenge = sign_in(&pool, "alice", TEMPORARY).await.unwrap();
    let response = set(&pool, &challenge["Session"], TEMPORARY, json!({ "name": "Alice" })).await;
    assert_eq!(error(response).0, "PasswordHistoryPolicyViolationException");
    let done =
        set(&pool, &challenge["Session"], PASSWORD, json!({ "name": "Alice" })).await.unwrap();
    let input = json!({
        "AccessToken": token(&done, "AccessToken"),
        "PreviousPassword": PASSWORD,
        "ProposedPassword": TEMPORARY,
    });
    assert_eq!(
        error(call(&pool, "ChangePassword", input).await).0,
        "PasswordHistoryPolicyViolationException"
    );
}

#[tokio::test]
async fn temporary_password_expires_as_configured_in_the_policy() {
    let pool = invited("temporary_password_validity_days = 2").await;
    pool.advance(2 * DAY - MINUTE);
    assert!(sign_in(&pool, "alice", TEMPORARY).await.is_ok());
    pool.advance(MINUTE);
    let expired = is(
        "NotAuthorizedException",
        "Temporary password has expired and must be reset by an administrator.",
    );
    assert_eq!(error(sign_in(&pool, "alice", TEMPORARY).await), expired);
    assert_eq!(error(srp_sign_in(&pool, "alice", TEMPORARY).await), expired);
}

#[tokio::test]
async fn new_password_is_accepted_only_with_its_own_challenge() {
    let pool = invited("").await;
    let challenge = sign_in(&pool, "alice", TEMPORARY).await.unwrap();
    for session in [json!("a".repeat(43)), challenge["Session"].as_str().unwrap()[1..].into()] {
        let response = set(&pool, &session, PASSWORD, json!({ "name": "Alice" })).await;
        assert_eq!(error(response), session_over());
    }
    assert_eq!(
        error(set(&pool, &Value::Null, PASSWORD, json!({ "name": "Alice" })).await),
        is("InvalidParameterException", "Missing required parameter Session")
    );
    pool.advance(3 * MINUTE);
    let response = set(&pool, &challenge["Session"], PASSWORD, json!({ "name": "Alice" })).await;
    assert_eq!(error(response), session_over());
}
