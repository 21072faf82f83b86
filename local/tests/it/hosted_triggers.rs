//! Triggers that run when users sign in and sign up at the hosted pages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    admin::{PASSWORD, attributes, on_user, user},
    browser::{BACK, Browser, Page, encoded, open},
    function::Function,
};

const CLIENT: &str = r#"
[[aws_cognito_user_pool_client]]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code", "implicit"]
allowed_oauth_scopes = ["openid", "email"]
callback_urls = ["https://app.test/back"]
"#;

async fn with(trigger: Trigger, function: &Function) -> UserPool {
    let config = Config::from_toml(CLIENT).unwrap();
    let builder = UserPool::builder().trigger_url(trigger, function.url()).config(config);
    builder.start().await.unwrap()
}

async fn log_in(browser: &mut Browser, pool: &UserPool, name: &str, kind: &str) -> Page {
    let page = open(browser, pool, "/login", kind).await;
    browser.submit(&page, "/login", &[("username", name), ("password", PASSWORD)]).await
}

/// Exchanges the code in the page's URL for tokens.
async fn exchange(pool: &UserPool, page: &Page) -> (u16, Value) {
    let code = page.parameter("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("code", &code),
    ];
    let response = reqwest::Client::new()
        .post(format!("http://{}/oauth2/token", pool.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(encoded(&form))
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn pre_token_generation_runs_for_tokens_of_the_pages() {
    let access = json!({
        "claimsToAddOrOverride": { "tenant": "acme" }, "scopesToAdd": ["orders/read"],
    });
    let response = json!({
        "claimsAndScopeOverrideDetails": { "accessTokenGeneration": access },
    });
    let function = Function::responding(response).await;
    let pool = with(Trigger::PreTokenGenerationV2, &function).await;
    user(&pool, "jane").await;
    let page = log_in(&mut Browser::new(), &pool, "jane", "code").await;
    assert_eq!(function.count(), 0, "no trigger may run before the code is exchanged");
    let (_, body) = exchange(&pool, &page).await;
    let by_code = claims(body["access_token"].as_str().unwrap());
    let page = log_in(&mut Browser::new(), &pool, "jane", "token").await;
    let implicit = claims(&page.parameter("access_token").unwrap());
    for claims in [by_code, implicit] {
        assert_eq!([&claims["tenant"], &claims["scope"]], ["acme", "openid orders/read"]);
    }
    assert_eq!(function.sources(), ["TokenGeneration_HostedAuth"; 2]);
    assert_eq!(function.events()[0]["request"]["scopes"], json!(["openid"]));
}

#[tokio::test]
async fn trigger_cannot_change_the_resource_of_a_token() {
    let id = "localclient0000000000000000";
    let access = json!({ "claimsToAddOrOverride": { "aud": id }, "claimsToSuppress": ["aud"] });
    let response = json!({
        "claimsAndScopeOverrideDetails": { "accessTokenGeneration": access },
    });
    let function = Function::responding(response).await;
    let pool = with(Trigger::PreTokenGenerationV2, &function).await;
    assert_eq!(pool.client_id(), id);
    user(&pool, "jane").await;
    let mut browser = Browser::new();
    log_in(&mut browser, &pool, "jane", "code").await;
    let resource = "https://api.example.com";
    for (asked, audience) in [(resource, resource), ("", id)] {
        let login = open(&mut browser, &pool, "/login", "code").await;
        let address = login.url.as_str().replace("/login", "/oauth2/authorize");
        let page = browser.open(format!("{address}&{}", encoded(&[("resource", asked)]))).await;
        let (_, body) = exchange(&pool, &page).await;
        assert_eq!(claims(body["access_token"].as_str().unwrap())["aud"], audience);
    }
}

#[tokio::test]
async fn code_is_consumed_when_a_trigger_rejects_its_tokens() {
    let function = Function::failing("not now").await;
    let pool = with(Trigger::PreTokenGeneration, &function).await;
    user(&pool, "jane").await;
    let page = log_in(&mut Browser::new(), &pool, "jane", "code").await;
    for _ in 0..2 {
        let (status, body) = exchange(&pool, &page).await;
        assert_eq!(status, 400);
        assert_eq!(body["error"], "invalid_grant");
    }
    assert_eq!(function.count(), 1);
}

#[tokio::test]
async fn authentication_triggers_run_once_per_sign_in() {
    for (trigger, source) in [
        (Trigger::PreAuthentication, "PreAuthentication_Authentication"),
        (Trigger::PostAuthentication, "PostAuthentication_Authentication"),
    ] {
        let function = Function::doing_nothing().await;
        let pool = with(trigger, &function).await;
        user(&pool, "jane").await;
        let mut browser = Browser::new();
        let page = log_in(&mut browser, &pool, "jane", "code").await;
        assert_eq!(exchange(&pool, &page).await.0, 200);
        assert_eq!(function.sources(), [source]);
        // A user with a session does not run them again.
        let page = open(&mut browser, &pool, "/oauth2/authorize", "code").await;
        assert!(page.parameter("code").is_some());
        assert_eq!(exchange(&pool, &page).await.0, 200);
        assert_eq!(function.sources(), [source]);

        let function = Function::failing("closed on Sundays").await;
        let pool = with(trigger, &function).await;
        user(&pool, "jane").await;
        let page = log_in(&mut Browser::new(), &pool, "jane", "code").await;
        let name = source.split('_').next().unwrap();
        let expected = format!("{name} failed with error closed on Sundays.");
        assert_eq!(page.problem(), Some(expected));
        assert_eq!(page.parameter("code"), None);
    }
}

#[tokio::test]
async fn pre_sign_up_can_confirm_users_of_the_pages() {
    let function = Function::responding(json!({ "autoConfirmUser": true })).await;
    let pool = with(Trigger::PreSignUp, &function).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/signup", "code").await;
    let typed =
        [("username", "jane"), ("attribute.email", "jane@example.com"), ("password", PASSWORD)];
    browser.submit(&page, "/signup", &typed).await;
    let jane = on_user(&pool, "AdminGetUser", "jane").await.unwrap();
    assert_eq!(jane["UserStatus"], "CONFIRMED");
    assert!(log_in(&mut browser, &pool, "jane", "code").await.parameter("code").is_some());
}

#[tokio::test]
async fn migrated_user_signs_in_at_the_pages() {
    let response = json!({
        "userAttributes": { "email": "jane@example.com" },
        "finalUserStatus": "CONFIRMED",
        "messageAction": "SUPPRESS",
    });
    let function = Function::responding(response).await;
    let pool = with(Trigger::UserMigration, &function).await;
    let page = log_in(&mut Browser::new(), &pool, "jane", "code").await;
    assert_eq!(exchange(&pool, &page).await.0, 200);
    assert_eq!(attributes(&pool, "jane").await["email"], "jane@example.com");
}
