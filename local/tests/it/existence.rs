//! Responses do not reveal whether a user exists (`PreventUserExistenceErrors`), and codes cannot be guessed.

use std::{collections::BTreeSet, path::Path, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    DataFile,
    cognito::{
        Outcome, PASSWORD, call, error, incorrect, initiate, is, messages, pool_with, respond,
        sign_in,
    },
    function::{Function, Outcome as Reply},
    srp::{SrpClient, prime},
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Names that no user has.
const UNKNOWN: [&str; 6] = ["ann", "ben", "cleo", "dan", "eve", "finn"];

/// Pools with each way to name a user, and a user of that kind.
const NAMING: [(&str, &str); 3] = [
    ("", "alice"),
    ("[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n", "alice@example.com"),
    ("[aws_cognito_user_pool]\nalias_attributes = [\"email\"]\n", "alice"),
];

async fn srp_parameters(pool: &UserPool, name: &str) -> Value {
    let parameters = json!({ "USERNAME": name, "SRP_A": SrpClient::new().public });
    let response = initiate(pool, "USER_SRP_AUTH", parameters).await.unwrap();
    response["ChallengeParameters"].clone()
}

async fn forgot(pool: &UserPool, name: &str) -> Value {
    let input = json!({ "ClientId": pool.client_id(), "Username": name });
    call(pool, "ForgotPassword", input).await.unwrap()["CodeDeliveryDetails"].clone()
}

async fn reset(pool: &UserPool, name: &str, code: &str) -> Outcome {
    let input = json!({
        "ClientId": pool.client_id(), "Username": name, "ConfirmationCode": code,
        "Password": "Another-Horse-2",
    });
    call(pool, "ConfirmForgotPassword", input).await
}

/// Returns the responses that a pool simulates for unknown names.
async fn simulated(pool: &UserPool) -> Vec<[Value; 3]> {
    let mut responses = Vec::new();
    for name in UNKNOWN {
        let srp = srp_parameters(pool, name).await;
        let contact = srp_parameters(pool, &format!("{name}@example.com")).await;
        let delivery = forgot(pool, name).await;
        responses.push([srp["SALT"].clone(), contact["USERNAME"].clone(), delivery]);
    }
    responses
}

#[tokio::test]
async fn simulated_responses_depend_on_a_secret_of_the_pool() {
    let pools =
        [pool_with(NAMING[2].0, &["alice"]).await, pool_with(NAMING[2].0, &["alice"]).await];
    assert_eq!(pools[0].id(), pools[1].id());
    let [first, second] = [simulated(&pools[0]).await, simulated(&pools[1]).await];
    assert_eq!(first, simulated(&pools[0]).await);
    for part in 0..3 {
        let part = |responses: &[[Value; 3]]| -> Vec<_> {
            responses.iter().map(|response| response[part].clone()).collect()
        };
        assert_ne!(part(&first), part(&second));
    }
    // A digest of public values, which an attacker can compute.
    let known = digest(&SHA256, format!("{} ann", pools[0].id()).as_bytes());
    let known: String = known.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_ne!(first[0][0], known.trim_start_matches('0'));
}

#[tokio::test]
async fn simulated_responses_stay_the_same_after_a_restart() {
    let file = DataFile::new("existence");
    let start = async |path: &Path| {
        let config = Config::from_toml(NAMING[2].0).unwrap();
        let builder = UserPool::builder().config(config).issuer("https://pool.test/a");
        builder.data(path).start().await.unwrap()
    };
    let pool = start(file.path()).await;
    let before = simulated(&pool).await;
    drop(pool);
    assert_eq!(simulated(&start(file.path()).await).await, before);
}

#[tokio::test]
async fn simulated_responses_have_the_form_of_real_ones() {
    for (toml, name) in NAMING {
        let pool = pool_with(toml, &[name]).await;
        let unknown = name.replace("alice", "nobody");
        let (real, simulated) =
            (srp_parameters(&pool, name).await, srp_parameters(&pool, &unknown).await);
        let lengths = |parameters: &Value, names: &[&str]| -> Vec<_> {
            names.iter().map(|name| parameters[name].as_str().unwrap().len()).collect()
        };
        assert_eq!(real.as_object().unwrap().len(), simulated.as_object().unwrap().len());
        let fixed = ["SECRET_BLOCK"];
        assert_eq!(lengths(&real, &fixed), lengths(&simulated, &fixed));
        // Numbers have no leading zeros.
        for (member, longest) in [("SALT", 32), ("SRP_B", prime().to_str_radix(16).len())] {
            for parameters in [&real, &simulated] {
                let digits = parameters[member].as_str().unwrap();
                assert!((longest - 4..=longest).contains(&digits.len()), "{member}");
                assert!(digits.bytes().all(|digit| b"0123456789abcdef".contains(&digit)));
            }
        }
        if name.contains('@') {
            let names = ["USERNAME", "USER_ID_FOR_SRP"];
            assert_eq!(lengths(&real, &names), lengths(&simulated, &names));
        }
        let (real, simulated) = (forgot(&pool, name).await, forgot(&pool, &unknown).await);
        assert_eq!(real["AttributeName"], simulated["AttributeName"]);
        assert_eq!(real["DeliveryMedium"], simulated["DeliveryMedium"]);
        let lengths = [&real, &simulated].map(|one| one["Destination"].as_str().unwrap().len());
        assert_eq!(lengths[0], lengths[1]);
    }
}

#[tokio::test]
async fn simulated_address_can_begin_with_any_letter() {
    let pool = pool_with("", &["alice"]).await;
    let mut first_letters = BTreeSet::new();
    for number in 0..60 {
        let delivery = forgot(&pool, &format!("nobody-{number}")).await;
        first_letters.insert(delivery["Destination"].as_str().unwrap()[..1].to_owned());
    }
    assert!(first_letters.len() > 10, "{first_letters:?}");
}

#[tokio::test]
async fn simulated_delivery_has_both_media_where_the_pool_has_both() {
    let toml = "[aws_cognito_user_pool]\nauto_verified_attributes = [\"email\", \"phone_number\"]";
    let pool = pool_with(toml, &["alice"]).await;
    let mut media = BTreeSet::new();
    for number in 0..60 {
        let delivery = forgot(&pool, &format!("nobody-{number}")).await;
        media.insert(delivery["DeliveryMedium"].as_str().unwrap().to_owned());
        let destination = delivery["Destination"].as_str().unwrap();
        assert!(
            destination.starts_with("+*******") && destination.len() == 12
                || destination.contains("***@")
        );
    }
    assert_eq!(media, BTreeSet::from(["EMAIL".to_owned(), "SMS".to_owned()]));
}

#[tokio::test]
async fn case_of_a_name_does_not_change_the_simulated_delivery() {
    for (toml, name) in NAMING {
        let pool = pool_with(toml, &[name]).await;
        for name in [name.to_owned(), name.replace("alice", "nobody")] {
            let delivery = forgot(&pool, &name).await;
            assert_eq!(forgot(&pool, &name.to_uppercase()).await, delivery, "{name}");
        }
    }
}

#[tokio::test]
async fn srp_response_with_another_name_gets_the_same_error_for_known_and_unknown_users() {
    for (toml, name) in NAMING {
        let pool = pool_with(toml, &[name]).await;
        let mut errors = Vec::new();
        for name in [name.to_owned(), name.replace("alice", "nobody")] {
            let parameters = srp_parameters(&pool, &name).await;
            let answers = json!({
                "USERNAME": "somebody-else",
                "PASSWORD_CLAIM_SECRET_BLOCK": parameters["SECRET_BLOCK"],
                "PASSWORD_CLAIM_SIGNATURE": "AAAA",
                "TIMESTAMP": crate::support::srp::TIMESTAMP,
            });
            errors.push(error(respond(&pool, "PASSWORD_VERIFIER", &Value::Null, answers).await));
        }
        assert_eq!(errors[0], errors[1]);
    }
}

#[tokio::test]
async fn user_without_a_password_is_locked_out_like_an_unknown_name() {
    let toml = "[[aws_cognito_user]]\nusername = \"invited\"\n";
    let pool = pool_with(toml, &[]).await;
    let locked = is("NotAuthorizedException", "Password attempts exceeded");
    for name in ["invited", "nobody"] {
        for _ in 0..5 {
            assert_eq!(error(sign_in(&pool, name, PASSWORD).await), incorrect(), "{name}");
        }
        assert_eq!(error(sign_in(&pool, name, PASSWORD).await), locked, "{name}");
    }
}

#[tokio::test]
async fn disabled_user_gets_the_same_sign_up_code_error_as_an_unknown_name() {
    for (mode, unknown, disabled) in [
        (
            "ENABLED",
            "ExpiredCodeException",
            is("ExpiredCodeException", "Invalid code provided, please request a code again."),
        ),
        ("LEGACY", "UserNotFoundException", is("NotAuthorizedException", "User is disabled.")),
    ] {
        let toml = format!(
            "[aws_cognito_user_pool]\nauto_verified_attributes = [\"email\"]\n\
             [[aws_cognito_user_pool_client]]\nprevent_user_existence_errors = \"{mode}\"\n"
        );
        let pool = pool_with(&toml, &[]).await;
        let input = json!({
            "ClientId": pool.client_id(), "Username": "alice", "Password": PASSWORD,
            "UserAttributes": [{ "Name": "email", "Value": "alice@example.com" }],
        });
        call(&pool, "SignUp", input).await.unwrap();
        let code = messages(&pool, "alice").await[0]["code"].clone();
        let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" });
        call(&pool, "AdminDisableUser", input).await.unwrap();
        let confirm = |name: &str, code: &Value| {
            let input = json!({
                "ClientId": pool.client_id(), "Username": name, "ConfirmationCode": code,
            });
            call(&pool, "ConfirmSignUp", input)
        };
        assert_eq!(error(confirm("nobody", &code).await).0, unknown, "{mode}");
        for code in [code, json!("wrong")] {
            assert_eq!(error(confirm("alice", &code).await), disabled, "{mode}");
        }
    }
}

#[tokio::test]
async fn new_codes_do_not_allow_unlimited_guesses() {
    let pool = pool_with("", &["alice"]).await;
    let limit = "LimitExceededException";
    for name in ["alice", "nobody"] {
        for _ in 0..4 {
            forgot(&pool, name).await;
            for _ in 0..5 {
                assert_eq!(error(reset(&pool, name, "wrong").await).0, "CodeMismatchException");
            }
            assert_eq!(error(reset(&pool, name, "wrong").await).0, limit);
        }
        forgot(&pool, name).await;
        assert_eq!(error(reset(&pool, name, "wrong").await).0, limit, "{name}");
    }
    let code = messages(&pool, "alice").await[0]["code"].as_str().unwrap().to_owned();
    assert_eq!(error(reset(&pool, "alice", &code).await).0, limit);
    pool.advance(HOUR);
    forgot(&pool, "alice").await;
    let code = messages(&pool, "alice").await[0]["code"].as_str().unwrap().to_owned();
    reset(&pool, "alice", &code).await.unwrap();
}

#[tokio::test]
async fn password_that_the_migration_trigger_rejects_is_counted() {
    let function =
        Function::answering(|_, _| Reply::Json(json!({ "errorMessage": "Bad password" }))).await;
    let builder = UserPool::builder().trigger_url(Trigger::UserMigration, function.url());
    let pool = builder.start().await.unwrap();
    for _ in 0..5 {
        assert_eq!(error(sign_in(&pool, "jane", "wrong").await).0, "UserLambdaValidationException");
    }
    let locked = is("NotAuthorizedException", "Password attempts exceeded");
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), locked);
    assert_eq!(function.count(), 5);
}

#[tokio::test]
async fn locked_out_name_does_not_reach_the_migration_trigger() {
    let response = json!({ "userAttributes": {}, "finalUserStatus": "CONFIRMED" });
    let function = Function::responding(response).await;
    let builder = UserPool::builder().trigger_url(Trigger::UserMigration, function.url());
    let pool = builder.start().await.unwrap();
    for _ in 0..5 {
        assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), incorrect());
    }
    let locked = is("NotAuthorizedException", "Password attempts exceeded");
    assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), locked);
    assert_eq!(function.count(), 5);
}
