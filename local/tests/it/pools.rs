//! API operations that create, update, list and delete user pools.

use std::{future::Future, task::Poll};

use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    DataFile,
    cognito::{call, client},
    get,
};

fn is(name: &str, message: &str) -> (String, String) {
    (name.to_owned(), message.to_owned())
}

async fn create(pool: &UserPool, input: Value) -> Value {
    call(pool, "CreateUserPool", input).await.unwrap()["UserPool"].clone()
}

async fn describe(pool: &UserPool, id: &Value) -> Result<Value, (String, String)> {
    let response = call(pool, "DescribeUserPool", json!({ "UserPoolId": id })).await?;
    Ok(response["UserPool"].clone())
}

fn pool_not_found(id: &Value) -> (String, String) {
    let message = format!("User pool {} does not exist.", id.as_str().unwrap());
    is("ResourceNotFoundException", &message)
}

#[tokio::test]
async fn connections_are_refused_until_the_pool_is_ready() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut start = std::pin::pin!(UserPool::builder().address(free).start());
    let first = std::future::poll_fn(|cx| Poll::Ready(start.as_mut().poll(cx))).await;
    assert!(first.is_pending(), "the pool has no keys yet");
    let refused = std::net::TcpStream::connect(free).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let pool = start.await.unwrap();
    assert_eq!(pool.address(), free);
    assert_eq!(get(free, "/_local/health", None).await.status, 200);
}

#[tokio::test]
async fn created_pool_has_cognitos_defaults() {
    let pool = UserPool::start().await.unwrap();
    let made = create(&pool, json!({ "PoolName": "shop", "Policies": null })).await;
    let id = made["Id"].as_str().unwrap();
    assert!(id.starts_with("us-east-1_") && id.len() == 19, "{id}");
    assert_eq!(made["Name"], "shop");
    assert_eq!(made["Arn"], format!("arn:aws:cognito-idp:us-east-1:000000000000:userpool/{id}"));
    assert_eq!(made["MfaConfiguration"], "OFF");
    assert_eq!(made["DeletionProtection"], "INACTIVE");
    assert_eq!(made["AutoVerifiedAttributes"], json!([]));
    assert_eq!(made["SchemaAttributes"].as_array().unwrap().len(), 20);
    assert_eq!(made["EstimatedNumberOfUsers"], 0);
    assert!(made["CreationDate"].is_number());
    assert_eq!(describe(&pool, &made["Id"]).await.unwrap(), made);
}

/// Clients name the region in the credential scope of their signature (AWS Signature Version 4).
#[tokio::test]
async fn created_pool_has_the_region_of_the_signature() {
    let pool = UserPool::builder().pool_id("eu-central-1_First").start().await.unwrap();
    let signed = |credential: &str| {
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0")
    };
    for (signature, region) in [
        (signed("AKID/20260101/eu-west-1/cognito-idp/aws4_request"), "eu-west-1"),
        (signed("AKID/20260101/us-gov-west-1/cognito-idp/aws4_request"), "us-gov-west-1"),
        // Without a valid region, the region is that of the first pool.
        (signed("AKID/20260101/a_b/cognito-idp/aws4_request"), "eu-central-1"),
        (signed("AKID/20260101/../cognito-idp/aws4_request"), "eu-central-1"),
        (signed("AKID"), "eu-central-1"),
        ("Bearer a/b/eu-west-1".to_owned(), "eu-central-1"),
    ] {
        let response = client()
            .post(format!("http://{}/", pool.address()))
            .header("x-amz-target", "AWSCognitoIdentityProviderService.CreateUserPool")
            .header("authorization", &signature)
            .body(r#"{ "PoolName": "shop" }"#)
            .send()
            .await
            .unwrap();
        let made: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let id = made["UserPool"]["Id"].as_str().unwrap();
        assert!(id.starts_with(&format!("{region}_")), "{signature}: {id}");
        let arn = made["UserPool"]["Arn"].as_str().unwrap();
        assert!(arn.starts_with(&format!("arn:aws:cognito-idp:{region}:")), "{arn}");
    }
}

#[tokio::test]
async fn created_pool_is_served_at_once_with_its_own_keys_and_issuer() {
    let pool = UserPool::start().await.unwrap();
    let made = create(&pool, json!({ "PoolName": "shop" })).await;
    let id = made["Id"].as_str().unwrap();
    let discovery =
        get(pool.address(), &format!("/{id}/.well-known/openid-configuration"), None).await.json();
    assert_eq!(discovery["issuer"], format!("{}/{id}", pool.endpoint()));
    let keys = get(pool.address(), &format!("/{id}/.well-known/jwks.json"), None).await.body;
    assert!(keys.contains("kid") && !keys.contains(&pool.key_id(tower_cognito::TokenUse::Access)));

    // The two pools share no users.
    let client = json!({
        "UserPoolId": id, "ClientName": "web", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
    });
    let client = call(&pool, "CreateUserPoolClient", client).await.unwrap();
    let client = &client["UserPoolClient"]["ClientId"];
    let sign_up = json!({ "ClientId": client, "Username": "alice", "Password": "Correct-Horse-1" });
    call(&pool, "SignUp", sign_up).await.unwrap();
    let confirm = json!({ "UserPoolId": id, "Username": "alice" });
    call(&pool, "AdminConfirmSignUp", confirm).await.unwrap();
    let sign_in = json!({
        "ClientId": client,
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": "Correct-Horse-1" },
    });
    let response = call(&pool, "InitiateAuth", sign_in).await.unwrap();
    let token = response["AuthenticationResult"]["AccessToken"].clone();
    let seen = call(&pool, "GetUser", json!({ "AccessToken": token })).await.unwrap();
    assert_eq!(seen["Username"], "alice");
    let in_first_pool = json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" });
    assert_eq!(
        call(&pool, "AdminGetUser", in_first_pool).await.unwrap_err().0,
        "UserNotFoundException"
    );
}

#[tokio::test]
async fn update_resets_omitted_members_to_defaults_except_immutable_ones() {
    let pool = UserPool::start().await.unwrap();
    let made = create(
        &pool,
        json!({
            "PoolName": "shop",
            "AutoVerifiedAttributes": ["email"],
            "UsernameAttributes": ["email"],
            "Policies": { "PasswordPolicy": { "MinimumLength": 12, "RequireSymbols": false } },
            "Schema": [{ "Name": "tenant", "AttributeDataType": "String", "Mutable": false }],
            "UserPoolTags": { "Team_Name": "shop" },
            "AdminCreateUserConfig": {
                "InviteMessageTemplate": { "SMSMessage": "{username} {####}" },
            },
        }),
    )
    .await;
    assert_eq!(made["Policies"]["PasswordPolicy"]["MinimumLength"], 12);
    assert_eq!(made["UserPoolTags"], json!({ "Team_Name": "shop" }));
    let invitation = &made["AdminCreateUserConfig"]["InviteMessageTemplate"]["SMSMessage"];
    assert_eq!(invitation, "{username} {####}");
    let update = json!({
        "UserPoolId": made["Id"],
        "DeletionProtection": "ACTIVE",
        "UsernameAttributes": ["phone_number"],
        "UsernameConfiguration": { "CaseSensitive": false },
        "Schema": [{ "Name": "other", "AttributeDataType": "String" }],
    });
    assert_eq!(call(&pool, "UpdateUserPool", update).await, Ok(json!({})));
    let now = describe(&pool, &made["Id"]).await.unwrap();
    assert_eq!(now["DeletionProtection"], "ACTIVE");
    assert_eq!(now["Policies"]["PasswordPolicy"]["MinimumLength"], 8);
    assert_eq!(now["AutoVerifiedAttributes"], json!([]));
    assert_eq!(now.get("UserPoolTags"), None);
    assert_eq!(now["UsernameAttributes"], json!(["email"]));
    assert_eq!(now["UsernameConfiguration"], made["UsernameConfiguration"]);
    assert_eq!(now["SchemaAttributes"], made["SchemaAttributes"]);
    assert_eq!(now["Name"], "shop");
}

#[tokio::test]
async fn pool_with_deletion_protection_or_a_domain_cannot_be_deleted() {
    let pool = UserPool::start().await.unwrap();
    let made = create(&pool, json!({ "PoolName": "a", "DeletionProtection": "ACTIVE" })).await;
    let id = &made["Id"];
    let named = json!({ "UserPoolId": id });
    let error = call(&pool, "DeleteUserPool", named.clone()).await.unwrap_err();
    assert!(error.1.contains("deletion protection is activated"), "{error:?}");
    call(&pool, "UpdateUserPool", named.clone()).await.unwrap();

    let domain = json!({ "UserPoolId": id, "Domain": "shop" });
    call(&pool, "CreateUserPoolDomain", domain.clone()).await.unwrap();
    let described =
        call(&pool, "DescribeUserPoolDomain", json!({ "Domain": "shop" })).await.unwrap();
    assert_eq!(&described["DomainDescription"]["UserPoolId"], id);
    let other = json!({ "UserPoolId": pool.id().as_str(), "Domain": "shop" });
    call(&pool, "CreateUserPoolDomain", other).await.unwrap_err();
    let error = call(&pool, "DeleteUserPool", named.clone()).await.unwrap_err();
    assert!(error.1.contains("domain configured"), "{error:?}");
    call(&pool, "DeleteUserPoolDomain", domain).await.unwrap();
    let described =
        call(&pool, "DescribeUserPoolDomain", json!({ "Domain": "shop" })).await.unwrap();
    assert_eq!(described, json!({ "DomainDescription": {} }));

    assert_eq!(call(&pool, "DeleteUserPool", named.clone()).await, Ok(json!({})));
    assert_eq!(describe(&pool, id).await, Err(pool_not_found(id)));
    assert_eq!(call(&pool, "DeleteUserPool", named).await, Err(pool_not_found(id)));
    let path = format!("/{}/.well-known/jwks.json", id.as_str().unwrap());
    assert_eq!(get(pool.address(), &path, None).await.status, 404);
}

#[tokio::test]
async fn pools_are_listed_in_pages() {
    let pool = UserPool::start().await.unwrap();
    for name in ["a", "b", "c", "d"] {
        create(&pool, json!({ "PoolName": name })).await;
    }
    let mut found = Vec::new();
    let mut token = Value::Null;
    loop {
        let input = json!({ "MaxResults": 2, "NextToken": token });
        let page = call(&pool, "ListUserPools", input).await.unwrap();
        let rows = page["UserPools"].as_array().unwrap();
        found.extend(rows.iter().map(|row| row["Name"].as_str().unwrap().to_owned()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    found.sort_unstable();
    assert_eq!(found, ["a", "b", "c", "d", "local"]);
    for wrong in [json!({}), json!({ "MaxResults": 0 }), json!({ "MaxResults": 61 })] {
        let error = call(&pool, "ListUserPools", wrong).await.unwrap_err();
        assert_eq!(error.0, "InvalidParameterException");
    }
}

#[tokio::test]
async fn invalid_pool_settings_are_rejected_with_cognitos_messages() {
    let pool = UserPool::start().await.unwrap();
    for (wrong, name, words) in [
        (json!({}), "InvalidParameterException", "Value null at 'poolName'"),
        (json!({ "PoolName": 5 }), "SerializationException", ""),
        (
            json!({ "PoolName": "a", "MfaConfiguration": "MAYBE" }),
            "InvalidParameterException",
            "Value 'MAYBE' at 'mfaConfiguration' failed to satisfy constraint: Member must satisfy enum value \
             set: [OFF, ON, OPTIONAL]",
        ),
        (
            json!({ "PoolName": "a", "Policies": { "PasswordPolicy": { "MinimumLength": 5 } } }),
            "InvalidParameterException",
            "Value '5' at 'policies.passwordPolicy.minimumLength' failed to satisfy constraint: Member must have value \
             greater than or equal to 6",
        ),
        (
            json!({ "PoolName": "a", "UsernameAttributes": ["email"], "AliasAttributes": ["email"] }),
            "InvalidParameterException",
            "Only one of",
        ),
        (json!({ "PoolName": "a", "Schema": [5] }), "SerializationException", ""),
    ] {
        let error = call(&pool, "CreateUserPool", wrong.clone()).await.unwrap_err();
        assert!(error.0 == name && error.1.contains(words), "{wrong}: {error:?}");
    }
    let unknown = json!("us-east-1_Nowhere");
    assert_eq!(describe(&pool, &unknown).await, Err(pool_not_found(&unknown)));
}

#[tokio::test]
async fn mfa_and_its_factors_must_be_enabled_together() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.id().as_str();
    let set = |mfa: &str, token: Value| {
        let input = json!({
            "UserPoolId": id, "MfaConfiguration": mfa, "SoftwareTokenMfaConfiguration": token,
        });
        call(&pool, "SetUserPoolMfaConfig", input)
    };
    let response = set("ON", json!({ "Enabled": true })).await.unwrap();
    let on = json!({
        "MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": { "Enabled": true },
    });
    assert_eq!(response, on);
    set("ON", json!({ "Enabled": false })).await.unwrap_err();
    set("ON", Value::Null).await.unwrap_err();
    set("OFF", json!({ "Enabled": true })).await.unwrap_err();
    set("SOMETIMES", Value::Null).await.unwrap_err();
    let read = call(&pool, "GetUserPoolMfaConfig", json!({ "UserPoolId": id })).await.unwrap();
    assert_eq!(read, on);
    let off = set("OFF", Value::Null).await.unwrap();
    assert_eq!(off["SoftwareTokenMfaConfiguration"]["Enabled"], false);
}

#[tokio::test]
async fn update_keeps_the_factors_that_only_set_user_pool_mfa_config_sets() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.id().as_str();
    let email = json!({ "Message": "Enter {####}", "Subject": "Code" });
    let passkeys = json!({ "RelyingPartyId": "example.com", "UserVerification": "required" });
    let input = json!({
        "UserPoolId": id,
        "MfaConfiguration": "ON",
        "EmailMfaConfiguration": email,
        "WebAuthnConfiguration": passkeys,
    });
    let before = call(&pool, "SetUserPoolMfaConfig", input).await.unwrap();
    assert_eq!(before["EmailMfaConfiguration"], email);
    let update = json!({
        "UserPoolId": id,
        "MfaConfiguration": "ON",
        "EmailMfaConfiguration": { "Message": "not a member of this operation" },
    });
    call(&pool, "UpdateUserPool", update).await.unwrap();
    let after = call(&pool, "GetUserPoolMfaConfig", json!({ "UserPoolId": id })).await.unwrap();
    assert_eq!(after, before, "the update must not change or enable a factor");
}

#[tokio::test]
async fn update_that_turns_mfa_on_enables_software_tokens_if_the_pool_has_no_factor() {
    let pool = UserPool::start().await.unwrap();
    let id = create(&pool, json!({ "PoolName": "shop" })).await["Id"].clone();
    let passkeys = json!({ "RelyingPartyId": "example.com", "UserVerification": "required" });
    let input = json!({ "UserPoolId": id, "WebAuthnConfiguration": passkeys });
    let set = call(&pool, "SetUserPoolMfaConfig", input).await.unwrap();
    assert_eq!(set["SoftwareTokenMfaConfiguration"]["Enabled"], false);
    let update = json!({ "UserPoolId": id, "MfaConfiguration": "OPTIONAL" });
    call(&pool, "UpdateUserPool", update).await.unwrap();
    let now = call(&pool, "GetUserPoolMfaConfig", json!({ "UserPoolId": id })).await.unwrap();
    assert_eq!(now["SoftwareTokenMfaConfiguration"]["Enabled"], true);
    assert_eq!(now["WebAuthnConfiguration"], passkeys);
}

#[tokio::test]
async fn custom_attributes_are_added_all_or_none_and_only_once() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.id().as_str();
    let add = |list: Value| {
        let input = json!({ "UserPoolId": id, "CustomAttributes": list });
        call(&pool, "AddCustomAttributes", input)
    };
    let seats = json!({
        "Name": "seats",
        "AttributeDataType": "Number",
        "NumberAttributeConstraints": { "MinValue": "1", "MaxValue": "9" },
    });
    add(json!([seats])).await.unwrap();
    let error = add(json!([{ "Name": "tenant" }, seats])).await.unwrap_err();
    let message = "custom:seats: Existing attribute already has name custom:seats.";
    assert_eq!(error, is("InvalidParameterException", message));
    let about = describe(&pool, &json!(id)).await.unwrap();
    let attributes = about["SchemaAttributes"].as_array().unwrap();
    let own: Vec<_> = attributes
        .iter()
        .filter(|one| one["Name"].as_str().unwrap().starts_with("custom:"))
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0]["NumberAttributeConstraints"]["MaxValue"], "9");

    let user = json!({
        "UserPoolId": id,
        "Username": "alice",
        "MessageAction": "SUPPRESS",
        "UserAttributes": [{ "Name": "custom:seats", "Value": "10" }],
    });
    call(&pool, "AdminCreateUser", user).await.unwrap_err();
}

#[tokio::test]
async fn custom_attribute_with_a_standard_name_gets_the_prefix() {
    let file = DataFile::new("custom-attribute");
    let id = {
        let pool = file.pool().await;
        let id = json!(pool.id().as_str());
        let before = describe(&pool, &id).await.unwrap()["SchemaAttributes"].clone();
        let list = json!([
            { "Name": "email", "Mutable": false, "StringAttributeConstraints": { "MaxLength": "3" } },
            { "Name": "updated_at", "DeveloperOnlyAttribute": true },
        ]);
        let add = json!({ "UserPoolId": id, "CustomAttributes": list });
        call(&pool, "AddCustomAttributes", add.clone()).await.unwrap();
        let after = describe(&pool, &id).await.unwrap()["SchemaAttributes"].clone();
        let (before, after) = (before.as_array().unwrap(), after.as_array().unwrap());
        let (standard, added) = after.split_at(before.len());
        assert_eq!(standard, before);
        let added: Vec<_> =
            added.iter().map(|one| (&one["Name"], &one["AttributeDataType"])).collect();
        let string = &json!("String");
        assert_eq!(
            added,
            [(&json!("custom:email"), string), (&json!("dev:custom:updated_at"), string)]
        );

        let error = call(&pool, "AddCustomAttributes", add).await.unwrap_err();
        let message = "custom:email: Existing attribute already has name custom:email.";
        assert_eq!(error, is("InvalidParameterException", message));
        id
    };
    // The rules of both attributes apply after a restart.
    let pool = file.pool().await;
    assert_eq!(json!(pool.id().as_str()), id);
    let user = |name: &str, custom: &str| {
        json!({
            "UserPoolId": id,
            "Username": name,
            "MessageAction": "SUPPRESS",
            "UserAttributes": [
                { "Name": "email", "Value": format!("{name}@example.com") },
                { "Name": "custom:email", "Value": custom },
            ],
        })
    };
    call(&pool, "AdminCreateUser", user("alice", "abc")).await.unwrap();
    call(&pool, "AdminCreateUser", user("bob", "abcd")).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pool_is_never_deleted_while_protection_is_activated() {
    let file = DataFile::new("protection");
    let pool = file.pool().await;
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let named = json!({ "UserPoolId": create(&pool, json!({ "PoolName": name })).await["Id"] });
        let mut protect = named.clone();
        protect["DeletionProtection"] = json!("ACTIVE");
        let (protected, deleted) = tokio::join!(
            call(&pool, "UpdateUserPool", protect),
            call(&pool, "DeleteUserPool", named)
        );
        assert_ne!(protected.is_ok(), deleted.is_ok(), "{protected:?} {deleted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_concurrent_requests_for_a_domain_succeeds() {
    let file = DataFile::new("domains");
    let pool = file.pool().await;
    for domain in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let first = create(&pool, json!({ "PoolName": "first" })).await;
        let second = create(&pool, json!({ "PoolName": "second" })).await;
        let create_domain = |made: &Value| {
            let input = json!({ "UserPoolId": made["Id"], "Domain": domain });
            call(&pool, "CreateUserPoolDomain", input)
        };
        let (first, second) = tokio::join!(create_domain(&first), create_domain(&second));
        assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
        let message = "Domain already associated with another user pool.";
        let error = first.err().or(second.err()).unwrap();
        assert_eq!(error, is("InvalidParameterException", message));
    }
}

#[tokio::test]
async fn resource_servers_are_created_updated_listed_and_deleted() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.id().as_str();
    let orders = json!({
        "UserPoolId": id,
        "Identifier": "orders",
        "Name": "Orders",
        "Scopes": [{ "ScopeName": "read", "ScopeDescription": "See orders" }],
    });
    let made = call(&pool, "CreateResourceServer", orders.clone()).await.unwrap();
    assert_eq!(made["ResourceServer"], orders);
    let error = call(&pool, "CreateResourceServer", orders.clone()).await.unwrap_err();
    let message = format!("orders already exists in user pool {id}.");
    assert_eq!(error, is("InvalidParameterException", &message));
    let changed = json!({ "UserPoolId": id, "Identifier": "orders", "Name": "All orders" });
    call(&pool, "UpdateResourceServer", changed).await.unwrap();
    let named = json!({ "UserPoolId": id, "Identifier": "orders" });
    let seen = call(&pool, "DescribeResourceServer", named.clone()).await.unwrap();
    assert_eq!(seen["ResourceServer"]["Name"], "All orders");
    assert_eq!(seen["ResourceServer"]["Scopes"], json!([]));
    let listed = call(&pool, "ListResourceServers", json!({ "UserPoolId": id })).await.unwrap();
    assert_eq!(listed["ResourceServers"].as_array().unwrap().len(), 1);
    call(&pool, "DeleteResourceServer", named.clone()).await.unwrap();
    for operation in ["DescribeResourceServer", "DeleteResourceServer"] {
        let error = call(&pool, operation, named.clone()).await.unwrap_err();
        assert_eq!(error.0, "ResourceNotFoundException");
    }
    for wrong in [
        json!({ "UserPoolId": id, "Identifier": "a b", "Name": "A" }),
        json!({ "UserPoolId": id, "Identifier": "a", "Name": "A", "Scopes": [{ "ScopeName": "a/b", "ScopeDescription": "c" }] }),
        json!({ "UserPoolId": id, "Identifier": "a", "Name": "A", "Scopes": [{ "ScopeName": "a" }] }),
    ] {
        call(&pool, "CreateResourceServer", wrong).await.unwrap_err();
    }
}

#[tokio::test]
async fn pool_from_a_configuration_file_is_described_with_its_settings() {
    let toml = "[aws_cognito_user_pool]\nname = \"team\"\nalias_attributes = [\"preferred_username\"]\n\
                verification_message_template = { email_message = \"It is {####}\", email_subject = \"Hi\" }\n";
    let pool = UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap();
    let about = describe(&pool, &json!(pool.id().as_str())).await.unwrap();
    assert_eq!(about["Name"], "team");
    assert_eq!(about["AliasAttributes"], json!(["preferred_username"]));
    assert_eq!(about["EmailVerificationMessage"], "It is {####}");
    assert_eq!(about["VerificationMessageTemplate"]["EmailSubject"], "Hi");
}
