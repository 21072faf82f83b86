//! Users of one local pool sign in at another, by way of OpenID Connect; and what a provider that lies comes to.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    routing::{get, post},
};
use serde_json::{Map, Value, json};
use tower_cognito::TokenUse;
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    browser::{Browser, Page, client, encoded},
    captured_logs,
    cognito::{PASSWORD, call, payload, provider_config},
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
supported_identity_providers = ["COGNITO", "Corp", "Other", "Logged"]

[[aws_cognito_user_pool_client]]
client_id = "corponly"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid"]
callback_urls = ["https://app.test/back"]
supported_identity_providers = ["Corp"]

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

/// Another pool, of which the first is an app.
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
}

/// Both pools, of which the second is known to the first as `Corp`.
async fn pools() -> (UserPool, UserPool) {
    let pool = pool().await;
    let corp = provider_for(&pool).await;
    let mapping = json!({ "email": "email", "given_name": "given_name", "username": "sub" });
    register(&pool, "Corp", corp.issuer(), mapping).await;
    (pool, corp)
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

/// Signs in at the provider, and ends at the app.
async fn by_corp(browser: &mut Browser, pool: &UserPool) -> Page {
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
fn is_refused(page: &Page, error: &str) {
    assert_eq!(page.url.host_str(), Some("app.test"), "{}", page.title());
    assert_eq!(page.parameter("error").as_deref(), Some(error), "{}", page.url);
    assert_eq!(page.parameter("state").as_deref(), Some("s1"));
    assert_eq!(page.parameter("code"), None);
}

#[tokio::test]
async fn user_of_another_pool_signs_in() {
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
    assert!(id["nonce"].is_string(), "who comes by a provider gets one in any case");
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
    // The browser is signed in here too.
    let page = browser.open(address(&pool, "/oauth2/authorize", &[])).await;
    assert!(page.parameter("code").is_some());
}

#[tokio::test]
async fn prompt_and_login_hint_are_sent_to_the_provider() {
    let (pool, _liar) = liars_pool().await;
    for prompt in ["login", "login consent", "select_account", "consent", "create"] {
        let asked = [("prompt", prompt), ("login_hint", "jane@corp.test&prompt=none")];
        // By the app's choice of the provider, and by the button on the page.
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
    is_refused(&page, "login_required");
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
    let (pool, liar) = liars_pool().await;
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
        // What is no host is not told on.
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
        // No host name decides who may come back: the state and the cookie do.
        liar.says(&header(&liar.keys), &liar.claims("jane", &parameter(&away, "nonce")));
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
    let page = by_corp(&mut Browser::new(), &pool).await;
    let unbound = tokens(&pool, &page).await;
    assert_eq!(payload(unbound["access_token"].as_str().unwrap()).get("aud"), None);
}

#[tokio::test]
async fn prompt_login_requires_a_new_sign_in_at_the_provider() {
    let (pool, corp) = pools().await;
    let mut browser = Browser::new();
    by_corp(&mut browser, &pool).await;
    // Signed in at both pools, one click is enough.
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
    let first = id_claims(&pool, &by_corp(&mut Browser::new(), &pool).await).await;
    let changes = json!({
        "Username": "jane",
        "UserAttributes": [{ "Name": "email", "Value": "j2@corp.test" }],
    });
    admin(&corp, "AdminUpdateUserAttributes", changes).await.unwrap();
    let second = id_claims(&pool, &by_corp(&mut Browser::new(), &pool).await).await;
    assert_eq!(first["sub"], second["sub"]);
    assert_eq!(second["email"], "j2@corp.test");
    // What the provider's word proves is proven.
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
    let third = id_claims(&pool, &by_corp(&mut Browser::new(), &pool).await).await;
    assert_eq!(third["email_verified"], true);
}

#[tokio::test]
async fn session_of_one_provider_does_not_meet_a_request_for_another() {
    let (pool, _corp) = pools().await;
    let mut browser = Browser::new();
    by_corp(&mut browser, &pool).await;
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
        is_refused(&open(more).await, "invalid_request");
    }
    let page = open(vec![("identity_provider", "COGNITO")]).await;
    assert_eq!(page.url.port(), Some(pool.address().port()));
    let page = Browser::new().open(address(&pool, "/login", &[("client_id", "passwords")])).await;
    assert!(!page.body.contains("Continue with"));
    // Who came by a provider is not signed in for an app that does not take it, nor the other way round.
    let mut browser = Browser::new();
    by_corp(&mut browser, &pool).await;
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
    // Somebody else is sent there with it.
    let page = Browser::new().open_once(&back).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    // Be it with a cookie that somebody made up.
    let mut stranger = Browser::new();
    for name in browser.cookies.keys().filter(|name| name.starts_with("idp-")) {
        stranger.cookies.insert(name.clone(), "x".to_owned());
    }
    let page = stranger.open_once(&back).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    // Nor is a state of another sign-in taken, or none, or one that was made up.
    for state in ["", "x", "../.."] {
        let made_up = format!(
            "{}?{}",
            back.as_str().split('?').next().unwrap(),
            encoded(&[("state", state), ("code", "x")])
        );
        assert_eq!(browser.open_once(made_up).await.status, 400);
    }
    let kept = browser.cookies.clone();
    let page = browser.open(&back).await;
    assert!(page.parameter("code").is_some());
    browser.cookies = kept;
    let page = browser.open_once(&back).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    // Whoever is away for long begins anew.
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
    let id = id_claims(&pool, &by_corp(&mut Browser::new(), &pool).await).await;
    assert_eq!(id["cognito:username"], "native");
    assert_eq!(id["identities"][0]["primary"], "false");
    assert!(admin(&pool, "AdminLinkProviderForUser", link.clone()).await.is_err());
    // Untied, it is somebody of their own.
    admin(&pool, "AdminDisableProviderForUser", json!({ "User": source })).await.unwrap();
    let id = id_claims(&pool, &by_corp(&mut Browser::new(), &pool).await).await;
    assert!(id["cognito:username"].as_str().unwrap().starts_with("Corp_"));
    let (name, message) = admin(&pool, "AdminLinkProviderForUser", link).await.unwrap_err();
    assert_eq!(name, "InvalidParameterException");
    assert!(message.starts_with("Merging is not currently supported"));
    // Who is nobody without the account cannot sign in any more.
    admin(&pool, "AdminDisableProviderForUser", json!({ "User": source })).await.unwrap();
    is_refused(&by_corp(&mut Browser::new(), &pool).await, "access_denied");
}

#[tokio::test]
async fn session_stays_ended_when_the_user_of_an_unlinked_account_is_enabled_again() {
    let (pool, _corp) = pools().await;
    let page = by_corp(&mut Browser::new(), &pool).await;
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
    let mut odd = details.clone();
    odd["nonsense"] = json!("x");
    for input in [
        make("Next_1", "OIDC", details.clone(), Value::Null),
        make("Cognito", "OIDC", details.clone(), Value::Null),
        make("No", "OIDC", details.clone(), Value::Null),
        make("Next", "SAML", details.clone(), Value::Null),
        make("Next", "OIDC", no_openid, Value::Null),
        make("Next", "OIDC", no_client, Value::Null),
        make("Next", "OIDC", odd, Value::Null),
        make("Next", "OIDC", details.clone(), json!({ "custom:nobody": "x" })),
    ] {
        let refused = error(admin(&pool, "CreateIdentityProvider", input).await);
        assert_eq!(refused, "InvalidParameterException");
    }
    let next = make("Next", "OIDC", details.clone(), Value::Null);
    admin(&pool, "CreateIdentityProvider", next).await.unwrap();
    let page = admin(&pool, "ListIdentityProviders", json!({ "MaxResults": 1 })).await.unwrap();
    assert_eq!(page["Providers"][0]["ProviderName"], "Corp");
    let rest = json!({ "NextToken": page["NextToken"] });
    let rest = admin(&pool, "ListIdentityProviders", rest).await.unwrap();
    assert_eq!(rest["Providers"][0]["ProviderName"], "Next");
    let mut browser = Browser::new();
    by_corp(&mut browser, &pool).await;
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
async fn configured_provider_exists_at_the_start() {
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
    let config_of = Config::from_toml(&config(&details)).unwrap();
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

/// A provider that says what a test has it say, signed by a pool's keys.
struct Liar {
    issuer: String,
    /// The token endpoint's answer.
    answer: Arc<Mutex<Value>>,
    user_info: Arc<Mutex<Value>>,
    /// The key set that it publishes: that of `keys` at first.
    published: Arc<Mutex<Value>>,
    keys: UserPool,
}

impl Liar {
    async fn start(name: &'static str) -> Self {
        let keys = UserPool::start().await.unwrap();
        let (answer, user_info) =
            (Arc::new(Mutex::new(json!({}))), Arc::new(Mutex::new(json!({}))));
        let document = Arc::new(Mutex::new(json!({})));
        let jwks = client().get(keys.jwks_uri()).send().await.unwrap().text().await.unwrap();
        let published = Arc::new(Mutex::new(serde_json::from_str::<Value>(&jwks).unwrap()));
        let (given, told, found, shown) = (
            Arc::clone(&answer),
            Arc::clone(&user_info),
            Arc::clone(&document),
            Arc::clone(&published),
        );
        let app = Router::new()
            .route("/token", post(async move || Json(given.lock().unwrap().clone())))
            .route("/keys", get(async move || Json(shown.lock().unwrap().clone())))
            .route("/me", get(async move || Json(told.lock().unwrap().clone())))
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(found.lock().unwrap().clone())),
            );
        let issuer = format!("http://{}", serve(app).await);
        *document.lock().unwrap() = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("https://{name}.test/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        Self { issuer, answer, user_info, published, keys }
    }

    fn claims(&self, sub: &str, nonce: &str) -> Value {
        let now = wall_time().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        json!({
            "iss": self.issuer, "sub": sub, "aud": "relying", "nonce": nonce, "iat": now, "exp": now + 300,
        })
    }

    fn says(&self, header: &Value, claims: &Value) {
        let token = self.keys.sign_parts(header.to_string(), claims.to_string());
        *self.answer.lock().unwrap() = json!({ "id_token": token, "access_token": "a" });
        *self.user_info.lock().unwrap() = json!({ "sub": claims["sub"] });
    }
}

/// A browser that is at the provider: where it goes back to, and the nonce that it brought.
async fn leave(browser: &mut Browser, pool: &UserPool, provider: &str) -> (String, String) {
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

async fn liars_pool() -> (UserPool, Liar) {
    let (pool, liar) = (pool().await, Liar::start("corp").await);
    register(&pool, "Corp", &liar.issuer, json!({ "email": "email" })).await;
    (pool, liar)
}

#[tokio::test]
async fn id_token_that_is_not_for_this_sign_in_is_rejected() {
    let (pool, liar) = liars_pool().await;
    let good = header(&liar.keys);
    let stranger = UserPool::start().await.unwrap();
    let with = |name: &'static str, value: Value| {
        let value = Arc::new(value);
        move |claims: &mut Value| claims[name] = (*value).clone()
    };
    let without = |name: &'static str| {
        move |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove(name))
    };
    type Spoil = Box<dyn Fn(&mut Value)>;
    let cases: Vec<(&str, Value, Spoil)> = vec![
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
        ("key", header(&stranger), Box::new(|_| {})),
        ("no kid", json!({ "alg": "RS256" }), Box::new(|_| {})),
    ];
    for (name, header, spoil) in cases {
        let mut browser = Browser::new();
        let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
        let mut claims = liar.claims("jane", &nonce);
        spoil(&mut claims);
        liar.says(&header, &claims);
        let page = browser.open(format!("{back}&code=c")).await;
        assert!(page.parameter("code").is_none(), "{name}");
        assert!(page.parameter("error").is_some(), "{name}: {}", page.title());
    }
    // The same without the fault.
    let mut browser = Browser::new();
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    liar.says(&good, &liar.claims("jane", &nonce));
    let page = browser.open(format!("{back}&code=c&iss={}", liar.issuer)).await;
    assert_eq!(id_claims(&pool, &page).await["cognito:username"], "Corp_jane");
    // A signature of nobody's.
    let mut browser = Browser::new();
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    liar.says(&good, &liar.claims("jane", &nonce));
    let bent = {
        let mut answer = liar.answer.lock().unwrap();
        let token = answer["id_token"].as_str().unwrap();
        let at = token.rfind('.').unwrap() + 10;
        let sign = if &token[at..=at] == "A" { "B" } else { "A" };
        let bent = format!("{}{sign}{}", &token[..at], &token[at + 1..]);
        answer["id_token"] = json!(bent);
        format!("{back}&code=c")
    };
    is_refused(&browser.open(bent).await, "server_error");
}

#[tokio::test]
async fn provider_keys_need_no_alg_but_must_not_contradict_rs256() {
    let (pool, liar) = liars_pool().await;
    let stranger = UserPool::start().await.unwrap();
    let signing = liar.keys.key_id(TokenUse::Access);
    let genuine = liar.published.lock().unwrap().clone();
    let other = client().get(stranger.jwks_uri()).send().await.unwrap().text().await.unwrap();
    let other: Value = serde_json::from_str(&other).unwrap();
    let sign_in = async |set: Value| {
        *liar.published.lock().unwrap() = set;
        let mut browser = Browser::new();
        let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
        liar.says(&header(&liar.keys), &liar.claims("jane", &nonce));
        browser.open(format!("{back}&code=c")).await
    };
    // The set with its signing key changed.
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
    // As Entra ID publishes them, and with even less.
    for names in [&["alg"][..], &["alg", "use"], &["use"], &[]] {
        let set = with(&|key| names.iter().for_each(|name| drop(key.remove(*name))));
        let id = id_claims(&pool, &sign_in(set).await).await;
        assert_eq!(id["cognito:username"], "Corp_jane", "{names:?}");
    }
    // A key of another type beside it changes nothing.
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
    // Two keys of one id are not trusted.
    let mut set = with(&without_alg);
    let mut twin = other["keys"][0].clone();
    twin["kid"] = json!(signing);
    without_alg(twin.as_object_mut().unwrap());
    set["keys"].as_array_mut().unwrap().push(twin);
    is_refused(&sign_in(set).await, "server_error");
}

#[tokio::test]
async fn log_names_the_cause_of_each_provider_failure() {
    captured_logs();
    let (pool, liar) = (pool().await, Liar::start("logged").await);
    register(&pool, "Logged", &liar.issuer, json!({})).await;
    let update = async |name: &str, value: &str| {
        let mut details = json!({
            "client_id": "relying", "client_secret": "logged-client-secret",
            "oidc_issuer": liar.issuer, "authorize_scopes": "openid",
            "authorize_url": "https://logged.test/authorize",
            "token_url": format!("{}/token", liar.issuer),
            "jwks_uri": format!("{}/keys?key=logged-query", liar.issuer),
        });
        details[name] = json!(value);
        let input = json!({ "ProviderName": "Logged", "ProviderDetails": details });
        admin(&pool, "UpdateIdentityProvider", input).await.unwrap();
    };
    let sign_in = async |change: &dyn Fn(&mut Value, &mut Value)| {
        let mut browser = Browser::new();
        let (back, nonce) = leave(&mut browser, &pool, "Logged").await;
        let (mut header, mut claims) = (header(&liar.keys), liar.claims("logged-sub", &nonce));
        claims["email"] = json!("logged@example.com");
        change(&mut header, &mut claims);
        liar.says(&header, &claims);
        let page = browser.open(format!("{back}&code=logged-code")).await;
        is_refused(&page, "server_error");
    };
    let is_logged = |cause: &str| {
        let logs = captured_logs();
        let words = ["an identity provider cannot be used", "Logged", cause];
        let is_it = |line: &str| words.iter().all(|words| line.contains(words));
        assert!(logs.lines().any(is_it), "the log does not say: {cause}");
    };
    update("authorize_scopes", "openid").await;
    type Change = Box<dyn Fn(&mut Value, &mut Value)>;
    let wrong: [(&str, Change); 6] = [
        ("`alg` is not RS256", Box::new(|header, _| header["alg"] = json!("PS256"))),
        ("no key with the `kid`", Box::new(|header, _| header["kid"] = json!("logged-kid"))),
        ("`aud` is not `client_id`", Box::new(|_, claims| claims["aud"] = json!("logged-aud"))),
        ("`nonce` is not the one", Box::new(|_, claims| claims["nonce"] = json!("logged-nonce"))),
        ("`exp` is missing, not a number", Box::new(|_, claims| claims["exp"] = json!(1))),
        ("`nbf` is in the future", Box::new(|_, claims| claims["nbf"] = json!(9_999_999_999_u64))),
    ];
    for (cause, change) in wrong {
        sign_in(&change).await;
        is_logged(cause);
    }
    update("jwks_uri", &format!("{}/nowhere?key=logged-query", liar.issuer)).await;
    sign_in(&|_, _| {}).await;
    is_logged("the key set at 127.0.0.1 responded with status 404");
    update("token_url", "http://127.0.0.1:9/?key=logged-query").await;
    sign_in(&|_, _| {}).await;
    is_logged("the token endpoint at 127.0.0.1 could not be reached");
    // Known before the browser leaves for the provider.
    update("jwks_uri", "http://keys.test/?key=logged-query").await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Logged")]);
    is_refused(&Browser::new().open(start).await, "server_error");
    is_logged("the key set at keys.test must use https");
    let refuse = async || {
        let error = json!({ "error": "invalid_client", "error_description": "logged-words" });
        (http::StatusCode::UNAUTHORIZED, Json(error))
    };
    let refusing = serve(Router::new().route("/token", post(refuse))).await;
    update("token_url", &format!("http://{refusing}/token")).await;
    sign_in(&|_, _| {}).await;
    is_logged("the token endpoint at 127.0.0.1 responded with status 401 and invalid_client");
    // Discovery, by a provider whose document is of another issuer.
    register(&pool, "Other", &format!("{}/", liar.issuer), json!({})).await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Other")]);
    is_refused(&Browser::new().open(start).await, "server_error");
    assert!(captured_logs().contains(&format!("has the issuer {:?}", liar.issuer)));
    // All of it without tokens, claims and secrets.
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
    let token = liar.answer.lock().unwrap()["id_token"].as_str().unwrap().to_owned();
    let payload = token.split('.').nth(1).unwrap();
    assert!(!logs.contains(payload));
}

#[tokio::test]
async fn code_of_one_provider_is_rejected_by_another() {
    let (pool, corp) = liars_pool().await;
    let other = Liar::start("other").await;
    register(&pool, "Other", &other.issuer, json!({})).await;
    let mut browser = Browser::new();
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    // The other's token, with this sign-in's nonce, comes by this provider's way.
    corp.says(&header(&corp.keys), &other.claims("jane", &nonce));
    is_refused(&browser.open(format!("{back}&code=c")).await, "server_error");
    // An answer that says that it is another's.
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    corp.says(&header(&corp.keys), &corp.claims("jane", &nonce));
    let page = browser.open(format!("{back}&code=c&iss={}", other.issuer)).await;
    is_refused(&page, "server_error");
    // What is told of somebody else.
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    corp.says(&header(&corp.keys), &corp.claims("jane", &nonce));
    *corp.user_info.lock().unwrap() = json!({ "sub": "somebody", "email": "x@x.test" });
    is_refused(&browser.open(format!("{back}&code=c")).await, "server_error");
    // Accounts of the same name are two users.
    let (back, nonce) = leave(&mut browser, &pool, "Other").await;
    other.says(&header(&other.keys), &other.claims("jane", &nonce));
    let page = browser.open(format!("{back}&code=c")).await;
    assert_eq!(id_claims(&pool, &page).await["cognito:username"], "Other_jane");
}

#[tokio::test]
async fn accounts_are_case_sensitive_and_cannot_take_existing_names() {
    let (pool, liar) = liars_pool().await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "Corp_victim", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "v@v.test" }],
    });
    call(&pool, "SignUp", input).await.unwrap();
    for (sub, is_taken) in [("jane", false), ("JANE", true), ("victim", true), ("jane", false)] {
        let mut browser = Browser::new();
        let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
        let mut claims = liar.claims(sub, &nonce);
        claims["email"] = json!("native@example.com");
        liar.says(&header(&liar.keys), &claims);
        let page = browser.open(format!("{back}&code=c")).await;
        if is_taken {
            is_refused(&page, "invalid_request");
        } else {
            assert_eq!(id_claims(&pool, &page).await["cognito:username"], "Corp_jane");
        }
    }
    // An account has no password, and does not stand in the way of who has the address.
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
    let liar = Liar::start("corp").await;
    let mapping = json!({ "email": "email", "email_verified": "email_verified" });
    register(&pool, "Corp", &liar.issuer, mapping).await;
    let mut browser = Browser::new();
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    let mut claims = liar.claims("a", &nonce);
    claims["email"] = json!("jane@example.com");
    claims["email_verified"] = json!(true);
    liar.says(&header(&liar.keys), &claims);
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
    let (pool, liar) = liars_pool().await;
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
        let (back, _) = leave(&mut browser, &pool, "Corp").await;
        let page = browser.open(format!("{back}&{answer}")).await;
        is_refused(&page, error);
        assert_eq!(page.parameter("error_description").as_deref(), Some(words));
    }
    // A form that is not clear, and a provider without an ID token.
    let (back, _) = leave(&mut browser, &pool, "Corp").await;
    assert_eq!(browser.open_once(format!("{back}&code=a&code=b")).await.status, 400);
    let page = browser.open(format!("{back}&code=c")).await;
    is_refused(&page, "server_error");
    // A value that the pool cannot hold.
    let (back, nonce) = leave(&mut browser, &pool, "Corp").await;
    let mut claims = liar.claims("jane", &nonce);
    claims["email"] = json!("no address");
    liar.says(&header(&liar.keys), &claims);
    is_refused(&browser.open(format!("{back}&code=c")).await, "invalid_request");
    // One that does not answer.
    register(&pool, "Other", "http://127.0.0.1:9", json!({})).await;
    let start = address(&pool, "/oauth2/authorize", &[("identity_provider", "Other")]);
    is_refused(&browser.open(start).await, "server_error");
}
