//! The hosted pages of the local pool, used by a browser without scripts and attacked by other sites.

use std::{collections::BTreeSet, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    browser::{Browser, Page, client, encoded},
    cognito::{PASSWORD, call, initiate, messages, pool_with, sign_in, token},
    totp::PoolTime,
};

const BACK: &str = "https://app.test/back";

/// An app client whose users can sign in at the pages.
const CLIENT: &str = r#"
[[aws_cognito_user_pool_client]]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid", "email", "profile", "aws.cognito.signin.user.admin"]
callback_urls = ["https://app.test/back"]
logout_urls = ["https://app.test/bye"]
"#;

fn address(pool: &UserPool, path: &str, more: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("state", "s1"),
    ];
    format!("http://{}{path}?{}", pool.address(), encoded(&[&usual[..], more].concat()))
}

async fn open(browser: &mut Browser, pool: &UserPool, path: &str) -> Page {
    browser.open(address(pool, path, &[])).await
}

async fn log_in(browser: &mut Browser, pool: &UserPool, name: &str, password: &str) -> Page {
    let page = open(browser, pool, "/login").await;
    browser.submit(&page, "/login", &[("username", name), ("password", password)]).await
}

#[track_caller]
fn is_in(page: &Page) {
    let shown = (page.title(), page.problem());
    assert_eq!(page.url.host_str(), Some("app.test"), "{shown:?}");
    assert!(page.parameter("code").is_some() && page.parameter("state").as_deref() == Some("s1"));
}

async fn last_code(pool: &UserPool, name: &str) -> String {
    messages(pool, name).await[0]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn user_signs_up_confirms_and_signs_in() {
    let pool = pool_with(CLIENT, &[]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/oauth2/authorize").await;
    assert_eq!((page.url.path(), page.title().as_str()), ("/login", "Sign in"));
    let page = browser.open(page.link("Create account")).await;
    let typed =
        [("username", "jane"), ("attribute.email", "jane@example.com"), ("password", "short")];
    let page = browser.submit(&page, "/signup", &typed).await;
    assert!(page.problem().unwrap().starts_with("Password did not conform with policy"));
    // The form keeps all values except the password.
    let form = page.form("/signup");
    assert_eq!(form.get("attribute.email"), "jane@example.com");
    assert_eq!(form.get("password"), "");
    let page = browser.submit(&page, "/signup", &[("password", PASSWORD)]).await;
    assert_eq!(page.notice().as_deref(), Some("A code was sent to j***@e***."));
    let page = browser.submit(&page, "/confirm", &[("code", "x")]).await;
    let rejected = "Invalid verification code provided. Check it, or request a new code.";
    assert_eq!(page.problem().as_deref(), Some(rejected));
    let page = browser.submit(&page, "/resendcode", &[]).await;
    let code = last_code(&pool, "jane").await;
    let page = browser.submit(&page, "/confirm", &[("code", &code)]).await;
    assert_eq!(page.notice().as_deref(), Some("Your account is confirmed. Sign in."));
    let page = browser.submit(&page, "/login", &[("password", PASSWORD)]).await;
    is_in(&page);
    assert!(sign_in(&pool, "jane", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn wrong_password_is_rejected_and_finally_locks_the_account() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    for _ in 0..5 {
        let page = log_in(&mut browser, &pool, "alice", "Wrong-Horse-1").await;
        assert_eq!(page.problem().as_deref(), Some("Incorrect username or password."));
        assert_eq!(page.form("/login").get("username"), "alice");
        assert_eq!(page.form("/login").get("password"), "");
    }
    let page = log_in(&mut browser, &pool, "alice", PASSWORD).await;
    assert_eq!(page.problem().as_deref(), Some("Password attempts exceeded"));
    pool.advance(Duration::from_secs(15 * 60));
    is_in(&log_in(&mut browser, &pool, "alice", PASSWORD).await);
}

#[tokio::test]
async fn pages_do_not_reveal_which_users_exist() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "fresh", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "fresh@example.com" }],
    });
    call(&pool, "SignUp", input).await.unwrap();
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "invited" });
    call(&pool, "AdminCreateUser", input).await.unwrap();
    let mut seen: [BTreeSet<String>; 4] = Default::default();
    for name in ["alice", "fresh", "invited", "nobody"] {
        let mut browser = Browser::new();
        let same = |page: &Page| {
            let form = page.body.split("<main>").nth(1).unwrap().replace(name, "NAME");
            // The form token is different for each browser.
            let token = form.split("_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
            format!("{} {}", page.status, form.replace(token, "TOKEN"))
        };
        let page = log_in(&mut browser, &pool, name, "Wrong-Horse-1").await;
        seen[0].insert(same(&page));
        let page = open(&mut browser, &pool, "/forgotPassword").await;
        let page = browser.submit(&page, "/forgotPassword", &[("username", name)]).await;
        seen[1].insert(same(&page));
        let page = open(&mut browser, &pool, "/confirm").await;
        let mut form = page.form("/confirm");
        form.set("username", name);
        form.action.set_path("/resendcode");
        seen[2].insert(same(&browser.post(&form).await));
        form.action.set_path("/confirm");
        form.set("code", "000000");
        // The last attempt is beyond the limit of the unconfirmed user.
        for _ in 0..6 {
            seen[3].insert(same(&browser.post(&form).await));
        }
    }
    for (number, page) in seen.iter().enumerate() {
        assert_eq!(page.len(), 1, "{number}: {page:#?}");
    }
}

#[tokio::test]
async fn pages_of_a_legacy_client_show_why_a_code_is_rejected() {
    let config = format!("{CLIENT}prevent_user_existence_errors = \"LEGACY\"\n");
    let pool = pool_with(&config, &["alice"]).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "fresh", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "fresh@example.com" }],
    });
    call(&pool, "SignUp", input).await.unwrap();
    for (name, problem) in [
        ("alice", "User cannot be confirmed. Current status is CONFIRMED"),
        ("fresh", "Invalid verification code provided, please try again."),
        ("nobody", "User does not exist."),
    ] {
        let mut browser = Browser::new();
        let page = open(&mut browser, &pool, "/confirm").await;
        let typed = [("username", name), ("code", "000000")];
        let page = browser.submit(&page, "/confirm", &typed).await;
        assert_eq!(page.problem().as_deref(), Some(problem), "{name}");
    }
}

#[tokio::test]
async fn forgotten_password_is_replaced_with_a_code() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/login").await;
    let page = browser.open(page.link("Forgot your password?")).await;
    let page = browser.submit(&page, "/forgotPassword", &[("username", "alice")]).await;
    let code = last_code(&pool, "alice").await;
    let typed = [("code", "x"), ("password", "Another-Horse-2")];
    let page = browser.submit(&page, "/confirmForgotPassword", &typed).await;
    assert!(page.problem().is_some());
    let typed = [("code", &*code), ("password", "Another-Horse-2")];
    let page = browser.submit(&page, "/confirmForgotPassword", &typed).await;
    let page = browser.submit(&page, "/login", &[("password", PASSWORD)]).await;
    assert_eq!(page.problem().as_deref(), Some("Incorrect username or password."));
    is_in(&browser.submit(&page, "/login", &[("password", "Another-Horse-2")]).await);
}

#[tokio::test]
async fn temporary_password_must_be_replaced() {
    let config = format!(
        "{CLIENT}\n[[aws_cognito_user_pool.schema]]\nname = \"given_name\"\nrequired = true\n"
    );
    let pool = pool_with(&config, &[]).await;
    let input = json!({
        "UserPoolId": pool.id().as_str(), "Username": "alice", "TemporaryPassword": PASSWORD,
    });
    call(&pool, "AdminCreateUser", input).await.unwrap();
    let mut browser = Browser::new();
    let page = log_in(&mut browser, &pool, "alice", PASSWORD).await;
    assert_eq!(page.title(), "Choose a new password");
    let typed = [("password", "short"), ("attribute.given_name", "Alice")];
    let page = browser.submit(&page, "/login/step", &typed).await;
    assert!(page.problem().unwrap().contains("policy"));
    let typed = [("password", "Another-Horse-2"), ("attribute.given_name", "Alice")];
    let form = page.form("/login/step");
    is_in(&browser.submit(&page, "/login/step", &typed).await);
    // Each step can be completed only once.
    let mut again = form;
    again.set("password", "Another-Horse-3");
    let page = browser.post(&again).await;
    assert_eq!(page.title(), "Error: Sign in");
    assert!(sign_in(&pool, "alice", "Another-Horse-3").await.is_err());
}

#[tokio::test]
async fn prompt_login_applies_to_all_steps_of_a_sign_in() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let input = json!({
        "UserPoolId": pool.id().as_str(), "Username": "jane", "TemporaryPassword": PASSWORD,
    });
    call(&pool, "AdminCreateUser", input).await.unwrap();
    let mut browser = Browser::new();
    is_in(&log_in(&mut browser, &pool, "alice", PASSWORD).await);
    let start = address(&pool, "/oauth2/authorize", &[("prompt", "login consent")]);
    let page = browser.open(start).await;
    let typed = [("username", "jane"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    let form = page.form("/login/step");
    let again = browser.open(page.link("Start again")).await;
    assert!(again.has_form("/login") && !again.has_form("/login/continue"));
    // A completed step leads to the sign-in page and does not sign in.
    let typed = [("password", "Another-Horse-2")];
    is_in(&browser.submit(&page, "/login/step", &typed).await);
    let page = browser.post(&form).await;
    assert!(page.has_form("/login") && !page.has_form("/login/continue"));
    for link in ["Forgot your password?", "Create account"] {
        let page = browser.open(page.link(link)).await;
        let link = if page.url.path() == "/forgotPassword" { "Back to sign in" } else { "Sign in" };
        let page = browser.open(page.link(link)).await;
        assert!(page.has_form("/login") && !page.has_form("/login/continue"), "{link}");
    }
    // Without the prompt, the same browser may continue.
    assert!(open(&mut browser, &pool, "/login").await.has_form("/login/continue"));
}

#[tokio::test]
async fn second_factor_is_set_up_and_then_required() {
    let config = format!("{CLIENT}\n[aws_cognito_user_pool]\nmfa_configuration = \"ON\"\n");
    let pool = pool_with(&config, &["alice"]).await;
    let mut time = PoolTime::inside_a_step(&pool);
    let mut browser = Browser::new();
    let page = log_in(&mut browser, &pool, "alice", PASSWORD).await;
    assert_eq!(page.title(), "Set up an authenticator app");
    let secret = page.element("secret").unwrap();
    assert!(page.body.contains(&format!("?secret={secret}&amp;issuer=")));
    let page = browser.submit(&page, "/login/step", &[("code", "000000")]).await;
    assert_eq!(page.title(), "Error: Set up an authenticator app");
    assert_eq!(page.element("secret").as_deref(), Some(&*secret));
    let code = time.code(&secret, 0);
    is_in(&browser.submit(&page, "/login/step", &[("code", &code)]).await);

    let mut browser = Browser::new();
    let page = log_in(&mut browser, &pool, "alice", PASSWORD).await;
    assert_eq!(page.title(), "Enter your code");
    // The password alone does not sign the user in, neither here nor with the form of a step.
    assert!(!browser.cookies.keys().any(|name| name.starts_with("cognito-")));
    let page = browser.submit(&page, "/login/step", &[("code", &code)]).await;
    assert_eq!(page.problem().as_deref(), Some("Your software token has already been used once."));
    time.next_step(&pool);
    let mut form = page.form("/login/step");
    form.set("challenge", "MFA_SETUP");
    assert!(browser.post(&form).await.location().is_none());
    form.set("challenge", "NEW_PASSWORD_REQUIRED");
    form.set("password", "Another-Horse-2");
    assert!(browser.post(&form).await.location().is_none());
    is_in(&browser.submit(&page, "/login/step", &[("code", &time.code(&secret, 0))]).await);
}

#[tokio::test]
async fn chosen_factor_sends_its_code() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let input = json!({
        "UserPoolId": pool.id().as_str(), "Username": "alice",
        "UserAttributes": [
            { "Name": "phone_number", "Value": "+14155550100" },
            { "Name": "phone_number_verified", "Value": "true" },
        ],
    });
    call(&pool, "AdminUpdateUserAttributes", input).await.unwrap();
    let on = json!({ "Enabled": true });
    let input = json!({
        "UserPoolId": pool.id().as_str(), "Username": "alice",
        "SMSMfaSettings": on, "EmailMfaSettings": on,
    });
    call(&pool, "AdminSetUserMFAPreference", input).await.unwrap();
    for (factor, destination) in [("SMS_MFA", "+*******0100"), ("EMAIL_OTP", "a***@e***")] {
        let mut browser = Browser::new();
        let page = log_in(&mut browser, &pool, "alice", PASSWORD).await;
        assert!(page.body.contains("Text message") && page.body.contains("Email"));
        let mut form = page.form("/login/step");
        form.set("factor", "SOFTWARE_TOKEN_MFA");
        assert!(browser.post(&form).await.problem().is_some());
        form.set("factor", factor);
        let page = browser.post(&form).await;
        assert!(page.body.contains(destination), "{factor}");
        let page = browser.submit(&page, "/login/step", &[("code", "x")]).await;
        assert_eq!(page.problem().as_deref(), Some("Invalid code received for user"));
        let code = last_code(&pool, "alice").await;
        is_in(&browser.submit(&page, "/login/step", &[("code", &code)]).await);
    }
}

#[tokio::test]
async fn signed_in_user_continues_or_signs_in_as_someone_else() {
    let pool = pool_with(CLIENT, &["alice", "bob"]).await;
    let mut browser = Browser::new();
    is_in(&log_in(&mut browser, &pool, "alice", PASSWORD).await);
    let page = open(&mut browser, &pool, "/login").await;
    assert!(page.body.contains("Continue as alice"));
    is_in(&browser.submit(&page, "/login/continue", &[]).await);
    is_in(&log_in(&mut browser, &pool, "bob", PASSWORD).await);
    let page = open(&mut browser, &pool, "/login").await;
    assert!(page.body.contains("Continue as bob"));
    let other_browser = Browser::new().post(&page.form("/login/continue")).await;
    assert_eq!(other_browser.status, 403);
}

#[tokio::test]
async fn only_the_field_that_the_problem_is_about_is_marked() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    let marked = |page: &Page| -> Vec<String> {
        let inputs = page.body.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap());
        let marked = inputs.filter(|input| input.contains("aria-invalid=\"true\""));
        marked
            .map(|input| {
                input.split("name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
            })
            .collect()
    };
    let login = open(&mut browser, &pool, "/login").await;
    let sign_up = open(&mut browser, &pool, "/signup").await;
    let confirm = open(&mut browser, &pool, "/confirm").await;
    let reset = open(&mut browser, &pool, "/confirmForgotPassword").await;
    assert!([&login, &sign_up, &confirm, &reset].into_iter().all(|page| marked(page).is_empty()));
    let (bob, good) = (("username", "bob"), ("password", PASSWORD));
    let email = ("attribute.email", "bob@example.com");
    for (page, path, typed, field) in [
        (&login, "/login", vec![("username", "alice"), ("password", "Wrong-Horse-1")], "password"),
        (&login, "/login", vec![("username", ""), good], "username"),
        (&login, "/login", vec![("username", "alice"), ("password", "")], "password"),
        (&sign_up, "/signup", vec![("username", "alice"), email, good], "username"),
        (&sign_up, "/signup", vec![bob, email, ("password", "short")], "password"),
        (&sign_up, "/signup", vec![bob, ("attribute.email", "none"), good], "attribute.email"),
        (&confirm, "/confirm", vec![bob, ("code", "000000")], "code"),
        (
            &reset,
            "/confirmForgotPassword",
            vec![("username", "alice"), ("code", "000000"), good],
            "code",
        ),
    ] {
        let page = browser.submit(page, path, &typed).await;
        assert!(page.problem().is_some(), "{typed:?}");
        assert_eq!(marked(&page), [field], "{:?}", page.problem());
    }
}

#[tokio::test]
async fn page_names_the_app_and_has_one_primary_button() {
    let config = CLIENT.to_owned() + "name = \"Book & Tea\"\n";
    let pool = pool_with(&config, &["alice"]).await;
    let mut browser = Browser::new();
    let primary = |page: &Page| page.body.matches("<button>").count();
    for path in ["/login", "/signup", "/forgotPassword", "/confirm", "/confirmForgotPassword"] {
        let page = open(&mut browser, &pool, path).await;
        assert!(page.body.contains("to continue to <strong>Book &amp; Tea</strong>"), "{path}");
        assert_eq!(primary(&page), 1, "{path}");
    }
    is_in(&log_in(&mut browser, &pool, "alice", PASSWORD).await);
    let page = open(&mut browser, &pool, "/login").await;
    assert!(page.has_form("/login/continue") && page.has_form("/login"));
    assert_eq!(primary(&page), 1);
}

#[tokio::test]
async fn codes_may_have_spaces() {
    let pool = pool_with(CLIENT, &[]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/signup").await;
    let typed =
        [("username", "jane"), ("attribute.email", "jane@example.com"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/signup", &typed).await;
    let input = page.body.split("<input ").find(|input| input.contains("name=\"code\"")).unwrap();
    for attribute in ["inputmode=\"numeric\"", "autocomplete=\"one-time-code\""] {
        assert!(input.contains(attribute), "{input}");
    }
    assert!(!input.contains("maxlength"), "{input}");
    let spaced = |code: &str| format!(" {} {} ", &code[..3], &code[3..]);
    let code = spaced(&last_code(&pool, "jane").await);
    let page = browser.submit(&page, "/confirm", &[("code", &code)]).await;
    assert_eq!(page.notice().as_deref(), Some("Your account is confirmed. Sign in."));
    let page = browser.open(page.link("Forgot your password?")).await;
    let page = browser.submit(&page, "/forgotPassword", &[("username", "jane")]).await;
    let code = spaced(&last_code(&pool, "jane").await);
    let typed = [("code", &*code), ("password", "Another-Horse-2")];
    let page = browser.submit(&page, "/confirmForgotPassword", &typed).await;
    is_in(&browser.submit(&page, "/login", &[("password", "Another-Horse-2")]).await);
}

#[tokio::test]
async fn page_that_waits_for_a_code_links_to_the_messages() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    for (path, waits) in [
        ("/confirm", true),
        ("/confirmForgotPassword", true),
        ("/login", false),
        ("/signup", false),
    ] {
        let page = open(&mut browser, &pool, path).await;
        assert_eq!(page.body.contains("href=\"/_local/#messages\""), waits, "{path}");
    }
}

#[tokio::test]
async fn pages_have_cognitos_names_and_each_responds_to_a_reload() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    for (path, form) in [
        ("/login", "/login"),
        ("/signup", "/signup"),
        ("/confirm", "/confirm"),
        ("/resendcode", "/resendcode"),
        ("/forgotPassword", "/forgotPassword"),
        ("/confirmForgotPassword", "/confirmForgotPassword"),
        ("/confirmforgotPassword", "/confirmForgotPassword"),
    ] {
        let page = browser.open(address(&pool, path, &[("login_hint", "ali\"ce")])).await;
        assert_eq!((page.status.as_u16(), page.url.path()), (200, path));
        assert_eq!(page.form(form).get("username"), "ali\"ce", "{path}");
    }
    for path in ["/forgot", "/forgot/reset", "/confirm/resend"] {
        assert_eq!(open(&mut browser, &pool, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn error_page_shows_what_was_requested_beside_what_is_registered() {
    let pool = pool_with(CLIENT, &[]).await;
    let mut browser = Browser::new();
    let (id, host) = (pool.client_id(), pool.address());
    let login = format!("http://{host}/login?response_type=code");
    let cases = [
        (
            format!("{login}&client_id={id}&redirect_uri=https://app.test/other"),
            "https://app.test/other",
            BACK,
        ),
        (format!("{login}&client_id=nobody&redirect_uri={BACK}"), "nobody", id),
        (
            format!("http://{host}/logout?client_id={id}&logout_uri=https://app.test/x"),
            "https://app.test/x",
            "https://app.test/bye",
        ),
    ];
    for (address, requested, registered) in &cases {
        let page = browser.open(address).await;
        assert_eq!(page.status, 400);
        let facts = page.body.split("class=\"facts\"").nth(1).unwrap();
        for value in [requested, registered] {
            assert!(facts.contains(&format!("<code>{value}</code>")), "{value}: {facts}");
        }
        assert_eq!(page.link("Users and app clients of all pools").path(), "/_local/");
    }
    let page = browser.open(&cases[0].0).await;
    let page = browser.open(page.link("Sign in with a registered address")).await;
    assert_eq!((page.status.as_u16(), page.title().as_str()), (200, "Sign in"));
}

#[tokio::test]
async fn rules_for_passwords_are_a_list_that_follows_the_policy() {
    let config = format!("{CLIENT}[aws_cognito_user_pool.password_policy]\nminimum_length = 12\n");
    let pool = pool_with(&config, &[]).await;
    let page = open(&mut Browser::new(), &pool, "/signup").await;
    assert!(page.body.contains("aria-describedby=\"password-hint\""));
    let list =
        page.body.split("id=\"password-hint\"").nth(1).unwrap().split("</ul>").next().unwrap();
    assert!(list.contains("At least 12 characters"), "{list}");
    assert_eq!(list.matches("<li").count(), 1, "{list}");
}

#[tokio::test]
async fn unconfirmed_and_reset_accounts_get_the_page_for_their_code() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let input = json!({
        "ClientId": pool.client_id(), "Username": "jane", "Password": PASSWORD,
        "UserAttributes": [{ "Name": "email", "Value": "jane@example.com" }],
    });
    call(&pool, "SignUp", input).await.unwrap();
    let mut browser = Browser::new();
    let page = log_in(&mut browser, &pool, "jane", PASSWORD).await;
    assert_eq!(page.title(), "Confirm your account");
    let code = last_code(&pool, "jane").await;
    let page = browser.submit(&page, "/confirm", &[("code", &code)]).await;
    is_in(&browser.submit(&page, "/login", &[("password", PASSWORD)]).await);
    let input = json!({ "UserPoolId": pool.id().as_str(), "Username": "alice" });
    call(&pool, "AdminResetUserPassword", input).await.unwrap();
    let page = log_in(&mut Browser::new(), &pool, "alice", PASSWORD).await;
    assert_eq!(page.title(), "Reset password");
}

#[tokio::test]
async fn form_without_the_token_of_its_browser_is_rejected() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    let mut other_browser = Browser::new();
    for path in ["/login", "/signup", "/confirm", "/forgotPassword"] {
        let page = open(&mut browser, &pool, path).await;
        let other = open(&mut other_browser, &pool, path).await.form(path);
        let good = page.form(path);
        let mut without = good.clone();
        without.remove("_csrf");
        let mut empty = good.clone();
        empty.set("_csrf", "");
        let mut of_other_browser = good.clone();
        of_other_browser.set("_csrf", other.get("_csrf"));
        let mut twice = good.clone();
        let first = twice.fields[0].clone();
        twice.fields.push(first);
        for form in [without, empty, of_other_browser, twice] {
            assert_eq!(browser.post(&form).await.status, 403, "{path}");
        }
        // The token without the cookie, as another site would send it.
        assert_eq!(Browser::new().post(&good).await.status, 403, "{path}");
        // The token and the cookie, from another site, without an origin, or from another port of this host.
        for origin in ["https://evil.test", "null", "http://127.0.0.1:1", "http://localhost:3000"] {
            browser.origin = Some(origin);
            assert_eq!(browser.post(&good).await.status, 403, "{path} {origin}");
        }
        browser.origin = None;
        browser.fetch_site = "cross-site";
        assert_eq!(browser.post(&good).await.status, 403, "{path}");
        browser.fetch_site = "same-site";
        assert_eq!(browser.post(&good).await.status, 403, "{path}");
        browser.fetch_site = "same-origin";
        assert_ne!(browser.post(&good).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn form_token_cannot_be_computed_from_a_chosen_cookie() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    let genuine = open(&mut browser, &pool, "/login").await.form("/login");
    let name = format!("xsrf-token-{}-{}", pool.id(), pool.address().port());
    // A page on another port of this host chooses the cookie of the victim's browser.
    let chosen = "0123456789012345678901234567890123456789012";
    let sha256 = |text: String| URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
    let guesses = [
        sha256(format!("form of {} for {chosen}", pool.id())),
        sha256(chosen.to_owned()),
        chosen.to_owned(),
        genuine.get("_csrf").to_owned(),
    ];
    let post = async |cookie: &str, token: &str| {
        let mut form = genuine.clone();
        form.set("_csrf", token);
        form.set("username", "alice");
        form.set("password", PASSWORD);
        // No `Origin` and no `Sec-Fetch-Site`: the token alone decides.
        let request = client()
            .post(form.action.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", format!("{name}={cookie}"))
            .body(encoded(&form.fields));
        request.send().await.unwrap().status().as_u16()
    };
    for guess in guesses {
        assert_eq!(post(chosen, &guess).await, 403);
    }
    let cookie = browser.cookies[&name].clone();
    assert_eq!(post(&cookie, genuine.get("_csrf")).await, 302);
}

#[tokio::test]
async fn cookies_are_http_only_same_site_and_new_at_each_sign_in() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/login").await;
    let session = format!("cognito-{}-{}", pool.id(), pool.address().port());
    // An attacker has set a session cookie in the browser (session fixation).
    browser.cookies.insert(session.clone(), "fixed".to_owned());
    let mut form = page.form("/login");
    form.set("username", "alice");
    form.set("password", PASSWORD);
    let answer = browser.post(&form).await;
    let set: Vec<_> = page
        .headers
        .get_all("set-cookie")
        .iter()
        .chain(answer.headers.get_all("set-cookie"))
        .map(|line| line.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(set.len(), 2);
    for (line, max_age) in set.iter().zip(["Max-Age=86400", "Max-Age=3600"]) {
        let attributes: BTreeSet<_> = line.split("; ").skip(1).collect();
        let expected = BTreeSet::from(["HttpOnly", max_age, "Path=/", "SameSite=Lax"]);
        assert_eq!(attributes, expected);
    }
    let first = browser.cookies[&session].clone();
    assert_ne!(first, "fixed");
    is_in(&log_in(&mut browser, &pool, "alice", PASSWORD).await);
    assert_ne!(browser.cookies[&session], first);
}

#[tokio::test]
async fn session_cookie_of_another_pool_or_repeated_one_is_ignored() {
    let one = pool_with(CLIENT, &["alice"]).await;
    let other = pool_with(CLIENT, &["alice"]).await;
    let name = |pool: &UserPool| format!("cognito-{}-{}", pool.id(), pool.address().port());
    let mut browser = Browser::new();
    is_in(&log_in(&mut browser, &one, "alice", PASSWORD).await);
    let value = browser.cookies[&name(&one)].clone();
    assert_eq!(open(&mut browser, &other, "/oauth2/authorize").await.url.path(), "/login");
    browser.cookies.insert(name(&other), value.clone());
    assert_eq!(open(&mut browser, &other, "/oauth2/authorize").await.url.path(), "/login");
    is_in(&open(&mut browser, &one, "/oauth2/authorize").await);
    let repeated_cookie = format!("{value}; {}=x", name(&one));
    browser.cookies.insert(name(&one), repeated_cookie);
    assert_eq!(open(&mut browser, &one, "/oauth2/authorize").await.url.path(), "/login");
}

#[tokio::test]
async fn form_without_browser_headers_still_needs_the_token() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    let mut browser = Browser::new();
    let mut form = open(&mut browser, &pool, "/login").await.form("/login");
    form.set("username", "alice");
    form.set("password", PASSWORD);
    let cookie = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    let cookie = cookie.collect::<Vec<_>>().join("; ");
    // Without `Origin` and `Sec-Fetch-Site`, a check of these headers alone would accept the request.
    let post = async |fields: &[(String, String)]| {
        let request = client()
            .post(form.action.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", &cookie)
            .body(encoded(fields));
        request.send().await.unwrap().status().as_u16()
    };
    let without: Vec<_> = form.fields.iter().filter(|(name, _)| name != "_csrf").cloned().collect();
    assert_eq!(post(&without).await, 403);
    assert_eq!(post(&form.fields).await, 302);
}

#[tokio::test]
async fn unknown_path_responds_to_browsers_with_a_page_and_to_clients_with_an_api_error() {
    let pool = pool_with(CLIENT, &[]).await;
    let get = async |path: &str, accept: &str| {
        let address = format!("http://{}{path}", pool.address());
        let response = client().get(address).header("accept", accept).send().await.unwrap();
        let headers = response.headers().clone();
        (response.status().as_u16(), headers, response.text().await.unwrap())
    };
    let discovery = format!("/{}/.well-known/openid-configuration", pool.id());
    for path in ["/nothing", "/oauth2/nothing"] {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let (status, headers, body) = get(path, browser).await;
        assert_eq!((status, headers["vary"].to_str().unwrap()), (404, "accept"), "{path}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert!(
            headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'")
        );
        for link in ["/_local/", &discovery] {
            assert!(body.contains(&format!("href=\"{link}\"")), "{path} {link}");
        }
    }
    for accept in ["*/*", "application/json", "application/json, text/plain, */*", ""] {
        let (status, _, body) = get("/nothing", accept).await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &body["__type"]), (404, &json!("UnknownOperationException")));
    }
    assert_eq!(get("/", "*/*").await.0, 405);
}

#[tokio::test]
async fn pages_run_only_their_own_script_and_cannot_be_framed() {
    let pool = pool_with(CLIENT, &["alice"]).await;
    for path in ["/login", "/signup", "/confirm", "/forgotPassword", "/error"] {
        let page = open(&mut Browser::new(), &pool, path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{path}");
        }
        assert!(!policy.contains("unsafe"), "{path}");
        assert!(!page.body.contains(" style="), "{path}");
        // The only script is the one that the policy allows.
        let mut scripts = page.body.split("<script").skip(1);
        let allowed: Vec<_> = policy.split("script-src ").skip(1).collect();
        assert_eq!(allowed.len(), 1, "{policy}");
        assert_eq!(scripts.clone().count(), usize::from(path == "/signup"), "{path}");
        assert!(scripts.all(|script| {
            let text = script.strip_prefix('>').unwrap().split("</script>").next().unwrap();
            let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
            allowed[0].starts_with(&format!("'sha256-{hash}'"))
        }));
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(page.headers.get("access-control-allow-origin").is_none());
        assert!(
            page.body.contains("<html lang=\"en\">") && page.body.contains("name=\"viewport\"")
        );
        // Each visible field has a label.
        for input in page.body.split("<input ").skip(1).filter(|input| !input.contains("hidden")) {
            let id = input.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
            assert!(page.body.contains(&format!("<label for=\"{id}\">")), "{path} {id}");
        }
    }
    // Browsers apply `form-action` also to redirects, so it would block the redirect to the app.
    let page = open(&mut Browser::new(), &pool, "/login").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(!policy.contains("form-action"));
}

#[tokio::test]
async fn user_input_is_escaped_on_all_pages() {
    let pool = pool_with(CLIENT, &[]).await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'";
    let mut browser = Browser::new();
    for path in ["/login", "/signup", "/forgotPassword", "/confirm"] {
        let more = [("state", evil), ("nonce", evil), ("scope", "openid")];
        let usual =
            [("client_id", pool.client_id()), ("redirect_uri", BACK), ("response_type", "code")];
        let query = encoded(&[&usual[..], &more].concat());
        let page = browser.open(format!("http://{}{path}?{query}", pool.address())).await;
        let mut form = page.form(path);
        for name in ["username", "password", "code", "attribute.email"] {
            if form.fields.iter().any(|(known, _)| known == name) {
                form.set(name, evil);
            }
        }
        let answer = browser.post(&form).await;
        for page in [page, answer] {
            assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{path}");
        }
    }
    let mut form = open(&mut browser, &pool, "/login").await.form("/login");
    form.action.set_path("/login/step");
    for challenge in ["MFA_SETUP", "SELECT_MFA_TYPE", "EMAIL_OTP", "NEW_PASSWORD_REQUIRED", evil] {
        for (name, value) in [
            ("challenge", challenge),
            ("session", evil),
            ("user", evil),
            ("detail", evil),
            ("code", evil),
        ] {
            form.set(name, value);
        }
        let list = json!(["userAttributes.<script>", evil]).to_string();
        form.set("detail", &list);
        let page = browser.post(&form).await;
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{challenge}");
    }
    let page =
        browser.open_once(format!("http://{}/error?error=%3Cscript%3E", pool.address())).await;
    assert!(!page.body.contains("<script>"));
}

#[tokio::test]
async fn pages_follow_the_settings_of_the_pool() {
    let config = format!(
        "{CLIENT}\n[aws_cognito_user_pool]\nusername_attributes = [\"email\"]\n\
         [[aws_cognito_user_pool.schema]]\nname = \"birthdate\"\nrequired = true\n"
    );
    let pool = pool_with(&config, &[]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/signup").await;
    let form = page.form("/signup");
    let names: Vec<_> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["_csrf", "username", "attribute.birthdate", "password"]);
    assert!(page.body.contains("type=\"email\" autocomplete=\"username\""));
    let typed = [
        ("username", " jane@example.com "),
        ("attribute.birthdate", "1990-01-01"),
        ("password", PASSWORD),
    ];
    let page = browser.submit(&page, "/signup", &typed).await;
    let code = last_code(&pool, "jane@example.com").await;
    let page = browser.submit(&page, "/confirm", &[("code", &code)]).await;
    is_in(&browser.submit(&page, "/login", &[("password", PASSWORD)]).await);
    let page = open(&mut browser, &pool, "/login").await;
    assert!(page.body.contains("Continue as jane@example.com"));

    let config = format!(
        "{CLIENT}\n[aws_cognito_user_pool.admin_create_user_config]\nallow_admin_create_user_only = true\n"
    );
    let pool = pool_with(&config, &[]).await;
    let page = open(&mut browser, &pool, "/login").await;
    assert!(!page.body.contains("Create account"));
    let page = open(&mut browser, &pool, "/signup").await;
    let typed = [("username", "eve"), ("attribute.email", "e@e.test"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/signup", &typed).await;
    assert_eq!(page.problem().as_deref(), Some("SignUp is not permitted for this user pool"));
}

#[tokio::test]
async fn login_page_rejects_passwords_if_the_client_does_not_allow_the_pool_itself() {
    let config = CLIENT.to_owned() + "supported_identity_providers = []\n";
    let pool = pool_with(&config, &["alice"]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/login").await;
    assert!(!page.has_form("/login"));
    let mut form = open(&mut browser, &pool, "/forgotPassword").await.form("/forgotPassword");
    form.action.set_path("/login");
    form.set("username", "alice");
    form.set("password", PASSWORD);
    let page = browser.post(&form).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
}

/// Without the check in each form, an auto-confirmed sign-up or a challenge session of the API would lead to a code.
#[tokio::test]
async fn all_forms_reject_passwords_if_the_client_does_not_allow_the_pool_itself() {
    for (providers, is_rejected) in [("[]", true), ("[\"COGNITO\"]", false)] {
        let config = format!("{CLIENT}supported_identity_providers = {providers}\n");
        let pool = pool_with(&config, &["alice"]).await;
        let mut browser = Browser::new();
        let form = open(&mut browser, &pool, "/forgotPassword").await.form("/forgotPassword");
        for path in [
            "/signup",
            "/confirm",
            "/resendcode",
            "/forgotPassword",
            "/confirmForgotPassword",
            "/login/step",
        ] {
            let mut form = form.clone();
            form.action.set_path(path);
            form.set("username", "jane");
            form.set("password", PASSWORD);
            let page = browser.post(&form).await;
            assert_eq!(page.location(), None, "{path}");
            assert_eq!(
                page.body.contains("unauthorized_client"),
                is_rejected,
                "{path}, {providers}"
            );
        }
    }
}

#[tokio::test]
async fn users_of_a_client_with_a_secret_can_use_the_pages() {
    let config = CLIENT.to_owned() + "client_secret = \"a secret\"\n";
    let pool = pool_with(&config, &["alice"]).await;
    let mut browser = Browser::new();
    let page = open(&mut browser, &pool, "/signup").await;
    let typed =
        [("username", "jane"), ("attribute.email", "jane@example.com"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/signup", &typed).await;
    let code = last_code(&pool, "jane").await;
    let page = browser.submit(&page, "/confirm", &[("code", &code)]).await;
    is_in(&browser.submit(&page, "/login", &[("password", PASSWORD)]).await);
    // The API still requires the secret hash of this client.
    let parameters = json!({ "USERNAME": "jane", "PASSWORD": PASSWORD });
    assert!(initiate(&pool, "USER_PASSWORD_AUTH", parameters).await.is_err());
}

#[tokio::test]
async fn api_tokens_do_not_sign_in_a_browser() {
    let pool = UserPool::builder()
        .config(Config::from_toml(&format!("{CLIENT}{USER}")).unwrap())
        .start()
        .await
        .unwrap();
    let tokens = sign_in(&pool, "alice", PASSWORD).await.unwrap();
    let mut browser = Browser::new();
    let name = format!("cognito-{}-{}", pool.id(), pool.address().port());
    for kind in ["AccessToken", "RefreshToken", "IdToken"] {
        browser.cookies.insert(name.clone(), token(&tokens, kind));
        assert_eq!(open(&mut browser, &pool, "/oauth2/authorize").await.url.path(), "/login");
    }
}

const USER: &str = r#"
[[aws_cognito_user]]
username = "alice"
password = "Correct-Horse-1"
"#;
