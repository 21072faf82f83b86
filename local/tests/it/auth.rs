//! Sign-in by SRP and by password, and the tokens that result.

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

/// Starts an SRP exchange for a user.
async fn challenge(pool: &UserPool, client: &SrpClient, name: &str) -> Value {
    let parameters = json!({ "USERNAME": name, "SRP_A": client.public });
    initiate(pool, "USER_SRP_AUTH", parameters).await.unwrap()
}

async fn verify(pool: &UserPool, answers: Value) -> Result<Value, (String, String)> {
    respond(pool, "PASSWORD_VERIFIER", &Value::Null, answers).await
}

#[tokio::test]
async fn srp_sign_in_requires_the_password() {
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
async fn password_verifier_challenge_has_cognitos_shape() {
    let pool = pool_with("", &["alice"]).await;
    let response = challenge(&pool, &SrpClient::new(), "Alice").await;
    assert_eq!(response["ChallengeName"], "PASSWORD_VERIFIER");
    let parameters = response["ChallengeParameters"].as_object().unwrap();
    let names: Vec<_> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["SALT", "SECRET_BLOCK", "SRP_B", "USERNAME", "USER_ID_FOR_SRP"]);
    assert_eq!(parameters["USER_ID_FOR_SRP"], "alice");
    assert!(STANDARD.decode(parameters["SECRET_BLOCK"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn unsafe_srp_public_values_are_rejected() {
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
async fn srp_claim_is_accepted_only_once_and_only_in_the_same_exchange() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\n[[aws_cognito_user_pool_client]]\nclient_id = \"other\"\n",
        &["alice", "bob"],
    )
    .await;
    let client = SrpClient::new();
    let begun = challenge(&pool, &client, "alice").await;
    let right = client.answers(short_name(&pool), &begun, PASSWORD);

    // A different client, then a different user.
    let input = json!({
        "ClientId": "other", "ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": right,
    });
    assert_eq!(error(call(&pool, "RespondToAuthChallenge", input).await), session_over());
    let mut for_bob = right.clone();
    for_bob["USERNAME"] = json!("bob");
    assert_eq!(error(verify(&pool, for_bob).await), session_over());

    assert!(has_tokens(&verify(&pool, right.clone()).await));
    assert_eq!(error(verify(&pool, right).await), session_over());

    // A wrong claim also consumes the exchange.
    let begun = challenge(&pool, &client, "alice").await;
    let wrong = client.answers(short_name(&pool), &begun, "Wrong-Horse-1");
    let right = client.answers(short_name(&pool), &begun, PASSWORD);
    assert_eq!(error(verify(&pool, wrong).await), incorrect());
    assert_eq!(error(verify(&pool, right).await), session_over());

    // A claim for one exchange is invalid in another.
    let [first, second] =
        [challenge(&pool, &client, "alice").await, challenge(&pool, &client, "alice").await];
    let mut mixed = client.answers(short_name(&pool), &first, PASSWORD);
    mixed["PASSWORD_CLAIM_SECRET_BLOCK"] = second["ChallengeParameters"]["SECRET_BLOCK"].clone();
    assert_eq!(error(verify(&pool, mixed).await), incorrect());
}

#[tokio::test]
async fn srp_exchange_expires_and_ends_when_the_password_changes() {
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
async fn srp_timestamp_has_cognitos_format_and_is_signed() {
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
    // A malformed timestamp does not consume the exchange.
    let mut later = answers.clone();
    later["TIMESTAMP"] = json!("Mon Nov 3 15:13:14 UTC 2026");
    assert_eq!(error(verify(&pool, later).await), incorrect());
}

#[tokio::test]
async fn error_names_a_missing_auth_parameter() {
    let pool = pool_with("", &["alice"]).await;
    let missing =
        |name: &str| is("InvalidParameterException", &format!("Missing required parameter {name}"));
    let begin = async |parameters| error(initiate(&pool, "USER_SRP_AUTH", parameters).await);
    assert_eq!(begin(json!({})).await, missing("USERNAME"));
    assert_eq!(begin(json!({ "USERNAME": "alice" })).await, missing("SRP_A"));
    assert_eq!(begin(json!({ "USERNAME": "alice", "SRP_A": null })).await, missing("SRP_A"));
    let response = initiate(&pool, "USER_PASSWORD_AUTH", json!({ "USERNAME": "alice" })).await;
    assert_eq!(error(response), missing("PASSWORD"));
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
async fn users_sign_in_by_any_configured_alias() {
    let names =
        pool_with("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n", &["alice"]).await;
    let sub = payload(&token(&sign_in(&names, "alice", PASSWORD).await.unwrap(), "IdToken"));
    let sub = sub["sub"].as_str().unwrap();
    for name in ["alice", "Alice", "alice@example.com", "ALICE@example.COM", sub] {
        assert!(has_tokens(&srp_sign_in(&names, name, PASSWORD).await), "{name}");
        assert!(has_tokens(&sign_in(&names, name, PASSWORD).await), "{name}");
    }
    // Without the setting, an e-mail address is not an alias.
    let plain = pool_with("", &["alice"]).await;
    assert_eq!(error(sign_in(&plain, "alice@example.com", PASSWORD).await), incorrect());

    let exact = pool_with(
        "[aws_cognito_user_pool.username_configuration]\ncase_sensitive = true\n",
        &["alice", "Alice"],
    )
    .await;
    for name in ["alice", "Alice"] {
        let response = sign_in(&exact, name, PASSWORD).await.unwrap();
        assert_eq!(payload(&token(&response, "AccessToken"))["username"], name);
    }
    assert_eq!(error(sign_in(&exact, "ALICE", PASSWORD).await), incorrect());
}

#[tokio::test]
async fn user_who_signed_up_with_an_email_address_signs_in_with_it() {
    let pool = pool_with("[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n", &[]).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "Jane@example.com", "Password": PASSWORD,
    });
    let made = call(&pool, "SignUp", input).await.unwrap();
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": made["UserSub"] });
    call(&pool, "AdminConfirmSignUp", input).await.unwrap();
    for name in ["Jane@example.com", "jane@example.com", made["UserSub"].as_str().unwrap()] {
        let response = srp_sign_in(&pool, name, PASSWORD).await;
        let claims = payload(&token(&response.unwrap(), "AccessToken"));
        assert_eq!(claims["username"], made["UserSub"], "{name}");
    }
    let begun = challenge(&pool, &SrpClient::new(), "jane@example.com").await;
    assert_eq!(begun["ChallengeParameters"]["USER_ID_FOR_SRP"], made["UserSub"]);
}

#[tokio::test]
async fn admin_flow_is_accepted_only_from_admin_initiate_auth() {
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
    let response = call(&pool, "AdminInitiateAuth", input(flow, "us-east-1_Other")).await;
    assert_eq!(
        error(response),
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
async fn flow_that_the_client_does_not_allow_is_rejected() {
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
async fn secret_hash_is_checked_against_the_user_name_in_the_request() {
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
    let response = try_with("alice", Some(secret_hash("hush", "alice", id))).await.unwrap();
    let sub = payload(&token(&response, "IdToken"))["sub"].as_str().unwrap().to_owned();
    for name in ["alice@example.com", "ALICE", &sub] {
        let response = try_with(name, Some(secret_hash("hush", name, id))).await;
        assert!(has_tokens(&response), "{name}");
    }

    // SRP: the second call uses the user name from the challenge.
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

    // For a refresh, the hash is over the user name or the `sub` of the token's user.
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
async fn unknown_user_gets_the_same_error_as_a_wrong_password() {
    let emails = "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n";
    for (toml, name) in [("", "alice"), (emails, "alice@example.com")] {
        let pool = pool_with(toml, &[name]).await;
        let shape = |response: &Value| {
            let parameters = response["ChallengeParameters"].as_object().unwrap();
            let names: Vec<_> = parameters.keys().cloned().collect();
            (names, parameters["SECRET_BLOCK"].as_str().unwrap().len())
        };
        let client = SrpClient::new();
        let known = challenge(&pool, &client, name).await;
        let unknown = challenge(&pool, &client, "nobody@example.com").await;
        assert_eq!(shape(&known), shape(&unknown));
        let repeated = challenge(&pool, &SrpClient::new(), "Nobody@example.com").await;
        let parameter =
            |response: &Value, name: &str| response["ChallengeParameters"][name].clone();
        for name in ["SALT", "USER_ID_FOR_SRP"] {
            assert_eq!(parameter(&unknown, name), parameter(&repeated, name), "{name}");
        }
        assert_ne!(parameter(&unknown, "SRP_B"), parameter(&repeated, "SRP_B"));
        let other = challenge(&pool, &client, "someone@example.com").await;
        assert_ne!(parameter(&unknown, "SALT"), parameter(&other, "SALT"));

        let answers = client.answers(short_name(&pool), &unknown, PASSWORD);
        assert_eq!(error(verify(&pool, answers).await), incorrect());
        assert_eq!(error(sign_in(&pool, "nobody@example.com", PASSWORD).await), incorrect());
    }
}

#[tokio::test]
async fn challenge_for_an_unknown_email_address_has_a_stable_uuid() {
    let pool =
        pool_with("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n", &["alice"]).await;
    let client = SrpClient::new();
    let parameter = |response: &Value| response["ChallengeParameters"]["USER_ID_FOR_SRP"].clone();
    let unknown = challenge(&pool, &client, "nobody@example.com").await;
    assert_eq!(parameter(&unknown).as_str().unwrap().len(), 36);
    let repeated = challenge(&pool, &client, "Nobody@example.com").await;
    assert_eq!(parameter(&repeated), parameter(&unknown));
    assert_eq!(parameter(&challenge(&pool, &client, "nobody").await), "nobody");
}

#[tokio::test]
async fn invalid_user_name_is_rejected_at_once() {
    let pool = pool_with("", &["alice"]).await;
    let long = "a".repeat(2049);
    assert_eq!(error(sign_in(&pool, &long, PASSWORD).await).0, "InvalidParameterException");
    assert_eq!(error(srp_sign_in(&pool, &long, PASSWORD).await).0, "InvalidParameterException");
    assert_eq!(error(sign_in(&pool, &long[1..], PASSWORD).await), incorrect());
}

#[tokio::test]
async fn legacy_client_reports_that_the_user_does_not_exist() {
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
async fn tokens_have_the_users_claims_and_pass_the_middleware() {
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
    let response = srp_sign_in(&pool, "bob", PASSWORD).await.unwrap();
    let result = &response["AuthenticationResult"];
    assert_eq!((&result["ExpiresIn"], &result["TokenType"]), (&json!(600), &json!("Bearer")));
    assert_eq!(response["ChallengeParameters"], json!({}));
    let [access, id] = ["AccessToken", "IdToken"].map(|name| token(&response, name));
    assert_eq!(kid(&access), pool.key_id(TokenUse::Access));
    assert_eq!(kid(&id), pool.key_id(TokenUse::Id));
    assert_ne!(kid(&access), kid(&id));

    let verifier = crate::support::full_verifier(&pool).build().unwrap();
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
async fn tokens_have_no_origin_jti_if_the_client_disables_revocation() {
    let pool = pool_with(
        "[[aws_cognito_user_pool_client]]\nenable_token_revocation = false\n",
        &["alice"],
    )
    .await;
    let response = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    for name in ["AccessToken", "IdToken"] {
        let claims = payload(&token(&response, name));
        assert_eq!((claims.get("origin_jti"), claims.get("jti")), (None, None));
    }
    let input = json!({ "AccessToken": token(&response, "AccessToken") });
    call(&pool, "GlobalSignOut", input.clone()).await.unwrap();
    assert_eq!(
        error(call(&pool, "GetUser", input).await),
        is("NotAuthorizedException", "Access Token has been revoked")
    );
    pool.advance(DAY);
}
