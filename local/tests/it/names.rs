//! A local pool with a host name other than loopback in its issuer, its address, or the `Host` header of requests.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    time::Duration,
};

use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    admin::{PASSWORD, admin, last_code, sign_in, tokens, user},
    browser::{Browser, Page, encoded},
    cognito::{allow_provider, call, error, is, provider_config},
    totp::PoolTime,
};

const BACK: &str = "https://app.test/back";

/// Issuers off loopback with plain HTTP, as in a container's network and in a LAN.
const ISSUERS: [&str; 4] = [
    "http://cognito.test:9229/us-east-1_Local0001",
    "http://cognito:9229/us-east-1_Local0001",
    "http://192.168.1.7:9229/us-east-1_Local0001",
    "http://[fd00::7]:9229/us-east-1_Local0001",
];

const CONFIG: &str = r#"
[aws_cognito_user_pool]
auto_verified_attributes = ["email"]

[[aws_cognito_user_pool_client]]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid", "email", "aws.cognito.signin.user.admin"]
callback_urls = ["https://app.test/back"]
supported_identity_providers = ["COGNITO"]

[[aws_cognito_user_pool_client]]
client_id = "machine"
client_secret = "machine-secret"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["client_credentials"]
allowed_oauth_scopes = ["orders/read"]

[[aws_cognito_resource_server]]
identifier = "orders"
name = "orders"
scope = [{ scope_name = "read", scope_description = "Read" }]
"#;

async fn pool_with_issuer(issuer: &str) -> UserPool {
    let config = Config::from_toml(CONFIG).unwrap();
    UserPool::builder().config(config).issuer(issuer).start().await.unwrap()
}

async fn access_token(pool: &UserPool, name: &str) -> Value {
    tokens(pool, name).await["AccessToken"].clone()
}

/// Calls an operation with an access token. The operation must succeed.
async fn with_token(pool: &UserPool, operation: &str, token: &Value, mut input: Value) -> Value {
    input["AccessToken"] = token.clone();
    let answer = call(pool, operation, input).await;
    answer.unwrap_or_else(|error| panic!("{operation} at {}: {error:?}", pool.issuer()))
}

/// Calls every operation with an access token. The last one deletes the user.
async fn use_every_operation_with_a_token(pool: &UserPool) {
    let mut time = PoolTime::inside_a_step(pool);
    user(pool, "alice").await;
    let token = access_token(pool, "alice").await;
    let email = json!({ "UserAttributes": [{ "Name": "email", "Value": "alice@example.com" }] });
    with_token(pool, "UpdateUserAttributes", &token, email).await;
    let named = json!({ "AttributeName": "email" });
    with_token(pool, "GetUserAttributeVerificationCode", &token, named).await;
    let code = last_code(pool, "alice").await;
    let proof = json!({ "AttributeName": "email", "Code": code });
    with_token(pool, "VerifyUserAttribute", &token, proof).await;
    let seen = with_token(pool, "GetUser", &token, json!({})).await;
    assert_eq!(seen["Username"], "alice");
    let deleted_names = json!({ "UserAttributeNames": ["nickname"] });
    with_token(pool, "DeleteUserAttributes", &token, deleted_names).await;
    let passwords = json!({ "PreviousPassword": PASSWORD, "ProposedPassword": "Other-Horse-2" });
    with_token(pool, "ChangePassword", &token, passwords).await;
    let secret = with_token(pool, "AssociateSoftwareToken", &token, json!({})).await;
    let code = time.code(secret["SecretCode"].as_str().unwrap(), 0);
    with_token(pool, "VerifySoftwareToken", &token, json!({ "UserCode": code })).await;
    let wanted = json!({ "SoftwareTokenMfaSettings": { "Enabled": false } });
    with_token(pool, "SetUserMFAPreference", &token, wanted).await;
    let factors = with_token(pool, "GetUserAuthFactors", &token, json!({})).await;
    assert_eq!(factors["Username"], "alice");
    with_token(pool, "GlobalSignOut", &token, json!({})).await;
    time.advance(pool, Duration::from_secs(2));
    let again = sign_in(pool, "alice", "Other-Horse-2").await.unwrap();
    let again = again["AuthenticationResult"].clone();
    let refresh = json!({ "ClientId": pool.client_id(), "RefreshToken": again["RefreshToken"] });
    let fresh = call(pool, "GetTokensFromRefreshToken", refresh).await.unwrap();
    let fresh = &fresh["AuthenticationResult"]["AccessToken"];
    let revoked = json!({ "ClientId": pool.client_id(), "Token": again["RefreshToken"] });
    call(pool, "RevokeToken", revoked).await.unwrap();
    let input = json!({ "AccessToken": fresh });
    let refused = is("NotAuthorizedException", "Access Token has been revoked");
    assert_eq!(error(call(pool, "GetUser", input).await), refused);
    let last = sign_in(pool, "alice", "Other-Horse-2").await.unwrap();
    with_token(pool, "DeleteUser", &last["AuthenticationResult"]["AccessToken"], json!({})).await;
}

#[tokio::test]
async fn every_operation_with_an_access_token_works_with_a_plain_http_issuer_off_loopback() {
    for issuer in ISSUERS {
        let pool = pool_with_issuer(issuer).await;
        assert_eq!(pool.issuer(), issuer);
        use_every_operation_with_a_token(&pool).await;
    }
}

/// All operations of the API, except for the deletion of pools.
const OPERATIONS: [&str; 62] = [
    "AddCustomAttributes",
    "AdminAddUserToGroup",
    "AdminConfirmSignUp",
    "AdminCreateUser",
    "AdminDeleteUser",
    "AdminDeleteUserAttributes",
    "AdminDisableProviderForUser",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminGetUser",
    "AdminInitiateAuth",
    "AdminLinkProviderForUser",
    "AdminListGroupsForUser",
    "AdminRemoveUserFromGroup",
    "AdminResetUserPassword",
    "AdminRespondToAuthChallenge",
    "AdminSetUserMFAPreference",
    "AdminSetUserPassword",
    "AdminUpdateUserAttributes",
    "AdminUserGlobalSignOut",
    "AssociateSoftwareToken",
    "ChangePassword",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "CreateGroup",
    "CreateIdentityProvider",
    "CreateResourceServer",
    "CreateUserPool",
    "CreateUserPoolClient",
    "CreateUserPoolDomain",
    "DeleteGroup",
    "DeleteIdentityProvider",
    "DeleteResourceServer",
    "DeleteUserAttributes",
    "DeleteUserPoolDomain",
    "DescribeIdentityProvider",
    "DescribeResourceServer",
    "DescribeUserPool",
    "DescribeUserPoolClient",
    "DescribeUserPoolDomain",
    "ForgotPassword",
    "GetGroup",
    "GetIdentityProviderByIdentifier",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GetUserAuthFactors",
    "GetUserPoolMfaConfig",
    "InitiateAuth",
    "ListGroups",
    "ListIdentityProviders",
    "ListResourceServers",
    "ListUserPoolClients",
    "ListUserPools",
    "ListUsers",
    "ListUsersInGroup",
    "ResendConfirmationCode",
    "RespondToAuthChallenge",
    "RevokeToken",
    "SetUserMFAPreference",
    "SignUp",
    "UpdateGroup",
];

#[tokio::test]
async fn no_operation_returns_an_internal_error_with_a_plain_http_issuer_off_loopback() {
    let pool = pool_with_issuer(ISSUERS[0]).await;
    user(&pool, "alice").await;
    let token = access_token(&pool, "alice").await;
    let mut unknown = 0;
    for operation in OPERATIONS {
        // The input need not be complete: the operation may return an error, but not an internal one.
        let input = json!({
            "UserPoolId": pool.id().as_str(), "ClientId": pool.client_id(), "AccessToken": token,
            "Username": "alice", "GroupName": "staff", "PoolName": "other", "ClientName": "other",
            "Identifier": "orders", "MaxResults": 5, "AttributeName": "email", "UserCode": "1",
            "Token": "a.b.c.d.e", "RefreshToken": "a.b.c.d.e", "ConfirmationCode": "1",
            "Password": PASSWORD, "ProposedPassword": PASSWORD, "PreviousPassword": PASSWORD,
            "UserAttributes": [], "UserAttributeNames": [], "Code": "1",
        });
        if let Err((name, message)) = call(&pool, operation, input).await {
            assert_ne!(name, "InternalErrorException", "{operation}: {message}");
            unknown += usize::from(name == "UnknownOperationException");
        }
    }
    assert_eq!(unknown, 0);
}

async fn open(browser: &mut Browser, host: &str, pool: &UserPool, path: &str) -> Page {
    let query = [
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid email aws.cognito.signin.user.admin"),
    ];
    let port = pool.address().port();
    browser.open(format!("http://{host}:{port}{path}?{}", encoded(&query))).await
}

async fn post_form(client: &reqwest::Client, url: String, form: &[(&str, &str)]) -> (u16, Value) {
    let response = client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded(form))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

/// Signs in at the pages and uses all OAuth endpoints, at the pool's port under the given host name.
async fn use_every_oauth_endpoint(pool: &UserPool, host: &str) {
    let base = format!("http://{host}:{}", pool.address().port());
    let mut browser = Browser::at(host, pool.address());
    let page = open(&mut browser, host, pool, "/oauth2/authorize").await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/login"), "{host}");
    let page = browser.submit(&page, "/login", &[("username", "alice"), ("password", PASSWORD)]);
    let page = page.await;
    let code = page.parameter("code").unwrap_or_else(|| panic!("{host}: {}", page.title()));
    let client = browser.client().clone();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("code", &code),
    ];
    let (status, body) = post_form(&client, format!("{base}/oauth2/token"), &form).await;
    assert_eq!(status, 200, "{host}: {body}");
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    for method in [http::Method::GET, http::Method::POST] {
        let request = client.request(method, format!("{base}/oauth2/userInfo"));
        let response = request.bearer_auth(&access).send().await.unwrap();
        assert_eq!(response.status(), 200, "{host}");
        let info: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(info["username"], "alice");
    }
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", pool.client_id()),
        ("refresh_token", &refresh),
    ];
    assert_eq!(post_form(&client, format!("{base}/oauth2/token"), &form).await.0, 200, "{host}");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "machine"),
        ("client_secret", "machine-secret"),
    ];
    assert_eq!(post_form(&client, format!("{base}/oauth2/token"), &form).await.0, 200, "{host}");
    // The JSON API of apps and of administrators.
    for (operation, input) in [
        ("GetUser", json!({ "AccessToken": access })),
        ("AdminGetUser", json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" })),
    ] {
        let request = client
            .post(format!("{base}/"))
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
            .body(input.to_string());
        assert_eq!(request.send().await.unwrap().status(), 200, "{operation} at {host}");
    }
    for name in ["jwks.json", "openid-configuration"] {
        let url = format!("{base}/{}/.well-known/{name}", pool.id());
        assert_eq!(client.get(url).send().await.unwrap().status(), 200, "{name} at {host}");
    }
    let form = [("client_id", pool.client_id()), ("token", &refresh)];
    assert_eq!(post_form(&client, format!("{base}/oauth2/revoke"), &form).await.0, 200, "{host}");
    let request = client.get(format!("{base}/oauth2/userInfo")).bearer_auth(&access);
    assert_eq!(request.send().await.unwrap().status(), 401, "the token must be revoked: {host}");
    let page = open(&mut browser, host, pool, "/logout").await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/login"), "{host}");
}

#[tokio::test]
async fn oauth_endpoints_and_pages_work_with_a_plain_http_issuer_under_any_host() {
    for issuer in ISSUERS {
        let pool = pool_with_issuer(issuer).await;
        user(&pool, "alice").await;
        for host in ["127.0.0.1", "cognito", "cognito.test"] {
            use_every_oauth_endpoint(&pool, host).await;
        }
    }
}

#[tokio::test]
async fn discovery_has_addresses_under_the_host_of_the_request() {
    let pool = pool_with_issuer(ISSUERS[0]).await;
    let port = pool.address().port();
    let path = format!("/{}/.well-known/openid-configuration", pool.id());
    for host in ["cognito", "cognito.test", "127.0.0.1"] {
        let base = format!("http://{host}:{port}");
        let browser = Browser::at(host, pool.address());
        let document = browser.client().get(format!("{base}{path}")).send().await.unwrap();
        let document: Value = serde_json::from_str(&document.text().await.unwrap()).unwrap();
        assert_eq!(document["issuer"], ISSUERS[0], "the issuer must be the `iss` of tokens");
        for (name, address) in document.as_object().unwrap() {
            let is_address = name.ends_with("_endpoint") || name == "jwks_uri";
            let address = address.as_str().unwrap_or_default();
            assert!(!is_address || address.starts_with(&format!("{base}/")), "{name}: {address}");
        }
        let keys = browser.client().get(document["jwks_uri"].as_str().unwrap());
        assert_eq!(keys.send().await.unwrap().status(), 200);
    }
    // The port of a container can be mapped to any other one. A malformed host is not repeated.
    let user_info = format!("user@cognito:{port}");
    let own = pool.address().to_string();
    for (host, expected) in [
        ("cognito", "cognito"),
        ("cognito:1", "cognito:1"),
        (&user_info, &own),
        ("no host", &own),
        ("cognito/x", &own),
    ] {
        let request = reqwest::Client::new().get(format!("http://{}{path}", pool.address()));
        let response = request.header("host", host).send().await.unwrap();
        // The response depends on the host, so a cache must not use it for another host.
        assert_eq!(response.headers()["vary"], "host");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        let document: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let keys = format!("http://{expected}/{}/.well-known/jwks.json", pool.id());
        assert_eq!(document["jwks_uri"], keys, "{host}");
    }
    let keys = reqwest::get(pool.jwks_uri()).await.unwrap();
    assert_eq!(keys.headers()["cache-control"], "no-cache");
}

#[tokio::test]
async fn form_under_another_host_is_accepted_only_from_that_host() {
    let pool = pool_with_issuer(ISSUERS[0]).await;
    user(&pool, "alice").await;
    for (origin, status) in [(None, 302), (Some("http://127.0.0.1"), 403), (Some("null"), 403)] {
        let mut browser = Browser::at("cognito.test", pool.address());
        let page = open(&mut browser, "cognito.test", &pool, "/login").await;
        let mut form = page.form("/login");
        form.set("username", "alice");
        form.set("password", PASSWORD);
        browser.origin = origin;
        assert_eq!(browser.post(&form).await.status, status, "{origin:?}");
    }
}

#[tokio::test]
async fn users_sign_in_at_a_provider_whose_issuer_is_plain_http_off_loopback() {
    let pool = pool_with_issuer(ISSUERS[2]).await;
    let corp = UserPool::builder()
        .config(provider_config(&pool))
        .issuer(ISSUERS[0])
        .start()
        .await
        .unwrap();
    let at = |path: &str| format!("http://{}{path}", corp.address());
    let provider = json!({
        "ProviderName": "Corp", "ProviderType": "OIDC", "AttributeMapping": { "email": "email" },
        "ProviderDetails": {
            "client_id": "relying", "client_secret": "relying-secret", "oidc_issuer": ISSUERS[0],
            "authorize_scopes": "openid email", "attributes_request_method": "GET",
            "authorize_url": at("/oauth2/authorize"), "token_url": at("/oauth2/token"),
            "attributes_url": at("/oauth2/userInfo"), "jwks_uri": corp.jwks_uri(),
        },
    });
    admin(&pool, "CreateIdentityProvider", provider).await.unwrap();
    allow_provider(&pool, pool.client_id(), "Corp").await;
    let mut browser = Browser::new();
    let page = open(&mut browser, "127.0.0.1", &pool, "/login").await;
    let page = browser.open(page.link("Continue with Corp")).await;
    let typed = [("username", "jane"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    let code = page.parameter("code").unwrap_or_else(|| panic!("{}", page.url));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("code", &code),
    ];
    let url = format!("http://{}/oauth2/token", pool.address());
    let (_, body) = post_form(browser.client(), url, &form).await;
    let seen = call(&pool, "GetUser", json!({ "AccessToken": body["access_token"] })).await;
    assert!(seen.unwrap()["Username"].as_str().unwrap().starts_with("Corp_"));
}

/// Returns an address of this machine that is not loopback, if there is one. It sends no packets.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[tokio::test]
async fn pools_created_by_the_api_work_off_loopback() {
    let Some(address) = own_address() else { return };
    let config = Config::from_toml(CONFIG).unwrap();
    let builder = UserPool::builder().config(config).address(SocketAddr::new(address, 0));
    let pool = builder.start().await.unwrap();
    assert_eq!(pool.issuer(), format!("http://{}/{}", pool.address(), pool.id()));
    use_every_operation_with_a_token(&pool).await;
    let made = call(&pool, "CreateUserPool", json!({ "PoolName": "second" })).await.unwrap();
    let id = &made["UserPool"]["Id"];
    let client = json!({
        "UserPoolId": id, "ClientName": "web",
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
    });
    let client = call(&pool, "CreateUserPoolClient", client).await.unwrap();
    let name = json!({ "UserPoolId": id, "Username": "bob", "MessageAction": "SUPPRESS" });
    call(&pool, "AdminCreateUser", name).await.unwrap();
    let password = json!({
        "UserPoolId": id, "Username": "bob", "Password": PASSWORD, "Permanent": true,
    });
    call(&pool, "AdminSetUserPassword", password).await.unwrap();
    let input = json!({
        "ClientId": client["UserPoolClient"]["ClientId"], "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "bob", "PASSWORD": PASSWORD },
    });
    let answer = call(&pool, "InitiateAuth", input).await.unwrap();
    let token = &answer["AuthenticationResult"]["AccessToken"];
    assert_eq!(with_token(&pool, "GetUser", token, json!({})).await["Username"], "bob");
}

#[tokio::test]
async fn tokens_of_a_deleted_client_or_withdrawn_key_are_rejected_at_once() {
    let invalid = || is("NotAuthorizedException", "Invalid Access Token");
    let pool = pool_with_issuer(ISSUERS[0]).await;
    user(&pool, "alice").await;
    let seen = async |token: &Value| call(&pool, "GetUser", json!({ "AccessToken": token })).await;
    let first = access_token(&pool, "alice").await;
    seen(&first).await.unwrap();

    // Tokens of a new client are valid at once. Tokens of a deleted client are rejected at once.
    let client = json!({ "ClientName": "b", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"] });
    let client = admin(&pool, "CreateUserPoolClient", client).await.unwrap();
    let id = &client["UserPoolClient"]["ClientId"];
    let input = json!({
        "ClientId": id, "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": PASSWORD },
    });
    let answer = call(&pool, "InitiateAuth", input).await.unwrap();
    let second = answer["AuthenticationResult"]["AccessToken"].clone();
    seen(&second).await.unwrap();
    admin(&pool, "DeleteUserPoolClient", json!({ "ClientId": id })).await.unwrap();
    assert_eq!(error(seen(&second).await), invalid());
    seen(&first).await.unwrap();

    // A key is valid until it is withdrawn.
    pool.rotate().unwrap();
    let third = access_token(&pool, "alice").await;
    seen(&first).await.unwrap();
    seen(&third).await.unwrap();
    pool.withdraw_old_keys();
    assert_eq!(error(seen(&first).await), invalid());
    seen(&third).await.unwrap();

    // The OAuth endpoints follow the same rule.
    let info = async |token: &Value| {
        let url = format!("http://{}/oauth2/userInfo", pool.address());
        let request = reqwest::Client::new().get(url).bearer_auth(token.as_str().unwrap());
        let response = request.send().await.unwrap();
        response.text().await.unwrap().contains("does not contain openid scope")
    };
    assert!(info(&third).await);
    assert!(!info(&first).await && !info(&second).await);
}

#[tokio::test]
async fn verifier_of_the_pool_accepts_its_plain_http_issuer() {
    for issuer in ISSUERS {
        let pool = UserPool::builder().issuer(issuer).start().await.unwrap();
        let verifier = pool.verifier().build().unwrap();
        let token = pool.token("alice");
        let verified = verifier.verify(&token.sign()).await.unwrap();
        assert_eq!(verified.issuer(), issuer);
        assert_eq!(token.verified().unwrap().issuer(), issuer);
    }
}

#[tokio::test]
async fn invalid_issuer_or_client_id_fails_the_start() {
    for issuer in ["cognito", "ftp://a/b", "http://a b/", "http://u:p@a/", "http://a/?x"] {
        let error = UserPool::builder().issuer(issuer).start().await.unwrap_err();
        assert!(error.to_string().contains("issuer"), "{issuer}: {error}");
    }
    // The API accepts only client IDs that match `[\w+]+`.
    for id in ["", "a b", "a,b", "a-b", "a.b", "\u{e9}", &"a".repeat(129)] {
        let error = UserPool::builder().client_id(id).start().await.unwrap_err();
        assert!(error.to_string().contains("client id"), "{id}: {error}");
    }
    for id in ["a", "my_app+1", &"a".repeat(128)] {
        let pool = UserPool::builder().client_id(id).start().await.unwrap();
        let sign_up = json!({ "ClientId": id, "Username": "alice", "Password": "Abcdef-12345" });
        assert!(call(&pool, "SignUp", sign_up).await.is_ok(), "{id}");
    }
}
