//! Configuration files of the local pool, and errors in them.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tower_cognito::{AuthErrorKind, TokenUse};
use tower_cognito_local::{Config, UserPool};

use crate::support::cognito::call;

const USERS: &str = "[aws_cognito_user_pool]\n";
const CLIENT: &str = "[aws_cognito_user_pool_client]\n";

/// Returns the line and the text of the error for an invalid configuration.
fn error_of(toml: &str) -> (usize, String) {
    match Config::from_toml(toml) {
        Ok(_) => panic!("accepted: {toml}"),
        Err(error) => (error.line(), error.to_string()),
    }
}

/// Each entry has the text before the invalid setting, the invalid setting, and a part of the error.
#[test]
fn invalid_setting_is_rejected_with_its_line_and_the_allowed_values() {
    let wrong = [
        (USERS, "colour = \"red\"", "unknown setting; expected one of name, username_attributes"),
        (USERS, "name = 5", "expected a string, found an integer"),
        (USERS, "name = \"\"", "expected 1 to 128 characters, found 0"),
        (USERS, "username_attributes = [\"nickname\"]", "one of email, phone_number"),
        (USERS, "username_attributes = \"email\"", "expected a list, found a string"),
        (USERS, "alias_attributes = [\"name\"]", "one of email, phone_number, preferred_username"),
        (USERS, "username_attributes = [\"email\"]\nalias_attributes = [\"email\"]", "Only one of"),
        (USERS, "auto_verified_attributes = [\"fax\"]", "one of email, phone_number"),
        (USERS, "mfa_configuration = \"MAYBE\"", "one of OFF, OPTIONAL, ON; found \"MAYBE\""),
        (USERS, "mfa_configuration = true", "one of OFF, OPTIONAL, ON"),
        (USERS, "deletion_protection = \"YES\"", "one of ACTIVE, INACTIVE"),
        (USERS, "password_policy = { minimum_length = 5 }", "expected 6 to 99, found 5"),
        (USERS, "password_policy = { minimum_length = 100 }", "expected 6 to 99, found 100"),
        (
            USERS,
            "password_policy = { minimum_length = \"8\" }",
            "expected an integer, found a string",
        ),
        (USERS, "password_policy = { require_numbers = 1 }", "true or false"),
        (USERS, "password_policy = { password_history_size = 25 }", "expected 0 to 24, found 25"),
        (
            USERS,
            "password_policy = { length = 8 }",
            "expected one of minimum_length, require_uppercase",
        ),
        (USERS, "password_policy = [{}, {}]", "one block of this name"),
        (USERS, "username_configuration = { case_sensitive = \"no\" }", "true or false"),
        (USERS, "email_verification_message = \"Hello\"", "{####}"),
        (USERS, "schema = [{ name = \"a b\" }]", "expected 1 to 20 characters without spaces"),
        (USERS, "schema = [{ name = \"a12345678901234567890\" }]", "expected 1 to 20 characters"),
        (
            USERS,
            "schema = [{ attribute_data_type = \"String\" }]",
            "schema.name: required, but not set",
        ),
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
            "expected at least 5, the value of min_length, found 4",
        ),
        (
            USERS,
            "schema = [{ name = \"a\", string_attribute_constraints = { max_length = 9999 } }]",
            "expected 0 to 2048, found 9999",
        ),
        (
            USERS,
            "schema = [{ name = \"a\", number_attribute_constraints = { min_value = 1 } }]",
            "attributes of the type Number",
        ),
        (USERS, "lambda_config = { pre_sign_up = \"arn:aws:lambda:x\" }", "expected the URL"),
        (
            CLIENT,
            "explicit_auth_flows = [\"ALLOW_ALL\"]",
            "ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_CUSTOM_AUTH",
        ),
        (CLIENT, "access_token_validity = 25", "expected 5 minutes to 1 day, found 25 hours"),
        (
            CLIENT,
            "token_validity_units = { id_token = \"seconds\" }\nid_token_validity = 299",
            "found 299 seconds",
        ),
        (
            CLIENT,
            "token_validity_units = { id_token = \"weeks\" }",
            "seconds, minutes, hours, days",
        ),
        (
            CLIENT,
            "refresh_token_validity = 3651",
            "expected 60 minutes to 10 years, found 3651 days",
        ),
        (
            CLIENT,
            "access_token_validity = 3\ntoken_validity_units = { refresh_token = \"hours\" }\nrefresh_token_validity = 2",
            "the lifetime that access_token_validity sets",
        ),
        (CLIENT, "auth_session_validity = 2", "expected 3 to 15, found 2"),
        (CLIENT, "refresh_token_rotation = { feature = \"ON\" }", "ENABLED, DISABLED"),
        (
            CLIENT,
            "refresh_token_rotation = { feature = \"ENABLED\", retry_grace_period_seconds = 61 }",
            "expected 0 to 60, found 61",
        ),
        (CLIENT, "prevent_user_existence_errors = \"enabled\"", "LEGACY, ENABLED"),
        (CLIENT, "read_attributes = [\"custom:tenant\"]", "not one of sub, name"),
        (CLIENT, "write_attributes = [\"email_verified\"]", "Invalid write attributes"),
        (
            CLIENT,
            "allowed_oauth_scopes = [\"orders/read\"]",
            "expected one of openid, email, phone, profile, aws",
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
        (CLIENT, "callback_urls = [\"http://example.com/\"]", "http is allowed for localhost"),
        (CLIENT, "callback_urls = [\"https://example.com/caf\u{e9}\"]", "expected ASCII"),
        (CLIENT, "logout_urls = [\"https://ex\u{e4}mple.com/\"]", "expected ASCII"),
        (CLIENT, "callback_urls = [\"https://example.com/#a\"]", "without a fragment"),
        (CLIENT, "callback_urls = [\"javascript:alert(1)\"]", "scheme of an app"),
        (CLIENT, "callback_urls = [\"http://localhost@example.com/\"]", "host"),
        (CLIENT, "logout_urls = [\"https://\"]", "absolute"),
        (
            CLIENT,
            "default_redirect_uri = \"https://example.com/\"",
            "expected one of callback_urls",
        ),
        (CLIENT, "client_id = \"a b\"", "letters, digits, _ and +"),
        ("[aws_cognito_user_group]\n", "precedence = 1", "name: required, but not set"),
        (
            "[aws_cognito_user_group]\nname = \"a\"\n",
            "precedence = -1",
            "expected 0 to 4294967295, found -1",
        ),
        (
            "[aws_cognito_user_group]\nname = \"a\"\n[[aws_cognito_user]]\nusername = \"u\"\n",
            "groups = [\"b\"]",
            "expected one of a",
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
            "sub cannot be set: the pool generates it",
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
        ("", "[aws_cognito_users]", "expected one of aws_cognito_user_pool, "),
        ("", "this is no TOML", ""),
    ];
    for (before, setting, words) in wrong {
        let toml = format!("{before}{setting}\n");
        let (line, text) = error_of(&toml);
        let place = format!("configuration:{line}: ");
        assert!(text.starts_with(&place) && text.contains(words), "{toml}\n{text}");
        // A missing setting is reported at the line of its block.
        let first = before.matches('\n').count() + 1;
        let last = first + setting.matches('\n').count();
        let missing = text.contains("not set") || words == "are required";
        assert!(line == last || missing && line <= last, "{toml}\n{text}");
    }
}

#[test]
fn errors_contain_no_password_and_no_secret() {
    let toml = "[[aws_cognito_user]]\nusername = \"u\"\npassword = \"tiny\"\n";
    assert!(!error_of(toml).1.contains("tiny"));
    let toml = format!("{CLIENT}client_secret = \"{}\"\n", "secret".repeat(20));
    assert!(!error_of(&toml).1.contains("secretsecret"));
    // A value of the wrong type is not quoted either.
    for setting in ["password", "temporary_password", "client_secret"] {
        let toml = "[[aws_cognito_user]]\nusername = \"u\"\n";
        let block = if setting == "client_secret" { CLIENT } else { toml };
        let (line, text) = error_of(&format!("{block}{setting} = 271828182\n"));
        assert_eq!(line, block.lines().count() + 1);
        assert!(text.ends_with("expected a string, found an integer"), "{text}");
    }
    let toml = "[[aws_cognito_user]]\nusername = \"u\"\nenabled = \"tiny\"\n";
    assert!(!error_of(toml).1.contains("tiny"));
}

#[test]
fn all_invalid_resources_of_one_kind_are_reported() {
    let toml = "[[aws_cognito_user_group]]\nname = \"a b\"\n[[aws_cognito_user_group]]\n\
                precedence = 1\n[[aws_cognito_user]]\nusername = \"u\"\ngroups = [\"a b\"]\n";
    let (line, text) = error_of(toml);
    assert_eq!(line, 2);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("configuration:2: aws_cognito_user_group.name: "), "{text}");
    assert!(lines[1].starts_with("configuration:3: aws_cognito_user_group.name: "), "{text}");
}

/// Terraform's state has blocks as lists of one, and writes an absent block as an empty list.
#[test]
fn block_can_be_a_list_with_one_or_no_item() {
    let toml = "[aws_cognito_user_pool]\npassword_policy = []\n\
                admin_create_user_config = [{ invite_message_template = [] }]\n\
                [[aws_cognito_user_pool.username_configuration]]\ncase_sensitive = true\n";
    assert!(Config::from_toml(toml).is_ok());
    let (line, text) =
        error_of("[aws_cognito_user_pool]\npassword_policy = [{ minimum_length = 5 }]\n");
    assert_eq!(line, 2);
    assert!(text.contains("password_policy.minimum_length: expected 6 to 99, found 5"), "{text}");
}

/// Each message can be set under two names. The error points to the name that the file uses.
#[test]
fn invalid_message_in_the_verification_template_is_reported_at_its_line() {
    let toml = "[aws_cognito_user_pool]\n[aws_cognito_user_pool.verification_message_template]\n\
                email_subject = \"Hello\"\nemail_message = \"Hello\"\n";
    let (line, text) = error_of(toml);
    assert_eq!(line, 4);
    assert!(text.contains("verification_message_template.email_message: "), "{text}");
}

#[test]
fn invalid_identity_provider_is_rejected_with_the_line_of_the_setting() {
    let block = "[aws_cognito_identity_provider]\nprovider_name = \"Corporate\"\n\
                 provider_type = \"OIDC\"\n[aws_cognito_identity_provider.provider_details]\n\
                 client_id = \"a\"\noidc_issuer = \"https://id.example.com\"\n";
    let scopes = "authorize_scopes = \"openid\"\n";
    assert!(Config::from_toml(&format!("{block}{scopes}")).is_ok());
    for (setting, words) in [
        ("authorize_scopes = \"email\"\n", "must contain `openid`"),
        ("authorize_scopes = \"openid\"\nclient_key = \"\"\n", "unknown setting"),
        (
            "authorize_scopes = \"openid\"\nclient_secret = 271828182\n",
            "expected a string, found an integer",
        ),
    ] {
        let (line, text) = error_of(&format!("{block}{setting}"));
        assert_eq!(line, 6 + setting.lines().count(), "{text}");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn error_names_a_missing_file_without_a_line() {
    let error = Config::from_file("/nowhere/pool.toml").unwrap_err();
    assert_eq!(error.line(), 0);
    assert!(error.to_string().starts_with("/nowhere/pool.toml: "), "{error}");
}

#[test]
fn settings_without_effect_are_reported() {
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
async fn pool_without_a_configuration_allows_every_way_to_sign_in() {
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
async fn example_file_is_valid_and_takes_effect() {
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

#[tokio::test]
async fn blocks_are_read_with_and_without_labels() {
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
async fn table_within_a_resource_is_not_a_label() {
    let toml = format!("{USERS}password_policy = {{ minimum_length = 11 }}\n");
    let pool = UserPool::builder().config(Config::from_toml(&toml).unwrap()).start().await.unwrap();
    let [about, _] = described(&pool).await;
    assert_eq!(about["Policies"]["PasswordPolicy"]["MinimumLength"], 11);
}

#[test]
fn invalid_setting_under_a_label_is_rejected_with_its_line_and_label() {
    let (line, error) = error_of("[aws_cognito_user_pool.main]\nmfa_configuration = \"MAYBE\"\n");
    assert_eq!(line, 2);
    assert!(error.contains("aws_cognito_user_pool.main.mfa_configuration"), "{error}");
    let two =
        "[aws_cognito_user_pool]\nname = \"a\"\n[resource.aws_cognito_user_pool.b]\nname = \"b\"\n";
    let (line, error) = error_of(two);
    assert_eq!(line, 3);
    assert!(error.contains("one block of this name"), "{error}");
}

#[tokio::test]
async fn validity_without_a_unit_has_the_unit_of_cognito() {
    let toml = format!("{CLIENT}access_token_validity = 2\nrefresh_token_validity = 2\n");
    let pool = UserPool::builder().config(Config::from_toml(&toml).unwrap()).start().await.unwrap();
    let [_, client] = described(&pool).await;
    let units = json!({ "AccessToken": "hours", "IdToken": "minutes", "RefreshToken": "days" });
    assert_eq!(client["TokenValidityUnits"], units);
}

#[tokio::test]
async fn configured_user_signs_in_with_their_email_address() {
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
async fn first_client_without_an_id_has_the_id_of_the_builder() {
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
    assert!(error.to_string().contains("\"given\": expected one of other"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pools_that_start_concurrently_share_nothing() {
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
async fn password_policy_requires_the_kinds_of_characters_that_it_names() {
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
