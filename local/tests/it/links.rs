//! Verification of new users by a link.

use serde_json::{Value, json};
use tower_cognito_local::{Config, Trigger, UserPool};

use crate::support::{
    admin::{admin, attributes, on_user},
    browser::{Browser, Page},
    cognito::{PASSWORD, call, messages, sign_in},
    function::Function,
};

const LINK: &str = r#"
[aws_cognito_user_pool]
auto_verified_attributes = ["email"]
verification_message_template = { default_email_option = "CONFIRM_WITH_LINK", email_subject_by_link = "One click", email_message_by_link = "Go {##here & now##}" }

[[aws_cognito_user_pool_client]]
name = "Shop"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid"]
callback_urls = ["https://app.test/back"]
"#;

async fn pool_of(toml: &str) -> UserPool {
    UserPool::builder().config(Config::from_toml(toml).unwrap()).start().await.unwrap()
}

async fn sign_up(pool: &UserPool, name: &str) -> Value {
    let input = json!({
        "ClientId": pool.client_id(), "Username": name, "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "jane+x@example.com" }],
    });
    call(pool, "SignUp", input).await.unwrap()
}

async fn message(pool: &UserPool, name: &str) -> Value {
    messages(pool, name).await[0].clone()
}

/// Returns the target of the link in the body of a message.
fn link_in(message: &Value) -> String {
    let body = message["body"].as_str().unwrap();
    let (_, rest) = body.split_once("<a href=\"").unwrap_or_else(|| panic!("no link: {body}"));
    rest.split('"').next().unwrap().to_owned()
}

async fn status_of(pool: &UserPool, name: &str) -> Value {
    on_user(pool, "AdminGetUser", name).await.unwrap()["UserStatus"].clone()
}

async fn open(link: &str) -> Page {
    Browser::new().open_once(link).await
}

#[tokio::test]
async fn user_signs_up_follows_the_link_and_signs_in() {
    let pool = pool_of(LINK).await;
    let signed_up = sign_up(&pool, "jane").await;
    assert_eq!(signed_up["CodeDeliveryDetails"]["DeliveryMedium"], "EMAIL");
    let sent = message(&pool, "jane").await;
    let code = sent["code"].as_str().unwrap();
    let (client, address) = (pool.client_id(), pool.address());
    let link = format!(
        "http://{address}/confirmUser?client_id={client}&user_name=jane&confirmation_code={code}"
    );
    assert_eq!(sent["subject"], "One click");
    assert_eq!(sent["body"], format!("Go <a href=\"{link}\">here & now</a>"));
    assert_eq!(sent["link"], link);
    sign_in(&pool, "jane", PASSWORD).await.unwrap_err();

    let page = open(&link).await;
    assert_eq!((page.status.as_u16(), &*page.title()), (200, "Your account is confirmed"));
    assert_eq!(page.location(), None);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(attributes(&pool, "jane").await["email_verified"], "true");
    sign_in(&pool, "jane", PASSWORD).await.unwrap();

    // The page leads to the pages of the app.
    let mut browser = Browser::new();
    let page = browser.open(page.link("Sign in")).await;
    let typed = [("username", "jane"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    assert_eq!(page.url.host_str(), Some("app.test"));
}

#[tokio::test]
async fn link_works_once_and_only_with_the_latest_code() {
    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    let first = link_in(&message(&pool, "jane").await);
    let input = json!({ "ClientId": pool.client_id(), "Username": "jane" });
    call(&pool, "ResendConfirmationCode", input).await.unwrap();
    let second = link_in(&message(&pool, "jane").await);
    assert_ne!(first, second);
    assert_eq!(open(&first).await.status, 400);
    assert_eq!(status_of(&pool, "jane").await, "UNCONFIRMED");
    assert_eq!(open(&second).await.status, 200);
    assert_eq!(status_of(&pool, "jane").await, "CONFIRMED");
    assert_eq!(open(&second).await.status, 400);
}

#[tokio::test]
async fn link_expires_after_a_day() {
    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    let link = link_in(&message(&pool, "jane").await);
    pool.advance(std::time::Duration::from_secs(24 * 60 * 60));
    assert_eq!(open(&link).await.status, 400);
    assert_eq!(status_of(&pool, "jane").await, "UNCONFIRMED");
}

#[tokio::test]
async fn page_of_an_invalid_link_does_not_reveal_who_exists() {
    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    sign_up(&pool, "john").await;
    open(&link_in(&message(&pool, "john").await)).await;
    let mut seen = std::collections::BTreeSet::new();
    for name in ["jane", "john", "nobody"] {
        for code in ["000000", "x"] {
            let (client, address) = (pool.client_id(), pool.address());
            let page = open(&format!(
                "http://{address}/confirmUser?client_id={client}&user_name={name}&confirmation_code={code}"
            ))
            .await;
            seen.insert((page.status.as_u16(), page.title(), page.body));
        }
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
    let (status, title, body) = seen.pop_first().unwrap();
    assert_eq!((status, &*title), (400, "Error: Your account was not confirmed"));
    assert!(body.contains("invalid or has expired"));
}

#[tokio::test]
async fn legacy_client_learns_why_a_link_is_rejected() {
    let config = format!("{LINK}prevent_user_existence_errors = \"LEGACY\"\n");
    let pool = pool_of(&config).await;
    sign_up(&pool, "jane").await;
    for (name, problem) in
        [("jane", "Invalid verification code provided"), ("nobody", "User does not exist.")]
    {
        let (client, address) = (pool.client_id(), pool.address());
        let page = open(&format!(
            "http://{address}/confirmUser?client_id={client}&user_name={name}&confirmation_code=000000"
        ))
        .await;
        assert!(page.problem().unwrap().starts_with(problem), "{name}");
    }
}

#[tokio::test]
async fn incomplete_or_ambiguous_link_confirms_nobody() {
    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    let link = link_in(&message(&pool, "jane").await);
    let (base, query) = link.split_once('?').unwrap();
    let parameters: Vec<_> = query.split('&').collect();
    for index in 0..3 {
        let mut fewer = parameters.clone();
        let removed = fewer.remove(index);
        assert_eq!(open(&format!("{base}?{}", fewer.join("&"))).await.status, 400, "{removed}");
        assert_eq!(open(&format!("{link}&{removed}")).await.status, 400, "{removed}");
    }
    // Mail programs and browsers fetch links before a user opens them.
    let head = reqwest::Client::new().head(&link).send().await.unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["allow"]), (405, &"GET".parse().unwrap()));
    let post = reqwest::Client::new().post(&link).send().await.unwrap();
    assert_eq!((post.status().as_u16(), &post.headers()["allow"]), (405, &"GET".parse().unwrap()));
    assert_eq!(status_of(&pool, "jane").await, "UNCONFIRMED");
    assert_eq!(open(&link).await.status, 200);
}

#[tokio::test]
async fn only_sign_up_messages_by_email_have_a_link() {
    let config = LINK.replace("[\"email\"]", "[\"email\", \"phone_number\"]");
    let pool = pool_of(&config).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "phone", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "phone_number", "Value": "+14155550100" }],
    });
    call(&pool, "SignUp", input).await.unwrap();
    let sent = message(&pool, "phone").await;
    assert_eq!(sent["medium"], "SMS");
    assert_eq!(sent["link"], Value::Null);
    let code = sent["code"].as_str().unwrap();
    assert_eq!(sent["body"], format!("Your confirmation code is {code}"));

    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    open(&link_in(&message(&pool, "jane").await)).await;
    let input = json!({ "ClientId": pool.client_id(), "Username": "jane" });
    call(&pool, "ForgotPassword", input).await.unwrap();
    let sent = message(&pool, "jane").await;
    assert_eq!(sent["link"], Value::Null);
    let code = sent["code"].as_str().unwrap();
    assert_eq!(sent["body"], format!("Your password reset code is {code}"));
}

#[tokio::test]
async fn code_of_a_link_also_confirms_over_the_api() {
    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    let code = message(&pool, "jane").await["code"].clone();
    let input =
        json!({ "ClientId": pool.client_id(), "Username": "jane", "ConfirmationCode": code });
    call(&pool, "ConfirmSignUp", input).await.unwrap();
}

#[tokio::test]
async fn text_of_a_function_gets_the_link_in_place_of_its_parameter() {
    for (body, has_link) in [
        ("Hi. {##Click Here##}", true),
        ("Hi. {##Verify##} and {##again##}", true),
        ("Hi. {####}", false),
    ] {
        let function = Function::responding(json!({ "emailMessage": body })).await;
        let config = Config::from_toml(LINK).unwrap();
        let builder = UserPool::builder().config(config);
        let builder = builder.trigger_url(Trigger::CustomMessage, function.url());
        let pool = builder.start().await.unwrap();
        sign_up(&pool, "jane").await;
        let event = &function.events()[0];
        assert_eq!(event["request"]["linkParameter"], "{##Click Here##}");
        let sent = message(&pool, "jane").await;
        let text = sent["body"].as_str().unwrap();
        assert!(text.starts_with("Hi. ") && !text.contains("##"), "{text}");
        assert_eq!(text.contains("<a href="), has_link, "{text}");
        assert!(text.contains(sent["code"].as_str().unwrap()), "{text}");
        if has_link {
            assert_eq!(open(&link_in(&sent)).await.status, 200);
            assert_eq!(status_of(&pool, "jane").await, "CONFIRMED");
        }
    }
}

#[tokio::test]
async fn text_of_a_function_without_any_placeholder_is_not_used() {
    let function = Function::responding(json!({ "emailMessage": "Hi." })).await;
    let config = Config::from_toml(LINK).unwrap();
    let builder = UserPool::builder().config(config);
    let pool = builder.trigger_url(Trigger::CustomMessage, function.url()).start().await.unwrap();
    sign_up(&pool, "jane").await;
    assert!(message(&pool, "jane").await["body"].as_str().unwrap().starts_with("Go <a href="));
}

#[tokio::test]
async fn option_is_set_and_described_over_the_api() {
    let pool = UserPool::start().await.unwrap();
    let template = json!({
        "DefaultEmailOption": "CONFIRM_WITH_LINK",
        "EmailMessageByLink": "Open {##this##}",
        "EmailSubjectByLink": "Subject",
        "EmailMessage": "Type {####}",
    });
    let describe = async || {
        let pool = admin(&pool, "DescribeUserPool", json!({})).await.unwrap();
        pool["UserPool"]["VerificationMessageTemplate"].clone()
    };
    assert_eq!(describe().await, json!({ "DefaultEmailOption": "CONFIRM_WITH_CODE" }));
    let input =
        json!({ "VerificationMessageTemplate": template, "AutoVerifiedAttributes": ["email"] });
    admin(&pool, "UpdateUserPool", input).await.unwrap();
    assert_eq!(describe().await, template);
    sign_up(&pool, "jane").await;
    let sent = message(&pool, "jane").await;
    assert_eq!(
        (&sent["subject"], link_in(&sent).contains("/confirmUser?")),
        (&json!("Subject"), true)
    );

    let rejected = json!({ "VerificationMessageTemplate": { "EmailMessageByLink": "no link" } });
    admin(&pool, "UpdateUserPool", rejected).await.unwrap_err();
    let code = json!({ "VerificationMessageTemplate": { "EmailMessage": "Type {####}" } });
    admin(&pool, "UpdateUserPool", code).await.unwrap();
    assert_eq!(describe().await["DefaultEmailOption"], "CONFIRM_WITH_CODE");

    let input = json!({ "PoolName": "other", "VerificationMessageTemplate": template });
    let made = call(&pool, "CreateUserPool", input).await.unwrap();
    assert_eq!(made["UserPool"]["VerificationMessageTemplate"], template);
}

#[tokio::test]
async fn console_shows_the_text_of_the_message_and_links_to_the_page() {
    let pool = pool_of(LINK).await;
    sign_up(&pool, "jane").await;
    let page = Browser::new().open(format!("http://{}/_local/", pool.address())).await;
    assert!(page.body.contains("Go here &amp; now"), "{}", page.body);
    assert!(!page.body.contains("&lt;a href"), "{}", page.body);
    assert_eq!(page.link("Open link").as_str(), message(&pool, "jane").await["link"]);
}

#[tokio::test]
async fn default_text_is_cognitos() {
    let config = "[aws_cognito_user_pool.verification_message_template]\n\
                  default_email_option = \"CONFIRM_WITH_LINK\"\n";
    let pool = pool_of(config).await;
    sign_up(&pool, "jane").await;
    let sent = message(&pool, "jane").await;
    assert_eq!(sent["subject"], "Your verification link");
    let link = link_in(&sent);
    let text = "Please click the link below to verify your email address.";
    assert_eq!(sent["body"], format!("{text} <a href=\"{link}\">Verify Email</a>"));
}

#[tokio::test]
async fn pages_ask_for_the_link_in_place_of_a_code() {
    let pool = pool_of(LINK).await;
    let mut browser = Browser::new();
    let back = format!(
        "http://{}/signup?client_id={}&response_type=code&redirect_uri=https://app.test/back",
        pool.address(),
        pool.client_id()
    );
    let page = browser.open(&back).await;
    let typed =
        [("username", "jane"), ("attribute.email", "jane@example.com"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/signup", &typed).await;
    assert_eq!(page.notice().as_deref(), Some("A link was sent to j***@e***."));
    assert!(!page.has_form("/confirm") && page.body.contains("/_local/#messages"));
    let page = browser.submit(&page, "/resendcode", &[]).await;
    let sent = messages(&pool, "jane").await;
    assert_eq!(sent.len(), 2);
    assert_eq!(open(&link_in(&sent[0])).await.status, 200);
    let page = browser.open(page.link("Back to sign in")).await;
    let typed = [("username", "jane"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    assert_eq!(page.url.host_str(), Some("app.test"));
}
