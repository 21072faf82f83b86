//! The pre token generation trigger, which changes tokens.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_cognito_local::{
    Trigger, UserPool, UserPoolBuilder,
    events::{
        ClaimsAndScopeOverrideDetailsV2, ClaimsOverrideDetails, CognitoAccessTokenGenerationV2,
        CognitoIdTokenGenerationV2,
    },
};

use crate::support::{
    admin::{PASSWORD, admin, error, is, pool_of, refresh, set_password, sign_in, tokens, user},
    cognito::call,
    function::{Function, Late, Outcome},
};

const API_SCOPE: &str = "aws.cognito.signin.user.admin";

/// Decodes the claims of a token without verification.
fn claims(tokens: &Value, kind: &str) -> Value {
    let payload = tokens[kind].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn with(trigger: Trigger, function: &Function) -> UserPool {
    UserPool::builder().trigger_url(trigger, function.url()).start().await.unwrap()
}

/// Starts a pool whose trigger returns `response`.
async fn responding(trigger: Trigger, response: Value) -> UserPool {
    with(trigger, &Function::responding(response).await).await
}

fn first(details: Value) -> Value {
    [("claimsOverrideDetails".to_owned(), details)].into_iter().collect()
}

fn second(details: Value) -> Value {
    [("claimsAndScopeOverrideDetails".to_owned(), details)].into_iter().collect()
}

async fn in_groups(pool: &UserPool, name: &str) {
    user(pool, name).await;
    for (group, precedence) in [("staff", 1), ("admins", 0)] {
        let role = format!("arn:aws:iam::111122223333:role/{group}");
        let input = json!({ "GroupName": group, "RoleArn": role, "Precedence": precedence });
        admin(pool, "CreateGroup", input).await.unwrap();
        let input = json!({ "GroupName": group, "Username": name });
        admin(pool, "AdminAddUserToGroup", input).await.unwrap();
    }
}

fn unrecognizable() -> (String, String) {
    is("InvalidLambdaResponseException", "Unrecognizable lambda output")
}

#[tokio::test]
async fn event_contains_user_groups_and_scopes() {
    for (trigger, version) in [
        (Trigger::PreTokenGeneration, "1"),
        (Trigger::PreTokenGenerationV2, "2"),
        (Trigger::PreTokenGenerationV3, "3"),
    ] {
        let function = Function::doing_nothing().await;
        let pool = with(trigger, &function).await;
        in_groups(&pool, "jane").await;
        let result = tokens(&pool, "jane").await;
        let id = claims(&result, "IdToken");
        let [event] = function.events().try_into().unwrap();
        assert_eq!(event["version"], version);
        assert_eq!(event["triggerSource"], "TokenGeneration_Authentication");
        assert_eq!(event["userName"], "jane");
        let mut expected = json!({
            "userAttributes": { "sub": id["sub"], "cognito:user_status": "CONFIRMED" },
            "groupConfiguration": {
                "groupsToOverride": ["admins", "staff"],
                "iamRolesToOverride": [
                    "arn:aws:iam::111122223333:role/admins",
                    "arn:aws:iam::111122223333:role/staff",
                ],
                "preferredRole": "arn:aws:iam::111122223333:role/admins",
            },
        });
        if version != "1" {
            expected["scopes"] = json!([API_SCOPE]);
        }
        assert_eq!(event["request"], expected);
        let details =
            if version == "1" { "claimsOverrideDetails" } else { "claimsAndScopeOverrideDetails" };
        assert_eq!(event["response"], json!({ details: null }));
        // An empty response changes no token.
        assert_eq!(id["cognito:groups"], json!(["admins", "staff"]));
        assert_eq!(claims(&result, "AccessToken")["scope"], API_SCOPE);
    }
}

#[tokio::test]
async fn version_1_changes_only_the_id_token() {
    let pool = UserPool::builder()
        .on_pre_token_generation(|mut event| async move {
            let mut details = ClaimsOverrideDetails::default();
            let groups = &event.request.group_configuration;
            details.group_override_details.groups_to_override = groups.groups_to_override.clone();
            let add = &mut details.claims_to_add_or_override;
            add.insert("tenant".to_owned(), "acme".to_owned());
            add.insert("email".to_owned(), "shown@example.com".to_owned());
            add.insert("both".to_owned(), "added".to_owned());
            details.claims_to_suppress = vec!["both".to_owned(), "email_verified".to_owned()];
            event.response.claims_override_details = Some(details);
            Ok(event)
        })
        .start()
        .await
        .unwrap();
    in_groups(&pool, "jane").await;
    let email = json!([{ "Name": "email", "Value": "jane@example.com" }]);
    let input = json!({ "Username": "jane", "UserAttributes": email });
    admin(&pool, "AdminUpdateUserAttributes", input).await.unwrap();
    let result = tokens(&pool, "jane").await;
    let (id, access) = (claims(&result, "IdToken"), claims(&result, "AccessToken"));
    assert_eq!([&id["tenant"], &id["email"]], ["acme", "shown@example.com"]);
    assert_eq!(
        [&id["both"], &id["email_verified"]],
        [&Value::Null; 2],
        "suppression must take precedence"
    );
    assert_eq!(id["cognito:groups"], json!(["admins", "staff"]));
    assert_eq!(id["cognito:roles"], Value::Null, "the response removes the roles");
    assert_eq!([&access["tenant"], &access["email"]], [&Value::Null; 2]);
    // The changed tokens verify.
    let verifier = crate::support::full_verifier(&pool).build().unwrap();
    for kind in ["IdToken", "AccessToken"] {
        verifier.verify(result[kind].as_str().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn version_1_adds_claims_only_as_strings() {
    let add = json!({ "number": 7, "flag": true, "text": "a", "nothing": null });
    let response = first(json!({ "claimsToAddOrOverride": add }));
    let pool = responding(Trigger::PreTokenGeneration, response).await;
    user(&pool, "jane").await;
    let id = claims(&tokens(&pool, "jane").await, "IdToken");
    assert_eq!([&id["number"], &id["flag"], &id["text"]], ["7", "true", "a"]);
    assert_eq!(id.get("nothing"), None);
    for value in [json!(["a"]), json!({ "a": 1 })] {
        let response = first(json!({ "claimsToAddOrOverride": { "list": value } }));
        let pool = responding(Trigger::PreTokenGeneration, response).await;
        user(&pool, "jane").await;
        assert_eq!(error(sign_in(&pool, "jane", PASSWORD).await), unrecognizable());
    }
}

#[tokio::test]
async fn version_2_changes_both_tokens() {
    let pool = UserPool::builder()
        .on_pre_token_generation_v2(|mut event| async move {
            let mut details = ClaimsAndScopeOverrideDetailsV2::default();
            let mut id = CognitoIdTokenGenerationV2::default();
            let add = &mut id.claims_to_add_or_override;
            add.insert("roles".to_owned(), json!(["a", "b"]));
            id.claims_to_suppress = vec!["event_id".to_owned()];
            let mut access = CognitoAccessTokenGenerationV2::default();
            let add = &mut access.claims_to_add_or_override;
            add.insert("tenant".to_owned(), json!({ "id": 7, "plans": ["x", 1, true] }));
            add.insert("flag".to_owned(), json!(true));
            add.insert("number".to_owned(), json!(7.5));
            access.scopes_to_add = vec!["orders/read".to_owned(), "orders/write".to_owned()];
            access.scopes_to_suppress = vec![API_SCOPE.to_owned(), "orders/write".to_owned()];
            details.id_token_generation = Some(id);
            details.access_token_generation = Some(access);
            event.response.claims_and_scope_override_details = Some(details);
            Ok(event)
        })
        .start()
        .await
        .unwrap();
    in_groups(&pool, "jane").await;
    let result = tokens(&pool, "jane").await;
    let (id, access) = (claims(&result, "IdToken"), claims(&result, "AccessToken"));
    assert_eq!(id["roles"], json!(["a", "b"]));
    assert_eq!([&id["event_id"], &id["tenant"]], [&Value::Null; 2]);
    assert_eq!(access["tenant"], json!({ "id": 7, "plans": ["x", 1, true] }));
    assert_eq!([&access["flag"], &access["number"]], [&json!(true), &json!(7.5)]);
    assert_eq!(access["scope"], "orders/read");
    assert_eq!(access["roles"], Value::Null);
    // A group override without groups removes them from both tokens.
    for claims in [&id, &access] {
        assert_eq!(claims.get("cognito:groups"), None);
    }
    // Without its scope, the token is not accepted by the user API.
    let answer = call(&pool, "GetUser", json!({ "AccessToken": result["AccessToken"] })).await;
    let message = "Access Token does not have required scopes";
    assert_eq!(error(answer), is("NotAuthorizedException", message));
}

#[tokio::test]
async fn claims_reserved_by_cognito_cannot_be_changed() {
    let id_names = [
        "acr",
        "amr",
        "aud",
        "at_hash",
        "auth_time",
        "azp",
        "cognito:username",
        "exp",
        "iat",
        "identities",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "origin_jti",
        "sub",
        "token_use",
        "cognito:groups",
        "cognito:own",
        "aws:own",
        "dev:own",
    ];
    let access_names = ["client_id", "username", "device_key", "event_id", "version", "scope"];
    let all: Vec<_> = id_names.iter().chain(&access_names).copied().collect();
    let add = |names: &[&str]| -> Value {
        names.iter().map(|name| ((*name).to_owned(), json!("forged"))).collect()
    };
    let plain = UserPool::start().await.unwrap();
    user(&plain, "jane").await;
    let plain = tokens(&plain, "jane").await;
    for (trigger, response) in [
        (
            Trigger::PreTokenGeneration,
            first(json!({ "claimsToAddOrOverride": add(&id_names), "claimsToSuppress": id_names })),
        ),
        (
            Trigger::PreTokenGenerationV2,
            second(json!({
                "idTokenGeneration": {
                    "claimsToAddOrOverride": add(&id_names), "claimsToSuppress": id_names,
                },
                "accessTokenGeneration": {
                    "claimsToAddOrOverride": add(&all),
                    "claimsToSuppress": all,
                    "scopesToAdd": ["aws.cognito.other", "two words", "", API_SCOPE],
                },
            })),
        ),
    ] {
        let pool = responding(trigger, response).await;
        user(&pool, "jane").await;
        let result = tokens(&pool, "jane").await;
        for kind in ["IdToken", "AccessToken"] {
            let (expected, got) = (claims(&plain, kind), claims(&result, kind));
            assert!(!got.to_string().contains("forged"), "{trigger:?} {kind}");
            let names = |claims: &Value| -> Vec<String> {
                claims.as_object().unwrap().keys().cloned().collect()
            };
            assert_eq!(names(&got), names(&expected), "{trigger:?} {kind}");
        }
        assert_eq!(claims(&result, "AccessToken")["scope"], API_SCOPE);
    }
}

#[tokio::test]
async fn audience_can_only_be_the_client_id() {
    let own = UserPool::start().await.unwrap().client_id().to_owned();
    for (audience, expected) in [(own.as_str(), json!(own)), ("another", Value::Null)] {
        let access = json!({ "claimsToAddOrOverride": { "aud": audience } });
        let response = second(json!({ "accessTokenGeneration": access }));
        let pool = responding(Trigger::PreTokenGenerationV2, response).await;
        user(&pool, "jane").await;
        assert_eq!(claims(&tokens(&pool, "jane").await, "AccessToken")["aud"], expected);
    }
}

#[tokio::test]
async fn standard_claims_reject_objects() {
    for name in ["phone_number_verified", "email_verified", "updated_at", "address"] {
        for token in ["idTokenGeneration", "accessTokenGeneration"] {
            let claim = json!({ name: { "a": 1 } });
            let response = second(json!({ token: { "claimsToAddOrOverride": claim } }));
            let pool = responding(Trigger::PreTokenGenerationV2, response).await;
            user(&pool, "jane").await;
            let answer = sign_in(&pool, "jane", PASSWORD).await;
            match token {
                "idTokenGeneration" => assert_eq!(error(answer), unrecognizable(), "{name}"),
                _ => drop(answer.unwrap()),
            }
        }
    }
}

#[tokio::test]
async fn group_override_replaces_the_groups() {
    let role = "arn:aws:iam::111122223333:role/guests";
    let other = json!({
        "groupsToOverride": ["guests"], "iamRolesToOverride": [role], "preferredRole": role,
    });
    for (details, groups, roles, preferred) in [
        (json!({}), json!(["admins", "staff"]), 2, Some("arn:aws:iam::111122223333:role/admins")),
        (json!({ "groupOverrideDetails": null }), Value::Null, 0, None),
        (json!({ "groupOverrideDetails": {} }), Value::Null, 0, None),
        (json!({ "groupOverrideDetails": other }), json!(["guests"]), 1, Some(role)),
    ] {
        for trigger in [Trigger::PreTokenGeneration, Trigger::PreTokenGenerationV3] {
            let is_first = trigger == Trigger::PreTokenGeneration;
            let wrap = if is_first { first } else { second };
            let pool = responding(trigger, wrap(details.clone())).await;
            in_groups(&pool, "jane").await;
            let result = tokens(&pool, "jane").await;
            let (id, access) = (claims(&result, "IdToken"), claims(&result, "AccessToken"));
            assert_eq!([&id["cognito:groups"], &access["cognito:groups"]], [&groups; 2]);
            assert_eq!(id["cognito:roles"].as_array().map_or(0, Vec::len), roles);
            assert_eq!(id["cognito:preferred_role"].as_str(), preferred);
            assert_eq!(access["cognito:roles"], Value::Null);
        }
    }
}

#[tokio::test]
async fn event_names_the_reason_for_token_generation() {
    let function = Function::doing_nothing().await;
    let pool = with(Trigger::PreTokenGenerationV2, &function).await;
    user(&pool, "jane").await;
    set_password(&pool, "jane", "First-Horse-1", false).await.unwrap();
    let answer = sign_in(&pool, "jane", "First-Horse-1").await.unwrap();
    assert_eq!(function.count(), 0, "an unfinished sign-in issues no tokens");
    let input = json!({
        "ClientId": pool.client_id(),
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": answer["Session"],
        "ChallengeResponses": { "USERNAME": "jane", "NEW_PASSWORD": PASSWORD },
        "ClientMetadata": { "step": "2" },
    });
    call(&pool, "RespondToAuthChallenge", input).await.unwrap();
    let result = tokens(&pool, "jane").await;
    let input = json!({
        "ClientId": pool.client_id(),
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": { "REFRESH_TOKEN": result["RefreshToken"] },
        "ClientMetadata": { "step": "3" },
    });
    call(&pool, "InitiateAuth", input).await.unwrap();
    let input = json!({
        "ClientId": pool.client_id(),
        "RefreshToken": result["RefreshToken"],
        "ClientMetadata": { "step": "4" },
    });
    call(&pool, "GetTokensFromRefreshToken", input).await.unwrap();
    assert_eq!(
        function.sources(),
        [
            "TokenGeneration_NewPasswordChallenge",
            "TokenGeneration_Authentication",
            "TokenGeneration_RefreshTokens",
            "TokenGeneration_RefreshTokens",
        ]
    );
    let metadata = |number: usize| function.events()[number]["request"]["clientMetadata"].clone();
    assert_eq!([metadata(0), metadata(3)], [json!({ "step": "2" }), json!({ "step": "4" })]);
    assert_eq!(
        [metadata(1), metadata(2)],
        [Value::Null, Value::Null],
        "metadata of `InitiateAuth` must not reach the trigger"
    );
}

#[tokio::test]
async fn failing_trigger_does_not_consume_the_refresh_token() {
    let function = Function::answering(|number, event| match number {
        2 => Outcome::Json(json!({ "errorMessage": "not now" })),
        _ => Outcome::Json(event),
    })
    .await;
    let pool = pool_of(&format!(
        "[aws_cognito_user_pool.lambda_config]\npre_token_generation = \"{}\"\n\
         [[aws_cognito_user_pool_client]]\n\
         refresh_token_rotation = {{ feature = \"ENABLED\" }}\n",
        function.url()
    ))
    .await;
    user(&pool, "jane").await;
    let result = tokens(&pool, "jane").await;
    let message = "PreTokenGeneration failed with error not now.";
    let refused = is("UserLambdaValidationException", message);
    assert_eq!(error(refresh(&pool, &result).await), refused);
    refresh(&pool, &result).await.unwrap();
    let (name, _) = error(refresh(&pool, &result).await);
    assert_eq!(name, "RefreshTokenReuseException", "only the successful call may rotate the token");
}

#[tokio::test]
async fn session_that_ends_while_the_trigger_runs_issues_no_tokens() {
    let late = Late::default();
    let pool_of_trigger = Arc::clone(&late);
    let function = Function::running(move |number, event| {
        let late = Arc::clone(&pool_of_trigger);
        async move {
            if number == 2 {
                let input = json!({ "Username": "jane" });
                admin(late.get().unwrap(), "AdminUserGlobalSignOut", input).await.unwrap();
            }
            Outcome::Json(event)
        }
    })
    .await;
    let pool = Arc::new(with(Trigger::PreTokenGenerationV3, &function).await);
    late.set(Arc::clone(&pool)).unwrap();
    user(&pool, "jane").await;
    let result = tokens(&pool, "jane").await;
    let revoked = is("NotAuthorizedException", "Refresh Token has been revoked");
    assert_eq!(error(refresh(&pool, &result).await), revoked);
}

#[tokio::test]
async fn last_configured_version_applies() {
    fn marking(builder: UserPoolBuilder) -> UserPoolBuilder {
        builder.on_pre_token_generation_v3(|mut event| async move {
            let access = json!({ "claimsToAddOrOverride": { "version_of": "third" } });
            event["response"] = second(json!({ "accessTokenGeneration": access }));
            Ok(event)
        })
    }
    let failing = Function::failing("the first").await;
    let url = failing.url();
    let before = UserPool::builder().trigger_url(Trigger::PreTokenGeneration, url.clone());
    let pool = marking(before).start().await.unwrap();
    user(&pool, "jane").await;
    let access = claims(&tokens(&pool, "jane").await, "AccessToken");
    assert_eq!(access["version_of"], "third");

    let after = marking(UserPool::builder()).trigger_url(Trigger::PreTokenGeneration, url);
    let pool = after.start().await.unwrap();
    user(&pool, "jane").await;
    sign_in(&pool, "jane", PASSWORD).await.unwrap_err();
}

#[tokio::test]
async fn configuration_sets_the_version_of_the_trigger() {
    for (version, expected) in [("V1_0", "1"), ("V2_0", "2"), ("V3_0", "3")] {
        let function = Function::doing_nothing().await;
        let url = function.url();
        let pool = pool_of(&format!(
            "[aws_cognito_user_pool.lambda_config]\npre_token_generation = \"{url}/old\"\n\
             pre_token_generation_config = \
             {{ lambda_arn = \"{url}\", lambda_version = \"{version}\" }}\n"
        ))
        .await;
        user(&pool, "jane").await;
        tokens(&pool, "jane").await;
        assert_eq!(function.events()[0]["version"], expected);
        assert_ne!(function.paths()[0], "/old", "the versioned setting must take precedence");
    }
}

const MACHINE: &str = r#"
[[aws_cognito_resource_server]]
identifier = "orders"
name = "orders"
scope = [
    { scope_name = "read", scope_description = "read orders" },
    { scope_name = "write", scope_description = "write orders" },
]

[[aws_cognito_user_pool_client]]
client_id = "machine"
client_secret = "machine-secret"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["client_credentials"]
allowed_oauth_scopes = ["orders/read", "orders/write"]
"#;

/// Requests a token by client credentials. Returns the status and body of the response.
async fn machine_token(pool: &UserPool, more: &str) -> (u16, Value) {
    let form = "grant_type=client_credentials&client_id=machine&client_secret=machine-secret";
    let response = reqwest::Client::new()
        .post(format!("http://{}/oauth2/token", pool.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("{form}{more}"))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

async fn machine_pool(trigger: Trigger, function: &Function) -> UserPool {
    let config = tower_cognito_local::Config::from_toml(MACHINE).unwrap();
    let builder = UserPool::builder().trigger_url(trigger, function.url()).config(config);
    builder.start().await.unwrap()
}

#[tokio::test]
async fn version_3_changes_client_credentials_tokens() {
    let function = Function::responding(second(json!({
        "accessTokenGeneration": {
            "claimsToAddOrOverride": { "tenant": { "id": 7 }, "sub": "forged", "aud": "machine" },
            "claimsToSuppress": ["version", "client_id"],
            "scopesToAdd": ["orders/audit"],
            "scopesToSuppress": ["orders/write"],
        },
        "idTokenGeneration": { "claimsToAddOrOverride": { "other": 1 } },
        "groupOverrideDetails": { "groupsToOverride": ["machines"] },
    })))
    .await;
    let pool = machine_pool(Trigger::PreTokenGenerationV3, &function).await;
    let (status, body) =
        machine_token(&pool, "&aws_client_metadata=%7B%22build%22%3A%229%22%7D").await;
    assert_eq!(status, 200);
    let claims = claims(&body, "access_token");
    assert_eq!(claims["tenant"], json!({ "id": 7 }));
    assert_eq!([&claims["sub"], &claims["aud"], &claims["client_id"]], ["machine"; 3]);
    assert_eq!(claims["scope"], "orders/read orders/audit");
    assert_eq!(claims["version"], 2);
    assert_eq!([&claims["other"], &claims["cognito:groups"]], [&Value::Null; 2]);

    let [event] = function.events().try_into().unwrap();
    assert_eq!(event["version"], "3");
    assert_eq!(event["triggerSource"], "TokenGeneration_ClientCredentials");
    assert_eq!(event["callerContext"]["clientId"], "machine");
    let expected = json!({
        "userAttributes": {},
        "groupConfiguration": {
            "groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null,
        },
        "clientMetadata": { "build": "9" },
        "scopes": ["orders/read", "orders/write"],
    });
    assert_eq!(event["request"], expected);
    let (status, body) = machine_token(&pool, "&aws_client_metadata=none").await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_request")));
}

#[tokio::test]
async fn earlier_versions_do_not_run_for_client_credentials() {
    for trigger in [Trigger::PreTokenGeneration, Trigger::PreTokenGenerationV2] {
        let function = Function::failing("not for machines").await;
        let pool = machine_pool(trigger, &function).await;
        assert_eq!(machine_token(&pool, "").await.0, 200);
        assert_eq!(function.count(), 0);
    }
    let function = Function::failing("no machines at night").await;
    let pool = machine_pool(Trigger::PreTokenGenerationV3, &function).await;
    assert_eq!(machine_token(&pool, "").await.0, 400);
}
