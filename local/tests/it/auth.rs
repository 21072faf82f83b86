//! Who signs in to the local pool, and who does not.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::UserPool;

use crate::support::{
    cognito::{
        PASSWORD, call, error, has_tokens, incorrect, initiate, is, kid, payload, pool_with,
        respond, session_over, short_name, sign_in, srp_sign_in, token,
    },
    srp::{SrpClient, prime},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Begins an exchange for a user.
async fn challenge(pool: &UserPool, client: &SrpClient, name: &str) -> Value {
    let parameters = json!({ "USERNAME": name, "SRP_A": client.public });
    initiate(pool, "USER_SRP_AUTH", parameters).await.unwrap()
}

async fn verify(pool: &UserPool, answers: Value) -> Result<Value, (String, String)> {
    respond(pool, "PASSWORD_VERIFIER", &Value::Null, answers).await
}

#[tokio::test]
async fn who_knows_the_password_signs_in_by_srp_and_nobody_else_does() {
    let pool = pool_with("", &["alice", "bob"]).await;
    for name in ["alice", "ALICE"] {
        assert!(has_tokens(&srp_sign_in(&pool, name, PASSWORD).await), "{name}");
    }
    for wrong in ["", "correct-horse-1", "Correct-Horse-1 ", "Correct-Horse-"] {
        assert_eq!(error(srp_sign_in(&pool, "alice", wrong).await), incorrect(), "{wrong}");
    }
    assert!(has_tokens(&srp_sign_in(&pool, "bob", PASSWORD).await));
}

#[tokio::test]
async fn the_challenge_has_cognitos_shape() {
    let pool = pool_with("", &["alice"]).await;
    let answer = challenge(&pool, &SrpClient::new(), "Alice").await;
    assert_eq!(answer["ChallengeName"], "PASSWORD_VERIFIER");
    let parameters = answer["ChallengeParameters"].as_object().unwrap();
    let names: Vec<_> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"]);
    assert_eq!(parameters["USER_ID_FOR_SRP"], "alice");
    assert!(STANDARD.decode(parameters["SECRET_BLOCK"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn public_numbers_that_give_the_secret_away_are_refused() {
    let pool = pool_with("", &["alice"]).await;
    let (n, three) = (prime().to_str_radix(16), (prime() * 3_u8).to_str_radix(16));
    let huge = "f".repeat(100_000);
    for public in ["0", "00", &n, &three, "", "xyz", "-1", "+1", "0x2", " 2", &huge] {
        for name in ["alice", "nobody"] {
            let parameters = json!({ "USERNAME": name, "SRP_A": public });
            let (what, _) = error(initiate(&pool, "USER_SRP_AUTH", parameters).await);
            assert_eq!(what, "InvalidParameterException", "{name} {}", public.len());
        }
    }
}

#[tokio::test]
async fn a_claim_answers_its_own_exchange_and_once() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\n[[aws_cognito_user_pool_client]]\nclient_id = \"other\"\n",
        &["alice", "bob"],
    )
    .await;
    let client = SrpClient::new();
    let begun = challenge(&pool, &client, "alice").await;
    let right = client.answers(short_name(&pool), &begun, PASSWORD);

    // Another client, another user.
    let input = json!({
        "ClientId": "other", "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": right,
    });
    assert_eq!(error(call(&pool, "RespondToAuthChallenge", input).await), session_over());
    let mut for_bob = right.clone();
    for_bob["USERNAME"] = json!("bob");
    assert_eq!(error(verify(&pool, for_bob).await), session_over());

    assert!(has_tokens(&verify(&pool, right.clone()).await));
    assert_eq!(error(verify(&pool, right).await), session_over());

    // A wrong claim uses the exchange up too.
    let begun = challenge(&pool, &client, "alice").await;
    let wrong = client.answers(short_name(&pool), &begun, "Wrong-Horse-1");
    let right = client.answers(short_name(&pool), &begun, PASSWORD);
    assert_eq!(error(verify(&pool, wrong).await), incorrect());
    assert_eq!(error(verify(&pool, right).await), session_over());

    // What proves one exchange proves no other.
    let [first, second] =
        [challenge(&pool, &client, "alice").await, challenge(&pool, &client, "alice").await];
    let mut mixed = client.answers(short_name(&pool), &first, PASSWORD);
    mixed["PASSWORD_CLAIM_SECRET_BLOCK"] = second["ChallengeParameters"]["SECRET_BLOCK"].clone();
    assert_eq!(error(verify(&pool, mixed).await), incorrect());
}

#[tokio::test]
async fn an_exchange_ends_with_time_and_with_the_password_it_was_for() {
    let pool = pool_with("", &["alice"]).await;
    let client = SrpClient::new();
    let begun = challenge(&pool, &client, "alice").await;
    let answers = client.answers(short_name(&pool), &begun, PASSWORD);
    pool.advance(Duration::from_secs(3 * 60));
    assert_eq!(error(verify(&pool, answers).await), session_over());

    let begun = challenge(&pool, &client, "alice").await;
    let signed_in = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    let input = json!({
        "AccessToken": token(&signed_in, "AccessToken"),
        "PreviousPassword": PASSWORD,
        "ProposedPassword": "Another-Horse-2",
    });
    call(&pool, "ChangePassword", input).await.unwrap();
    for password in [PASSWORD, "Another-Horse-2"] {
        let answers = client.answers(short_name(&pool), &begun, password);
        assert!(!has_tokens(&verify(&pool, answers).await));
    }
    assert!(has_tokens(&srp_sign_in(&pool, "alice", "Another-Horse-2").await));
}

#[tokio::test]
async fn the_timestamp_is_in_javas_form_and_part_of_the_claim() {
    let pool = pool_with("", &["alice"]).await;
    let client = SrpClient::new();
    let begun = challenge(&pool, &client, "alice").await;
    let answers = client.answers(short_name(&pool), &begun, PASSWORD);
    for wrong in ["", "now", "2026-11-03T15:13:13Z", "Mon Nov 03 15:13:13 UTC 2026"] {
        let mut answers = answers.clone();
        answers["TIMESTAMP"] = json!(wrong);
        assert_eq!(
            error(verify(&pool, answers).await),
            is(
                "InvalidParameterException",
                "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english."
            )
        );
    }
    // What cannot be read uses nothing up.
    let mut later = answers.clone();
    later["TIMESTAMP"] = json!("Mon Nov 3 15:13:14 UTC 2026");
    assert_eq!(error(verify(&pool, later).await), incorrect());
}

#[tokio::test]
async fn a_missing_part_is_named() {
    let pool = pool_with("", &["alice"]).await;
    let missing =
        |name: &str| is("InvalidParameterException", &format!("Missing required parameter {name}"));
    let begin = async |parameters| error(initiate(&pool, "USER_SRP_AUTH", parameters).await);
    assert_eq!(begin(json!({})).await, missing("USERNAME"));
    assert_eq!(begin(json!({ "USERNAME": "alice" })).await, missing("SRP_A"));
    assert_eq!(begin(json!({ "USERNAME": "alice", "SRP_A": null })).await, missing("SRP_A"));
    let answer = initiate(&pool, "USER_PASSWORD_AUTH", json!({ "USERNAME": "alice" })).await;
    assert_eq!(error(answer), missing("PASSWORD"));
    let client = SrpClient::new();
    let begun = challenge(&pool, &client, "alice").await;
    let answers = client.answers(short_name(&pool), &begun, PASSWORD);
    for name in ["USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"]
    {
        let mut answers = answers.clone();
        answers.as_object_mut().unwrap().remove(name);
        assert_eq!(error(verify(&pool, answers).await), missing(name));
    }
    assert!(has_tokens(&verify(&pool, answers).await));
}

#[tokio::test]
async fn users_are_found_by_whatever_stands_for_their_name() {
    let names =
        pool_with("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n", &["alice"]).await;
    let sub = payload(&token(&sign_in(&names, "alice", PASSWORD).await.unwrap(), "IdToken"));
    let sub = sub["sub"].as_str().unwrap();
    for name in ["alice", "Alice", "alice@example.com", "ALICE@example.COM", sub] {
        assert!(has_tokens(&srp_sign_in(&names, name, PASSWORD).await), "{name}");
        assert!(has_tokens(&sign_in(&names, name, PASSWORD).await), "{name}");
    }
    // Without the setting, an e-mail address is nobody's name.
    let plain = pool_with("", &["alice"]).await;
    assert_eq!(error(sign_in(&plain, "alice@example.com", PASSWORD).await), incorrect());

    let exact = pool_with(
        "[aws_cognito_user_pool.username_configuration]\ncase_sensitive = true\n",
        &["alice", "Alice"],
    )
    .await;
    for name in ["alice", "Alice"] {
        let answer = sign_in(&exact, name, PASSWORD).await.unwrap();
        assert_eq!(payload(&token(&answer, "AccessToken"))["username"], name);
    }
    assert_eq!(error(sign_in(&exact, "ALICE", PASSWORD).await), incorrect());
}

#[tokio::test]
async fn who_signs_up_with_an_email_address_signs_in_with_it() {
    let pool = pool_with("[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n", &[]).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "Jane@example.com", "Password": PASSWORD,
    });
    let made = call(&pool, "SignUp", input).await.unwrap();
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": made["UserSub"] });
    call(&pool, "AdminConfirmSignUp", input).await.unwrap();
    for name in ["Jane@example.com", "jane@example.com", made["UserSub"].as_str().unwrap()] {
        let answer = srp_sign_in(&pool, name, PASSWORD).await;
        let claims = payload(&token(&answer.unwrap(), "AccessToken"));
        assert_eq!(claims["username"], made["UserSub"], "{name}");
    }
    let begun = challenge(&pool, &SrpClient::new(), "jane@example.com").await;
    assert_eq!(begun["ChallengeParameters"]["USER_ID_FOR_SRP"], made["UserSub"]);
}

#[tokio::test]
async fn administrators_have_a_flow_of_their_own() {
    let pool = pool_with("", &["alice"]).await;
    let input = |flow: &str, pool_id: &str| {
        json!({
            "UserPoolId": pool_id,
            "ClientId": pool.client_id(),
            "AuthFlow": flow,
            "AuthParameters": { "USERNAME": "alice", "PASSWORD": PASSWORD },
        })
    };
    let id = pool.id().as_str();
    for flow in ["ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"] {
        assert!(has_tokens(&call(&pool, "AdminInitiateAuth", input(flow, id)).await));
        assert_eq!(
            error(call(&pool, "InitiateAuth", input(flow, id)).await),
            is("InvalidParameterException", "Initiate Auth method not supported.")
        );
    }
    let flow = "ADMIN_USER_PASSWORD_AUTH";
    let answer = call(&pool, "AdminInitiateAuth", input(flow, "us-east-1_Other")).await;
    assert_eq!(
        error(answer),
        is("ResourceNotFoundException", "User pool us-east-1_Other does not exist.")
    );

    let client = SrpClient::new();
    let mut srp = input("USER_SRP_AUTH", id);
    srp["AuthParameters"] = json!({ "USERNAME": "alice", "SRP_A": client.public });
    let begun = call(&pool, "AdminInitiateAuth", srp).await.unwrap();
    let input = json!({
        "UserPoolId": id,
        "ClientId": pool.client_id(),
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeResponses": client.answers(short_name(&pool), &begun, PASSWORD),
    });
    assert!(has_tokens(&call(&pool, "AdminRespondToAuthChallenge", input).await));
}

#[tokio::test]
async fn a_flow_that_is_not_the_clients_is_refused() {
    let pool =
        pool_with("[[aws_cognito_user_pool_client]]\nexplicit_auth_flows = []\n", &["alice"]).await;
    for flow in
        ["USER_SRP_AUTH", "USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "CUSTOM_AUTH", "USER_AUTH"]
    {
        let parameters = json!({
            "USERNAME": "alice", "PASSWORD": PASSWORD, "SRP_A": SrpClient::new().public, "REFRESH_TOKEN": "a",
        });
        assert_eq!(
            error(initiate(&pool, flow, parameters).await),
            is("InvalidParameterException", &format!("{flow} flow not enabled for this client"))
        );
    }
    let input = json!({
        "UserPoolId": pool.id().as_str(),
        "ClientId": pool.client_id(),
        "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": PASSWORD },
    });
    assert_eq!(
        error(call(&pool, "AdminInitiateAuth", input).await),
        is(
            "InvalidParameterException",
            "ADMIN_USER_PASSWORD_AUTH flow not enabled for this client"
        )
    );
    let open = pool_with("", &["alice"]).await;
    assert_eq!(
        error(initiate(&open, "ADMIN_NO_SRP_AUTH", json!({ "USERNAME": "alice" })).await),
        is("InvalidParameterException", "Initiate Auth method not supported.")
    );
    let (name, message) = error(initiate(&open, "MAGIC", json!({ "USERNAME": "alice" })).await);
    assert_eq!(name, "InvalidParameterException");
    assert!(message.contains("Value 'MAGIC' at 'authFlow'"), "{message}");
}

fn secret_hash(secret: &str, name: &str, client: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(aws_lc_rs::hmac::sign(&key, format!("{name}{client}").as_bytes()))
}

#[tokio::test]
async fn a_client_with_a_secret_proves_it_for_the_name_that_it_sends() {
    let pool = pool_with(
        "[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n\
         [[aws_cognito_user_pool_client]]\nclient_secret = \"hush\"\n",
        &["alice"],
    )
    .await;
    let id = pool.client_id();
    let try_with = async |name: &str, hash: Option<String>| {
        let parameters = json!({ "USERNAME": name, "PASSWORD": PASSWORD, "SECRET_HASH": hash });
        initiate(&pool, "USER_PASSWORD_AUTH", parameters).await
    };
    let not = |message: String| is("NotAuthorizedException", &message);
    let absent =
        not(format!("Client {id} is configured with secret but SECRET_HASH was not received"));
    let wrong = not(format!("Unable to verify secret hash for client {id}"));
    assert_eq!(error(try_with("alice", None).await), absent);
    for hash in [
        String::new(),
        secret_hash("hush", "bob", id),
        secret_hash("hush", "alice", "other"),
        secret_hash("loud", "alice", id),
    ] {
        assert_eq!(error(try_with("alice", Some(hash)).await), wrong);
    }
    let answer = try_with("alice", Some(secret_hash("hush", "alice", id))).await.unwrap();
    let sub = payload(&token(&answer, "IdToken"))["sub"].as_str().unwrap().to_owned();
    for name in ["alice@example.com", "ALICE", &sub] {
        let answer = try_with(name, Some(secret_hash("hush", name, id))).await;
        assert!(has_tokens(&answer), "{name}");
    }

    // SRP: the name of the second call is the one that the challenge told.
    let client = SrpClient::new();
    let email = "alice@example.com";
    let parameters = json!({
        "USERNAME": email, "SRP_A": client.public, "SECRET_HASH": secret_hash("hush", email, id),
    });
    let begun = initiate(&pool, "USER_SRP_AUTH", parameters).await.unwrap();
    let mut answers = client.answers(short_name(&pool), &begun, PASSWORD);
    assert_eq!(error(verify(&pool, answers.clone()).await), absent);
    answers["SECRET_HASH"] = json!(secret_hash("hush", "alice", id));
    let signed_in = verify(&pool, answers).await.unwrap();

    // A refresh is for the user of the token, by user name or sub.
    let refresh = async |hash: Option<String>| {
        let parameters = json!({
            "REFRESH_TOKEN": token(&signed_in, "RefreshToken"), "SECRET_HASH": hash,
        });
        initiate(&pool, "REFRESH_TOKEN_AUTH", parameters).await
    };
    assert_eq!(error(refresh(None).await), absent);
    assert_eq!(error(refresh(Some(secret_hash("hush", email, id))).await), wrong);
    for name in ["alice", &sub] {
        assert!(has_tokens(&refresh(Some(secret_hash("hush", name, id))).await));
    }

    let public = pool_with("", &["alice"]).await;
    let hash = secret_hash("hush", "alice", public.client_id());
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD, "SECRET_HASH": hash });
    assert_eq!(
        error(initiate(&public, "USER_PASSWORD_AUTH", parameters).await),
        not(format!(
            "Client {} is not configured with secret but SECRET_HASH was received",
            public.client_id()
        ))
    );
}

#[tokio::test]
async fn who_is_not_there_looks_like_somebody_with_another_password() {
    let emails = "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n";
    for (toml, name) in [("", "alice"), (emails, "alice@example.com")] {
        let pool = pool_with(toml, &[name]).await;
        let shape = |answer: &Value| {
            let parameters = answer["ChallengeParameters"].as_object().unwrap();
            let names: Vec<_> = parameters.keys().cloned().collect();
            (names, parameters["SECRET_BLOCK"].as_str().unwrap().len())
        };
        let client = SrpClient::new();
        let known = challenge(&pool, &client, name).await;
        let unknown = challenge(&pool, &client, "nobody@example.com").await;
        assert_eq!(shape(&known), shape(&unknown));
        let again = challenge(&pool, &SrpClient::new(), "Nobody@example.com").await;
        let told = |answer: &Value, name: &str| answer["ChallengeParameters"][name].clone();
        for name in ["SALT", "USER_ID_FOR_SRP"] {
            assert_eq!(told(&unknown, name), told(&again, name), "{name}");
        }
        assert_ne!(told(&unknown, "SRP_B"), told(&again, "SRP_B"));
        let other = challenge(&pool, &client, "someone@example.com").await;
        assert_ne!(told(&unknown, "SALT"), told(&other, "SALT"));

        let answers = client.answers(short_name(&pool), &unknown, PASSWORD);
        assert_eq!(error(verify(&pool, answers).await), incorrect());
        assert_eq!(error(sign_in(&pool, "nobody@example.com", PASSWORD).await), incorrect());
    }
}

#[tokio::test]
async fn an_address_that_nobody_proved_seems_to_stand_for_a_user_name() {
    let pool =
        pool_with("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n", &["alice"]).await;
    let client = SrpClient::new();
    let told = |answer: &Value| answer["ChallengeParameters"]["USER_ID_FOR_SRP"].clone();
    let unknown = challenge(&pool, &client, "nobody@example.com").await;
    assert_eq!(told(&unknown).as_str().unwrap().len(), 36);
    let again = challenge(&pool, &client, "Nobody@example.com").await;
    assert_eq!(told(&again), told(&unknown));
    assert_eq!(told(&challenge(&pool, &client, "nobody").await), "nobody");
}

#[tokio::test]
async fn a_name_that_nobody_can_have_is_refused_at_once() {
    let pool = pool_with("", &["alice"]).await;
    let long = "a".repeat(2049);
    assert_eq!(error(sign_in(&pool, &long, PASSWORD).await).0, "InvalidParameterException");
    assert_eq!(error(srp_sign_in(&pool, &long, PASSWORD).await).0, "InvalidParameterException");
    assert_eq!(error(sign_in(&pool, &long[1..], PASSWORD).await), incorrect());
}

#[tokio::test]
async fn a_legacy_client_hears_that_nobody_is_there() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\nprevent_user_existence_errors = \"LEGACY\"\n",
        &["alice"],
    )
    .await;
    let missing = is("UserNotFoundException", "User does not exist.");
    assert_eq!(error(sign_in(&pool, "nobody", PASSWORD).await), missing);
    assert_eq!(error(srp_sign_in(&pool, "nobody", PASSWORD).await), missing);
    assert_eq!(error(srp_sign_in(&pool, "alice", "wrong").await), incorrect());
}

#[tokio::test]
async fn tokens_say_who_signed_in_and_are_good_by_this_crates_rules() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\nread_attributes = [\"email\"]\n\
         access_token_validity = 10\nid_token_validity = 2\n\
         [aws_cognito_user_pool_client.token_validity_units]\n\
         access_token = \"minutes\"\nid_token = \"hours\"\n\
         [[aws_cognito_user_group]]\nname = \"staff\"\nrole_arn = \"arn:aws:iam::1:role/staff\"\nprecedence = 1\n\
         [[aws_cognito_user]]\nusername = \"bob\"\npassword = \"Correct-Horse-1\"\ngroups = [\"staff\"]\n\
         attributes = { email = \"b@example.com\", nickname = \"bo\" }\n",
        &[],
    )
    .await;
    let answer = srp_sign_in(&pool, "bob", PASSWORD).await.unwrap();
    let result = &answer["AuthenticationResult"];
    assert_eq!((&result["ExpiresIn"], &result["TokenType"]), (&json!(600), &json!("Bearer")));
    assert_eq!(answer["ChallengeParameters"], json!({}));
    let [access, id] = ["AccessToken", "IdToken"].map(|name| token(&answer, name));
    assert_eq!(kid(&access), pool.key_id(TokenUse::Access));
    assert_eq!(kid(&id), pool.key_id(TokenUse::Id));
    assert_ne!(kid(&access), kid(&id));

    let verifier = pool.verifier().build().unwrap();
    let verified = verifier.verify(&access).await.unwrap();
    assert_eq!((verified.username(), verified.client_id()), (Some("bob"), pool.client_id()));
    assert!(verified.has_scope("aws.cognito.signin.user.admin"));
    assert!(verifier.verify(&id).await.is_ok());

    let (access, id) = (payload(&access), payload(&id));
    let lifetime =
        |claims: &Value| claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!((lifetime(&access), lifetime(&id)), (600, 7200));
    for name in ["sub", "iss", "origin_jti", "event_id", "auth_time", "cognito:groups"] {
        assert_eq!(access[name], id[name], "{name}");
    }
    assert_ne!(access["jti"], id["jti"]);
    assert_eq!(access["cognito:groups"], json!(["staff"]));
    assert_eq!(id["cognito:roles"], json!(["arn:aws:iam::1:role/staff"]));
    assert_eq!(id["cognito:preferred_role"], "arn:aws:iam::1:role/staff");
    assert_eq!((&id["email"], &id["aud"]), (&json!("b@example.com"), &json!(pool.client_id())));
    assert_eq!((id.get("nickname"), access.get("email")), (None, None));
    assert_eq!((access.get("aud"), id.get("scope")), (None, None));
}

#[tokio::test]
async fn tokens_of_a_client_without_revocation_have_no_origin() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\nenable_token_revocation = false\n",
        &["alice"],
    )
    .await;
    let answer = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    for name in ["AccessToken", "IdToken"] {
        let claims = payload(&token(&answer, name));
        assert_eq!((claims.get("origin_jti"), claims.get("jti")), (None, None));
    }
    let input = json!({ "AccessToken": token(&answer, "AccessToken") });
    call(&pool, "GlobalSignOut", input.clone()).await.unwrap();
    assert_eq!(
        error(call(&pool, "GetUser", input).await),
        is("NotAuthorizedException", "Access Token has been revoked")
    );
    pool.advance(DAY);
}
