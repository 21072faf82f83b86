//! What a configuration file of the local pool can say, and what it hears if it says something else.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tower_cognito::{AuthErrorKind, TokenUse};
use tower_cognito_local::{Config, UserPool};

use crate::support::cognito::call;

const USERS: &str = "[aws_cognito_user_pool]\n";
const CLIENT: &str = "[aws_cognito_user_pool_client]\n";

fn refusal(toml: &str) -> (usize, String) {
    match Config::from_toml(toml) {
        Ok(_) => panic!("it was taken: {toml}"),
        Err(error) => (error.line(), error.to_string()),
    }
}

/// In each text, the line with `#!` is wrong, and the error has the words that follow.
#[test]
fn a_wrong_setting_is_refused_with_its_line_and_what_is_allowed() {
    let wrong = [
        (
            USERS,
            "colour = \"red\"",
            "no such setting; there are account_recovery_setting, admin_create",
        ),
        (USERS, "name = 5", "it is to be a text"),
        (USERS, "name = \"\"", "1 to 128 signs"),
        (USERS, "username_attributes = [\"nickname\"]", "one of email, phone_number"),
        (USERS, "username_attributes = \"email\"", "it is to be a list"),
        (USERS, "alias_attributes = [\"name\"]", "one of email, phone_number, preferred_username"),
        (USERS, "username_attributes = [\"email\"]\nalias_attributes = [\"email\"]", "Only one of"),
        (USERS, "auto_verified_attributes = [\"fax\"]", "one of email, phone_number"),
        (USERS, "mfa_configuration = \"MAYBE\"", "one of OFF, OPTIONAL, ON"),
        (USERS, "mfa_configuration = true", "one of OFF, OPTIONAL, ON"),
        (USERS, "deletion_protection = \"YES\"", "one of ACTIVE, INACTIVE"),
        (USERS, "password_policy = { minimum_length = 5 }", "5 is not from 6 to 99"),
        (USERS, "password_policy = { minimum_length = 100 }", "100 is not from 6 to 99"),
        (USERS, "password_policy = { minimum_length = \"8\" }", "a whole number"),
        (USERS, "password_policy = { require_numbers = 1 }", "true or false"),
        (USERS, "password_policy = { password_history_size = 25 }", "25 is not from 0 to 24"),
        (
            USERS,
            "password_policy = { length = 8 }",
            "there are minimum_length, password_history_size",
        ),
        (USERS, "password_policy = [{}, {}]", "one block of this name"),
        (USERS, "username_configuration = { case_sensitive = \"no\" }", "true or false"),
        (USERS, "email_verification_message = \"Hello\"", "{####}"),
        (USERS, "schema = [{ name = \"a b\" }]", "1 to 20 signs without spaces"),
        (USERS, "schema = [{ name = \"a12345678901234567890\" }]", "1 to 20 signs"),
        (USERS, "schema = [{ attribute_data_type = \"String\" }]", "it has to be set"),
        (
            USERS,
            "schema = [{ name = \"a\", attribute_data_type = \"Text\" }]",
            "String, Number, DateTime, Boolean",
        ),
        (
            USERS,
            "schema = [{ name = \"a\", required = true }]",
            "Required custom attributes are not supported",
        ),
        (USERS, "schema = [{ name = \"a\" }, { name = \"a\" }]", "already has name custom:a"),
        (
            USERS,
            "schema = [{ name = \"email\", attribute_data_type = \"Number\" }]",
            "not change AttributeDataType",
        ),
        (
            USERS,
            "schema = [{ name = \"a\", string_attribute_constraints = { min_length = 5, max_length = 4 } }]",
            "5 or more",
        ),
        (
            USERS,
            "schema = [{ name = \"a\", string_attribute_constraints = { max_length = 9999 } }]",
            "not from 0 to 2048",
        ),
        (
            USERS,
            "schema = [{ name = \"a\", number_attribute_constraints = { min_value = 1 } }]",
            "of the type Number",
        ),
        (USERS, "lambda_config = { pre_sign_up = \"arn:aws:lambda:x\" }", "write the URL"),
        (
            CLIENT,
            "explicit_auth_flows = [\"ALLOW_ALL\"]",
            "ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_CUSTOM_AUTH",
        ),
        (CLIENT, "access_token_validity = 25", "from 5 minutes to 1 day"),
        (
            CLIENT,
            "token_validity_units = { id_token = \"seconds\" }\nid_token_validity = 299",
            "299 counts seconds",
        ),
        (
            CLIENT,
            "token_validity_units = { id_token = \"weeks\" }",
            "seconds, minutes, hours, days",
        ),
        (CLIENT, "refresh_token_validity = 3651", "from 60 minutes to 10 years"),
        (
            CLIENT,
            "access_token_validity = 3\ntoken_validity_units = { refresh_token = \"hours\" }\nrefresh_token_validity = 2",
            "see access_token_validity",
        ),
        (CLIENT, "auth_session_validity = 2", "2 is not from 3 to 15"),
        (CLIENT, "refresh_token_rotation = { feature = \"ON\" }", "ENABLED, DISABLED"),
        (
            CLIENT,
            "refresh_token_rotation = { feature = \"ENABLED\", retry_grace_period_seconds = 61 }",
            "61 is not from 0 to 60",
        ),
        (CLIENT, "prevent_user_existence_errors = \"enabled\"", "ENABLED, LEGACY"),
        (CLIENT, "read_attributes = [\"custom:tenant\"]", "none of sub, name"),
        (CLIENT, "write_attributes = [\"email_verified\"]", "Invalid write attributes"),
        (
            CLIENT,
            "allowed_oauth_scopes = [\"orders/read\"]",
            "there are openid, email, phone, profile, aws",
        ),
        (CLIENT, "allowed_oauth_flows = [\"password\"]", "code, implicit, client_credentials"),
        (CLIENT, "allowed_oauth_flows = [\"client_credentials\"]", "does not have a client secret"),
        (
            CLIENT,
            "allowed_oauth_flows = [\"client_credentials\", \"code\"]",
            "along with code flow",
        ),
        (CLIENT, "allowed_oauth_flows_user_pool_client = true", "are required"),
        (CLIENT, "callback_urls = [\"/callback\"]", "absolute"),
        (CLIENT, "callback_urls = [\"http://example.com/\"]", "http is for localhost"),
        (CLIENT, "callback_urls = [\"https://example.com/#a\"]", "without a fragment"),
        (CLIENT, "callback_urls = [\"javascript:alert(1)\"]", "scheme of an app"),
        (CLIENT, "callback_urls = [\"http://localhost@example.com/\"]", "host"),
        (CLIENT, "logout_urls = [\"https://\"]", "absolute"),
        (CLIENT, "default_redirect_uri = \"https://example.com/\"", "one of callback_urls"),
        (CLIENT, "client_id = \"a b\"", "letters, digits"),
        ("[aws_cognito_user_group]\n", "precedence = 1", "name: it has to be set"),
        ("[aws_cognito_user_group]\nname = \"a\"\n", "precedence = -1", "-1 is not from 0"),
        (
            "[aws_cognito_user_group]\nname = \"a\"\n[[aws_cognito_user]]\nusername = \"u\"\n",
            "groups = [\"b\"]",
            "there are a",
        ),
        (
            "[[aws_cognito_user_group]]\nname = \"a\"\n[[aws_cognito_user_group]]\n",
            "name = \"a\"",
            "already",
        ),
        (
            "[[aws_cognito_user]]\nusername = \"u\"\n",
            "password = \"short\"",
            "Password not long enough",
        ),
        (
            "[[aws_cognito_user]]\nusername = \"u\"\n",
            "attributes = { shoe = \"9\" }",
            "does not exist in the schema",
        ),
        (
            "[[aws_cognito_user]]\nusername = \"u\"\n",
            "attributes = { email = \"x\" }",
            "Invalid email address format",
        ),
        (
            "[[aws_cognito_user]]\nusername = \"u\"\n",
            "attributes = { sub = \"x\" }",
            "sub cannot be set",
        ),
        (
            "[[aws_cognito_user]]\nusername = \"u\"\n[[aws_cognito_user]]\n",
            "username = \"U\"",
            "already",
        ),
        (
            "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n[[aws_cognito_user]]\n",
            "username = \"u\"",
            "should be an email",
        ),
        (
            "[[aws_cognito_resource_server]]\nname = \"a\"\n",
            "identifier = \"a b\"",
            "printable ASCII",
        ),
        ("", "[aws_cognito_users]", "there are aws_cognito_"),
        ("", "this is no TOML", ""),
    ];
    for (before, setting, words) in wrong {
        let toml = format!("{before}{setting}\n");
        let (line, text) = refusal(&toml);
        let place = format!("configuration:{line}: ");
        assert!(text.starts_with(&place) && text.contains(words), "{toml}\nsays {text}");
        // A setting that is missing is told at its block.
        let first = before.matches('\n').count() + 1;
        let last = first + setting.matches('\n').count();
        let missing = text.contains("has to be set") || words == "are required";
        assert!(line == last || missing && line <= last, "{toml}\nsays {text}");
    }
}

#[test]
fn no_refusal_repeats_a_password_or_a_secret() {
    let toml = "[[aws_cognito_user]]\nusername = \"u\"\npassword = \"tiny\"\n";
    assert!(!refusal(toml).1.contains("tiny"));
    let toml = format!("{CLIENT}client_secret = \"{}\"\n", "secret".repeat(20));
    assert!(!refusal(&toml).1.contains("secretsecret"));
}

#[test]
fn a_file_that_is_not_there_is_named_without_a_line() {
    let error = Config::from_file("/nowhere/pool.toml").unwrap_err();
    assert_eq!(error.line(), 0);
    assert!(error.to_string().starts_with("/nowhere/pool.toml: "), "{error}");
}

#[test]
fn what_has_no_effect_is_told() {
    let toml = "[aws_cognito_user_pool]\nname = \"a\"\ntags = { team = \"a\" }\n\
                [aws_cognito_user_pool.email_configuration]\nemail_sending_account = \"DEVELOPER\"\n\
                [[aws_cognito_user_pool_client]]\nuser_pool_id = \"x\"\n";
    let config = Config::from_toml(toml).unwrap();
    assert_eq!(
        config.ignored(),
        [
            "configuration:3: aws_cognito_user_pool.tags",
            "configuration:4: aws_cognito_user_pool.email_configuration",
            "configuration:7: aws_cognito_user_pool_client.user_pool_id",
        ]
    );
    assert_eq!(Config::from_toml("").unwrap().ignored(), [""; 0]);
}

async fn described(pool: &UserPool) -> [Value; 2] {
    let id = pool.id().as_str();
    let about = call(pool, "DescribeUserPool", json!({ "UserPoolId": id })).await.unwrap();
    let input = json!({ "UserPoolId": id, "ClientId": pool.client_id() });
    let client = call(pool, "DescribeUserPoolClient", input).await.unwrap();
    [about["UserPool"].clone(), client["UserPoolClient"].clone()]
}

#[tokio::test]
async fn without_a_file_a_pool_is_open_to_every_client() {
    let pool = UserPool::start().await.unwrap();
    let [about, client] = described(&pool).await;
    assert_eq!(about["AutoVerifiedAttributes"], json!(["email"]));
    assert_eq!(about["MfaConfiguration"], "OPTIONAL");
    assert_eq!(about.get("UsernameAttributes"), None);
    assert_eq!(about["UsernameConfiguration"]["CaseSensitive"], false);
    let policy = &about["Policies"]["PasswordPolicy"];
    assert_eq!(policy["MinimumLength"], 8);
    for kind in ["Uppercase", "Lowercase", "Numbers", "Symbols"] {
        assert_eq!(policy[format!("Require{kind}")], true, "{kind}");
    }
    let mfa = json!({ "UserPoolId": pool.id().as_str() });
    let mfa = call(&pool, "GetUserPoolMfaConfig", mfa).await.unwrap();
    assert_eq!(mfa["SoftwareTokenMfaConfiguration"]["Enabled"], true);

    assert_eq!(client.get("ClientSecret"), None);
    assert_eq!(client["EnableTokenRevocation"], true);
    assert_eq!(client["ExplicitAuthFlows"].as_array().unwrap().len(), 5);
    let (access, unit) =
        (&client["AccessTokenValidity"], &client["TokenValidityUnits"]["AccessToken"]);
    assert_eq!((access, unit), (&json!(60), &json!("minutes")));
    assert_eq!(client["RefreshTokenValidity"], 30);
    assert_eq!(client.get("ReadAttributes"), None);
    assert_eq!(client.get("RefreshTokenRotation"), None);
}

#[tokio::test]
async fn the_example_of_a_file_is_taken_whole() {
    let config = Config::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pool.toml"));
    let config = config.unwrap();
    assert_eq!(config.ignored(), [""; 0]);
    let pool = UserPool::builder().config(config).start().await.unwrap();
    let [about, client] = described(&pool).await;
    assert_eq!(about["Policies"]["PasswordPolicy"]["MinimumLength"], 10);
    assert_eq!(client["ClientName"], "web");
    assert_eq!(client["CallbackURLs"], json!(["http://localhost:3000/callback"]));
    let machine = pool.client_secret("machineclient0000000000000").unwrap();
    assert!(machine.len() >= 40);
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" });
    let alice = call(&pool, "AdminGetUser", input).await.unwrap();
    assert_eq!(alice["UserStatus"], "CONFIRMED");
    let seats = json!({ "Name": "custom:seats", "Value": "12" });
    assert!(alice["UserAttributes"].as_array().unwrap().contains(&seats), "{alice}");
}

/// A file with labels says what the same file says without them.
#[tokio::test]
async fn blocks_may_have_labels_as_terraform_writes_them() {
    for prefix in ["", "resource."] {
        let toml = format!(
            "[{prefix}aws_cognito_user_pool.main]\nusername_attributes = [\"email\"]\n\
             [{prefix}aws_cognito_user_pool.main.password_policy]\nminimum_length = 11\n\
             [{prefix}aws_cognito_user_pool_client.web]\nname = \"web\"\n\
             user_pool_id = \"${{aws_cognito_user_pool.main.id}}\"\n\
             [{prefix}aws_cognito_user_pool_client.other]\nname = \"other\"\n\
             [aws_cognito_user_group]\nname = \"plain\"\n"
        );
        let config = Config::from_toml(&toml).unwrap();
        let pool = UserPool::builder().config(config).start().await.unwrap();
        let [about, client] = described(&pool).await;
        assert_eq!(about["UsernameAttributes"], json!(["email"]));
        assert_eq!(about["Policies"]["PasswordPolicy"]["MinimumLength"], 11);
        assert_eq!(client["ClientName"], "web");
        assert_eq!(pool.client_ids().len(), 2);
    }
}

#[tokio::test]
async fn a_block_within_a_resource_is_no_label() {
    let toml = format!("{USERS}password_policy = {{ minimum_length = 11 }}\n");
    let pool = UserPool::builder().config(Config::from_toml(&toml).unwrap()).start().await.unwrap();
    let [about, _] = described(&pool).await;
    assert_eq!(about["Policies"]["PasswordPolicy"]["MinimumLength"], 11);
}

#[test]
fn what_is_wrong_under_a_label_is_refused_with_its_line_and_label() {
    let (line, error) = refusal("[aws_cognito_user_pool.main]\nmfa_configuration = \"MAYBE\"\n");
    assert_eq!(line, 2);
    assert!(error.contains("aws_cognito_user_pool.main.mfa_configuration"), "{error}");
    let two =
        "[aws_cognito_user_pool]\nname = \"a\"\n[resource.aws_cognito_user_pool.b]\nname = \"b\"\n";
    let (line, error) = refusal(two);
    assert_eq!(line, 3);
    assert!(error.contains("one block of this name"), "{error}");
}

#[tokio::test]
async fn a_validity_without_a_unit_counts_as_cognito_counts() {
    let toml = format!("{CLIENT}access_token_validity = 2\nrefresh_token_validity = 2\n");
    let pool = UserPool::builder().config(Config::from_toml(&toml).unwrap()).start().await.unwrap();
    let [_, client] = described(&pool).await;
    let units = json!({ "AccessToken": "hours", "IdToken": "minutes", "RefreshToken": "days" });
    assert_eq!(client["TokenValidityUnits"], units);
}

#[tokio::test]
async fn a_seeded_user_of_a_pool_with_emails_for_names_signs_in() {
    let toml = "[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n\
                [aws_cognito_user]\nusername = \"jane@example.com\"\npassword = \"Correct-Horse-1\"\n";
    let pool = UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap();
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "Jane@example.com", "PASSWORD": "Correct-Horse-1" },
    });
    let answer = call(&pool, "InitiateAuth", input).await.unwrap();
    let token = answer["AuthenticationResult"]["AccessToken"].clone();
    let user = call(&pool, "GetUser", json!({ "AccessToken": token })).await.unwrap();
    let attributes = user["UserAttributes"].as_array().unwrap();
    assert_eq!(user["Username"], attributes[0]["Value"]);
    assert!(attributes.contains(&json!({ "Name": "email_verified", "Value": "true" })), "{user}");
}

#[tokio::test]
async fn the_first_client_without_an_id_has_that_of_the_builder() {
    let toml = "[[aws_cognito_user_pool_client]]\nclient_id = \"other\"\n\
                [[aws_cognito_user_pool_client]]\nname = \"mine\"\n";
    let config = Config::from_toml(toml).unwrap();
    let pool = UserPool::builder().config(config.clone()).client_id("given").start().await.unwrap();
    assert_eq!(described(&pool).await[1]["ClientName"], "mine");
    let pool = UserPool::builder().config(config).client_id("other").start().await.unwrap();
    assert_eq!(pool.client_id(), "other");

    let config = Config::from_toml(&format!("{CLIENT}client_id = \"other\"\n")).unwrap();
    let pool = UserPool::builder().config(config.clone()).start().await.unwrap();
    assert_eq!(pool.client_id(), "other");
    let error = UserPool::builder().config(config).client_id("given").start().await.unwrap_err();
    assert!(error.to_string().contains("\"given\", but other"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pools_start_at_once_and_share_nothing() {
    const POOLS: usize = 50;
    let together = Arc::new(tokio::sync::Barrier::new(POOLS));
    let mut starts = tokio::task::JoinSet::new();
    for number in 0..POOLS {
        let together = Arc::clone(&together);
        starts.spawn(async move {
            let builder = UserPool::builder().pool_id(format!("us-east-1_Pool{number}"));
            together.wait().await;
            builder.start().await.unwrap()
        });
    }
    let pools = starts.join_all().await;
    let ids: BTreeSet<_> = pools.iter().map(|pool| pool.id().as_str()).collect();
    let ports: BTreeSet<_> = pools.iter().map(|pool| pool.address().port()).collect();
    let keys: BTreeSet<_> = pools
        .iter()
        .flat_map(|pool| [TokenUse::Access, TokenUse::Id].map(|token_use| pool.key_id(token_use)))
        .collect();
    assert_eq!((ids.len(), ports.len(), keys.len()), (POOLS, POOLS, 2 * POOLS));
    for (index, pool) in pools.iter().enumerate() {
        let verifier = pool.verifier().build().unwrap();
        let other = &pools[(index + 1) % POOLS];
        assert!(verifier.verify(&pool.token("alice").sign()).await.is_ok());
        let refused = verifier.verify(&other.token("alice").sign()).await.unwrap_err();
        assert_eq!(refused.kind(), AuthErrorKind::UntrustedIssuer);
        assert_eq!(pool.fetches(), 1);
    }
}

#[tokio::test]
async fn a_password_policy_asks_for_the_kinds_that_it_names() {
    let toml =
        "[aws_cognito_user_pool.password_policy]\nminimum_length = 7\nrequire_numbers = true";
    let pool = UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap();
    let sign_up = async |name: &str, password: &str| {
        let input = json!({ "ClientId": pool.client_id(), "Username": name, "Password": password });
        call(&pool, "SignUp", input).await.map(drop)
    };
    assert_eq!(sign_up("alice", "letters1").await, Ok(()));
    for wrong in ["letters", "short1"] {
        assert_eq!(sign_up("bob", wrong).await.unwrap_err().0, "InvalidPasswordException");
    }
}
