//! Self-service operations: sign-up, attribute changes, and password reset.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_cognito_local::{Config, UserPool};

use crate::support::{ThreadLogs, cognito::call};

const PASSWORD: &str = "Correct-Horse-1";
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn pool_of(toml: &str) -> UserPool {
    UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap()
}

#[tokio::test]
async fn only_verifiers_of_the_application_are_logged() {
    let logs = ThreadLogs::start();
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").scope("aws.cognito.signin.user.admin").sign();
    let _ = call(&pool, "GetUser", json!({ "AccessToken": token })).await;
    let count = || logs.text().matches("the verifier is configured").count();
    assert_eq!(count(), 0);
    pool.verifier().build().unwrap();
    assert_eq!(count(), 1);
}

/// A client that reveals whether a user exists (`LEGACY`), with the pool's default client ID.
const LEGACY: &str =
    "[[aws_cognito_user_pool_client]]\nprevent_user_existence_errors = \"LEGACY\"\n";

async fn sign_up(
    pool: &UserPool,
    name: &str,
    email: Option<&str>,
) -> Result<Value, (String, String)> {
    let attributes: Vec<_> =
        email.iter().map(|email| json!({ "Name": "email", "Value": email })).collect();
    call(
        pool,
        "SignUp",
        json!({
            "ClientId": pool.client_id(),
            "Username": name,
            "Password": PASSWORD,
            "UserAttributes": attributes,
        }),
    )
    .await
}

async fn confirm(pool: &UserPool, name: &str, code: &str) -> Result<Value, (String, String)> {
    let input = json!({ "ClientId": pool.client_id(), "Username": name, "ConfirmationCode": code });
    call(pool, "ConfirmSignUp", input).await
}

/// Creates a confirmed user and returns an access token of that user.
async fn user(pool: &UserPool, name: &str) -> String {
    let response = sign_up(pool, name, Some(&format!("{name}@example.com"))).await.unwrap();
    confirm(pool, name, &last_code(pool, name).await).await.unwrap();
    pool.token(name).claim("sub", response["UserSub"].clone()).sign()
}

async fn messages(pool: &UserPool, name: &str) -> Vec<Value> {
    let address = format!("http://{}/_local/messages?username={name}", pool.address());
    let text = reqwest::get(address).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn last_code(pool: &UserPool, name: &str) -> String {
    messages(pool, name).await[0]["code"].as_str().unwrap().to_owned()
}

/// Returns a six-digit code that differs from `code`.
fn wrong_code(code: &str) -> String {
    if code.starts_with('0') { code.replacen('0', "1", 1) } else { format!("0{}", &code[1..]) }
}

async fn attributes(pool: &UserPool, token: &str) -> Value {
    let response = call(pool, "GetUser", json!({ "AccessToken": token })).await.unwrap();
    let list = response["UserAttributes"].as_array().unwrap();
    list.iter()
        .map(|one| (one["Name"].as_str().unwrap().to_owned(), one["Value"].clone()))
        .collect()
}

async fn update(
    pool: &UserPool,
    token: &str,
    name: &str,
    value: &str,
) -> Result<Value, (String, String)> {
    let list = json!([{ "Name": name, "Value": value }]);
    call(pool, "UpdateUserAttributes", json!({ "AccessToken": token, "UserAttributes": list }))
        .await
}

async fn forgot(pool: &UserPool, name: &str) -> Result<Value, (String, String)> {
    call(pool, "ForgotPassword", json!({ "ClientId": pool.client_id(), "Username": name })).await
}

async fn reset(
    pool: &UserPool,
    name: &str,
    code: &str,
    password: &str,
) -> Result<Value, (String, String)> {
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": name,
        "ConfirmationCode": code,
        "Password": password,
    });
    call(pool, "ConfirmForgotPassword", input).await
}

async fn change_password(
    pool: &UserPool,
    token: &str,
    [old, new]: [&str; 2],
) -> Result<Value, (String, String)> {
    let input = json!({ "AccessToken": token, "PreviousPassword": old, "ProposedPassword": new });
    call(pool, "ChangePassword", input).await
}

fn error(response: Result<Value, (String, String)>) -> (String, String) {
    response.expect_err("the operation succeeded")
}

fn is(name: &str, message: &str) -> (String, String) {
    (name.to_owned(), message.to_owned())
}

#[tokio::test]
async fn user_signs_up_confirms_and_reads_own_attributes() {
    let pool = UserPool::start().await.unwrap();
    let response = sign_up(&pool, "alice", Some("jane@example.com")).await.unwrap();
    assert_eq!(response["UserConfirmed"], false);
    let details = json!({
        "AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": "j***@e***",
    });
    assert_eq!(response["CodeDeliveryDetails"], details);

    let code = last_code(&pool, "alice").await;
    assert_eq!(confirm(&pool, "alice", &code).await, Ok(json!({})));
    let token = pool.token("alice").claim("sub", response["UserSub"].clone()).sign();
    let seen = call(&pool, "GetUser", json!({ "AccessToken": token })).await.unwrap();
    assert_eq!(seen["Username"], "alice");
    let seen = attributes(&pool, &token).await;
    assert_eq!(
        seen,
        json!({ "sub": response["UserSub"], "email": "jane@example.com", "email_verified": "true" })
    );
}

#[tokio::test]
async fn code_is_accepted_only_once() {
    let pool = UserPool::start().await.unwrap();
    sign_up(&pool, "alice", Some("a@example.com")).await.unwrap();
    let code = last_code(&pool, "alice").await;
    confirm(&pool, "alice", &code).await.unwrap();
    assert_eq!(
        error(confirm(&pool, "alice", &code).await),
        is("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
    );
    forgot(&pool, "alice").await.unwrap();
    let code = last_code(&pool, "alice").await;
    reset(&pool, "alice", &code, "Another-Horse-2").await.unwrap();
    assert_eq!(
        error(reset(&pool, "alice", &code, "Another-Horse-3").await),
        is("ExpiredCodeException", "Invalid code provided, please request a code again.")
    );
}

#[tokio::test]
async fn code_is_invalid_after_five_wrong_attempts_until_a_new_one_is_sent() {
    let pool = UserPool::start().await.unwrap();
    sign_up(&pool, "alice", Some("a@example.com")).await.unwrap();
    let code = last_code(&pool, "alice").await;
    for _ in 0..5 {
        assert_eq!(
            error(confirm(&pool, "alice", &wrong_code(&code)).await),
            is("CodeMismatchException", "Invalid verification code provided, please try again.")
        );
    }
    assert_eq!(
        error(confirm(&pool, "alice", &code).await),
        is("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    );
    let input = json!({ "ClientId": pool.client_id(), "Username": "alice" });
    let sent = call(&pool, "ResendConfirmationCode", input).await.unwrap();
    assert_eq!(sent["CodeDeliveryDetails"]["AttributeName"], "email");
    confirm(&pool, "alice", &last_code(&pool, "alice").await).await.unwrap();
}

#[tokio::test]
async fn contact_verification_code_is_invalid_after_five_wrong_attempts() {
    let pool = UserPool::start().await.unwrap();
    let alice = user(&pool, "alice").await;
    let named = json!({ "AccessToken": alice, "AttributeName": "email" });
    call(&pool, "GetUserAttributeVerificationCode", named.clone()).await.unwrap();
    let code = last_code(&pool, "alice").await;
    let verify = async |code: &str| {
        let mut input = named.clone();
        input["Code"] = json!(code);
        call(&pool, "VerifyUserAttribute", input).await
    };
    for _ in 0..5 {
        assert_eq!(error(verify(&wrong_code(&code)).await).0, "CodeMismatchException");
    }
    assert_eq!(error(verify(&code).await).0, "LimitExceededException");
    call(&pool, "GetUserAttributeVerificationCode", named.clone()).await.unwrap();
    verify(&last_code(&pool, "alice").await).await.unwrap();
}

#[tokio::test]
async fn code_for_unknown_user_fails_like_code_for_existing_user() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "alice").await;
    let tried = async |name: &str, times: usize| {
        let mut errors = BTreeSet::new();
        for _ in 0..times {
            let response = reset(&pool, name, "no-code", "Another-Horse-2").await;
            errors.insert(error(response).0);
        }
        errors
    };
    for name in ["alice", "nobody"] {
        let only = |error: &str| BTreeSet::from([error.to_owned()]);
        assert_eq!(tried(name, 1).await, only("ExpiredCodeException"), "{name}");
        for _ in 0..2 {
            forgot(&pool, name).await.unwrap();
            assert_eq!(tried(name, 5).await, only("CodeMismatchException"), "{name}");
            assert_eq!(tried(name, 2).await, only("LimitExceededException"), "{name}");
        }
        forgot(&pool, name).await.unwrap();
    }
    pool.advance(HOUR);
    for name in ["alice", "nobody"] {
        assert_eq!(tried(name, 1).await, BTreeSet::from(["ExpiredCodeException".to_owned()]));
    }
}

#[tokio::test]
async fn codes_expire() {
    let pool = UserPool::start().await.unwrap();
    let expired = is("ExpiredCodeException", "Invalid code provided, please request a code again.");
    sign_up(&pool, "bob", Some("b@example.com")).await.unwrap();
    user(&pool, "alice").await;
    forgot(&pool, "alice").await.unwrap();
    let code = last_code(&pool, "alice").await;
    pool.advance(HOUR);
    assert_eq!(error(reset(&pool, "alice", &code, "Another-Horse-2").await), expired);
    pool.advance(HOUR * 22);
    sign_up(&pool, "carol", Some("c@example.com")).await.unwrap();
    pool.advance(HOUR);
    assert_eq!(error(confirm(&pool, "bob", &last_code(&pool, "bob").await).await), expired);
    confirm(&pool, "carol", &last_code(&pool, "carol").await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_sign_ups_for_one_name_succeeds() {
    let pool = Arc::new(UserPool::start().await.unwrap());
    let mut tries = JoinSet::new();
    for number in 0..12 {
        let (pool, name) = (Arc::clone(&pool), if number % 2 == 0 { "alice" } else { "Alice" });
        tries.spawn(async move { sign_up(&pool, name, None).await });
    }
    let (made, refused): (Vec<_>, Vec<_>) =
        tries.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 11));
    for response in refused {
        assert_eq!(error(response), is("UsernameExistsException", "User already exists"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_resets_with_one_code_succeeds() {
    let pool = Arc::new(UserPool::start().await.unwrap());
    user(&pool, "alice").await;
    forgot(&pool, "alice").await.unwrap();
    let code = last_code(&pool, "alice").await;
    let mut tries = JoinSet::new();
    for number in 0..8 {
        let (pool, code) = (Arc::clone(&pool), code.clone());
        tries.spawn(async move {
            reset(&pool, "alice", &code, &format!("Another-Horse-{number}")).await
        });
    }
    let successes = tries.join_all().await.into_iter().filter(Result::is_ok).count();
    assert_eq!(successes, 1);
}

#[tokio::test]
async fn code_is_sent_to_the_phone_before_the_email_address() {
    let pool = pool_of(
        "[aws_cognito_user_pool]\nauto_verified_attributes = [\"email\", \"phone_number\"]\n\
         alias_attributes = [\"preferred_username\"]\n",
    )
    .await;
    let attributes_of = |number: u32| {
        json!([
            { "Name": "email", "Value": "a@example.com" },
            { "Name": "phone_number", "Value": format!("+4915112340{number}") },
            { "Name": "preferred_username", "Value": "ace" },
        ])
    };
    let input = |name: &str, number| {
        json!({
            "ClientId": pool.client_id(),
            "Username": name,
            "Password": PASSWORD,
            "UserAttributes": attributes_of(number),
        })
    };
    let response = call(&pool, "SignUp", input("alice", 456)).await.unwrap();
    let details = json!({
        "AttributeName": "phone_number", "DeliveryMedium": "SMS", "Destination": "+*******0456",
    });
    assert_eq!(response["CodeDeliveryDetails"], details);
    let message = messages(&pool, "alice").await[0].clone();
    assert_eq!(message["subject"], Value::Null);
    confirm(&pool, "ACE", message["code"].as_str().unwrap()).await.unwrap();
    let token = pool.token("alice").claim("sub", response["UserSub"].clone()).sign();
    let seen = attributes(&pool, &token).await;
    assert_eq!([&seen["phone_number_verified"], &seen["email_verified"]], ["true", "false"]);
    // A name is taken whether it is used as a user name or as an alias.
    assert_eq!(
        error(call(&pool, "SignUp", input("bob", 457)).await),
        is(
            "UsernameExistsException",
            "An account with the given preferred_username already exists."
        )
    );
    assert_eq!(error(sign_up(&pool, "ace", None).await).0, "UsernameExistsException");
    let sub = response["UserSub"].as_str().unwrap();
    assert_eq!(error(sign_up(&pool, sub, None).await).0, "UsernameExistsException");
}

#[tokio::test]
async fn nonconforming_password_is_rejected_with_cognitos_message() {
    let pool = UserPool::start().await.unwrap();
    let cases = [
        ("Ab-1", "Password not long enough"),
        ("correct-horse-1", "Password must have uppercase characters"),
        ("CORRECT-HORSE-1", "Password must have lowercase characters"),
        ("Correct-Horse", "Password must have numeric characters"),
        ("CorrectHorse1", "Password must have symbol characters"),
    ];
    let token = user(&pool, "alice").await;
    forgot(&pool, "alice").await.unwrap();
    let code = last_code(&pool, "alice").await;
    for (password, why) in cases {
        let expected =
            is("InvalidPasswordException", &format!("Password did not conform with policy: {why}"));
        let input =
            json!({ "ClientId": pool.client_id(), "Username": "bob", "Password": password });
        assert_eq!(error(call(&pool, "SignUp", input).await), expected);
        assert_eq!(error(change_password(&pool, &token, [PASSWORD, password]).await), expected);
        assert_eq!(error(reset(&pool, "alice", &code, password).await), expected);
    }
    // A rejected password does not consume the code.
    reset(&pool, "alice", &code, "Another-Horse-2").await.unwrap();
}

#[tokio::test]
async fn changing_a_password_requires_the_current_one() {
    let pool = UserPool::start().await.unwrap();
    let token = user(&pool, "alice").await;
    let wrong = is("NotAuthorizedException", "Incorrect username or password.");
    assert_eq!(
        error(change_password(&pool, &token, ["Wrong-Horse-1", "Another-Horse-2"]).await),
        wrong
    );
    change_password(&pool, &token, [PASSWORD, "Another-Horse-2"]).await.unwrap();
    assert_eq!(error(change_password(&pool, &token, [PASSWORD, "Another-Horse-3"]).await), wrong);
}

#[tokio::test]
async fn password_guesses_with_an_access_token_are_limited() {
    let pool = UserPool::start().await.unwrap();
    let token = user(&pool, "alice").await;
    for _ in 0..5 {
        let response = change_password(&pool, &token, ["Wrong-Horse-1", "Another-Horse-2"]).await;
        assert_eq!(error(response).0, "NotAuthorizedException");
    }
    assert_eq!(
        error(change_password(&pool, &token, [PASSWORD, "Another-Horse-2"]).await),
        is("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    );
    pool.advance(Duration::from_secs(15 * 60));
    change_password(&pool, &token, [PASSWORD, "Another-Horse-2"]).await.unwrap();
}

#[tokio::test]
async fn recent_password_is_rejected() {
    let pool =
        pool_of("[aws_cognito_user_pool.password_policy]\npassword_history_size = 2\n").await;
    let token = user(&pool, "alice").await;
    let refused = |response| {
        let (name, _) = error(response);
        assert_eq!(name, "PasswordHistoryPolicyViolationException");
    };
    let (first, second, third) = (PASSWORD, "Another-Horse-2", "Another-Horse-3");
    refused(change_password(&pool, &token, [first, first]).await);
    change_password(&pool, &token, [first, second]).await.unwrap();
    refused(change_password(&pool, &token, [second, first]).await);
    change_password(&pool, &token, [second, third]).await.unwrap();
    change_password(&pool, &token, [third, first]).await.unwrap();
}

#[tokio::test]
async fn alias_is_taken_from_the_user_who_has_it_in_another_case() {
    let pool = pool_of("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n").await;
    sign_up(&pool, "alice", Some("kim@example.com")).await.unwrap();
    confirm(&pool, "alice", &last_code(&pool, "alice").await).await.unwrap();
    // The first letter is the Kelvin sign, whose lower case is the letter k.
    sign_up(&pool, "bob", Some("\u{212A}im@example.com")).await.unwrap();
    let code = last_code(&pool, "bob").await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "bob", "ConfirmationCode": code,
        "ForceAliasCreation": true,
    });
    call(&pool, "ConfirmSignUp", input).await.unwrap();
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" });
    let alice = call(&pool, "AdminGetUser", input).await.unwrap();
    let verified = json!({ "Name": "email_verified", "Value": "false" });
    assert!(alice["UserAttributes"].as_array().unwrap().contains(&verified));
}

#[tokio::test]
async fn email_user_name_must_be_an_email_and_the_user_gets_a_uuid() {
    let pool = pool_of("[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n").await;
    assert_eq!(
        error(sign_up(&pool, "alice", None).await),
        is("InvalidParameterException", "Username should be an email.")
    );
    let response = sign_up(&pool, "jane@example.com", None).await.unwrap();
    let sub = response["UserSub"].as_str().unwrap();
    assert_eq!(
        error(sign_up(&pool, "JANE@example.com", None).await),
        is("UsernameExistsException", "An account with the given email already exists.")
    );
    confirm(&pool, "jane@example.com", &last_code(&pool, "jane@example.com").await).await.unwrap();
    let token = pool.token(sub).claim("sub", sub).sign();
    let seen = call(&pool, "GetUser", json!({ "AccessToken": token })).await.unwrap();
    assert_eq!(seen["Username"], sub);
    assert_eq!(attributes(&pool, &token).await["email"], "jane@example.com");

    sign_up(&pool, "bob@example.com", None).await.unwrap();
    assert_eq!(
        error(update(&pool, &token, "email", "bob@example.com").await),
        is("AliasExistsException", "An account with the given email already exists.")
    );
    let both =
        pool_of("[aws_cognito_user_pool]\nusername_attributes = [\"email\", \"phone_number\"]\n")
            .await;
    assert_eq!(
        error(sign_up(&both, "alice", None).await).1,
        "Username should be either an email or a phone number."
    );
}

#[tokio::test]
async fn forced_alias_creation_moves_the_alias_to_the_last_user_who_verified_it() {
    let pool = pool_of("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n").await;
    assert_eq!(
        error(sign_up(&pool, "a@example.com", None).await),
        is(
            "InvalidParameterException",
            "Username cannot be of email format, since user pool is configured for email alias."
        )
    );
    let alice = sign_up(&pool, "alice", Some("shared@example.com")).await.unwrap();
    confirm(&pool, "alice", &last_code(&pool, "alice").await).await.unwrap();
    let alice = pool.token("alice").claim("sub", alice["UserSub"].clone()).sign();
    sign_up(&pool, "bob", Some("shared@example.com")).await.unwrap();
    let code = last_code(&pool, "bob").await;
    assert_eq!(
        error(confirm(&pool, "bob", &code).await),
        is("AliasExistsException", "An account with the given email already exists.")
    );
    assert_eq!(attributes(&pool, &alice).await["email_verified"], "true");
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": "bob",
        "ConfirmationCode": code,
        "ForceAliasCreation": true,
    });
    call(&pool, "ConfirmSignUp", input).await.unwrap();
    assert_eq!(attributes(&pool, &alice).await["email_verified"], "false");
}

#[tokio::test]
async fn rejected_verification_does_not_consume_the_code() {
    let pool = pool_of("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n").await;
    let alice = user(&pool, "alice").await;
    let bob = user(&pool, "bob").await;
    let change = json!({
        "AccessToken": bob,
        "UserAttributes": [{ "Name": "email", "Value": "alice@example.com" }],
    });
    call(&pool, "UpdateUserAttributes", change).await.unwrap();
    let code = last_code(&pool, "bob").await;
    let proof = json!({ "AccessToken": bob, "AttributeName": "email", "Code": code });
    let refused = call(&pool, "VerifyUserAttribute", proof.clone()).await;
    assert_eq!(error(refused).0, "AliasExistsException");
    assert_eq!(attributes(&pool, &bob).await["email_verified"], "false");
    call(&pool, "DeleteUser", json!({ "AccessToken": alice })).await.unwrap();
    call(&pool, "VerifyUserAttribute", proof.clone()).await.unwrap();
    assert_eq!(attributes(&pool, &bob).await["email_verified"], "true");
    assert_eq!(error(call(&pool, "VerifyUserAttribute", proof).await).0, "ExpiredCodeException");
}

#[tokio::test]
async fn user_names_have_no_spaces_and_at_most_128_characters() {
    let pool = UserPool::start().await.unwrap();
    for name in ["", "a b", "a\tb", &"a".repeat(129)] {
        let (error, message) = error(sign_up(&pool, name, None).await);
        assert_eq!(error, "InvalidParameterException", "{name}");
        assert!(message.contains("Value at 'username' failed to satisfy constraint"), "{message}");
    }
    sign_up(&pool, &"ä".repeat(128), None).await.unwrap();
}

const SCHEMA: &str = r#"
    [aws_cognito_user_pool]
    auto_verified_attributes = ["email"]

    [[aws_cognito_user_pool.schema]]
    name = "email"
    required = true

    [[aws_cognito_user_pool.schema]]
    name = "tenant"
    mutable = false
    string_attribute_constraints = { min_length = "2", max_length = "4" }

    [[aws_cognito_user_pool.schema]]
    name = "age"
    attribute_data_type = "Number"
    number_attribute_constraints = { max_value = "150" }

    [[aws_cognito_user_pool_client]]
    write_attributes = ["email", "custom:tenant", "custom:age"]
    read_attributes = ["email", "custom:tenant"]
"#;

#[tokio::test]
async fn sign_up_attributes_must_conform_to_the_schema() {
    let pool = pool_of(SCHEMA).await;
    let try_with = async |list: Value| {
        let input = json!({
            "ClientId": pool.client_id(),
            "Username": "alice",
            "Password": PASSWORD,
            "UserAttributes": list,
        });
        error(call(&pool, "SignUp", input).await)
    };
    let email = json!({ "Name": "email", "Value": "a@example.com" });
    let schema = |what: &str| {
        is(
            "InvalidParameterException",
            &format!("Attributes did not conform to the schema: {what}"),
        )
    };
    assert_eq!(try_with(json!([])).await, schema("email: The attribute is required"));
    assert_eq!(
        try_with(json!([email, { "Name": "custom:x", "Value": "1" }])).await,
        schema("custom:x: Attribute does not exist in the schema.")
    );
    for value in ["a", "abcde"] {
        let (name, message) =
            try_with(json!([email, { "Name": "custom:tenant", "Value": value }])).await;
        assert_eq!(name, "InvalidParameterException");
        assert!(message.contains("custom:tenant: String must be"), "{message}");
    }
    for value in ["old", "151", "NaN", "inf", "1e1", "-infinity"] {
        let (name, _) = try_with(json!([email, { "Name": "custom:age", "Value": value }])).await;
        assert_eq!(name, "InvalidParameterException");
    }
    assert_eq!(
        try_with(json!([{ "Name": "email", "Value": "nobody" }])).await,
        is("InvalidParameterException", "Invalid email address format.")
    );
    let unauthorized =
        is("NotAuthorizedException", "A client attempted to write unauthorized attribute");
    for name in ["nickname", "email_verified", "phone_number_verified"] {
        let value = json!([email, { "Name": name, "Value": "true" }]);
        assert_eq!(try_with(value).await, unauthorized, "{name}");
    }
    let (name, _) = try_with(json!([email, { "Name": "sub", "Value": "1" }])).await;
    assert_eq!(name, "InvalidParameterException");
}

#[tokio::test]
async fn users_can_change_only_mutable_attributes_their_client_may_write() {
    let pool = pool_of(SCHEMA).await;
    let token = user(&pool, "alice").await;
    update(&pool, &token, "custom:age", "30").await.unwrap();
    // The client may write this attribute but not read it.
    assert_eq!(attributes(&pool, &token).await.get("custom:age"), None);
    assert_eq!(
        error(update(&pool, &token, "custom:tenant", "new").await),
        is("InvalidParameterException", "user.custom:tenant: Attribute cannot be updated.")
    );
    assert_eq!(
        error(update(&pool, &token, "custom:x", "new").await),
        is("InvalidParameterException", "user.custom:x: Attribute does not exist in the schema.")
    );
    assert_eq!(
        error(update(&pool, &token, "email_verified", "true").await).0,
        "NotAuthorizedException"
    );
    assert_eq!(error(update(&pool, &token, "sub", "1").await).0, "InvalidParameterException");
    for names in [json!(["email"]), json!(["custom:tenant"]), json!(["sub"])] {
        let input = json!({ "AccessToken": token, "UserAttributeNames": names });
        let response = call(&pool, "DeleteUserAttributes", input).await;
        assert_eq!(error(response).0, "InvalidParameterException");
    }
    let input = json!({ "AccessToken": token, "UserAttributeNames": ["custom:age"] });
    assert_eq!(call(&pool, "DeleteUserAttributes", input).await, Ok(json!({})));
}

#[tokio::test]
async fn new_email_is_verified_only_by_a_code_sent_to_it() {
    let pool = UserPool::start().await.unwrap();
    let token = user(&pool, "alice").await;
    // A code for the old address does not verify the new one.
    let input = json!({ "AccessToken": token, "AttributeName": "email" });
    call(&pool, "GetUserAttributeVerificationCode", input.clone()).await.unwrap();
    forgot(&pool, "alice").await.unwrap();
    let sent = messages(&pool, "alice").await;
    let [reset_code, old_code] =
        [0, 1].map(|place: usize| sent[place]["code"].as_str().unwrap().to_owned());

    let response = update(&pool, &token, "email", "new@example.org").await.unwrap();
    assert_eq!(response["CodeDeliveryDetailsList"][0]["Destination"], "n***@e***");
    assert_eq!(attributes(&pool, &token).await["email_verified"], "false");
    let code = last_code(&pool, "alice").await;
    assert_eq!(messages(&pool, "alice").await[0]["destination"], "new@example.org");
    let verify = async |code: &str| {
        let input = json!({ "AccessToken": token, "AttributeName": "email", "Code": code });
        call(&pool, "VerifyUserAttribute", input).await
    };
    if old_code != code {
        assert_eq!(error(verify(&old_code).await).0, "CodeMismatchException");
    }
    assert_eq!(verify(&code).await, Ok(json!({})));
    assert_eq!(attributes(&pool, &token).await["email_verified"], "true");
    assert_eq!(error(verify(&code).await).0, "ExpiredCodeException");
    assert_eq!(
        error(reset(&pool, "alice", &reset_code, "Another-Horse-2").await).0,
        "ExpiredCodeException"
    );
    // Setting the same value again is not a change.
    let response = update(&pool, &token, "email", "new@example.org").await.unwrap();
    assert_eq!(response["CodeDeliveryDetailsList"], json!([]));
}

#[tokio::test]
async fn forgotten_password_is_reset_with_a_code() {
    let pool = UserPool::start().await.unwrap();
    let token = user(&pool, "alice").await;
    let sent = forgot(&pool, "alice").await.unwrap();
    assert_eq!(sent["CodeDeliveryDetails"]["Destination"], "a***@e***");
    let message = messages(&pool, "alice").await[0].clone();
    let code = message["code"].as_str().unwrap();
    assert_eq!(message["subject"], "Your password reset code");
    assert_eq!(message["body"], format!("Your password reset code is {code}"));
    assert_eq!(
        error(reset(&pool, "alice", &wrong_code(code), "Another-Horse-2").await).0,
        "CodeMismatchException"
    );
    assert_eq!(reset(&pool, "alice", code, "Another-Horse-2").await, Ok(json!({})));
    change_password(&pool, &token, ["Another-Horse-2", PASSWORD]).await.unwrap();
}

#[tokio::test]
async fn password_reset_requires_a_verified_contact() {
    let pool = pool_of(LEGACY).await;
    sign_up(&pool, "alice", Some("a@example.com")).await.unwrap();
    assert_eq!(
        error(forgot(&pool, "alice").await),
        is(
            "InvalidParameterException",
            "Cannot reset password for the user as there is no registered/verified email or \
             phone_number"
        )
    );
}

#[tokio::test]
async fn client_setting_decides_whether_unknown_users_are_reported() {
    let legacy = pool_of(LEGACY).await;
    let missing = is("UserNotFoundException", "User does not exist.");
    let resend = async |pool: &UserPool| {
        let input = json!({ "ClientId": pool.client_id(), "Username": "nobody" });
        call(pool, "ResendConfirmationCode", input).await
    };
    assert_eq!(error(forgot(&legacy, "nobody").await), missing);
    assert_eq!(error(resend(&legacy).await), missing);
    assert_eq!(error(confirm(&legacy, "nobody", "123456").await), missing);
    assert_eq!(error(reset(&legacy, "nobody", "123456", PASSWORD).await), missing);

    let silent = UserPool::start().await.unwrap();
    let expired = is("ExpiredCodeException", "Invalid code provided, please request a code again.");
    for response in [forgot(&silent, "nobody").await, resend(&silent).await] {
        let details = response.unwrap()["CodeDeliveryDetails"].clone();
        assert_eq!(details["DeliveryMedium"], "EMAIL");
        assert!(details["Destination"].as_str().unwrap().contains("***@"), "{details}");
        let again = forgot(&silent, "nobody").await.unwrap();
        assert_eq!(again["CodeDeliveryDetails"], details);
    }
    assert_eq!(error(confirm(&silent, "nobody", "123456").await), expired);
    // The same error as for a user who was sent a code.
    let other =
        is("CodeMismatchException", "Invalid verification code provided, please try again.");
    assert_eq!(error(reset(&silent, "nobody", "123456", PASSWORD).await), other);
    assert!(messages(&silent, "nobody").await.is_empty());
}

#[tokio::test]
async fn tokens_of_a_deleted_user_are_rejected() {
    let pool = UserPool::start().await.unwrap();
    let token = user(&pool, "alice").await;
    let input = json!({ "AccessToken": token });
    assert_eq!(call(&pool, "DeleteUser", input.clone()).await, Ok(json!({})));
    assert_eq!(error(call(&pool, "GetUser", input.clone()).await).0, "UserNotFoundException");
    // A new user with the same name is a different user.
    user(&pool, "alice").await;
    assert_eq!(error(call(&pool, "GetUser", input).await).0, "UserNotFoundException");
}

#[tokio::test]
async fn client_with_a_secret_must_send_the_secret_hash() {
    let pool = pool_of("[[aws_cognito_user_pool_client]]\nclient_secret = \"s3cret\"\n").await;
    let operations = ["SignUp", "ConfirmSignUp", "ResendConfirmationCode", "ForgotPassword"];
    for operation in operations.into_iter().chain(["ConfirmForgotPassword"]) {
        for hash in [Value::Null, json!("AAAA")] {
            let input = json!({
                "ClientId": pool.client_id(),
                "Username": "alice",
                "Password": PASSWORD,
                "ConfirmationCode": "123456",
                "SecretHash": hash,
            });
            let (name, message) = error(call(&pool, operation, input).await);
            assert_eq!(name, "NotAuthorizedException", "{operation}");
            assert!(message.to_lowercase().contains("secret"), "{message}");
        }
    }
}

#[tokio::test]
async fn sign_up_is_rejected_where_only_administrators_create_users() {
    let pool = pool_of(
        "[aws_cognito_user_pool.admin_create_user_config]\nallow_admin_create_user_only = true\n",
    )
    .await;
    assert_eq!(
        error(sign_up(&pool, "alice", None).await),
        is("NotAuthorizedException", "SignUp is not permitted for this user pool")
    );
}

#[tokio::test]
async fn null_members_count_as_absent_and_required_members_are_reported() {
    let pool = UserPool::start().await.unwrap();
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": "alice",
        "Password": PASSWORD,
        "SecretHash": null,
        "UserAttributes": null,
        "ValidationData": null,
        "AnalyticsMetadata": null,
        "UserContextData": null,
        "ClientMetadata": null,
    });
    let response = call(&pool, "SignUp", input).await.unwrap();
    // The user has no address to send a code to.
    assert_eq!(response.get("CodeDeliveryDetails"), None);

    let requirements: [(&str, &[&str]); 10] = [
        ("SignUp", &["ClientId", "Username", "Password"]),
        ("ConfirmSignUp", &["ClientId", "Username", "ConfirmationCode"]),
        ("ResendConfirmationCode", &["ClientId", "Username"]),
        ("ForgotPassword", &["ClientId", "Username"]),
        ("ConfirmForgotPassword", &["ClientId", "Username", "ConfirmationCode", "Password"]),
        ("GetUser", &["AccessToken"]),
        ("DeleteUser", &["AccessToken"]),
        ("ChangePassword", &["AccessToken", "ProposedPassword"]),
        ("UpdateUserAttributes", &["AccessToken", "UserAttributes"]),
        ("VerifyUserAttribute", &["AccessToken", "AttributeName", "Code"]),
    ];
    let token = user(&pool, "bob").await;
    let names: BTreeSet<_> = requirements.iter().flat_map(|(_, names)| *names).collect();
    for (operation, members) in requirements {
        for missing in members {
            let mut input = json!({});
            for name in &names {
                input[**name] = match **name {
                    "ClientId" => json!(pool.client_id()),
                    "AccessToken" => json!(token),
                    "AttributeName" => json!("email"),
                    "UserAttributes" => json!([]),
                    other => json!(other),
                };
            }
            input[*missing] = Value::Null;
            let (name, message) = error(call(&pool, operation, input).await);
            assert_eq!(name, "InvalidParameterException", "{operation} without {missing}");
            assert!(message.contains("Member must not be null"), "{message}");
        }
    }
}
