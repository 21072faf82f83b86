//! API operations that create, update, list and delete app clients.

use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::cognito::{call, is};

async fn create(pool: &UserPool, mut input: Value) -> Result<Value, (String, String)> {
    input["UserPoolId"] = json!(pool.id().as_str());
    let response = call(pool, "CreateUserPoolClient", input).await?;
    Ok(response["UserPoolClient"].clone())
}

async fn on(
    pool: &UserPool,
    operation: &str,
    client: &Value,
    mut input: Value,
) -> Result<Value, (String, String)> {
    input["UserPoolId"] = json!(pool.id().as_str());
    input["ClientId"] = client["ClientId"].clone();
    Ok(call(pool, operation, input).await?["UserPoolClient"].clone())
}

#[tokio::test]
async fn created_client_has_cognitos_defaults() {
    let pool = UserPool::start().await.unwrap();
    let made = create(&pool, json!({ "ClientName": "web", "ReadAttributes": null })).await.unwrap();
    let id = made["ClientId"].as_str().unwrap();
    assert!(
        id.len() == 26
            && id
                .bytes()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit())
    );
    assert_eq!(made["ClientName"], "web");
    assert_eq!(made.get("ClientSecret"), None);
    let flows = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"];
    assert_eq!(made["ExplicitAuthFlows"], json!(flows));
    assert_eq!(made["RefreshTokenValidity"], 30);
    assert_eq!(made["AuthSessionValidity"], 3);
    assert_eq!(made["EnableTokenRevocation"], true);
    assert_eq!(made["AllowedOAuthFlowsUserPoolClient"], false);
    assert_eq!(made["PreventUserExistenceErrors"], "LEGACY");
    assert_eq!(on(&pool, "DescribeUserPoolClient", &made, json!({})).await.unwrap(), made);
    let with =
        create(&pool, json!({ "ClientName": "server", "GenerateSecret": true })).await.unwrap();
    assert!(with["ClientSecret"].as_str().unwrap().len() >= 40);
}

#[tokio::test]
async fn generated_secret_is_accepted_in_a_request() {
    let pool = UserPool::start().await.unwrap();
    for _ in 0..30 {
        let input = json!({ "ClientName": "server", "GenerateSecret": true });
        let made = create(&pool, input).await.unwrap();
        let with = |secret: &Value| {
            let input = json!({
                "ClientId": made["ClientId"], "ClientSecret": secret, "RefreshToken": "a.b.c.d.e",
            });
            call(&pool, "GetTokensFromRefreshToken", input)
        };
        // The token is invalid, but the secret is not.
        let own = with(&made["ClientSecret"]).await;
        assert_eq!(own, Err(is("NotAuthorizedException", "Invalid Refresh Token")));
        assert_ne!(with(&json!("another_of_24_characters")).await, own);
    }
}

#[tokio::test]
async fn update_resets_omitted_members_to_defaults_but_keeps_the_secret() {
    let pool = UserPool::start().await.unwrap();
    let made = create(
        &pool,
        json!({
            "ClientName": "web",
            "GenerateSecret": true,
            "AccessTokenValidity": 10,
            "TokenValidityUnits": { "AccessToken": "minutes" },
            "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
            "WriteAttributes": ["email"],
            "CallbackURLs": ["https://example.com/"],
            "AnalyticsConfiguration": { "ApplicationId": "a" },
        }),
    )
    .await
    .unwrap();
    assert_eq!(made["AccessTokenValidity"], 10);
    assert_eq!(made["AnalyticsConfiguration"]["ApplicationId"], "a");
    let change = json!({
        "LogoutURLs": ["https://example.com/bye"],
        "ClientSecret": "guess",
        "GenerateSecret": false,
    });
    let now = on(&pool, "UpdateUserPoolClient", &made, change).await.unwrap();
    assert_eq!(now["LogoutURLs"], json!(["https://example.com/bye"]));
    assert_eq!(now["ClientSecret"], made["ClientSecret"]);
    assert_eq!(now["ClientName"], "web");
    assert_eq!(now["AccessTokenValidity"], 60);
    for gone in ["CallbackURLs", "WriteAttributes", "AnalyticsConfiguration"] {
        assert_eq!(now.get(gone), None, "{gone}");
    }
    assert_eq!(now["ExplicitAuthFlows"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn update_of_an_unknown_client_is_rejected_and_creates_none() {
    let pool = UserPool::start().await.unwrap();
    let unknown = json!({ "ClientId": "nobody" });
    let message = "User pool client nobody does not exist.".to_owned();
    let expected = ("ResourceNotFoundException".to_owned(), message);
    for operation in ["UpdateUserPoolClient", "DescribeUserPoolClient", "DeleteUserPoolClient"] {
        assert_eq!(on(&pool, operation, &unknown, json!({})).await.unwrap_err(), expected);
    }
    assert_eq!(pool.client_ids().len(), 1);
}

#[tokio::test]
async fn tokens_of_a_deleted_client_are_rejected() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.id().as_str();
    let user = json!({ "UserPoolId": id, "Username": "alice", "MessageAction": "SUPPRESS" });
    call(&pool, "AdminCreateUser", user).await.unwrap();
    let password = json!({
        "UserPoolId": id, "Username": "alice", "Password": "Correct-Horse-1", "Permanent": true,
    });
    call(&pool, "AdminSetUserPassword", password).await.unwrap();
    let flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"];
    let client =
        create(&pool, json!({ "ClientName": "web", "ExplicitAuthFlows": flows })).await.unwrap();
    let sign_in = json!({
        "ClientId": client["ClientId"],
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": "Correct-Horse-1" },
    });
    let response = call(&pool, "InitiateAuth", sign_in.clone()).await.unwrap();
    let token = json!({ "AccessToken": response["AuthenticationResult"]["AccessToken"] });
    call(&pool, "GetUser", token.clone()).await.unwrap();
    on(&pool, "DeleteUserPoolClient", &client, json!({})).await.unwrap();
    assert_eq!(call(&pool, "GetUser", token).await.unwrap_err().0, "NotAuthorizedException");
    let error = call(&pool, "InitiateAuth", sign_in).await.unwrap_err();
    assert_eq!(error.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn clients_are_listed_in_pages() {
    let pool = UserPool::start().await.unwrap();
    for name in ["a", "b", "c", "d"] {
        create(&pool, json!({ "ClientName": name })).await.unwrap();
    }
    let mut found = Vec::new();
    let mut token = Value::Null;
    loop {
        let input =
            json!({ "UserPoolId": pool.id().as_str(), "MaxResults": 2, "NextToken": token });
        let page = call(&pool, "ListUserPoolClients", input).await.unwrap();
        let rows = page["UserPoolClients"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["ClientName"].as_str().unwrap().to_owned()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    found.sort_unstable();
    assert_eq!(found, ["a", "b", "c", "d", "local"]);
}

#[tokio::test]
async fn update_ignores_member_names_of_configuration_files() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.id().as_str();
    let created = call(
        &pool,
        "CreateUserPoolClient",
        json!({ "UserPoolId": id, "ClientName": "a", "GenerateSecret": true }),
    );
    let created = created.await.unwrap()["UserPoolClient"].clone();
    let client = &created["ClientId"];
    let input = json!({
        "UserPoolId": id, "ClientId": client, "ClientName": "b",
        "client_id": "other", "client_secret": "x", "name": "c",
    });
    let updated = call(&pool, "UpdateUserPoolClient", input).await.unwrap();
    let updated = &updated["UserPoolClient"];
    assert_eq!(updated["ClientName"], "b");
    for fixed in ["ClientId", "ClientSecret"] {
        assert!(updated[fixed] == created[fixed], "{fixed} was changed");
    }
}

#[tokio::test]
async fn invalid_client_settings_are_rejected_with_cognitos_messages() {
    let pool = UserPool::start().await.unwrap();
    for (wrong, name, words) in [
        (json!({}), "InvalidParameterException", "Value null at 'clientName'"),
        (
            json!({ "ClientName": "a", "ExplicitAuthFlows": ["ALL"] }),
            "InvalidParameterException",
            "Value '[ALL]' at 'explicitAuthFlows' failed to satisfy constraint: Member must satisfy constraint: \
             [Member must satisfy enum value set: [",
        ),
        (
            json!({ "ClientName": "a", "AuthSessionValidity": 16 }),
            "InvalidParameterException",
            "at 'authSessionValidity' failed to satisfy constraint: Member must have value less than or equal to 15",
        ),
        (
            json!({ "ClientName": "a", "AccessTokenValidity": 2, "TokenValidityUnits": { "AccessToken": "days" } }),
            "InvalidParameterException",
            "Invalid range for token validity",
        ),
        (
            json!({ "ClientName": "a", "AllowedOAuthScopes": ["orders/read"] }),
            "ScopeDoesNotExistException",
            "orders/read",
        ),
        (
            json!({ "ClientName": "a", "AllowedOAuthFlows": ["client_credentials"] }),
            "InvalidOAuthFlowException",
            "client_credentials flow can not be selected if client does not have a client secret.",
        ),
        (
            json!({ "ClientName": "a", "ReadAttributes": ["custom:shoe"] }),
            "InvalidParameterException",
            "Invalid read attributes specified while creating a client",
        ),
        (
            json!({ "ClientName": "a", "CallbackURLs": ["http://example.com"] }),
            "InvalidParameterException",
            "http is allowed for localhost",
        ),
        (json!({ "ClientName": "a", "CallbackURLs": "https://a" }), "SerializationException", ""),
    ] {
        let error = create(&pool, wrong.clone()).await.unwrap_err();
        assert!(error.0 == name && error.1.contains(words), "{wrong}: {error:?}");
    }
    assert_eq!(pool.client_ids().len(), 1);
}

#[tokio::test]
async fn client_of_another_pool_is_not_affected() {
    let pool = UserPool::start().await.unwrap();
    let made = call(&pool, "CreateUserPool", json!({ "PoolName": "other" })).await.unwrap();
    let input = json!({ "UserPoolId": made["UserPool"]["Id"], "ClientId": pool.client_id() });
    for operation in ["DescribeUserPoolClient", "UpdateUserPoolClient", "DeleteUserPoolClient"] {
        let error = call(&pool, operation, input.clone()).await.unwrap_err();
        assert_eq!(error.0, "ResourceNotFoundException");
    }
    assert_eq!(pool.client_ids(), [pool.client_id()]);
}

#[tokio::test]
async fn client_can_only_name_providers_that_exist() {
    let pool = UserPool::start().await.unwrap();
    let providers =
        |names: &[&str]| json!({ "ClientName": "web", "SupportedIdentityProviders": names });
    let message = format!("The provider Google does not exist for User Pool {}.", pool.id());
    let unknown = Err(is("InvalidParameterException", &message));
    let made = create(&pool, providers(&["COGNITO"])).await.unwrap();
    assert_eq!(create(&pool, providers(&["COGNITO", "Google"])).await, unknown);
    assert_eq!(on(&pool, "UpdateUserPoolClient", &made, providers(&["Google"])).await, unknown);
    let provider = json!({
        "UserPoolId": pool.id().as_str(), "ProviderName": "Google", "ProviderType": "OIDC",
        "ProviderDetails": {
            "client_id": "a", "oidc_issuer": "https://a.test", "authorize_scopes": "openid",
            "attributes_request_method": "GET",
        },
    });
    call(&pool, "CreateIdentityProvider", provider).await.unwrap();
    create(&pool, providers(&["COGNITO", "Google"])).await.unwrap();
    let updated = on(&pool, "UpdateUserPoolClient", &made, providers(&["Google"])).await.unwrap();
    assert_eq!(updated["SupportedIdentityProviders"], json!(["Google"]));
}

#[tokio::test]
async fn legacy_flows_cannot_be_combined_with_other_flows() {
    let pool = UserPool::start().await.unwrap();
    let flows = |flows: &[&str]| json!({ "ClientName": "web", "ExplicitAuthFlows": flows });
    let made = create(&pool, flows(&["ADMIN_NO_SRP_AUTH", "USER_PASSWORD_AUTH"])).await.unwrap();
    let mixed = flows(&["ADMIN_NO_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]);
    for outcome in [
        create(&pool, mixed.clone()).await,
        on(&pool, "UpdateUserPoolClient", &made, mixed.clone()).await,
    ] {
        let (name, message) = outcome.unwrap_err();
        assert_eq!(name, "InvalidParameterException");
        assert!(message.contains("cannot be combined"), "{message}");
    }
}
