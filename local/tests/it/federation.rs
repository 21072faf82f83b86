//! Federation with OpenID Connect: users of one local pool sign in at another, and responses of a faulty or malicious
//! provider are rejected.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Map, Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    browser::{Browser, Page, client, encoded},
    captured_logs,
    cognito::{PASSWORD, allow_provider, call, payload, provider_config},
    function::{Function, Late, Outcome},
    header, serve, wall_time,
};

const BACK: &str = "https://app.test/back";

/// The pool that apps use.
const CONFIG: &str = r#"
[[aws_cognito_user_pool_client]]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid", "email", "profile", "aws.cognito.signin.user.admin"]
callback_urls = ["https://app.test/back"]
supported_identity_providers = ["COGNITO"]

[[aws_cognito_user_pool_client]]
client_id = "corponly"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid"]
callback_urls = ["https://app.test/back"]
supported_identity_providers = []

[[aws_cognito_user_pool_client]]
client_id = "passwords"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid"]
callback_urls = ["https://app.test/back"]

[[aws_cognito_user]]
username = "native"
password = "Correct-Horse-1"
attributes = { email = "native@example.com", email_verified = "true" }
"#;

async fn pool() -> UserPool {
    UserPool::builder().config(Config::from_toml(CONFIG).unwrap()).start().await.unwrap()
}

/// Starts a pool that is an identity provider for `pool`.
async fn provider_for(pool: &UserPool) -> UserPool {
    UserPool::builder().config(provider_config(pool)).start().await.unwrap()
}

async fn admin(
    pool: &UserPool,
    operation: &str,
    mut input: Value,
) -> Result<Value, (String, String)> {
    input["UserPoolId"] = json!(pool.id().as_str());
    call(pool, operation, input).await
}

async fn register(pool: &UserPool, name: &str, issuer: &str, mapping: Value) {
    let input = json!({
        "ProviderName": name, "ProviderType": "OIDC", "AttributeMapping": mapping,
        "IdpIdentifiers": [format!("{name}.test")],
        "ProviderDetails": {
            "client_id": "relying", "client_secret": "relying-secret", "oidc_issuer": issuer,
            "authorize_scopes": "openid email profile", "attributes_request_method": "GET",
        },
    });
    admin(pool, "CreateIdentityProvider", input).await.unwrap();
    allow_provider(pool, pool.client_id(), name).await;
}

/// Starts two pools. The second is an identity provider of the first, with the name `Corp`.
async fn pools() -> (UserPool, UserPool) {
    let pool = pool().await;
    let corp = start_corp(&pool).await;
    (pool, corp)
}

/// The same pools. The first has a trigger.
async fn pools_with(trigger: Trigger, function: &Function) -> (UserPool, UserPool) {
    let config = Config::from_toml(CONFIG).unwrap();
    let builder = UserPool::builder().config(config).trigger_url(trigger, function.url());
    let pool = builder.start().await.unwrap();
    let corp = start_corp(&pool).await;
    (pool, corp)
}

/// Starts a pool and registers it as the identity provider `Corp` of another.
async fn start_corp(pool: &UserPool) -> UserPool {
    let corp = provider_for(pool).await;
    let mapping = json!({ "email": "email", "given_name": "given_name", "username": "sub" });
    register(pool, "Corp", corp.issuer(), mapping).await;
    allow_provider(pool, "corponly", "Corp").await;
    corp
}

fn address(pool: &UserPool, path: &str, more: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("state", "s1"),
    ];
    for (name, value) in more {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    format!("http://{}{path}?{}", pool.address(), encoded(&parameters))
}

/// Signs in at the provider. Returns the page of the app to which the browser is redirected.
async fn sign_in_at_corp(browser: &mut Browser, pool: &UserPool) -> Page {
    let start = address(pool, "/oauth2/authorize", &[("identity_provider", "Corp")]);
    let page = browser.open(start).await;
    browser.submit(&page, "/login", &[("username", "jane"), ("password", PASSWORD)]).await
}

async fn tokens(pool: &UserPool, page: &Page) -> Value {
    let code = page.parameter("code").unwrap_or_else(|| panic!("no code: {}", page.url));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", pool.client_id()),
        ("code", &code),
        ("redirect_uri", BACK),
    ];
    let response = reqwest::Client::new()
        .post(format!("http://{}/oauth2/token", pool.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded(&form))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

async fn id_claims(pool: &UserPool, page: &Page) -> Value {
    payload(tokens(pool, page).await["id_token"].as_str().unwrap())
}

#[track_caller]
fn assert_error(page: &Page, error: &str) {
    assert_eq!(page.url.host_str(), Some("app.test"), "{}", page.title());
    assert_eq!(page.parameter("error").as_deref(), Some(error), "{}", page.url);
    assert_eq!(page.parameter("state").as_deref(), Some("s1"));
    assert_eq!(page.parameter("code"), None);
}

#[tokio::test]
async fn user_of_another_pool_can_sign_in() {
    let (pool, _corp) = pools().await;
    let mut browser = Browser::new();
    let page = browser.open(address(&pool, "/login", &[])).await;
    let page = browser.open(page.link("Continue with Corp")).await;
    assert_ne!(page.url.port(), Some(pool.address().port()));
    let typed = [("username", "jane"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    assert_eq!(page.parameter("state").as_deref(), Some("s1"));
    let tokens = tokens(&pool, &page).await;
    let verifier = pool.verifier().build().unwrap();
    let access = verifier.verify(tokens["access_token"].as_str().unwrap()).await.unwrap();
    let name = access.username().unwrap().to_owned();
    let id = payload(tokens["id_token"].as_str().unwrap());
    let (provider, sub) = name.split_once('_').unwrap();
    assert_eq!(provider, "Corp");
    assert_ne!(id["sub"], sub);
    assert!(access.in_group(&format!("{}_Corp", pool.id())));
    assert_eq!(id["cognito:username"], name);
    assert_eq!(id["email"], "jane@corp.test");
    assert_eq!(id["email_verified"], false);
    assert_eq!(id["given_name"], "Jane");
    assert!(id["nonce"].is_string(), "tokens of a federated sign-in always have a nonce");
    let account = &id["identities"][0];
    assert_eq!(account["userId"], sub);
    assert_eq!(account["providerName"], "Corp");
    assert_eq!(account["providerType"], "OIDC");
    assert_eq!(account["issuer"], Value::Null);
    assert_eq!(account["primary"], "true");
    assert!(account["dateCreated"].as_str().unwrap().parse::<u64>().is_ok());
    let input = json!({ "AccessToken": tokens["access_token"] });
    let seen = call(&pool, "GetUser", input).await.unwrap();
    let identities = seen["UserAttributes"].as_array().unwrap().iter();
    let mut identities = identities.filter(|one| one["Name"] == "identities");
    let text = identities.next().unwrap()["Value"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), id["identities"]);
    let seen = admin(&pool, "AdminGetUser", json!({ "Username": name })).await.unwrap();
    assert_eq!(seen["UserStatus"], "EXTERNAL_PROVIDER");
    // The browser also has a session at this pool.
    let page = browser.open(address(&pool, "/oauth2/authorize", &[])).await;
    assert!(page.parameter("code").is_some());
}

#[tokio::test]
async fn prompt_and_login_hint_are_sent_to_the_provider() {
    let (pool, _provider) = pool_with_fake_provider().await;
    for prompt in ["login", "login consent", "select_account", "consent", "create"] {
        let asked = [("prompt", prompt), ("login_hint", "jane@corp.test&prompt=none")];
        // The app can request the provider, or the user can choose it on the page.
        let direct = address(&pool, "/oauth2/authorize", &asked);
        let direct = Browser::new().open(format!("{direct}&identity_provider=Corp")).await;
        let login = Browser::new().open(address(&pool, "/login", &asked)).await;
        let button = Browser::new().open(login.link("Continue with Corp")).await;
        for page in [direct, button] {
            assert_eq!(page.url.host_str(), Some("corp.test"), "{prompt}");
            assert_eq!(page.parameter("prompt").as_deref(), Some(prompt));
            let hint = page.parameter("login_hint");
            assert_eq!(hint.as_deref(), Some("jane@corp.test&prompt=none"));
        }
    }
    let page = Browser::new().open(address(&pool, "/login", &[])).await;
    let page = Browser::new().open(page.link("Continue with Corp")).await;
    assert_eq!((page.parameter("prompt"), page.parameter("login_hint")), (None, None));
    let none = [("prompt", "none"), ("identity_provider", "Corp")];
    let page = Browser::new().open(address(&pool, "/oauth2/authorize", &none)).await;
    assert_error(&page, "login_required");
}

#[tokio::test]
async fn browser_returns_from_a_provider_to_the_host_where_it_started() {
    let (pool, corp) = pools().await;
    let port = pool.address().port();
    for name in ["localhost", "127.0.0.1"] {
        for path in ["/oauth2/authorize", "/login"] {
            let start = address(&pool, path, &[]);
            let start = start.replace("//127.0.0.1:", &format!("//{name}:"));
            let mut browser = Browser::new();
            let page = browser.open(&start).await;
            assert_eq!((page.url.host_str(), page.url.path()), (Some(name), "/login"));
            let page = browser.open(page.link("Continue with Corp")).await;
            assert_eq!(page.url.port(), Some(corp.address().port()));
            let mut form = page.form("/login");
            form.set("username", "jane");
            form.set("password", PASSWORD);
            let answer = browser.post(&form).await;
            let back = answer.location().unwrap();
            let place = (back.host_str(), back.port(), back.path());
            assert_eq!(place, (Some(name), Some(port), "/oauth2/idpresponse"));
            let page = browser.follow(answer).await;
            assert_eq!(id_claims(&pool, &page).await["given_name"], "Jane", "{name} {path}");
        }
    }
}

#[tokio::test]
async fn redirect_uri_for_a_provider_has_the_host_of_the_request() {
    let (pool, provider) = pool_with_fake_provider().await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Corp")]);
    let own = pool.address().to_string();
    let get = async |address: &str, lines: &[(&str, String)]| {
        let mut request = client().get(address);
        for (name, value) in lines {
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let cookies = response.headers().get_all("set-cookie").iter();
        let cookies: Vec<_> = cookies.map(|line| line.to_str().unwrap().to_owned()).collect();
        (reqwest::Url::parse(&location).unwrap(), cookies)
    };
    let parameter = |url: &reqwest::Url, name: &str| {
        let found = url.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    for (host, expected) in [
        ("cognito:9229", "cognito:9229"),
        ("my-host.test:9229", "my-host.test:9229"),
        ("[::1]:9229", "[::1]:9229"),
        ("cognito", "cognito"),
        // An invalid host is not forwarded.
        ("evil.test/x?", &own),
        ("user@evil.test", &own),
        ("evil.test:x", &own),
        ("evil.test#", &own),
    ] {
        let host_line = ("host", host.to_owned());
        let (away, cookies) = get(&start, std::slice::from_ref(&host_line)).await;
        assert_eq!(away.host_str(), Some("corp.test"));
        let back = format!("http://{expected}/oauth2/idpresponse");
        assert_eq!(parameter(&away, "redirect_uri"), back, "{host}");
        // The state and the cookie decide whether the response is accepted, not the host name.
        provider.respond_with(
            &header(&provider.keys),
            &provider.claims("jane", &parameter(&away, "nonce")),
        );
        let query = encoded(&[("code", "c"), ("state", &parameter(&away, "state"))]);
        let cookie = cookies[0].split(';').next().unwrap().to_owned();
        let back = format!("http://{own}/oauth2/idpresponse?{query}");
        let (app, _) = get(&back, &[host_line, ("cookie", cookie)]).await;
        assert_eq!(app.host_str(), Some("app.test"));
        assert!(!parameter(&app, "code").is_empty(), "{host}");
    }
}

#[tokio::test]
async fn resource_is_preserved_during_a_sign_in_at_a_provider() {
    let (pool, _corp) = pools().await;
    let mut browser = Browser::new();
    let resource = "https://api.test/orders";
    let start = address(&pool, "/login", &[("resource", resource)]);
    let page = browser.open(start).await;
    let page = browser.open(page.link("Continue with Corp")).await;
    assert_eq!(page.parameter("resource"), None, "the provider does not know the app's API");
    let page =
        browser.submit(&page, "/login", &[("username", "jane"), ("password", PASSWORD)]).await;
    let bound = tokens(&pool, &page).await;
    assert_eq!(payload(bound["access_token"].as_str().unwrap())["aud"], resource);
    let page = sign_in_at_corp(&mut Browser::new(), &pool).await;
    let unbound = tokens(&pool, &page).await;
    assert_eq!(payload(unbound["access_token"].as_str().unwrap()).get("aud"), None);
}

#[tokio::test]
async fn prompt_login_requires_a_new_sign_in_at_the_provider() {
    let (pool, corp) = pools().await;
    let mut browser = Browser::new();
    sign_in_at_corp(&mut browser, &pool).await;
    // A user with a session at both pools signs in without a password.
    let page = browser.open(address(&pool, "/login", &[])).await;
    assert!(page.has_form("/login/continue"));
    assert!(browser.open(page.link("Continue with Corp")).await.parameter("code").is_some());
    for prompt in ["login", "login consent"] {
        let page = browser.open(address(&pool, "/login", &[("prompt", prompt)])).await;
        assert!(!page.has_form("/login/continue"));
        let page = browser.open(page.link("Continue with Corp")).await;
        let place = (page.url.port(), page.url.path());
        assert_eq!(place, (Some(corp.address().port()), "/login"), "{prompt}");
        assert!(!page.has_form("/login/continue"), "{prompt}");
        let typed = [("username", "jane"), ("password", PASSWORD)];
        let page = browser.submit(&page, "/login", &typed).await;
        assert!(page.parameter("code").is_some(), "{prompt}: {}", page.url);
    }
}

#[tokio::test]
async fn mapped_attributes_are_updated_at_each_sign_in() {
    let (pool, corp) = pools().await;
    let first = id_claims(&pool, &sign_in_at_corp(&mut Browser::new(), &pool).await).await;
    let changes = json!({
        "Username": "jane",
        "UserAttributes": [{ "Name": "email", "Value": "j2@corp.test" }],
    });
    admin(&corp, "AdminUpdateUserAttributes", changes).await.unwrap();
    let second = id_claims(&pool, &sign_in_at_corp(&mut Browser::new(), &pool).await).await;
    assert_eq!(first["sub"], second["sub"]);
    assert_eq!(second["email"], "j2@corp.test");
    // With a mapping, the provider decides whether the address is verified.
    let verified = json!({
        "ProviderName": "Corp",
        "AttributeMapping": { "email": "email", "email_verified": "email_verified" },
    });
    admin(&pool, "UpdateIdentityProvider", verified).await.unwrap();
    let proof = json!({
        "Username": "jane",
        "UserAttributes": [{ "Name": "email_verified", "Value": "true" }],
    });
    admin(&corp, "AdminUpdateUserAttributes", proof).await.unwrap();
    let third = id_claims(&pool, &sign_in_at_corp(&mut Browser::new(), &pool).await).await;
    assert_eq!(third["email_verified"], true);
}

#[tokio::test]
async fn session_of_one_provider_does_not_satisfy_a_request_for_another() {
    let (pool, _corp) = pools().await;
    let mut browser = Browser::new();
    sign_in_at_corp(&mut browser, &pool).await;
    for (provider, is_signed_in) in [(None, true), (Some("Corp"), true), (Some("COGNITO"), false)] {
        let named: Vec<_> = provider.map(|name| ("identity_provider", name)).into_iter().collect();
        let page = browser.open(address(&pool, "/oauth2/authorize", &named)).await;
        assert_eq!(page.parameter("code").is_some(), is_signed_in, "{provider:?}");
        assert_eq!(page.url.path() == "/login", !is_signed_in, "{provider:?}");
    }
}

#[tokio::test]
async fn app_can_use_only_its_own_providers() {
    let (pool, corp) = pools().await;
    let path = "/oauth2/authorize";
    let open = |more: Vec<(&'static str, &'static str)>| {
        let address = address(&pool, path, &more);
        async move { Browser::new().open(address).await }
    };
    let port = corp.address().port();
    for more in [
        vec![("identity_provider", "Corp")],
        vec![("idp_identifier", "Corp.test")],
        vec![("client_id", "corponly")],
    ] {
        let page = open(more.clone()).await;
        assert_eq!((page.url.port(), page.url.path()), (Some(port), "/login"), "{more:?}");
    }
    for more in [
        vec![("identity_provider", "Nobody")],
        vec![("identity_provider", "Other")],
        vec![("idp_identifier", "nobody.test")],
        vec![("client_id", "corponly"), ("identity_provider", "COGNITO")],
        vec![("client_id", "passwords"), ("identity_provider", "Corp")],
    ] {
        assert_error(&open(more).await, "invalid_request");
    }
    let page = open(vec![("identity_provider", "COGNITO")]).await;
    assert_eq!(page.url.port(), Some(pool.address().port()));
    let page = Browser::new().open(address(&pool, "/login", &[("client_id", "passwords")])).await;
    assert!(!page.body.contains("Continue with"));
    // A session of a provider is valid only for apps that allow the provider.
    let mut browser = Browser::new();
    sign_in_at_corp(&mut browser, &pool).await;
    let page = browser.open(address(&pool, path, &[("client_id", "passwords")])).await;
    assert_eq!(page.url.path(), "/login");
    let page = browser.open(address(&pool, path, &[("client_id", "corponly")])).await;
    assert!(page.parameter("code").is_some());
}

#[tokio::test]
async fn state_is_valid_once_and_only_in_its_browser() {
    let (pool, _corp) = pools().await;
    let mut browser = Browser::new();
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Corp")]);
    let page = browser.open(&start).await;
    let mut form = page.form("/login");
    form.set("username", "jane");
    form.set("password", PASSWORD);
    let back = browser.post(&form).await.location().unwrap();
    assert_eq!(back.path(), "/oauth2/idpresponse");
    // Another browser without the cookie.
    let page = Browser::new().open_once(&back).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    // Another browser with a forged cookie.
    let mut other_browser = Browser::new();
    for name in browser.cookies.keys().filter(|name| name.starts_with("idp-")) {
        other_browser.cookies.insert(name.clone(), "x".to_owned());
    }
    let page = other_browser.open_once(&back).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    // An empty or a forged state.
    for state in ["", "x", "../.."] {
        let forged = format!(
            "{}?{}",
            back.as_str().split('?').next().unwrap(),
            encoded(&[("state", state), ("code", "x")])
        );
        assert_eq!(browser.open_once(forged).await.status, 400);
    }
    let kept = browser.cookies.clone();
    let page = browser.open(&back).await;
    assert!(page.parameter("code").is_some());
    browser.cookies = kept;
    let page = browser.open_once(&back).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    // The state expires after five minutes.
    let mut browser = Browser::new();
    let page = browser.open(&start).await;
    let mut form = page.form("/login");
    form.set("username", "jane");
    form.set("password", PASSWORD);
    let back = browser.post(&form).await.location().unwrap();
    pool.advance(std::time::Duration::from_secs(5 * 60));
    assert_eq!(browser.open_once(&back).await.status, 400);
}

#[tokio::test]
async fn account_can_be_linked_to_an_existing_user() {
    let (pool, corp) = pools().await;
    let jane = admin(&corp, "AdminGetUser", json!({ "Username": "jane" })).await.unwrap();
    let sub = jane["UserAttributes"].as_array().unwrap().iter().find(|one| one["Name"] == "sub");
    let source = json!({
        "ProviderName": "Corp", "ProviderAttributeName": "Cognito_Subject",
        "ProviderAttributeValue": sub.unwrap()["Value"],
    });
    let link = json!({
        "DestinationUser": { "ProviderName": "Cognito", "ProviderAttributeValue": "native" },
        "SourceUser": source,
    });
    admin(&pool, "AdminLinkProviderForUser", link.clone()).await.unwrap();
    let id = id_claims(&pool, &sign_in_at_corp(&mut Browser::new(), &pool).await).await;
    assert_eq!(id["cognito:username"], "native");
    assert_eq!(id["identities"][0]["primary"], "false");
    assert!(admin(&pool, "AdminLinkProviderForUser", link.clone()).await.is_err());
    // After unlinking, the account gets a separate user.
    admin(&pool, "AdminDisableProviderForUser", json!({ "User": source })).await.unwrap();
    let id = id_claims(&pool, &sign_in_at_corp(&mut Browser::new(), &pool).await).await;
    assert!(id["cognito:username"].as_str().unwrap().starts_with("Corp_"));
    let (name, message) = admin(&pool, "AdminLinkProviderForUser", link).await.unwrap_err();
    assert_eq!(name, "InvalidParameterException");
    assert!(message.starts_with("Merging is not currently supported"));
    // Unlinking a user that only has this account disables the user.
    admin(&pool, "AdminDisableProviderForUser", json!({ "User": source })).await.unwrap();
    assert_error(&sign_in_at_corp(&mut Browser::new(), &pool).await, "access_denied");
}

#[tokio::test]
async fn session_of_an_unlinked_account_stays_revoked_when_the_user_is_enabled_again() {
    let (pool, _corp) = pools().await;
    let page = sign_in_at_corp(&mut Browser::new(), &pool).await;
    let tokens = tokens(&pool, &page).await;
    let claims = payload(tokens["id_token"].as_str().unwrap());
    let refresh = async || {
        let input = json!({
            "ClientId": pool.client_id(), "RefreshToken": tokens["refresh_token"],
        });
        call(&pool, "GetTokensFromRefreshToken", input).await
    };
    refresh().await.unwrap();
    let source = json!({
        "ProviderName": "Corp", "ProviderAttributeName": "Cognito_Subject",
        "ProviderAttributeValue": claims["identities"][0]["userId"],
    });
    admin(&pool, "AdminDisableProviderForUser", json!({ "User": source })).await.unwrap();
    let user = json!({ "Username": claims["cognito:username"] });
    admin(&pool, "AdminEnableUser", user).await.unwrap();
    let (name, message) = refresh().await.unwrap_err();
    assert_eq!(name, "NotAuthorizedException");
    assert_eq!(message, "Refresh Token has been revoked");
}

#[tokio::test]
async fn providers_are_created_updated_listed_and_deleted() {
    let (pool, corp) = pools().await;
    let name = json!({ "ProviderName": "Corp" });
    let seen = admin(&pool, "DescribeIdentityProvider", name.clone()).await.unwrap();
    let seen = &seen["IdentityProvider"];
    assert_eq!(seen["ProviderType"], "OIDC");
    assert_eq!(seen["ProviderDetails"]["oidc_issuer"], corp.issuer());
    assert_eq!(seen["AttributeMapping"]["email"], "email");
    let by_id = json!({ "IdpIdentifier": "Corp.test" });
    let found = admin(&pool, "GetIdentityProviderByIdentifier", by_id).await.unwrap();
    assert_eq!(&found["IdentityProvider"], seen);
    let error = |result: Result<Value, (String, String)>| result.unwrap_err().0;
    let details = &seen["ProviderDetails"];
    let make = |name: &str, kind: &str, details: Value, mapping: Value| {
        json!({
            "ProviderName": name, "ProviderType": kind, "ProviderDetails": details,
            "AttributeMapping": mapping, "IdpIdentifiers": null,
        })
    };
    let again = make("Corp", "OIDC", details.clone(), Value::Null);
    assert_eq!(
        error(admin(&pool, "CreateIdentityProvider", again).await),
        "DuplicateProviderException"
    );
    let mut no_openid = details.clone();
    no_openid["authorize_scopes"] = json!("email");
    let mut no_client = details.clone();
    no_client.as_object_mut().unwrap().remove("client_id");
    let mut unknown_setting = details.clone();
    unknown_setting["nonsense"] = json!("x");
    for input in [
        make("Next_1", "OIDC", details.clone(), Value::Null),
        make("Cognito", "OIDC", details.clone(), Value::Null),
        make("No", "OIDC", details.clone(), Value::Null),
        make("Next", "OIDC", no_openid, Value::Null),
        make("Next", "OIDC", no_client, Value::Null),
        make("Next", "OIDC", unknown_setting, Value::Null),
        make("Next", "OIDC", details.clone(), json!({ "custom:nobody": "x" })),
    ] {
        let refused = error(admin(&pool, "CreateIdentityProvider", input).await);
        assert_eq!(refused, "InvalidParameterException");
    }
    for kind in ["SAML", "Google", "Facebook", "LoginWithAmazon", "SignInWithApple"] {
        let input = make("Next", kind, json!({ "client_id": "a" }), Value::Null);
        let (name, message) = admin(&pool, "CreateIdentityProvider", input).await.unwrap_err();
        assert_eq!(name, "UnknownOperationException");
        let expected = format!("identity providers of the type {kind}. It supports the type OIDC");
        assert!(message.contains(&expected), "{message}");
    }
    let next = make("Next", "OIDC", details.clone(), Value::Null);
    admin(&pool, "CreateIdentityProvider", next).await.unwrap();
    let page = admin(&pool, "ListIdentityProviders", json!({ "MaxResults": 1 })).await.unwrap();
    assert_eq!(page["Providers"][0]["ProviderName"], "Corp");
    let rest = json!({ "NextToken": page["NextToken"] });
    let rest = admin(&pool, "ListIdentityProviders", rest).await.unwrap();
    assert_eq!(rest["Providers"][0]["ProviderName"], "Next");
    let mut browser = Browser::new();
    sign_in_at_corp(&mut browser, &pool).await;
    admin(&pool, "DeleteIdentityProvider", name.clone()).await.unwrap();
    let page = browser.open(address(&pool, "/oauth2/authorize", &[])).await;
    assert_eq!(page.url.path(), "/login");
    for operation in
        ["DescribeIdentityProvider", "UpdateIdentityProvider", "DeleteIdentityProvider"]
    {
        let refused = error(admin(&pool, operation, name.clone()).await);
        assert_eq!(refused, "ResourceNotFoundException");
    }
}

#[tokio::test]
async fn configured_provider_is_available_at_startup() {
    let first = pool().await;
    let corp = provider_for(&first).await;
    let config = |details: &str| {
        format!(
            "{CONFIG}\n[[aws_cognito_identity_provider]]\nprovider_name = \"Corp\"\nprovider_type = \"OIDC\"\n\
             attribute_mapping = {{ email = \"email\" }}\nprovider_details = {{ client_id = \"relying\", {details} }}\n"
        )
    };
    let details =
        format!("oidc_issuer = \"{}\", authorize_scopes = \"openid email\"", corp.issuer());
    let client = "supported_identity_providers = [\"COGNITO\"";
    let with_corp = config(&details).replace(client, &format!("{client}, \"Corp\""));
    let config_of = Config::from_toml(&with_corp).unwrap();
    let pool = UserPool::builder().config(config_of).start().await.unwrap();
    let page = Browser::new().open(address(&pool, "/login", &[])).await;
    assert!(page.body.contains("Continue with Corp"));
    let whole = config(&details);
    let unknown = whole.replace("{ email = \"email\" }", "{ \"custom:x\" = \"email\" }");
    let block = &whole[whole.find("[[aws_cognito_identity_provider]]").unwrap()..];
    for (text, words) in [
        (unknown, "the pool has no attribute \"custom:x\""),
        (format!("{whole}{block}"), "the provider \"Corp\" has the same name"),
        (whole.replace("\"OIDC\"", "\"SAML\""), "OIDC"),
        (whole.replace("openid email", "email"), "openid"),
        (whole.replace("provider_name = \"Corp\"", "provider_name = \"Corp_1\""), "Corp_1"),
    ] {
        let error = Config::from_toml(&text).unwrap_err();
        assert!(error.to_string().contains(words) && error.line() > 25, "{error}");
    }
    for wrong in [
        "oidc_issuer = \"corp\", authorize_scopes = \"openid\"",
        "oidc_issuer = \"https://a.test\"",
    ] {
        let error = Config::from_toml(&config(wrong)).unwrap_err();
        assert!(error.line() > 30, "{error}");
    }
}

/// An identity provider that returns the claims and keys that a test sets. It signs with the keys of a pool.
struct FakeProvider {
    issuer: String,
    /// The response of the token endpoint.
    token_response: Arc<Mutex<Value>>,
    user_info: Arc<Mutex<Value>>,
    /// The published key set. Initially the key set of `keys`.
    key_set: Arc<Mutex<Value>>,
    keys: UserPool,
}

impl FakeProvider {
    async fn start(name: &'static str) -> Self {
        let keys = UserPool::start().await.unwrap();
        let (token_response, user_info) =
            (Arc::new(Mutex::new(json!({}))), Arc::new(Mutex::new(json!({}))));
        let document = Arc::new(Mutex::new(json!({})));
        let jwks = client().get(keys.jwks_uri()).send().await.unwrap().text().await.unwrap();
        let key_set = Arc::new(Mutex::new(serde_json::from_str::<Value>(&jwks).unwrap()));
        let (served_tokens, served_user_info, served_document, served_keys) = (
            Arc::clone(&token_response),
            Arc::clone(&user_info),
            Arc::clone(&document),
            Arc::clone(&key_set),
        );
        let app = Router::new()
            .route("/token", post(async move || Json(served_tokens.lock().unwrap().clone())))
            .route("/keys", get(async move || Json(served_keys.lock().unwrap().clone())))
            .route("/me", get(async move || Json(served_user_info.lock().unwrap().clone())))
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(served_document.lock().unwrap().clone())),
            );
        let issuer = format!("http://{}", serve(app).await);
        *document.lock().unwrap() = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("https://{name}.test/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        Self { issuer, token_response, user_info, key_set, keys }
    }

    fn claims(&self, sub: &str, nonce: &str) -> Value {
        let now = wall_time().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        json!({
            "iss": self.issuer, "sub": sub, "aud": "relying", "nonce": nonce, "iat": now, "exp": now + 300,
        })
    }

    fn respond_with(&self, header: &Value, claims: &Value) {
        let token = self.keys.sign_parts(header.to_string(), claims.to_string());
        *self.token_response.lock().unwrap() = json!({ "id_token": token, "access_token": "a" });
        *self.user_info.lock().unwrap() = json!({ "sub": claims["sub"] });
    }
}

/// Starts a sign-in at the provider. Returns the redirect URI with the state, and the nonce.
async fn start_sign_in(browser: &mut Browser, pool: &UserPool, provider: &str) -> (String, String) {
    let start = address(pool, "/oauth2/authorize", &[("identity_provider", provider)]);
    let page = browser.open(start).await;
    assert_eq!(page.url.host_str().unwrap(), format!("{}.test", provider.to_lowercase()));
    assert_eq!(page.parameter("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(page.parameter("code_challenge").unwrap().len(), 43);
    let state = page.parameter("state").unwrap();
    let back =
        format!("{}?{}", page.parameter("redirect_uri").unwrap(), encoded(&[("state", &state)]));
    (back, page.parameter("nonce").unwrap())
}

async fn pool_with_fake_provider() -> (UserPool, FakeProvider) {
    let (pool, provider) = (pool().await, FakeProvider::start("corp").await);
    register(&pool, "Corp", &provider.issuer, json!({ "email": "email" })).await;
    (pool, provider)
}

#[tokio::test]
async fn id_token_that_is_not_for_this_sign_in_is_rejected() {
    let (pool, provider) = pool_with_fake_provider().await;
    let good = header(&provider.keys);
    let other_pool = UserPool::start().await.unwrap();
    let with = |name: &'static str, value: Value| {
        let value = Arc::new(value);
        move |claims: &mut Value| claims[name] = (*value).clone()
    };
    let without = |name: &'static str| {
        move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name))
    };
    type Change = Box<dyn Fn(&mut Value)>;
    let cases: Vec<(&str, Value, Change)> = vec![
        ("nonce", good.clone(), Box::new(with("nonce", json!("other")))),
        ("no nonce", good.clone(), Box::new(without("nonce"))),
        ("aud", good.clone(), Box::new(with("aud", json!("other")))),
        ("aud list", good.clone(), Box::new(with("aud", json!(["relying", "other"])))),
        ("no aud", good.clone(), Box::new(without("aud"))),
        ("azp", good.clone(), Box::new(with("azp", json!("other")))),
        ("iss", good.clone(), Box::new(with("iss", json!("http://evil.test")))),
        ("expired", good.clone(), Box::new(with("exp", json!(1_000_000)))),
        ("exp text", good.clone(), Box::new(with("exp", json!("9999999999")))),
        ("no exp", good.clone(), Box::new(without("exp"))),
        ("early", good.clone(), Box::new(with("nbf", json!(9_999_999_999_u64)))),
        ("access", good.clone(), Box::new(with("token_use", json!("access")))),
        ("no sub", good.clone(), Box::new(without("sub"))),
        ("sub number", good.clone(), Box::new(with("sub", json!(7)))),
        ("empty sub", good.clone(), Box::new(with("sub", json!("")))),
        ("space", good.clone(), Box::new(with("sub", json!("a b")))),
        ("none", json!({ "alg": "none", "kid": good["kid"] }), Box::new(|_| {})),
        ("hs256", json!({ "alg": "HS256", "kid": good["kid"] }), Box::new(|_| {})),
        ("crit", json!({ "alg": "RS256", "kid": good["kid"], "crit": ["b64"] }), Box::new(|_| {})),
        ("key", header(&other_pool), Box::new(|_| {})),
        ("no kid", json!({ "alg": "RS256" }), Box::new(|_| {})),
    ];
    for (name, header, change) in cases {
        let mut browser = Browser::new();
        let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
        let mut claims = provider.claims("jane", &nonce);
        change(&mut claims);
        provider.respond_with(&header, &claims);
        let page = browser.open(format!("{back}&code=c")).await;
        assert!(page.parameter("code").is_none(), "{name}");
        assert!(page.parameter("error").is_some(), "{name}: {}", page.title());
    }
    // Valid claims are accepted.
    let mut browser = Browser::new();
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    provider.respond_with(&good, &provider.claims("jane", &nonce));
    let page = browser.open(format!("{back}&code=c&iss={}", provider.issuer)).await;
    assert_eq!(id_claims(&pool, &page).await["cognito:username"], "Corp_jane");
    // A token with an edited signature is rejected.
    let mut browser = Browser::new();
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    provider.respond_with(&good, &provider.claims("jane", &nonce));
    let edited = {
        let mut answer = provider.token_response.lock().unwrap();
        let token = answer["id_token"].as_str().unwrap();
        let at = token.rfind('.').unwrap() + 10;
        let replacement = if &token[at..=at] == "A" { "B" } else { "A" };
        let edited = format!("{}{replacement}{}", &token[..at], &token[at + 1..]);
        answer["id_token"] = json!(edited);
        format!("{back}&code=c")
    };
    assert_error(&browser.open(edited).await, "server_error");
}

#[tokio::test]
async fn provider_keys_need_no_alg_but_must_not_contradict_rs256() {
    let (pool, provider) = pool_with_fake_provider().await;
    let other_pool = UserPool::start().await.unwrap();
    let signing = provider.keys.key_id(TokenUse::Access);
    let genuine = provider.key_set.lock().unwrap().clone();
    let other = client().get(other_pool.jwks_uri()).send().await.unwrap().text().await.unwrap();
    let other: Value = serde_json::from_str(&other).unwrap();
    let sign_in = async |set: Value| {
        *provider.key_set.lock().unwrap() = set;
        let mut browser = Browser::new();
        let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
        provider.respond_with(&header(&provider.keys), &provider.claims("jane", &nonce));
        browser.open(format!("{back}&code=c")).await
    };
    // Returns the key set with a change to the signing key.
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut set = genuine.clone();
        for key in set["keys"].as_array_mut().unwrap() {
            if key["kid"] == signing.as_str() {
                change(key.as_object_mut().unwrap());
            }
        }
        set
    };
    let without_alg = |key: &mut Map<String, Value>| drop(key.remove("alg"));
    // Entra ID publishes keys without `alg`. `use` is optional too.
    for names in [&["alg"][..], &["alg", "use"], &["use"], &[]] {
        let set = with(&|key| names.iter().for_each(|name| drop(key.remove(*name))));
        let id = id_claims(&pool, &sign_in(set).await).await;
        assert_eq!(id["cognito:username"], "Corp_jane", "{names:?}");
    }
    // A key of another type in the same set is ignored.
    let mut set = with(&without_alg);
    let ec = json!({ "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA" });
    set["keys"].as_array_mut().unwrap().insert(0, ec);
    assert!(sign_in(set).await.parameter("code").is_some());
    for (name, value) in [
        ("alg", json!("RS512")),
        ("alg", json!("PS256")),
        ("alg", json!("")),
        ("alg", Value::Null),
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("d", json!("AA")),
        ("kty", json!("oct")),
    ] {
        let set = with(&|key| {
            without_alg(key);
            key.insert(name.to_owned(), value.clone());
        });
        let page = sign_in(set).await;
        assert_eq!(page.parameter("error").as_deref(), Some("server_error"), "{name}: {value}");
    }
    // A key set with two keys of the same id is rejected.
    let mut set = with(&without_alg);
    let mut twin = other["keys"][0].clone();
    twin["kid"] = json!(signing);
    without_alg(twin.as_object_mut().unwrap());
    set["keys"].as_array_mut().unwrap().push(twin);
    assert_error(&sign_in(set).await, "server_error");
}

#[tokio::test]
async fn log_names_the_cause_of_each_provider_failure() {
    captured_logs();
    let (pool, provider) = (pool().await, FakeProvider::start("logged").await);
    register(&pool, "Logged", &provider.issuer, json!({})).await;
    let update = async |name: &str, value: &str| {
        let mut details = json!({
            "client_id": "relying", "client_secret": "logged-client-secret",
            "oidc_issuer": provider.issuer, "authorize_scopes": "openid",
            "authorize_url": "https://logged.test/authorize",
            "token_url": format!("{}/token", provider.issuer),
            "jwks_uri": format!("{}/keys?key=logged-query", provider.issuer),
        });
        details[name] = json!(value);
        let input = json!({ "ProviderName": "Logged", "ProviderDetails": details });
        admin(&pool, "UpdateIdentityProvider", input).await.unwrap();
    };
    let sign_in = async |change: &dyn Fn(&mut Value, &mut Value)| {
        let mut browser = Browser::new();
        let (back, nonce) = start_sign_in(&mut browser, &pool, "Logged").await;
        let (mut header, mut claims) =
            (header(&provider.keys), provider.claims("logged-sub", &nonce));
        claims["email"] = json!("logged@example.com");
        change(&mut header, &mut claims);
        provider.respond_with(&header, &claims);
        let page = browser.open(format!("{back}&code=logged-code")).await;
        assert_error(&page, "server_error");
    };
    let is_logged = |cause: &str| {
        let logs = captured_logs();
        let words = ["an identity provider cannot be used", "Logged", cause];
        let is_it = |line: &str| words.iter().all(|words| line.contains(words));
        assert!(logs.lines().any(is_it), "not logged: {cause}");
    };
    update("authorize_scopes", "openid").await;
    type Change = Box<dyn Fn(&mut Value, &mut Value)>;
    let wrong: [(&str, Change); 6] = [
        ("`alg` is not RS256", Box::new(|header, _| header["alg"] = json!("PS256"))),
        ("no key with the `kid`", Box::new(|header, _| header["kid"] = json!("logged-kid"))),
        (
            "`aud` does not match the setting `client_id`",
            Box::new(|_, claims| claims["aud"] = json!("logged-aud")),
        ),
        (
            "`nonce` does not match this sign-in",
            Box::new(|_, claims| claims["nonce"] = json!("logged-nonce")),
        ),
        ("`exp` is missing, not a number", Box::new(|_, claims| claims["exp"] = json!(1))),
        ("`nbf` is in the future", Box::new(|_, claims| claims["nbf"] = json!(9_999_999_999_u64))),
    ];
    for (cause, change) in wrong {
        sign_in(&change).await;
        is_logged(cause);
    }
    update("jwks_uri", &format!("{}/nowhere?key=logged-query", provider.issuer)).await;
    sign_in(&|_, _| {}).await;
    is_logged("the key set at 127.0.0.1 responded with status 404");
    update("token_url", "http://127.0.0.1:9/?key=logged-query").await;
    sign_in(&|_, _| {}).await;
    is_logged("the token endpoint at 127.0.0.1 could not be reached");
    // Detected before the browser is redirected to the provider.
    update("jwks_uri", "http://keys.test/?key=logged-query").await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Logged")]);
    assert_error(&Browser::new().open(start).await, "server_error");
    is_logged("the key set at keys.test must use https");
    let refuse = async || {
        let error = json!({ "error": "invalid_client", "error_description": "logged-words" });
        (http::StatusCode::UNAUTHORIZED, Json(error))
    };
    let refusing = serve(Router::new().route("/token", post(refuse))).await;
    update("token_url", &format!("http://{refusing}/token")).await;
    sign_in(&|_, _| {}).await;
    is_logged("the token endpoint at 127.0.0.1 responded with status 401 and invalid_client");
    // The discovery document has another issuer.
    register(&pool, "Other", &format!("{}/", provider.issuer), json!({})).await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Other")]);
    assert_error(&Browser::new().open(start).await, "server_error");
    assert!(captured_logs().contains(&format!("has the issuer {:?}", provider.issuer)));
    // The log contains no tokens, claims or secrets.
    let logs = captured_logs();
    for secret in [
        "logged-client-secret",
        "logged-sub",
        "logged@example.com",
        "logged-code",
        "logged-aud",
        "logged-nonce",
        "logged-words",
        "logged-query",
        "logged-kid",
    ] {
        assert!(!logs.contains(secret), "{secret}");
    }
    let token = provider.token_response.lock().unwrap()["id_token"].as_str().unwrap().to_owned();
    let payload = token.split('.').nth(1).unwrap();
    assert!(!logs.contains(payload));
}

#[tokio::test]
async fn code_of_one_provider_is_rejected_by_another() {
    let (pool, corp) = pool_with_fake_provider().await;
    let other = FakeProvider::start("other").await;
    register(&pool, "Other", &other.issuer, json!({})).await;
    let mut browser = Browser::new();
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    // This provider returns a token of the other issuer, with the correct nonce.
    corp.respond_with(&header(&corp.keys), &other.claims("jane", &nonce));
    assert_error(&browser.open(format!("{back}&code=c")).await, "server_error");
    // The `iss` of the authorization response is the other issuer (RFC 9207).
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    corp.respond_with(&header(&corp.keys), &corp.claims("jane", &nonce));
    let page = browser.open(format!("{back}&code=c&iss={}", other.issuer)).await;
    assert_error(&page, "server_error");
    // The user info has another `sub` than the ID token.
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    corp.respond_with(&header(&corp.keys), &corp.claims("jane", &nonce));
    *corp.user_info.lock().unwrap() = json!({ "sub": "somebody", "email": "x@x.test" });
    assert_error(&browser.open(format!("{back}&code=c")).await, "server_error");
    // Accounts with the same `sub` at two providers are different users.
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Other").await;
    other.respond_with(&header(&other.keys), &other.claims("jane", &nonce));
    let page = browser.open(format!("{back}&code=c")).await;
    assert_eq!(id_claims(&pool, &page).await["cognito:username"], "Other_jane");
}

#[tokio::test]
async fn accounts_are_case_sensitive_and_cannot_take_existing_names() {
    let (pool, provider) = pool_with_fake_provider().await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "Corp_victim", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "v@v.test" }],
    });
    call(&pool, "SignUp", input).await.unwrap();
    for (sub, is_taken) in [("jane", false), ("JANE", true), ("victim", true), ("jane", false)] {
        let mut browser = Browser::new();
        let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
        let mut claims = provider.claims(sub, &nonce);
        claims["email"] = json!("native@example.com");
        provider.respond_with(&header(&provider.keys), &claims);
        let page = browser.open(format!("{back}&code=c")).await;
        if is_taken {
            assert_error(&page, "invalid_request");
        } else {
            assert_eq!(id_claims(&pool, &page).await["cognito:username"], "Corp_jane");
        }
    }
    // A federated user has no password.
    let tries = json!({
        "ClientId": pool.client_id(), "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "Corp_jane", "PASSWORD": PASSWORD },
    });
    assert_eq!(call(&pool, "InitiateAuth", tries).await.unwrap_err().0, "NotAuthorizedException");
}

#[tokio::test]
async fn account_with_the_address_of_a_user_does_not_become_that_user() {
    let config = format!(
        "{}\n[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n",
        CONFIG.split("[[aws_cognito_user]]").next().unwrap()
    );
    let pool =
        UserPool::builder().config(Config::from_toml(&config).unwrap()).start().await.unwrap();
    let provider = FakeProvider::start("corp").await;
    let mapping = json!({ "email": "email", "email_verified": "email_verified" });
    register(&pool, "Corp", &provider.issuer, mapping).await;
    let mut browser = Browser::new();
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    let mut claims = provider.claims("a", &nonce);
    claims["email"] = json!("jane@example.com");
    claims["email_verified"] = json!(true);
    provider.respond_with(&header(&provider.keys), &claims);
    assert!(browser.open(format!("{back}&code=c")).await.parameter("code").is_some());
    let input = json!({
        "ClientId": pool.client_id(), "Username": "jane@example.com", "Password": PASSWORD,
    });
    let made = call(&pool, "SignUp", input).await.unwrap();
    let seen = json!({ "Username": "jane@example.com" });
    let seen = admin(&pool, "AdminGetUser", seen).await.unwrap();
    assert_eq!(seen["Username"], made["UserSub"]);
}

#[tokio::test]
async fn errors_of_the_provider_are_sent_to_the_app() {
    let (pool, provider) = pool_with_fake_provider().await;
    let mut browser = Browser::new();
    for (answer, error, words) in [
        (
            "error=access_denied&error_description=no%0D%0AX%3A+y%3Cscript%3E",
            "access_denied",
            "noX: y<script>",
        ),
        ("error=temporarily_unavailable", "server_error", "temporarily_unavailable"),
        ("", "server_error", "no code"),
    ] {
        let (back, _) = start_sign_in(&mut browser, &pool, "Corp").await;
        let page = browser.open(format!("{back}&{answer}")).await;
        assert_error(&page, error);
        assert_eq!(page.parameter("error_description").as_deref(), Some(words));
    }
    // A repeated parameter, and a token response without an ID token.
    let (back, _) = start_sign_in(&mut browser, &pool, "Corp").await;
    assert_eq!(browser.open_once(format!("{back}&code=a&code=b")).await.status, 400);
    let page = browser.open(format!("{back}&code=c")).await;
    assert_error(&page, "server_error");
    // A claim that is not a valid value of its attribute.
    let (back, nonce) = start_sign_in(&mut browser, &pool, "Corp").await;
    let mut claims = provider.claims("jane", &nonce);
    claims["email"] = json!("no address");
    provider.respond_with(&header(&provider.keys), &claims);
    assert_error(&browser.open(format!("{back}&code=c")).await, "invalid_request");
    // A provider that is unreachable.
    register(&pool, "Other", "http://127.0.0.1:9", json!({})).await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Other")]);
    assert_error(&browser.open(start).await, "server_error");
}

#[tokio::test]
async fn rejection_by_the_post_authentication_trigger_denies_access() {
    let rejecting = Function::failing("closed on Sundays").await;
    let broken = Function::answering(|_, _| Outcome::Text(200, "no JSON".to_owned())).await;
    for (function, error, description) in [
        (rejecting, "access_denied", "PostAuthentication failed with error closed on Sundays."),
        (broken, "server_error", "Invalid lambda function output : Invalid JSON"),
    ] {
        let (pool, _corp) = pools_with(Trigger::PostAuthentication, &function).await;
        let page = sign_in_at_corp(&mut Browser::new(), &pool).await;
        assert_error(&page, error);
        assert_eq!(page.parameter("error_description").as_deref(), Some(description));
    }
}

#[tokio::test]
async fn provider_that_is_deleted_while_a_trigger_runs_signs_nobody_in() {
    for (trigger, error, creates_user) in [
        (Trigger::PreSignUp, "invalid_request", false),
        (Trigger::PostConfirmation, "access_denied", true),
        (Trigger::PostAuthentication, "access_denied", true),
    ] {
        let late = Late::default();
        let corp = json!({ "ProviderName": "Corp" });
        let function = Function::calling(&late, "DeleteIdentityProvider", corp).await;
        let (pool, _corp) = pools_with(trigger, &function).await;
        let pool = Arc::new(pool);
        late.set(Arc::clone(&pool)).unwrap();
        let mut browser = Browser::new();
        assert_error(&sign_in_at_corp(&mut browser, &pool).await, error);
        assert_eq!(function.count(), 1, "{trigger:?}");
        let users = admin(&pool, "ListUsers", json!({})).await.unwrap();
        let count = users["Users"].as_array().unwrap().len();
        assert_eq!(count, if creates_user { 2 } else { 1 }, "{trigger:?}");
        let groups = admin(&pool, "ListGroups", json!({})).await.unwrap();
        assert_eq!(groups["Groups"].as_array().unwrap().is_empty(), !creates_user, "{trigger:?}");
        // Without a session, the browser gets the page to sign in.
        let session = format!("cognito-{}-{}", pool.id(), pool.address().port());
        assert!(!browser.cookies.contains_key(&session), "{trigger:?}");
        let page = browser.open(address(&pool, "/oauth2/authorize", &[])).await;
        assert_eq!(page.url.path(), "/login", "{trigger:?}");
    }
}

#[tokio::test]
async fn event_of_a_new_account_has_empty_aliases_and_validation_data() {
    let function = Function::doing_nothing().await;
    let (pool, _corp) = pools_with(Trigger::PreSignUp, &function).await;
    let mut browser = Browser::new();
    sign_in_at_corp(&mut browser, &pool).await;
    let [event] = function.events().try_into().unwrap();
    assert_eq!(event["triggerSource"], "PreSignUp_ExternalProvider");
    let expected = json!({
        "userAttributes": {
            "email": "jane@corp.test", "given_name": "Jane",
            "cognito:email_alias": "", "cognito:phone_number_alias": "",
        },
        "validationData": {},
    });
    assert_eq!(event["request"], expected);
}

#[tokio::test]
async fn page_shows_the_address_and_the_provider_in_place_of_the_generated_name() {
    let (pool, _corp) = pools().await;
    let mut browser = Browser::new();
    sign_in_at_corp(&mut browser, &pool).await;
    let page = browser.open(address(&pool, "/login", &[])).await;
    assert!(page.body.contains("Continue as jane@corp.test"), "{}", page.body);
    assert!(page.body.contains("<strong>jane@corp.test</strong> with Corp."), "{}", page.body);
    assert!(!page.body.contains("Corp_"), "{}", page.body);
}
