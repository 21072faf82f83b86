//! Configuration files of the local pool, and errors in them.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tower_cognito::{AuthErrorKind, TokenUse};
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    DataFile,
    cognito::{call, has_tokens, payload, sign_in, token},
};

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
        ("\n", "resource = 5", "resource: expected a table of resources, found an integer"),
        (USERS, "nmae = \"red\"", "unknown setting; did you mean `name`?"),
        (USERS, "name = [5]", "expected a string, found a list"),
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
            "password_policy = { minimum_length = \"ten\" }",
            "expected an integer, found a string that cannot be converted",
        ),
        (USERS, "password_policy = { require_numbers = 1 }", "true or false"),
        (USERS, "password_policy = { password_history_size = 25 }", "expected 0 to 24, found 25"),
        (USERS, "password_policy = { length = 8 }", "did you mean `minimum_length`?"),
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
        ("", "[aws_cognito_users]", "did you mean `aws_cognito_user`?"),
        ("", "this is no TOML", ""),
    ];
    for (before, setting, words) in wrong {
        let toml = format!("{before}{setting}\n");
        let (line, text) = error_of(&toml);
        let place = format!("configuration:{line}:");
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
        let (line, text) = error_of(&format!("{block}{setting} = [271828182]\n"));
        assert_eq!(line, block.lines().count() + 1);
        assert!(text.ends_with("expected a string, found a list"), "{text}");
    }
    let toml = "[[aws_cognito_user]]\nusername = \"u\"\nenabled = \"tiny\"\n";
    assert!(!error_of(toml).1.contains("tiny"));
}

/// Returns the lines of the errors in an invalid configuration.
fn errors_of(toml: &str) -> Vec<String> {
    error_of(toml).1.lines().map(str::to_owned).collect()
}

#[test]
fn all_errors_of_a_file_are_reported_in_its_order() {
    let toml = r#"[[aws_cognito_user]]
username = "u"
password = "abcd"
groups = ["a b", "stafff"]
enabled = "maybe"

[[aws_cognito_user_group]]
name = "a b"
precedence = "first"
[[aws_cognito_user_group]]
name = "staff"

[aws_cognito_user_pool]
nmae = "x"
password_policy = { minimum_length = 5, password_history_size = 25 }
schema = [{ attribute_data_type = "Text" }, { name = "seats", attribute_data_type = "number" }]

[aws_cognito_user_pool_client]
access_token_validity = 25
callback_urls = ["/a", "https://example.com/", "/b"]
explicit_auth_flows = ["ALLOW_ALL"]
"#;
    let expected = [
        "3:1: aws_cognito_user.password: Password did not conform with policy: Password not long enough",
        "4:18: aws_cognito_user.groups: there is no group \"stafff\": expected one of a b, staff; did you mean `staff`?",
        "5:1: aws_cognito_user.enabled: expected true or false, found a string that cannot be converted",
        "8:1: aws_cognito_user_group.name: expected a name without spaces",
        "9:1: aws_cognito_user_group.precedence: expected an integer, found a string that cannot be converted",
        "14:1: aws_cognito_user_pool.nmae: unknown setting; did you mean `name`?",
        "15:21: aws_cognito_user_pool.password_policy.minimum_length: expected 6 to 99, found 5",
        "15:41: aws_cognito_user_pool.password_policy.password_history_size: expected 0 to 24, found 25",
        "16:11: aws_cognito_user_pool.schema.name: required, but not set",
        "16:13: aws_cognito_user_pool.schema.attribute_data_type: expected one of String, Number, DateTime, Boolean; \
         found \"Text\"",
        "16:63: aws_cognito_user_pool.schema.attribute_data_type: expected one of String, Number, DateTime, Boolean; \
         found \"number\"; did you mean `Number`?",
        "19:1: aws_cognito_user_pool_client.access_token_validity: Invalid range for token validity: expected 5 minutes \
         to 1 day, found 25 hours",
        "20:18: aws_cognito_user_pool_client.callback_urls: invalid URL \"/a\": expected an absolute URL, such as \
         https://example.com/callback",
        "20:48: aws_cognito_user_pool_client.callback_urls: invalid URL \"/b\": expected an absolute URL, such as \
         https://example.com/callback",
        "21:24: aws_cognito_user_pool_client.explicit_auth_flows: expected one of ALLOW_ADMIN_USER_PASSWORD_AUTH, \
         ALLOW_CUSTOM_AUTH, ALLOW_USER_PASSWORD_AUTH, ALLOW_USER_SRP_AUTH, ALLOW_REFRESH_TOKEN_AUTH, ALLOW_USER_AUTH, \
         ADMIN_NO_SRP_AUTH, CUSTOM_AUTH_FLOW_ONLY, USER_PASSWORD_AUTH; found \"ALLOW_ALL\"",
    ];
    let errors = errors_of(toml);
    for (error, expected) in errors.iter().zip(expected) {
        assert_eq!(error.strip_prefix("configuration:"), Some(expected));
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
}

#[test]
fn all_syntax_errors_of_a_file_are_reported() {
    let errors = errors_of("[aws_cognito_user_pool]\nname = \nmfa_configuration = maybe\n");
    let [name, mode] = &errors[..] else { panic!("{errors:?}") };
    assert!(name.starts_with("configuration:2:"), "{name}");
    assert!(mode.starts_with("configuration:3:"), "{mode}");
}

/// A valid setting that depends on an invalid one is not reported: its error would go away with the other one.
#[test]
fn invalid_setting_causes_no_errors_in_others() {
    for (toml, expected) in [
        (
            "[aws_cognito_user_pool_client]\ncallback_urls = [\"/a\"]\ndefault_redirect_uri = \"/a\"\n",
            "2:18: ",
        ),
        (
            "[[aws_cognito_user_group]]\nname = \"a\"\nprecedence = -1\n[[aws_cognito_user]]\nusername = \"u\"\n\
             groups = [\"a\"]\n",
            "3:1: ",
        ),
        (
            "[[aws_cognito_identity_provider]]\nprovider_name = \"Corp\"\nprovider_type = \"SAML\"\n\
             [[aws_cognito_user_pool_client]]\nsupported_identity_providers = [\"Corp\"]\n",
            "3:1: ",
        ),
        (
            "[aws_cognito_user_pool]\nschema = [{ name = \"a\", mutable = 1 }]\n[[aws_cognito_user]]\n\
             username = \"u\"\nattributes = { a = \"b\" }\n",
            "2:25: ",
        ),
        (
            "[aws_cognito_identity_provider]\nprovider_name = []\nprovider_type = \"OIDC\"\n\
          provider_details = { client_id = \"a\", oidc_issuer = \"https://a.test\", authorize_scopes = \"openid\" }\n",
            "2:1: ",
        ),
    ] {
        let errors = errors_of(toml);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert!(errors[0].starts_with(&format!("configuration:{expected}")), "{errors:#?}");
    }
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
        ("authorize_scopes = \"openid\"\njwks_url = \"\"\n", "did you mean `jwks_uri`?"),
        (
            "authorize_scopes = \"openid\"\nclient_secret = [271828182]\n",
            "expected a string, found a list",
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
            "configuration:3:1: aws_cognito_user_pool.tags",
            "configuration:4:24: aws_cognito_user_pool.email_configuration",
            "configuration:7:1: aws_cognito_user_pool_client.user_pool_id",
        ]
    );
    assert_eq!(Config::from_toml("").unwrap().ignored(), [""; 0]);
}

#[test]
fn meta_arguments_and_other_blocks_of_terraform_have_no_effect() {
    for setting in [
        "count = 1",
        "for_each = [\"a\"]",
        "depends_on = [\"aws_ses_email_identity.sender\"]",
        "lifecycle = { prevent_destroy = true }",
        "provider = \"aws.west\"",
        "provisioner = { local-exec = { command = \"true\" } }",
        "connection = { host = \"a\" }",
        "timeouts = { create = \"5m\" }",
    ] {
        for resource in
            ["aws_cognito_user_pool", "aws_cognito_user_pool_client", "aws_cognito_resource_server"]
        {
            let required = "identifier = \"a\"\nname = \"a\"";
            let required = if resource.ends_with("server") { required } else { "name = \"a\"" };
            let toml = format!("[{resource}.main]\n{required}\n{setting}\n");
            let config = Config::from_toml(&toml).unwrap_or_else(|error| panic!("{toml}{error}"));
            let name = setting.split(' ').next().unwrap();
            let [ignored] = config.ignored() else { panic!("{toml}{:?}", config.ignored()) };
            assert!(ignored.ends_with(&format!(": {resource}.main.{name}")), "{ignored}");
        }
    }
    for block in [
        "variable.stage",
        "locals",
        "output.id",
        "data.aws_region.current",
        "module.a",
        "terraform",
        "provider.aws",
        "aws_lambda_function.a",
        "resource.aws_iam_role.a",
        "aws_cognito_identity_pool.main",
    ] {
        let config = Config::from_toml(&format!("[{block}]\na = 1\n")).unwrap();
        let [ignored] = config.ignored() else { panic!("{block}: {:?}", config.ignored()) };
        assert!(
            ignored.starts_with("configuration:1:") && !ignored.contains("unknown"),
            "{ignored}"
        );
    }
}

#[test]
fn setting_that_is_newer_than_the_known_words_is_reported_and_ignored() {
    let toml = "[aws_cognito_user_pool]\ncolour = \"red\"\n\
                web_authn_configuration = { relying_party_id = \"a\" }\n\
                lambda_config = { inbound_federation = { lambda_arn = \"a\" }, brand_new = \"a\" }\n\
                [aws_cognito_user_pool_client]\nname = \"web\"\nbot_defence = { level = 1 }\n[gadgets]\n";
    assert_eq!(
        Config::from_toml(toml).unwrap().ignored(),
        [
            "configuration:2:1: aws_cognito_user_pool.colour (unknown setting)",
            "configuration:3:1: aws_cognito_user_pool.web_authn_configuration",
            "configuration:4:19: aws_cognito_user_pool.lambda_config.inbound_federation",
            "configuration:4:62: aws_cognito_user_pool.lambda_config.brand_new (unknown setting)",
            "configuration:7:1: aws_cognito_user_pool_client.bot_defence (unknown setting)",
            "configuration:8:2: gadgets (unknown setting)",
        ]
    );
}

#[test]
fn misspelled_setting_is_an_error_with_a_suggestion() {
    for (block, setting, expected) in [
        (USERS, "mfa_configuraton", "mfa_configuration"),
        (USERS, "MfaConfiguration", "mfa_configuration"),
        (USERS, "lambda_configs", "lambda_config"),
        // The suggestion can be a setting without effect.
        (USERS, "email_configuraton", "email_configuration"),
        (USERS, "depend_on", "depends_on"),
        (CLIENT, "callback_url", "callback_urls"),
        (CLIENT, "identity_providers", "supported_identity_providers"),
        ("[aws_cognito_user_pool.lambda_config]\n", "pre_signup", "pre_sign_up"),
        ("[aws_cognito_user_pool.lambda_config]\n", "kms_key_ids", "kms_key_id"),
    ] {
        let (line, text) = error_of(&format!("{block}{setting} = []\n"));
        assert_eq!(line, 2);
        assert!(
            text.ends_with(&format!(".{setting}: unknown setting; did you mean `{expected}`?")),
            "{text}"
        );
    }
    let (_, text) = error_of("[aws_cognito_user_pool_clients]\n");
    assert!(text.ends_with("did you mean `aws_cognito_user_pool_client`?"), "{text}");
}

/// Terraform converts between strings, numbers and booleans.
#[tokio::test]
async fn values_are_converted_as_in_terraform() {
    let toml = r#"
        [aws_cognito_user_pool]
        name = 2026
        password_policy = { minimum_length = "10", require_numbers = "true", require_symbols = "0", password_history_size = 2.0 }
        admin_create_user_config = { allow_admin_create_user_only = "false" }
        username_configuration = { case_sensitive = "1" }
        schema = [{ name = "seats", attribute_data_type = "Number", mutable = "false", number_attribute_constraints = { max_value = 7 } }]
        [aws_cognito_user_pool_client]
        name = true
        client_secret = 12345
        generate_secret = "false"
        access_token_validity = "3e1"
        token_validity_units = { access_token = "minutes" }
        [[aws_cognito_user_group]]
        name = 7
        precedence = "3"
        [[aws_cognito_user]]
        username = 42
        attributes = [{ seats = 5, "name" = 1.5, email = "a@b.test", email_verified = true }]
        enabled = "false"
        groups = [7]
    "#;
    let pool = UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap();
    let [about, client] = described(&pool).await;
    assert_eq!(about["Name"], "2026");
    let policy = &about["Policies"]["PasswordPolicy"];
    assert_eq!(policy["MinimumLength"], 10);
    assert_eq!(policy["PasswordHistorySize"], 2);
    assert_eq!(
        (&policy["RequireNumbers"], &policy["RequireSymbols"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(about["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], false);
    assert_eq!(about["UsernameConfiguration"]["CaseSensitive"], true);
    assert_eq!((&client["ClientName"], &client["ClientSecret"]), (&json!("true"), &json!("12345")));
    assert_eq!(client["AccessTokenValidity"], 30);
    let id = pool.id().as_str();
    let user = call(&pool, "AdminGetUser", json!({ "UserPoolId": id, "Username": "42" })).await;
    let user = user.unwrap();
    assert_eq!(user["Enabled"], false);
    let attributes = user["UserAttributes"].to_string();
    for expected in [r#""custom:seats","Value":"5""#, r#""name","Value":"1.5""#] {
        assert!(attributes.contains(expected), "{attributes}");
    }
    let group = json!({ "UserPoolId": id, "GroupName": "7" });
    assert_eq!(call(&pool, "GetGroup", group).await.unwrap()["Group"]["Precedence"], 3);
}

#[test]
fn values_that_terraform_does_not_convert_are_rejected() {
    for value in
        ["\"ten\"", "\"1.5\"", "1.5", "\"\"", "\" 10\"", "\"0x10\"", "true", "\"inf\"", "[10]"]
    {
        let toml = format!("{USERS}password_policy = {{ minimum_length = {value} }}\n");
        let (line, text) = error_of(&toml);
        assert_eq!(line, 2);
        assert!(text.contains("minimum_length: expected an integer, found "), "{text}");
    }
    for value in ["\"yes\"", "\"TRUE\"", "\"\"", "1", "0", "1.0", "[true]"] {
        let (line, text) = error_of(&format!("{CLIENT}generate_secret = {value}\n"));
        assert_eq!(line, 2);
        assert!(text.contains("generate_secret: expected true or false, found "), "{text}");
    }
    for value in ["[\"a\"]", "{ a = \"b\" }", "2026-01-01"] {
        let (_, text) = error_of(&format!("{CLIENT}client_id = \"a\"\nname = {value}\n"));
        assert!(text.contains("name: expected a string, found "), "{text}");
    }
}

/// An app client is found by its ID alone, so a default must not repeat the ID of another pool's client.
#[tokio::test]
async fn default_client_of_a_pool_is_not_a_client_of_another_pool() {
    let pools = "[aws_cognito_user_pool.a]\n[aws_cognito_user_pool.b]\n";
    let client = |pool: &str, id: &str| {
        format!(
            "[[aws_cognito_user_pool_client]]\nclient_id = \"{id}\"\nname = \"x\"\nuser_pool_id = \"{pool}\"\n"
        )
    };
    let error = async |toml: String, id: Option<&str>| {
        let builder = UserPool::builder().config(Config::from_toml(&toml).unwrap());
        let builder = id.into_iter().fold(builder, |builder, id| builder.client_id(id));
        builder.start().await.unwrap_err().to_string()
    };
    let (first, second) = ("localclient0000000000000000", "localclient0000000000000001");
    let of_first = error(format!("{pools}{}", client("a", second)), None).await;
    assert!(of_first.contains(second) && of_first.contains("set a client_id"), "{of_first}");
    let of_second = format!("{pools}{}{}", client("b", "other"), client("b", first));
    let of_second = error(of_second, None).await;
    assert!(of_second.contains(first) && of_second.contains("set a client_id"), "{of_second}");
    let requested = error(pools.to_owned(), Some(second)).await;
    assert!(requested.contains("two pools have the app client"), "{requested}");
}

/// A reference can name a setting that has a reference. One that depends on itself is an error.
#[tokio::test]
async fn references_follow_one_another_but_not_in_a_circle() {
    let group = |name: &str, other: &str| {
        format!(
            "[aws_cognito_user_pool.main]\nname = \"red\"\n[aws_cognito_user_group.a]\nname = \"{name}\"\n\
             [aws_cognito_user_group.b]\nname = \"{other}\"\n"
        )
    };
    let chain = group("${aws_cognito_user_pool.main.name}-a", "${aws_cognito_user_group.a.name}-b");
    let pool = UserPool::builder().config(Config::from_toml(&chain).unwrap());
    let pool = pool.start().await.unwrap();
    let groups = call(&pool, "ListGroups", json!({ "UserPoolId": pool.id().as_str() })).await;
    let groups = groups.unwrap();
    let names: Vec<_> =
        groups["Groups"].as_array().unwrap().iter().map(|it| &it["GroupName"]).collect();
    assert_eq!(names, ["red-a", "red-a-b"]);
    for (name, other) in [
        ("x${aws_cognito_user_group.a.name}", "b"),
        ("${aws_cognito_user_group.a.name}", "b"),
        ("x${aws_cognito_user_group.b.name}", "y${aws_cognito_user_group.a.name}"),
    ] {
        let (line, error) = error_of(&group(name, other));
        assert_eq!(line, 4, "{error}");
        assert!(error.contains("expressions of Terraform are not evaluated"), "{error}");
    }
}

#[tokio::test]
async fn references_to_settings_of_the_file_are_resolved() {
    let toml = r#"
        [aws_cognito_user_pool.main]
        name = "main"
        [aws_cognito_resource_server.orders]
        identifier = "orders"
        name = "Orders"
        scope = [{ scope_name = "read", scope_description = "a" }, { scope_name = "write", scope_description = "b" }]
        user_pool_id = "${aws_cognito_user_pool.main.id}"
        [aws_cognito_identity_provider.corp]
        provider_name = "Corp"
        provider_type = "OIDC"
        provider_details = { client_id = "a", oidc_issuer = "https://a.test", authorize_scopes = "openid" }
        [aws_cognito_user_pool_client.web]
        client_id = "web"
        allowed_oauth_scopes = ["openid", "${aws_cognito_resource_server.orders.identifier}/read"]
        supported_identity_providers = ["COGNITO", "${aws_cognito_identity_provider.corp.provider_name}"]
        user_pool_id = "${aws_cognito_user_pool.main[0].id}"
        [aws_cognito_user_pool_client.machine]
        client_id = "machine"
        allowed_oauth_scopes = "${aws_cognito_resource_server.orders.scope_identifiers}"
        [aws_cognito_user_group.staff]
        name = "staff"
        [aws_cognito_user.ann]
        username = "ann"
        password = "Correct-$${x}-1"
        [aws_cognito_user_in_group.ann]
        group_name = "${aws_cognito_user_group.staff.name}"
        username = "${aws_cognito_user.ann.username}"
    "#;
    let config = Config::from_toml(toml).unwrap();
    assert_eq!(config.ignored(), [""; 0]);
    let pool = UserPool::builder().config(config).client_id("web").start().await.unwrap();
    let [_, web] = described(&pool).await;
    assert_eq!(web["AllowedOAuthScopes"], json!(["openid", "orders/read"]));
    assert_eq!(web["SupportedIdentityProviders"], json!(["COGNITO", "Corp"]));
    let id = pool.id().as_str();
    let input = json!({ "UserPoolId": id, "ClientId": "machine" });
    let machine = call(&pool, "DescribeUserPoolClient", input).await.unwrap();
    assert_eq!(
        machine["UserPoolClient"]["AllowedOAuthScopes"],
        json!(["orders/read", "orders/write"])
    );
    let input = json!({ "UserPoolId": id, "GroupName": "staff" });
    let users = call(&pool, "ListUsersInGroup", input).await.unwrap();
    assert_eq!(users["Users"][0]["Username"], "ann");
    assert!(has_tokens(&sign_in(&pool, "ann", "Correct-${x}-1").await));
}

#[test]
fn expressions_of_terraform_are_rejected_where_a_value_is_needed() {
    for (block, setting) in [
        (USERS, "name = \"${var.name}\""),
        (USERS, "mfa_configuration = \"${local.mfa}\""),
        (USERS, "password_policy = { minimum_length = \"${var.length}\" }"),
        (USERS, "admin_create_user_config = { allow_admin_create_user_only = \"${var.closed}\" }"),
        (USERS, "lambda_config = { pre_sign_up = \"${aws_lambda_function.a.arn}\" }"),
        (CLIENT, "callback_urls = [\"https://${var.host}/\"]"),
        (CLIENT, "client_secret = \"${random_password.a.result}\""),
        (
            CLIENT,
            "allowed_oauth_scopes = [\"${aws_cognito_resource_server.none.identifier}/read\"]",
        ),
    ] {
        let errors = errors_of(&format!("{block}{setting}\n"));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("expressions of Terraform are not evaluated"), "{errors:?}");
    }
    let dynamic =
        "dynamic = { schema = { for_each = \"${var.attributes}\", content = { name = \"a\" } } }";
    let (_, text) = error_of(&format!("{USERS}name = \"a\"\n{dynamic}\n"));
    assert!(text.contains("dynamic: dynamic blocks of Terraform are not evaluated"), "{text}");
    // An expression in a setting without effect is not needed.
    let toml =
        format!("{USERS}tags = {{ stage = \"${{var.stage}}\" }}\ncount = \"${{var.count}}\"\n");
    assert_eq!(Config::from_toml(&toml).unwrap().ignored().len(), 2);
}

#[test]
fn provider_of_an_unsupported_type_has_one_error_that_names_the_supported_type() {
    for (kind, details) in [
        ("Google", "authorize_scopes = \"email\", client_id = \"a\", client_secret = \"b\""),
        ("Facebook", "api_version = \"v17.0\", authorize_scopes = \"public_profile\""),
        ("LoginWithAmazon", "authorize_scopes = \"profile\""),
        ("SignInWithApple", "team_id = \"a\", key_id = \"b\", private_key = \"c\""),
        ("SAML", "MetadataURL = \"https://id.test/metadata\""),
    ] {
        let toml = format!(
            "[aws_cognito_identity_provider]\nprovider_name = \"{kind}\"\nprovider_type = \"{kind}\"\n\
             provider_details = {{ {details} }}\nattribute_mapping = {{ email = \"email\", nothing = \"a\" }}\n"
        );
        let errors = errors_of(&toml);
        assert_eq!(errors.len(), 1, "{errors:?}");
        let expected = format!(
            "does not support identity providers of the type {kind}. It supports the type OIDC"
        );
        assert!(
            errors[0].starts_with("configuration:3:1: ") && errors[0].contains(&expected),
            "{errors:?}"
        );
    }
}

#[test]
fn client_can_only_name_providers_of_its_pool() {
    let provider = "[aws_cognito_identity_provider]\nprovider_name = \"Corp\"\nprovider_type = \"OIDC\"\n\
                    provider_details = { client_id = \"a\", oidc_issuer = \"https://a.test\", authorize_scopes = \"openid\" }\n";
    let client = format!("{CLIENT}supported_identity_providers = [\"COGNITO\", \"Corp\"]\n");
    // The order in the file does not matter.
    for toml in [format!("{provider}{client}"), format!("{client}{provider}")] {
        assert!(Config::from_toml(&toml).is_ok());
    }
    let (line, text) = error_of(&client);
    assert_eq!(line, 2);
    assert!(
        text.contains("there is no identity provider \"Corp\": expected one of COGNITO"),
        "{text}"
    );
    let (_, text) =
        error_of(&format!("{provider}{CLIENT}supported_identity_providers = [\"Crop\"]\n"));
    assert!(text.ends_with("expected one of COGNITO, Corp; did you mean `Corp`?"), "{text}");
}

#[test]
fn legacy_flows_cannot_be_combined_with_other_flows() {
    for legacy in ["ADMIN_NO_SRP_AUTH", "CUSTOM_AUTH_FLOW_ONLY", "USER_PASSWORD_AUTH"] {
        let flows = |flows: &str| format!("{CLIENT}explicit_auth_flows = [{flows}]\n");
        let (line, text) = error_of(&flows(&format!("\"ALLOW_CUSTOM_AUTH\", \"{legacy}\"")));
        assert_eq!(line, 2);
        assert!(text.contains("cannot be combined with values that begin with ALLOW_"), "{text}");
        assert!(Config::from_toml(&flows(&format!("\"{legacy}\""))).is_ok());
    }
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
}

#[test]
fn block_with_a_label_within_a_block_without_one_is_rejected() {
    let (line, text) =
        error_of(&format!("{USERS}name = \"a\"\n[aws_cognito_user_pool.main]\nname = \"b\"\n"));
    assert_eq!(line, 3);
    assert!(text.contains("aws_cognito_user_pool.main: a block with a label is within"), "{text}");
}

const STAFF_AND_CUSTOMERS: &str = r#"
[aws_cognito_user_pool.staff]
name = "staff pool"
[aws_cognito_user_pool.customers]
name = "customer pool"
username_attributes = ["email"]
"#;

/// Each resource is assigned to a pool by its label, a reference, its id or its name, in any order.
#[tokio::test]
async fn resources_of_several_pools_are_assigned_by_their_user_pool_id() {
    let toml = r#"
        [aws_cognito_user_pool_client.shop]
        client_id = "shop"
        user_pool_id = "${aws_cognito_user_pool.customers.id}"
        allowed_oauth_scopes = ["orders/read"]
        supported_identity_providers = ["Corp"]
        [aws_cognito_user_pool_client.backoffice]
        client_id = "backoffice"
        user_pool_id = "aws_cognito_user_pool.staff.id"
        [aws_cognito_user_pool.staff]
        name = "staff pool"
        id = "eu-west-1_Staff"
        [resource.aws_cognito_user_pool.customers]
        name = "customer pool"
        username_attributes = ["email"]
        [aws_cognito_resource_server.orders]
        identifier = "orders"
        name = "Orders"
        scope = { scope_name = "read", scope_description = "a" }
        user_pool_id = "customers"
        [aws_cognito_identity_provider.corp]
        provider_name = "Corp"
        provider_type = "OIDC"
        provider_details = { client_id = "a", oidc_issuer = "https://a.test", authorize_scopes = "openid" }
        user_pool_id = "customer pool"
        [[aws_cognito_user_group]]
        name = "readers"
        user_pool_id = "eu-west-1_Staff"
        [[aws_cognito_user_group]]
        name = "readers"
        user_pool_id = "customers"
        [[aws_cognito_user]]
        username = "ann"
        password = "Correct-Horse-1"
        user_pool_id = "staff"
        [[aws_cognito_user]]
        username = "joe@example.com"
        password = "Correct-Horse-1"
        groups = ["readers"]
        user_pool_id = "customers"
        [aws_cognito_user_in_group.ann]
        user_pool_id = "${aws_cognito_user_pool.staff.id}"
        group_name = "readers"
        username = "ann"
        [aws_cognito_user_pool_domain.shop]
        domain = "shop-login"
        user_pool_id = "${aws_cognito_user_pool.customers.id}"
    "#;
    let config = Config::from_toml(toml).unwrap();
    assert_eq!(config.ignored(), [""; 0]);
    assert_eq!(config.pool_names(), ["staff", "customers"]);
    let staff = UserPool::builder().config(config).start().await.unwrap();
    let pools = staff.pools();
    let [_, customers] = &pools[..] else { panic!("{pools:?}") };
    assert_eq!((staff.id().as_str(), staff.name()), ("eu-west-1_Staff", "staff pool".to_owned()));
    assert_eq!(customers.id().as_str(), "eu-west-1_Local0002");
    assert_eq!(customers.issuer(), format!("{}/eu-west-1_Local0002", staff.endpoint()));
    assert_eq!((staff.client_id(), staff.client_ids().len()), ("backoffice", 1));
    assert_eq!((customers.client_id(), customers.client_ids().len()), ("shop", 1));
    let [about, client] = described(customers).await;
    assert_eq!(about["Domain"], "shop-login");
    assert_eq!(client["AllowedOAuthScopes"], json!(["orders/read"]));
    for (pool, user) in [(&staff, "ann"), (customers, "joe@example.com")] {
        let token = token(&sign_in(pool, user, "Correct-Horse-1").await.unwrap(), "AccessToken");
        assert!(pool.verifier().build().unwrap().verify(&token).await.is_ok());
        assert_eq!(payload(&token)["cognito:groups"], json!(["readers"]));
        assert_eq!(payload(&token)["iss"], pool.issuer());
    }
    assert!(sign_in(customers, "ann", "Correct-Horse-1").await.is_err());
}

#[test]
fn resource_without_a_pool_among_several_is_an_error_that_lists_them() {
    for (setting, expected) in [
        ("", "required, because the file has several pools: expected one of staff, customers"),
        (
            "user_pool_id = \"${aws_cognito_user_pool.staf.id}\"",
            "no pool \"staf\": expected one of staff, customers; did you mean `staff`?",
        ),
        ("user_pool_id = \"${var.pool}\"", "expected one of staff, customers"),
        ("user_pool_id = 5", "expected one of staff, customers"),
        (
            "user_pool_id = \"${aws_cognito_user_group.staff.id}\"",
            "expected one of staff, customers",
        ),
    ] {
        for block in [
            "aws_cognito_user_pool_client",
            "aws_cognito_user_group",
            "aws_cognito_user",
            "aws_cognito_user_in_group",
            "aws_cognito_resource_server",
            "aws_cognito_identity_provider",
            "aws_cognito_user_pool_domain",
        ] {
            let toml = format!("{STAFF_AND_CUSTOMERS}[{block}]\nname = \"a\"\n{setting}\n");
            let errors = errors_of(&toml);
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(
                errors[0].contains("user_pool_id: ") && errors[0].contains(expected),
                "{errors:?}"
            );
        }
    }
    // Two pools without labels that have the same name are ambiguous.
    let toml = "[[aws_cognito_user_pool]]\n[[aws_cognito_user_pool]]\n\
                [aws_cognito_user_pool_client]\nuser_pool_id = \"local\"\n";
    assert!(error_of(toml).1.contains("expected one of local, local"));
}

#[test]
fn user_pool_id_is_optional_in_a_file_with_one_pool() {
    for (pool, ignored) in [("[aws_cognito_user_pool.main]\nname = \"a\"\n", 0), ("", 1)] {
        let toml = format!("{pool}{CLIENT}user_pool_id = \"${{aws_cognito_user_pool.main.id}}\"\n");
        assert_eq!(Config::from_toml(&toml).unwrap().ignored().len(), ignored, "{toml}");
    }
}

#[test]
fn ids_are_unique_in_a_file_with_several_pools() {
    let toml = "[[aws_cognito_user_pool]]\nid = \"us-east-1_A\"\n[[aws_cognito_user_pool]]\nid = \"us-east-1_A\"\n";
    let (line, text) = error_of(toml);
    assert_eq!(line, 4);
    assert!(text.contains("already a pool with the id \"us-east-1_A\""), "{text}");
    assert!(error_of("[aws_cognito_user_pool]\nid = \"pool\"\n").1.contains("pool id"));
    let client = |pool: &str| {
        format!(
            "[[aws_cognito_user_pool_client]]\nclient_id = \"web\"\nuser_pool_id = \"{pool}\"\n"
        )
    };
    let toml = format!("{STAFF_AND_CUSTOMERS}{}{}", client("staff"), client("customers"));
    assert!(error_of(&toml).1.contains("already a client \"web\""));
    let domain = |pool: &str| {
        format!("[[aws_cognito_user_pool_domain]]\ndomain = \"a\"\nuser_pool_id = \"{pool}\"\n")
    };
    let toml = format!("{STAFF_AND_CUSTOMERS}{}{}", domain("staff"), domain("customers"));
    assert!(error_of(&toml).1.contains("already a pool with the domain \"a\""));
}

#[tokio::test]
async fn options_of_the_builder_are_for_the_first_of_several_pools() {
    let config = Config::from_toml(STAFF_AND_CUSTOMERS).unwrap();
    let builder = UserPool::builder().config(config.clone()).pool_id("eu-west-1_Mine");
    let builder = builder.client_id("mine").issuer("http://cognito:9229/eu-west-1_Mine");
    let pool = builder.start().await.unwrap();
    let pools = pool.pools();
    let described =
        |pool: &UserPool| [pool.id().as_str(), pool.client_id(), pool.issuer()].map(str::to_owned);
    assert_eq!(
        described(&pools[0]),
        ["eu-west-1_Mine", "mine", "http://cognito:9229/eu-west-1_Mine"]
    );
    assert_eq!(
        described(&pools[1]),
        [
            "eu-west-1_Local0002",
            "localclient0000000000000001",
            "http://cognito:9229/eu-west-1_Local0002"
        ]
    );
    let builder = UserPool::builder().config(config).pool_id("us-east-1_Local0002");
    let error = builder.start().await.unwrap_err();
    assert!(error.to_string().contains("two pools have the id \"us-east-1_Local0002\""), "{error}");
    let toml = format!(
        "{STAFF_AND_CUSTOMERS}[aws_cognito_user_pool_client]\nclient_id = \"shop\"\nuser_pool_id = \"customers\"\n"
    );
    let builder = UserPool::builder().config(Config::from_toml(&toml).unwrap()).client_id("shop");
    let error = builder.start().await.unwrap_err();
    assert!(error.to_string().contains("another pool has the app client \"shop\""), "{error}");
}

#[tokio::test]
async fn all_pools_of_a_configuration_survive_a_restart() {
    let file = DataFile::new("several-pools");
    let config = Config::from_toml(STAFF_AND_CUSTOMERS).unwrap();
    let builder = || UserPool::builder().config(config.clone()).data(file.path());
    let pool = builder().start().await.unwrap();
    let keys: Vec<_> = pool.pools().iter().map(|pool| pool.key_id(TokenUse::Access)).collect();
    drop(pool);
    let pool = builder().start().await.unwrap();
    let again: Vec<_> = pool.pools().iter().map(|pool| pool.key_id(TokenUse::Access)).collect();
    assert_eq!((keys.len(), keys), (2, again));
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
