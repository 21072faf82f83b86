//! Operations by which administrators create, change and delete users.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinSet};
use tower_cognito_local::UserPool;

use crate::support::{
    admin::{
        Answer, PASSWORD, admin, as_list, attributes, by_name, error, is, last_code, messages,
        on_user, pool_of, refresh, set_password, sign_in, tokens, user,
    },
    cognito::call,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

async fn invite(pool: &UserPool, name: &str, attributes: Value) -> Answer {
    let input = json!({ "Username": name, "UserAttributes": as_list(&attributes) });
    admin(pool, "AdminCreateUser", input).await
}

async fn resend(pool: &UserPool, name: &str) -> Answer {
    let input = json!({ "Username": name, "MessageAction": "RESEND" });
    admin(pool, "AdminCreateUser", input).await
}

async fn update(pool: &UserPool, name: &str, changes: Value) -> Answer {
    let input = json!({ "Username": name, "UserAttributes": as_list(&changes) });
    admin(pool, "AdminUpdateUserAttributes", input).await
}

async fn status(pool: &UserPool, name: &str) -> String {
    let user = on_user(pool, "AdminGetUser", name).await.unwrap();
    user["UserStatus"].as_str().unwrap().to_owned()
}

async fn get_user(pool: &UserPool, tokens: &Value) -> Answer {
    call(pool, "GetUser", json!({ "AccessToken": tokens["AccessToken"] })).await
}

async fn choose_password(pool: &UserPool, challenge: &Value, name: &str) -> Answer {
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": challenge["Session"],
        "ChallengeResponses": { "USERNAME": name, "NEW_PASSWORD": PASSWORD },
    });
    call(pool, "RespondToAuthChallenge", input).await
}

fn wrong_password() -> (String, String) {
    is("NotAuthorizedException", "Incorrect username or password.")
}

fn expired() -> (String, String) {
    is(
        "NotAuthorizedException",
        "Temporary password has expired and must be reset by an administrator.",
    )
}

fn user_not_found() -> (String, String) {
    is("UserNotFoundException", "User does not exist.")
}

#[tokio::test]
async fn invited_user_chooses_a_password_and_signs_in() {
    let pool = UserPool::start().await.unwrap();
    let made = invite(&pool, "jane", json!({ "email": "jane@example.com" })).await.unwrap();
    let made = &made["User"];
    assert_eq!([&made["Username"], &made["UserStatus"]], ["jane", "FORCE_CHANGE_PASSWORD"]);
    assert_eq!(made["Enabled"], true);
    assert!(made["UserCreateDate"].is_f64() && made["UserLastModifiedDate"].is_f64());

    let message = messages(&pool, "jane").await[0].clone();
    let first = message["code"].as_str().unwrap();
    assert_eq!([&message["medium"], &message["destination"]], ["EMAIL", "jane@example.com"]);
    assert_eq!(message["subject"], "Your temporary password");
    assert_eq!(
        message["body"],
        format!("Your username is jane and temporary password is {first}.")
    );

    let challenge = sign_in(&pool, "jane", first).await.unwrap();
    assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    let done = choose_password(&pool, &challenge, "jane").await.unwrap();
    get_user(&pool, &done["AuthenticationResult"]).await.unwrap();
    assert_eq!(status(&pool, "jane").await, "CONFIRMED");
    assert_eq!(error(sign_in(&pool, "jane", first).await), wrong_password());
    tokens(&pool, "jane").await;
}

#[tokio::test]
async fn expired_temporary_password_is_replaced_by_a_new_invitation() {
    let pool = UserPool::start().await.unwrap();
    invite(&pool, "jane", json!({ "email": "jane@example.com" })).await.unwrap();
    let first = last_code(&pool, "jane").await;
    pool.advance(DAY * 7 - SECOND * 60);
    sign_in(&pool, "jane", &first).await.unwrap();
    pool.advance(SECOND * 60);
    assert_eq!(error(sign_in(&pool, "jane", &first).await), expired());

    let resent = resend(&pool, "JANE").await.unwrap();
    assert_eq!(resent["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD");
    assert_eq!(error(sign_in(&pool, "jane", &first).await), wrong_password());
    let second = last_code(&pool, "jane").await;
    let challenge = sign_in(&pool, "jane", &second).await.unwrap();
    choose_password(&pool, &challenge, "jane").await.unwrap();
    // A password that the user chose does not expire.
    pool.advance(DAY * 30);
    tokens(&pool, "jane").await;
}

#[tokio::test]
async fn new_password_challenge_ends_when_the_temporary_password_is_replaced() {
    let pool = UserPool::start().await.unwrap();
    invite(&pool, "jane", json!({ "email": "jane@example.com" })).await.unwrap();
    let first = last_code(&pool, "jane").await;
    let challenge = sign_in(&pool, "jane", &first).await.unwrap();
    resend(&pool, "jane").await.unwrap();
    let refused = error(choose_password(&pool, &challenge, "jane").await);
    assert_eq!(refused.0, "NotAuthorizedException");
}

#[tokio::test]
async fn temporary_password_expires_after_the_days_in_the_policy() {
    for (days, good) in [(1, 1), (0, 7)] {
        let pool = pool_of(&format!(
            "[aws_cognito_user_pool.password_policy]\ntemporary_password_validity_days = {days}\n"
        ))
        .await;
        user(&pool, "jane").await;
        set_password(&pool, "jane", "Another-Horse-2", false).await.unwrap();
        pool.advance(DAY * good - SECOND * 60);
        sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
        pool.advance(SECOND * 60);
        assert_eq!(error(sign_in(&pool, "jane", "Another-Horse-2").await), expired());
    }
}

#[tokio::test]
async fn generated_password_conforms_to_the_policy() {
    for length in [6, 8, 40, 99] {
        let pool = pool_of(&format!(
            "[aws_cognito_user_pool.password_policy]\nminimum_length = {length}\n"
        ))
        .await;
        let mut seen = Vec::new();
        for number in 0..3 {
            let name = format!("user{number}");
            invite(&pool, &name, json!({ "email": "jane@example.com" })).await.unwrap();
            let password = last_code(&pool, &name).await;
            assert!(password.len() >= length.max(12));
            // The policy must also accept the generated password as input.
            set_password(&pool, &name, &password, true).await.unwrap();
            seen.push(password);
        }
        seen.dedup();
        assert_eq!(seen.len(), 3, "the pool generated the same password twice");
    }
}

#[tokio::test]
async fn password_set_by_an_administrator_must_conform_to_the_policy() {
    let pool = UserPool::start().await.unwrap();
    let input = |password: &str| json!({ "Username": "jane", "TemporaryPassword": password });
    let refused = is(
        "InvalidPasswordException",
        "Password did not conform with policy: Password not long enough",
    );
    for password in ["", "Ab-1"] {
        assert_eq!(error(admin(&pool, "AdminCreateUser", input(password)).await), refused);
    }
    // A rejected request creates no user.
    admin(&pool, "AdminCreateUser", input("Another-Horse-2")).await.unwrap();
    let challenge = sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
    assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    for permanent in [true, false] {
        assert_eq!(error(set_password(&pool, "jane", "Ab-1", permanent).await), refused);
    }
}

#[tokio::test]
async fn invitation_is_sent_through_the_requested_mediums() {
    let pool = UserPool::start().await.unwrap();
    let both = json!([
        { "Name": "email", "Value": "a@example.com" },
        { "Name": "phone_number", "Value": "+4915112340456" },
    ]);
    let email = json!([{ "Name": "email", "Value": "a@example.com" }]);
    for (number, (attributes, media, action, sent)) in [
        (&both, json!(null), json!(null), vec!["SMS"]),
        (&both, json!(["EMAIL"]), json!(null), vec!["EMAIL"]),
        (&both, json!(["EMAIL", "SMS"]), json!(null), vec!["EMAIL", "SMS"]),
        (&both, json!(["EMAIL", "SMS"]), json!("SUPPRESS"), vec![]),
        (&email, json!([]), json!(null), vec!["EMAIL"]),
        (&email, json!(["SMS"]), json!(null), vec![]),
        // A user without either contact gets no message.
        (&json!([]), json!(null), json!(null), vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("user{number}");
        let input = json!({
            "Username": name,
            "UserAttributes": attributes,
            "DesiredDeliveryMediums": media,
            "MessageAction": action,
            "ValidationData": [{ "Name": "a", "Value": "b" }],
            "ClientMetadata": { "a": "b" },
        });
        admin(&pool, "AdminCreateUser", input).await.unwrap();
        // The list is newest first, and the e-mail is sent last.
        let found = messages(&pool, &name).await;
        let found: Vec<_> = found.iter().map(|one| one["medium"].as_str().unwrap()).collect();
        assert_eq!(found, sent, "{name}");
    }
    for (input, value, member, constraint) in [
        (
            json!({ "MessageAction": "SHOUT" }),
            "SHOUT",
            "messageAction",
            "Member must satisfy enum value set: [RESEND, SUPPRESS]",
        ),
        (
            json!({ "DesiredDeliveryMediums": ["SHOUT"] }),
            "[SHOUT]",
            "desiredDeliveryMediums",
            "Member must satisfy constraint: [Member must satisfy enum value set: [SMS, EMAIL]]",
        ),
    ] {
        let mut input = input;
        input["Username"] = json!("jane");
        let message = format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        );
        assert_eq!(
            error(admin(&pool, "AdminCreateUser", input).await),
            is("InvalidParameterException", &message)
        );
    }
}

#[tokio::test]
async fn invitation_is_resent_only_to_users_who_have_not_signed_in() {
    let pool = UserPool::start().await.unwrap();
    assert_eq!(error(resend(&pool, "jane").await), user_not_found());
    user(&pool, "jane").await;
    assert_eq!(
        error(resend(&pool, "jane").await),
        is(
            "UnsupportedUserStateException",
            "Resend not possible. jane status is not FORCE_CHANGE_PASSWORD"
        )
    );
    tokens(&pool, "jane").await;
}

#[tokio::test]
async fn invitation_uses_the_pools_templates() {
    let pool = pool_of(
        "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n\
         [aws_cognito_user_pool.admin_create_user_config.invite_message_template]\n\
         email_subject = \"Come in\"\nemail_message = \"<b>{username}</b>: {####}\"\n",
    )
    .await;
    let made = invite(&pool, "Jane@example.com", json!({})).await.unwrap();
    let message = messages(&pool, "jane@example.com").await[0].clone();
    let first = message["code"].as_str().unwrap();
    assert_eq!(message["subject"], "Come in");
    // The message has the name that the user signs in with, not the generated UUID.
    assert_eq!(message["body"], format!("<b>Jane@example.com</b>: {first}"));
    assert_eq!(message["username"], made["User"]["Username"]);
}

#[tokio::test]
async fn user_invited_by_email_gets_a_uuid_and_is_found_by_either() {
    let pool = pool_of("[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n").await;
    let made = invite(&pool, "Jane@example.com", json!({ "name": "Jane" })).await.unwrap();
    let user = &made["User"];
    let given = by_name(&user["Attributes"]);
    assert_eq!(user["Username"], given["sub"]);
    assert_eq!([&given["email"], &given["name"]], ["Jane@example.com", "Jane"]);
    let sub = given["sub"].as_str().unwrap();
    for name in [sub, "Jane@example.com", "jane@EXAMPLE.com"] {
        assert_eq!(attributes(&pool, name).await["sub"], sub);
    }
    let taken = is("UsernameExistsException", "An account with the given email already exists.");
    assert_eq!(error(invite(&pool, "jane@example.COM", json!({})).await), taken);
    assert_eq!(
        error(invite(&pool, "jane", json!({})).await),
        is("InvalidParameterException", "Username should be an email.")
    );
    // The address given as the user name becomes the user's e-mail address.
    let other = invite(&pool, "bob@example.com", json!({ "email": "x@example.com" })).await;
    assert_eq!(by_name(&other.unwrap()["User"]["Attributes"])["email"], "bob@example.com");

    let first = last_code(&pool, "jane@example.com").await;
    let challenge = sign_in(&pool, "jane@example.com", &first).await.unwrap();
    choose_password(&pool, &challenge, sub).await.unwrap();
}

#[tokio::test]
async fn one_of_many_concurrent_creations_of_one_name_succeeds() {
    // All of them see that the name is free before the first one takes it.
    let gate = Arc::new(Barrier::new(6));
    let pool = UserPool::builder()
        .trigger_time_limit(DAY)
        .on_pre_sign_up(move |event| {
            let gate = Arc::clone(&gate);
            async move {
                gate.wait().await;
                Ok(event)
            }
        })
        .start()
        .await
        .unwrap();
    let pool = Arc::new(pool);
    let mut tries = JoinSet::new();
    for number in 0..6 {
        let pool = Arc::clone(&pool);
        tries.spawn(async move {
            let name = if number % 2 == 0 { "jane" } else { "Jane" };
            let input = json!({
                "Username": name,
                "TemporaryPassword": format!("Correct-Horse-{number}"),
                "UserAttributes": [{ "Name": "email", "Value": format!("{number}@example.com") }],
            });
            (number, admin(&pool, "AdminCreateUser", input).await)
        });
    }
    let (made, refused): (Vec<_>, Vec<_>) =
        tries.join_all().await.into_iter().partition(|(_, response)| response.is_ok());
    assert_eq!((made.len(), refused.len()), (1, 5));
    for (_, response) in refused {
        assert_eq!(error(response), is("UsernameExistsException", "User account already exists"));
    }
    // The password that was sent is the password of the user that was created.
    let (number, _) = made[0];
    let sent = messages(&pool, "jane").await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["destination"], format!("{number}@example.com"));
    sign_in(&pool, "jane", &format!("Correct-Horse-{number}")).await.unwrap();
}

#[tokio::test]
async fn users_are_found_by_name_sub_and_alias_regardless_of_case() {
    let pool = pool_of(
        "[aws_cognito_user_pool]\nalias_attributes = [\"email\", \"preferred_username\"]\n",
    )
    .await;
    let made = invite(
        &pool,
        "jane",
        json!({ "email": "j@example.com", "email_verified": "true", "preferred_username": "JJ" }),
    )
    .await
    .unwrap();
    invite(&pool, "bob", json!({ "email": "b@example.com" })).await.unwrap();
    let sub = by_name(&made["User"]["Attributes"])["sub"].clone();
    for name in ["jane", "JANE", sub.as_str().unwrap(), "J@example.com", "jj"] {
        assert_eq!(attributes(&pool, name).await["sub"], sub, "{name}");
    }
    // An unverified address is not an alias.
    for name in ["b@example.com", "nobody"] {
        assert_eq!(error(on_user(&pool, "AdminGetUser", name).await), user_not_found());
    }
    let pool =
        pool_of("[aws_cognito_user_pool]\nusername_configuration = { case_sensitive = true }\n")
            .await;
    invite(&pool, "jane", json!({})).await.unwrap();
    invite(&pool, "Jane", json!({})).await.unwrap();
    assert_eq!(error(on_user(&pool, "AdminGetUser", "JANE").await), user_not_found());
}

#[tokio::test]
async fn alias_cannot_hide_the_user_whose_sub_it_equals() {
    let pool =
        pool_of("[aws_cognito_user_pool]\nalias_attributes = [\"preferred_username\"]\n").await;
    let victim = invite(&pool, "zoe", json!({})).await.unwrap();
    let sub = by_name(&victim["User"]["Attributes"])["sub"].clone();
    let (name, _) = error(invite(&pool, "ann", json!({ "preferred_username": sub })).await);
    assert_eq!(name, "AliasExistsException");
    invite(&pool, "ann", json!({ "preferred_username": "other" })).await.unwrap();
    assert_eq!(attributes(&pool, sub.as_str().unwrap()).await["sub"], sub);
}

#[tokio::test]
async fn forced_creation_moves_an_alias_and_a_rejected_one_changes_nothing() {
    let pool = pool_of(
        "[aws_cognito_user_pool]\nalias_attributes = [\"email\", \"preferred_username\"]\n",
    )
    .await;
    let proven = json!({ "email": "j@example.com", "email_verified": "true" });
    invite(&pool, "jane", proven.clone()).await.unwrap();
    invite(&pool, "max", json!({ "preferred_username": "maxi" })).await.unwrap();
    assert_eq!(
        error(invite(&pool, "bob", proven.clone()).await),
        is("AliasExistsException", "An account with the given email already exists.")
    );
    let force = |attributes: &Value| {
        json!({
            "Username": "bob", "UserAttributes": as_list(attributes), "ForceAliasCreation": true,
        })
    };
    let mut both = proven.clone();
    both["preferred_username"] = json!("Maxi");
    assert_eq!(
        error(admin(&pool, "AdminCreateUser", force(&both)).await).0,
        "AliasExistsException"
    );
    assert_eq!(
        attributes(&pool, "j@example.com").await["sub"],
        attributes(&pool, "jane").await["sub"]
    );

    admin(&pool, "AdminCreateUser", force(&proven)).await.unwrap();
    assert_eq!(
        attributes(&pool, "j@example.com").await["sub"],
        attributes(&pool, "bob").await["sub"]
    );
    assert_eq!(attributes(&pool, "jane").await["email_verified"], "false");
}

#[tokio::test]
async fn disabling_a_user_revokes_all_tokens_permanently() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    let issued = tokens(&pool, "jane").await;
    get_user(&pool, &issued).await.unwrap();
    set_password(&pool, "jane", "Another-Horse-2", false).await.unwrap();
    let challenge = sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();

    on_user(&pool, "AdminDisableUser", "Jane").await.unwrap();
    assert_eq!(on_user(&pool, "AdminGetUser", "jane").await.unwrap()["Enabled"], false);
    for enabled in [false, true] {
        assert_eq!(
            error(get_user(&pool, &issued).await),
            is("NotAuthorizedException", "Access Token has been revoked")
        );
        assert_eq!(
            error(refresh(&pool, &issued).await),
            is("NotAuthorizedException", "Refresh Token has been revoked")
        );
        let refused = error(choose_password(&pool, &challenge, "jane").await);
        assert_eq!(refused.0, "NotAuthorizedException");
        if !enabled {
            assert_eq!(
                error(sign_in(&pool, "jane", "Another-Horse-2").await),
                is("NotAuthorizedException", "User is disabled.")
            );
            on_user(&pool, "AdminEnableUser", "jane").await.unwrap();
        }
    }
    assert_eq!(on_user(&pool, "AdminGetUser", "jane").await.unwrap()["Enabled"], true);
    set_password(&pool, "jane", PASSWORD, true).await.unwrap();
    let issued = tokens(&pool, "jane").await;
    get_user(&pool, &issued).await.unwrap();
    refresh(&pool, &issued).await.unwrap();
}

#[tokio::test]
async fn permanent_password_confirms_a_user_in_any_state() {
    let pool = UserPool::start().await.unwrap();
    let sign_up = json!({
        "ClientId": pool.client_id(), "Username": "jane", "Password": "Another-Horse-2",
        "UserAttributes": [{ "Name": "email", "Value": "jane@example.com" }],
    });
    call(&pool, "SignUp", sign_up).await.unwrap();
    let code = last_code(&pool, "jane").await;
    set_password(&pool, "jane", PASSWORD, true).await.unwrap();
    assert_eq!(status(&pool, "jane").await, "CONFIRMED");
    let issued = tokens(&pool, "jane").await;
    assert_eq!(error(sign_in(&pool, "jane", "Another-Horse-2").await), wrong_password());
    let confirm = json!({
        "ClientId": pool.client_id(), "Username": "jane", "ConfirmationCode": code,
    });
    assert_eq!(error(call(&pool, "ConfirmSignUp", confirm).await).0, "NotAuthorizedException");
    // A temporary password must be changed first.
    set_password(&pool, "jane", "Another-Horse-3", false).await.unwrap();
    assert_eq!(status(&pool, "jane").await, "FORCE_CHANGE_PASSWORD");
    let challenge = sign_in(&pool, "jane", "Another-Horse-3").await.unwrap();
    assert_eq!(challenge["ChallengeName"], "NEW_PASSWORD_REQUIRED");
    // Setting a password does not end existing sessions.
    get_user(&pool, &issued).await.unwrap();
    assert_eq!(error(set_password(&pool, "bob", PASSWORD, true).await), user_not_found());
}

#[tokio::test]
async fn administrator_cannot_set_a_password_from_the_history() {
    let pool =
        pool_of("[aws_cognito_user_pool.password_policy]\npassword_history_size = 2\n").await;
    user(&pool, "jane").await;
    set_password(&pool, "jane", "Another-Horse-2", true).await.unwrap();
    for permanent in [true, false] {
        for password in [PASSWORD, "Another-Horse-2"] {
            assert_eq!(
                error(set_password(&pool, "jane", password, permanent).await),
                is("PasswordHistoryPolicyViolationException", "Password has previously been used.")
            );
        }
    }
    set_password(&pool, "jane", "Another-Horse-3", true).await.unwrap();
    set_password(&pool, "jane", PASSWORD, true).await.unwrap();
}

#[tokio::test]
async fn reset_password_is_rejected_until_a_code_sets_a_new_one() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    assert_eq!(
        error(on_user(&pool, "AdminResetUserPassword", "jane").await),
        is(
            "InvalidParameterException",
            "Cannot reset password for the user as there is no registered/verified email or phone_number"
        )
    );
    let issued = tokens(&pool, "jane").await;
    update(&pool, "jane", json!({ "email": "j@example.com", "email_verified": "true" }))
        .await
        .unwrap();
    on_user(&pool, "AdminResetUserPassword", "jane").await.unwrap();
    assert_eq!(status(&pool, "jane").await, "RESET_REQUIRED");
    let reset = is("PasswordResetRequiredException", "Password reset required for the user");
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), reset);
    assert_eq!(error(refresh(&pool, &issued).await), reset);
    assert_eq!(error(sign_in(&pool, "jane", "Another-Horse-2").await), wrong_password());

    let confirm = json!({
        "ClientId": pool.client_id(), "Username": "jane", "Password": "Another-Horse-2",
        "ConfirmationCode": last_code(&pool, "jane").await,
    });
    call(&pool, "ConfirmForgotPassword", confirm).await.unwrap();
    assert_eq!(status(&pool, "jane").await, "CONFIRMED");
    sign_in(&pool, "jane", "Another-Horse-2").await.unwrap();
}

#[tokio::test]
async fn password_of_an_unconfirmed_or_disabled_user_cannot_be_reset() {
    let pool = UserPool::start().await.unwrap();
    let proven = json!({ "email": "j@example.com", "email_verified": "true" });
    invite(&pool, "jane", proven).await.unwrap();
    assert_eq!(
        error(on_user(&pool, "AdminResetUserPassword", "jane").await),
        is("NotAuthorizedException", "User password cannot be reset in the current state.")
    );
    set_password(&pool, "jane", PASSWORD, true).await.unwrap();
    on_user(&pool, "AdminDisableUser", "jane").await.unwrap();
    assert_eq!(
        error(on_user(&pool, "AdminResetUserPassword", "jane").await),
        is("NotAuthorizedException", "User is disabled.")
    );
}

#[tokio::test]
async fn administrators_can_write_attributes_that_users_cannot() {
    let pool = pool_of(
        "[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n\
         schema = [{ name = \"tenant\", mutable = false }, { name = \"rank\", attribute_data_type = \"Number\" }, \
         { name = \"note\", developer_only_attribute = true }]\n",
    )
    .await;
    invite(&pool, "jane", json!({ "custom:tenant": "acme" })).await.unwrap();
    // An address that is not marked as verified is sent a code.
    update(&pool, "jane", json!({ "email": "j@example.com", "dev:custom:note": "x" }))
        .await
        .unwrap();
    assert_eq!(messages(&pool, "jane").await.len(), 1);
    assert_eq!(attributes(&pool, "jane").await["email_verified"], "false");
    update(&pool, "jane", json!({ "email": "k@example.com", "email_verified": "true" }))
        .await
        .unwrap();
    assert_eq!(messages(&pool, "jane").await.len(), 1);
    let seen = attributes(&pool, "jane").await;
    assert_eq!(seen["email_verified"], "true");
    assert_eq!(seen["dev:custom:note"], "x");
    // Verification of the old address does not carry over to a new one.
    update(&pool, "jane", json!({ "email": "l@example.com" })).await.unwrap();
    assert_eq!(attributes(&pool, "jane").await["email_verified"], "false");

    let proven = json!({ "email": "b@example.com", "email_verified": "true" });
    invite(&pool, "bob", proven.clone()).await.unwrap();
    for (changes, name, message) in [
        (proven, "AliasExistsException", "An account with the given email already exists."),
        (
            json!({ "sub": "00000000-0000-4000-8000-000000000000" }),
            "InvalidParameterException",
            "user.sub: Attribute cannot be updated.",
        ),
        (
            json!({ "custom:tenant": "evil" }),
            "InvalidParameterException",
            "user.custom:tenant: Attribute cannot be updated.",
        ),
        (
            json!({ "custom:rank": "first" }),
            "InvalidParameterException",
            "user.custom:rank: Attribute value must be a number",
        ),
        (
            json!({ "custom:none": "x" }),
            "InvalidParameterException",
            "user.custom:none: Attribute does not exist in the schema.",
        ),
        (
            json!({ "email": "nowhere" }),
            "InvalidParameterException",
            "Invalid email address format.",
        ),
    ] {
        // The valid attribute of the same request is not written either.
        let mut changes = changes;
        changes["name"] = json!("Eve");
        assert_eq!(error(update(&pool, "jane", changes).await), is(name, message));
    }
    assert_eq!(attributes(&pool, "jane").await["name"], Value::Null);

    let gone = |names: Value| json!({ "Username": "jane", "UserAttributeNames": names });
    let input = gone(json!(["email", "dev:custom:note"]));
    admin(&pool, "AdminDeleteUserAttributes", input).await.unwrap();
    let seen = attributes(&pool, "jane").await;
    assert_eq!(seen.as_object().unwrap().keys().collect::<Vec<_>>(), ["custom:tenant", "sub"]);
    for name in ["sub", "custom:tenant"] {
        let refused = error(admin(&pool, "AdminDeleteUserAttributes", gone(json!([name]))).await);
        assert_eq!(refused.1, format!("user.{name}: Attribute cannot be updated."));
    }
}

#[tokio::test]
async fn admin_confirmation_does_not_verify_the_email_address() {
    let pool = UserPool::start().await.unwrap();
    let sign_up = json!({
        "ClientId": pool.client_id(), "Username": "jane", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "jane@example.com" }],
    });
    call(&pool, "SignUp", sign_up).await.unwrap();
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await).0, "UserNotConfirmedException");
    on_user(&pool, "AdminConfirmSignUp", "jane").await.unwrap();
    tokens(&pool, "jane").await;
    assert_eq!(attributes(&pool, "jane").await["email_verified"], "false");
    assert_eq!(
        error(on_user(&pool, "AdminConfirmSignUp", "jane").await),
        is("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED")
    );
    invite(&pool, "bob", json!({})).await.unwrap();
    assert_eq!(
        error(on_user(&pool, "AdminConfirmSignUp", "bob").await).1,
        "User cannot be confirmed. Current status is FORCE_CHANGE_PASSWORD"
    );
}

#[tokio::test]
async fn new_user_with_a_deleted_users_name_inherits_nothing() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    let issued = tokens(&pool, "jane").await;
    on_user(&pool, "AdminDeleteUser", "JANE").await.unwrap();
    assert_eq!(error(on_user(&pool, "AdminGetUser", "jane").await), user_not_found());
    assert_eq!(error(on_user(&pool, "AdminDeleteUser", "jane").await), user_not_found());
    user(&pool, "jane").await;
    assert_eq!(error(get_user(&pool, &issued).await), user_not_found());
    assert_eq!(
        error(refresh(&pool, &issued).await),
        is("NotAuthorizedException", "Invalid Refresh Token")
    );
}

#[tokio::test]
async fn admin_global_sign_out_ends_all_sessions() {
    let pool = UserPool::start().await.unwrap();
    for name in ["jane", "bob"] {
        user(&pool, name).await;
    }
    let (first, second) = (tokens(&pool, "jane").await, tokens(&pool, "jane").await);
    let other = tokens(&pool, "bob").await;
    on_user(&pool, "AdminUserGlobalSignOut", "Jane").await.unwrap();
    for issued in [first, second] {
        assert_eq!(error(get_user(&pool, &issued).await).1, "Access Token has been revoked");
        assert_eq!(error(refresh(&pool, &issued).await).1, "Refresh Token has been revoked");
    }
    get_user(&pool, &other).await.unwrap();
    refresh(&pool, &other).await.unwrap();
    // A sign-in after the sign-out works, even within the same second.
    get_user(&pool, &tokens(&pool, "jane").await).await.unwrap();
    assert_eq!(error(on_user(&pool, "AdminUserGlobalSignOut", "eve").await), user_not_found());
}

#[tokio::test]
async fn administrator_sets_the_preferred_factor_only_if_the_user_has_it() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    let preference = json!({
        "Username": "jane",
        "SMSMfaSettings": null,
        "EmailMfaSettings": { "Enabled": true, "PreferredMfa": true },
    });
    assert_eq!(
        error(admin(&pool, "AdminSetUserMFAPreference", preference.clone()).await).0,
        "InvalidParameterException"
    );
    update(&pool, "jane", json!({ "email": "j@example.com", "email_verified": "true" }))
        .await
        .unwrap();
    admin(&pool, "AdminSetUserMFAPreference", preference).await.unwrap();
    let seen = on_user(&pool, "AdminGetUser", "jane").await.unwrap();
    assert_eq!(seen["UserMFASettingList"], json!(["EMAIL_OTP"]));
    assert_eq!(seen["PreferredMfaSetting"], "EMAIL_OTP");
    assert_eq!(sign_in(&pool, "jane", PASSWORD).await.unwrap()["ChallengeName"], "EMAIL_OTP");
}

#[tokio::test]
async fn null_members_count_as_absent_and_required_members_are_reported() {
    let pool = UserPool::start().await.unwrap();
    let input = json!({
        "Username": "jane", "UserAttributes": null, "ValidationData": null,
        "TemporaryPassword": null, "ForceAliasCreation": null, "MessageAction": null,
        "DesiredDeliveryMediums": null, "ClientMetadata": null,
    });
    admin(&pool, "AdminCreateUser", input).await.unwrap();
    let input = json!({ "Username": "jane", "Password": PASSWORD, "Permanent": null });
    admin(&pool, "AdminSetUserPassword", input).await.unwrap();
    assert_eq!(status(&pool, "jane").await, "FORCE_CHANGE_PASSWORD");
    for operation in [
        "AdminCreateUser",
        "AdminGetUser",
        "AdminDeleteUser",
        "AdminEnableUser",
        "AdminDisableUser",
        "AdminConfirmSignUp",
        "AdminSetUserPassword",
        "AdminResetUserPassword",
        "AdminUpdateUserAttributes",
        "AdminDeleteUserAttributes",
        "AdminUserGlobalSignOut",
        "AdminSetUserMFAPreference",
    ] {
        let missing = |member: &str| {
            is(
                "InvalidParameterException",
                &format!(
                    "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member \
                     must not be null"
                ),
            )
        };
        let input = |pool_id: Value, username: Value| {
            json!({
                "UserPoolId": pool_id, "Username": username, "Password": PASSWORD,
                "UserAttributes": [], "UserAttributeNames": [],
            })
        };
        let (id, long) = (json!(pool.id().as_str()), "x".repeat(128));
        let nowhere = "User pool us-east-1_Nowhere does not exist.";
        for (input, expected) in [
            (input(Value::Null, json!("jane")), missing("userPoolId")),
            (input(id.clone(), Value::Null), missing("username")),
            (
                input(json!("us-east-1_Nowhere"), json!("jane")),
                is("ResourceNotFoundException", nowhere),
            ),
        ] {
            assert_eq!(error(call(&pool, operation, input).await), expected, "{operation}");
        }
        assert_eq!(
            error(call(&pool, operation, input(id.clone(), json!({ "a": 1 }))).await).0,
            "SerializationException"
        );
        if operation != "AdminCreateUser" {
            assert_eq!(
                error(call(&pool, operation, input(id, json!(long))).await),
                user_not_found()
            );
        }
    }
}

#[tokio::test]
async fn admin_operations_need_no_credentials() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    let signed = "AWS4-HMAC-SHA256 Credential=x/20261124/us-east-1/cognito-idp/aws4_request, \
                  SignedHeaders=host;x-amz-date, Signature=00";
    for authorization in [Some(signed), Some("nonsense"), None] {
        let mut request = reqwest::Client::new()
            .post(format!("http://{}/", pool.address()))
            .header("x-amz-target", "AWSCognitoIdentityProviderService.AdminGetUser")
            .body(json!({ "UserPoolId": pool.id().as_str(), "Username": "jane" }).to_string());
        if let Some(value) = authorization {
            request =
                request.header("authorization", value).header("x-amz-date", "20261124T000000Z");
        }
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}
