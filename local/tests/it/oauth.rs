//! The OAuth 2.0 endpoints of the local pool, as apps and attackers use them.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    DataFile,
    browser::{Browser, Page, client, encoded},
    cognito::call,
};

/// The hosted pages of a sign-in. They are listed here on purpose: apps link to these paths, so a change of the crate's
/// paths must fail a test.
const PAGES: [&str; 8] = [
    "/login",
    "/login/continue",
    "/login/step",
    "/signup",
    "/confirm",
    "/resendcode",
    "/forgotPassword",
    "/confirmForgotPassword",
];

const BACK: &str = "https://app.test/back";
const PASSWORD: &str = "Correct-Horse-1";
/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const CONFIG: &str = r#"
[[aws_cognito_resource_server]]
identifier = "https://api.test/orders"
name = "orders"
scope = [
    { scope_name = "read", scope_description = "read orders" },
    { scope_name = "write", scope_description = "write orders" },
]

[[aws_cognito_user_pool_client]]
name = "web"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code", "implicit"]
allowed_oauth_scopes = ["openid", "email", "profile", "aws.cognito.signin.user.admin", "https://api.test/orders/read"]
callback_urls = ["https://app.test/back", "https://app.test/other?a=b", "myapp://back"]
logout_urls = ["https://app.test/bye"]

[[aws_cognito_user_pool_client]]
name = "server"
client_id = "server"
client_secret = "a secret: with+signs%"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid", "email"]
callback_urls = ["https://app.test/back"]
refresh_token_rotation = { feature = "ENABLED", retry_grace_period_seconds = 0 }

[[aws_cognito_user_pool_client]]
name = "machine"
client_id = "machine"
client_secret = "machine-secret"
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["client_credentials"]
allowed_oauth_scopes = ["https://api.test/orders/read", "https://api.test/orders/write"]

[[aws_cognito_user_pool_client]]
name = "api"
client_id = "apionly"
callback_urls = ["https://app.test/back"]

[[aws_cognito_user]]
username = "alice"
password = "Correct-Horse-1"
attributes = { email = "alice@example.com", email_verified = "true", given_name = "Alice", "custom:tier" = "gold" }

[[aws_cognito_user]]
username = "bob"
password = "Correct-Horse-1"

[[aws_cognito_user_pool.schema]]
name = "tier"
"#;

async fn pool() -> UserPool {
    UserPool::builder().config(Config::from_toml(CONFIG).unwrap()).start().await.unwrap()
}

fn url(pool: &UserPool, path: &str, parameters: &[(&str, &str)]) -> String {
    format!("http://{}{path}?{}", pool.address(), encoded(parameters))
}

/// Returns the parameters of an authorization request. `other` replaces defaults; an empty value removes the parameter.
fn authorize_parameters<'a>(
    pool: &'a UserPool,
    other: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut parameters = vec![
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "st&te"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in other {
        parameters.retain(|(known, _)| known != name);
        if !value.is_empty() {
            parameters.push((name, value));
        }
    }
    parameters
}

async fn authorize(browser: &mut Browser, pool: &UserPool, other: &[(&str, &str)]) -> Page {
    browser.open(url(pool, "/oauth2/authorize", &authorize_parameters(pool, other))).await
}

/// Signs in. Returns the page of the app to which the browser is redirected.
async fn sign_in(browser: &mut Browser, pool: &UserPool, other: &[(&str, &str)]) -> Page {
    let page = authorize(browser, pool, other).await;
    let typed = [("username", "alice"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    assert_eq!(page.url.host_str(), Some("app.test"), "{}: {:?}", page.title(), page.problem());
    page
}

async fn code(pool: &UserPool, other: &[(&str, &str)]) -> String {
    sign_in(&mut Browser::new(), pool, other).await.parameter("code").unwrap()
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

async fn post(
    pool: &UserPool,
    path: &str,
    basic: Option<(&str, &str)>,
    form: &[(&str, &str)],
) -> Answer {
    let mut request = reqwest::Client::new()
        .post(format!("http://{}{path}", pool.address()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://localhost:3000")
        .body(encoded(form));
    if let Some((id, secret)) = basic {
        let plus = |text: &str| encoded(&[("", text)])[1..].to_owned();
        let pair = STANDARD.encode(format!("{}:{}", plus(id), plus(secret)));
        request = request.header("authorization", format!("Basic {pair}"));
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
}

/// Sends a request of the public client to the token endpoint.
async fn token(pool: &UserPool, form: &[(&str, &str)]) -> Answer {
    let form = [&[("client_id", pool.client_id())], form].concat();
    post(pool, "/oauth2/token", None, &form).await
}

async fn exchange(pool: &UserPool, code: &str, verifier: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", verifier),
    ];
    token(pool, &form).await
}

async fn user_info(pool: &UserPool, token: &str) -> Answer {
    let response = reqwest::Client::new()
        .get(format!("http://{}/oauth2/userInfo", pool.address()))
        .header("authorization", format!("Bearer {token}"))
        .send()
        .await
        .unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: serde_json::from_str(&response.text().await.unwrap()).unwrap() }
}

fn claims(token: &Value) -> Value {
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// Checks the format of an error: JSON with `error` and optionally `error_description` (RFC 6749, section 5.2).
#[track_caller]
fn assert_error(answer: &Answer, status: u16, error: &str) {
    let description = &answer.body["error_description"];
    assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{description}");
    for (name, value) in answer.body.as_object().unwrap() {
        assert!(matches!(name.as_str(), "error" | "error_description"), "{name}");
        // The characters that RFC 6749, section 5.2, allows in both members.
        let is_allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(value.as_str().unwrap().bytes().all(is_allowed), "{value}");
    }
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/json"), "{kind}");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

fn text<'a>(answer: &'a Answer, member: &str) -> &'a str {
    answer.body[member]
        .as_str()
        .unwrap_or_else(|| panic!("there is no {member}: {}", answer.status))
}

#[tokio::test]
async fn code_is_exchanged_for_tokens_that_the_verifier_accepts() {
    let pool = pool().await;
    let page = sign_in(&mut Browser::new(), &pool, &[("nonce", "n1")]).await;
    assert!(page.url.as_str().starts_with("https://app.test/back?code="));
    assert_eq!(page.parameter("state").as_deref(), Some("st&te"));
    assert_eq!(page.headers["cache-control"], "no-store");
    let answer = exchange(&pool, &page.parameter("code").unwrap(), VERIFIER).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 3600);
    let verifier = crate::support::full_verifier(&pool).build().unwrap();
    let access = verifier.verify(text(&answer, "access_token")).await.unwrap();
    assert!(access.has_scope("openid") && access.has_scope("email"));
    assert_eq!(access.claim("version"), Some(&json!(2)));
    let id = verifier.verify(text(&answer, "id_token")).await.unwrap();
    assert_eq!(id.claim("nonce"), Some(&json!("n1")));
    assert_eq!(id.claim("email"), Some(&json!("alice@example.com")));
    assert_eq!(id.claim("given_name"), None, "`profile` was not asked for");
    let digest = digest(&SHA256, text(&answer, "access_token").as_bytes());
    let half = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]);
    assert_eq!(id.claim("at_hash"), Some(&json!(half)));
    assert_eq!(id.auth_time(), access.auth_time());
}

#[tokio::test]
async fn second_use_of_a_code_is_rejected_and_revokes_its_session() {
    let pool = pool().await;
    let code = code(&pool, &[]).await;
    let first = exchange(&pool, &code, VERIFIER).await;
    let token_of = text(&first, "access_token").to_owned();
    assert_eq!(user_info(&pool, &token_of).await.status, 200);
    assert_error(&exchange(&pool, &code, VERIFIER).await, 400, "invalid_grant");
    assert_eq!(user_info(&pool, &token_of).await.status, 401);
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", text(&first, "refresh_token"))];
    assert_error(&token(&pool, &refresh).await, 400, "invalid_grant");
}

#[tokio::test]
async fn concurrent_exchanges_of_a_code_leave_no_second_session() {
    let pool = pool().await;
    let code = code(&pool, &[]).await;
    let one = || exchange(&pool, &code, VERIFIER);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    let served: Vec<_> = [a, b, c, d].into_iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(served.len(), 1, "the code must be redeemed once");
    for answer in served {
        assert_eq!(user_info(&pool, text(&answer, "access_token")).await.status, 401);
    }
}

#[tokio::test]
async fn code_is_bound_to_verifier_redirect_uri_client_and_lifetime() {
    let pool = pool().await;
    let good = code(&pool, &[]).await;
    for verifier in ["", "short", &"x".repeat(43), CHALLENGE, &VERIFIER.to_lowercase()] {
        assert_error(&exchange(&pool, &good, verifier).await, 400, "invalid_grant");
    }
    let form = |redirect| {
        vec![
            ("grant_type", "authorization_code"),
            ("code", good.as_str()),
            ("redirect_uri", redirect),
            ("code_verifier", VERIFIER),
        ]
    };
    for redirect in
        ["", "https://app.test/other?a=b", "https://app.test/back/", "https://APP.test/back"]
    {
        assert_error(&token(&pool, &form(redirect)).await, 400, "invalid_grant");
    }
    let secret = Some(("server", "a secret: with+signs%"));
    let stolen = post(&pool, "/oauth2/token", secret, &form(BACK)).await;
    assert_error(&stolen, 400, "invalid_grant");
    // The rejected requests did not consume the code.
    assert_eq!(exchange(&pool, &good, VERIFIER).await.status, 200);

    let late = code(&pool, &[]).await;
    pool.advance(Duration::from_secs(5 * 60));
    assert_error(&exchange(&pool, &late, VERIFIER).await, 400, "invalid_grant");
    // An attacker removed the challenge from the authorization request.
    let bare = code(&pool, &[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_error(&exchange(&pool, &bare, VERIFIER).await, 400, "invalid_grant");
    assert_eq!(exchange(&pool, &bare, "").await.status, 200);
}

#[tokio::test]
async fn redirect_uri_must_be_an_exact_match_of_a_registered_one() {
    let pool = pool().await;
    for address in [
        "https://app.test/back/",
        "https://app.test/back?x=1",
        "https://app.test/back#x",
        "https://app.test/BACK",
        "https://APP.test/back",
        "HTTPS://app.test/back",
        "http://app.test/back",
        "https://app.test:443/back",
        "https://app.test/back/..",
        "https://app.test/%62ack",
        "https://app.test%2Fback",
        "https://app.test@evil.test/back",
        "https://evil.test/https://app.test/back",
        "https://app.test.evil.test/back",
        "https://app.test/back\r\nLocation: https://evil.test",
        "https://app.test/back\u{0}",
        "//app.test/back",
        " https://app.test/back",
        "javascript:alert(1)",
    ] {
        let parameters = authorize_parameters(&pool, &[("redirect_uri", address)]);
        for path in
            ["/oauth2/authorize", "/login", "/signup", "/forgotPassword", "/confirm", "/logout"]
        {
            // Another error in the request must not redirect to the URI either.
            for response_type in ["code", "nonsense"] {
                let mut parameters = parameters.clone();
                parameters.retain(|(name, _)| *name != "response_type");
                parameters.push(("response_type", response_type));
                let page = Browser::new().open_once(url(&pool, path, &parameters)).await;
                assert_eq!(page.status, 400, "{path} {address}");
                assert!(page.headers.get("location").is_none(), "{path} {address}");
                assert!(page.body.contains("redirect_mismatch"), "{path} {address}");
                // The page shows the address, but does not link to it.
                let links = page.body.split("href=\"").skip(1).map(|rest| rest.split('"').next());
                assert!(links.flatten().all(|link| !link.contains("evil")), "{path} {address}");
            }
        }
    }
    let missing = authorize_parameters(&pool, &[("redirect_uri", "")]);
    let page = Browser::new().open_once(url(&pool, "/oauth2/authorize", &missing)).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
}

#[tokio::test]
async fn unknown_client_gets_an_error_page() {
    let pool = pool().await;
    for id in ["", "nobody", "<script>"] {
        let page = authorize(&mut Browser::new(), &pool, &[("client_id", id)]).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, None));
        assert!(!page.body.contains("<script"));
    }
}

#[tokio::test]
async fn known_app_gets_errors_at_its_redirect_uri() {
    let pool = pool().await;
    for (other, error) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "id_token")], "unsupported_response_type"),
        (&[("scope", "openid phone")], "invalid_scope"),
        (&[("scope", "openid nonsense")], "invalid_scope"),
        (&[("scope", "openid https://api.test/orders/write")], "invalid_scope"),
        (&[("scope", "email")], "invalid_scope"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("client_id", "server"), ("response_type", "token")], "unauthorized_client"),
        (&[("client_id", "apionly")], "unauthorized_client"),
        (&[("prompt", "none")], "login_required"),
    ] {
        let page = authorize(&mut Browser::new(), &pool, other).await;
        assert_eq!(page.url.host_str(), Some("app.test"), "{other:?}");
        assert_eq!(page.parameter("error").as_deref(), Some(error), "{other:?}");
        assert_eq!(page.parameter("state").as_deref(), Some("st&te"), "{other:?}");
        assert_eq!(page.parameter("code"), None);
    }
    // Errors of the implicit grant are in the fragment.
    let bad = [("response_type", "token"), ("scope", "nonsense")];
    let page = authorize(&mut Browser::new(), &pool, &bad).await;
    assert!(page.url.as_str().starts_with("https://app.test/back#error=invalid_scope"));
}

#[tokio::test]
async fn default_pool_allows_no_oauth_flows() {
    let pool = UserPool::start().await.unwrap();
    let page = authorize(&mut Browser::new(), &pool, &[]).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("unauthorized_client"));
}

#[tokio::test]
async fn repeated_parameter_is_rejected() {
    let pool = pool().await;
    let good = url(&pool, "/oauth2/authorize", &authorize_parameters(&pool, &[]));
    for (name, value) in authorize_parameters(&pool, &[]) {
        let page = Browser::new().open_once(format!("{good}&{}", encoded(&[(name, value)]))).await;
        if matches!(name, "client_id" | "redirect_uri") {
            assert_eq!((page.status.as_u16(), page.location()), (400, None), "{name}");
        } else {
            let location = page.location().unwrap();
            assert!(location.as_str().contains("error=invalid_request"), "{name}");
        }
    }
    let code = code(&pool, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    for pair in form {
        assert_error(&token(&pool, &[&form[..], &[pair]].concat()).await, 400, "invalid_request");
    }
    assert_eq!(token(&pool, &form).await.status, 200);
}

#[tokio::test]
async fn state_and_redirect_uri_are_unchanged_and_cannot_split_headers() {
    let pool = pool().await;
    for state in ["\r\nSet-Cookie: a=b", "<script>alert(1)</script>", "a\u{0}b", "é ✓", "\"'>&"]
    {
        let mut browser = Browser::new();
        let page = sign_in(&mut browser, &pool, &[("state", state)]).await;
        assert_eq!(page.parameter("state").as_deref(), Some(state));
        assert!(!browser.cookies.contains_key("a"));
    }
    let other = [("redirect_uri", "https://app.test/other?a=b"), ("state", "")];
    let page = sign_in(&mut Browser::new(), &pool, &other).await;
    assert!(page.url.as_str().starts_with("https://app.test/other?a=b&code="));
    assert_eq!(page.parameter("state"), None);
}

/// Checks the `aud` of the access token and of the ID token.
fn assert_audience(pool: &UserPool, tokens: &Value, resource: Option<&str>) {
    let access = claims(&tokens["access_token"]);
    assert_eq!(access.get("aud").and_then(Value::as_str), resource);
    assert_eq!(access["client_id"], pool.client_id());
    assert_eq!(claims(&tokens["id_token"])["aud"], pool.client_id());
}

#[tokio::test]
async fn resource_is_the_audience_of_access_tokens_and_of_refreshed_ones() {
    let pool = pool().await;
    for resource in [
        "https://api.test/orders",
        "https://api.test/orders/",
        "https://anything.example:8443/mcp?tenant=a&b=%20",
        "http://localhost",
        "http://localhost:3000/mcp",
        "myapp://orders",
    ] {
        let scope = "openid email aws.cognito.signin.user.admin";
        let other = [("resource", resource), ("scope", scope)];
        let code = code(&pool, &other).await;
        let answer = exchange(&pool, &code, VERIFIER).await;
        assert_audience(&pool, &answer.body, Some(resource));
        let refresh = text(&answer, "refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let same = [&form[..], &[("resource", resource)]].concat();
        for form in [&form[..], &same] {
            let next = token(&pool, form).await;
            assert_audience(&pool, &next.body, Some(resource));
            // The pool's endpoints also accept tokens that are bound to an API.
            let access = text(&next, "access_token");
            assert_eq!(user_info(&pool, access).await.status, 200, "{resource}");
            let user = call(&pool, "GetUser", json!({ "AccessToken": access })).await.unwrap();
            assert_eq!(user["Username"], "alice");
        }
        // A refresh through the API also keeps the audience.
        let input = json!({ "RefreshToken": refresh, "ClientId": pool.client_id() });
        let next = call(&pool, "GetTokensFromRefreshToken", input).await.unwrap();
        let access = &next["AuthenticationResult"]["AccessToken"];
        assert_eq!(claims(access)["aud"], resource);
        let form = [("client_id", pool.client_id()), ("token", refresh)];
        assert_eq!(post(&pool, "/oauth2/revoke", None, &form).await.status, 200);
        assert_eq!(user_info(&pool, access.as_str().unwrap()).await.status, 401, "{resource}");
        assert_error(&token(&pool, &same).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn implicit_tokens_and_tokens_of_signed_in_browsers_are_bound_to_the_resource() {
    let pool = pool().await;
    let mut browser = Browser::new();
    let resource = "https://api.test/orders";
    let other = [("response_type", "token"), ("resource", resource)];
    let by_page = sign_in(&mut browser, &pool, &other).await;
    let at_once = authorize(&mut browser, &pool, &other).await;
    let page = browser.open(url(&pool, "/login", &authorize_parameters(&pool, &other))).await;
    let by_continue = browser.submit(&page, "/login/continue", &[]).await;
    for page in [by_page, at_once, by_continue] {
        let token = |name: &str| json!(page.parameter(name).unwrap());
        let tokens =
            json!({ "access_token": token("access_token"), "id_token": token("id_token") });
        assert_audience(&pool, &tokens, Some(resource));
    }
    // The tokens of the next request from the same browser depend only on that request's `resource`.
    let code = authorize(&mut browser, &pool, &[("resource", "myapp://b")]).await;
    let answer = exchange(&pool, &code.parameter("code").unwrap(), VERIFIER).await;
    assert_audience(&pool, &answer.body, Some("myapp://b"));
    let code = authorize(&mut browser, &pool, &[]).await.parameter("code").unwrap();
    assert_audience(&pool, &exchange(&pool, &code, VERIFIER).await.body, None);
}

#[tokio::test]
async fn invalid_or_repeated_resource_is_rejected() {
    let pool = pool().await;
    let bad = [
        "orders",
        "api.test/orders",
        "http://api.test/orders",
        "http://127.0.0.1:3000",
        "http://localhost.evil.test",
        "https://api.test/#orders",
        "https://",
        "urn:api",
        "javascript://alert(1)",
    ];
    for resource in bad {
        for (response_type, part) in [("code", '?'), ("token", '#')] {
            for path in ["/oauth2/authorize", "/login"] {
                let other = [("resource", resource), ("response_type", response_type)];
                let page = Browser::new()
                    .open(url(&pool, path, &authorize_parameters(&pool, &other)))
                    .await;
                let start = format!("https://app.test/back{part}error=invalid_target&");
                assert!(page.url.as_str().starts_with(&start), "{resource} {path} {part}");
                assert_eq!(page.parameter("state").as_deref(), Some("st&te"));
            }
        }
    }
    let good = ("resource", "https://api.test/orders");
    let once = url(&pool, "/oauth2/authorize", &authorize_parameters(&pool, &[good]));
    assert_eq!(Browser::new().open(&once).await.url.path(), "/login");
    for second in [good, ("resource", "https://other.test")] {
        let page = Browser::new().open(format!("{once}&{}", encoded(&[second]))).await;
        assert_eq!(page.parameter("error").as_deref(), Some("invalid_target"));
    }
}

#[tokio::test]
async fn token_request_cannot_change_the_resource() {
    let pool = pool().await;
    let (bound, other) = ("https://api.test/orders", "https://other.test");
    for (asked, wrong) in [
        ("", vec![bound]),
        (bound, vec![other, "https://api.test/orders/", "https://api.test", "orders"]),
    ] {
        let code = code(&pool, &[("resource", asked)]).await;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        for resource in &wrong {
            let form = [&form[..], &[("resource", resource)]].concat();
            assert_error(&token(&pool, &form).await, 400, "invalid_target");
        }
        let twice = [&form[..], &[("resource", bound), ("resource", bound)]].concat();
        assert_error(&token(&pool, &twice).await, 400, "invalid_target");
        // A rejected request does not consume the code.
        let answer = token(&pool, &[&form[..], &[("resource", asked)]].concat()).await;
        assert_audience(&pool, &answer.body, Some(asked).filter(|asked| !asked.is_empty()));
        let refresh = text(&answer, "refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        for resource in wrong {
            let form = [&form[..], &[("resource", resource)]].concat();
            assert_error(&token(&pool, &form).await, 400, "invalid_target");
        }
        let answer = token(&pool, &form).await;
        assert_audience(&pool, &answer.body, Some(asked).filter(|asked| !asked.is_empty()));
    }
}

#[tokio::test]
async fn client_credentials_cannot_be_bound_to_a_resource() {
    let pool = pool().await;
    let basic = Some(("machine", "machine-secret"));
    let form = [("grant_type", "client_credentials")];
    let bound = [&form[..], &[("resource", "https://api.test/orders")]].concat();
    assert_error(&post(&pool, "/oauth2/token", basic, &bound).await, 400, "invalid_target");
    let answer = post(&pool, "/oauth2/token", basic, &form).await;
    assert_eq!(claims(&answer.body["access_token"]).get("aud"), None);
    let empty = [&form[..], &[("resource", "")]].concat();
    assert_eq!(post(&pool, "/oauth2/token", basic, &empty).await.status, 200);
}

#[tokio::test]
async fn implicit_tokens_come_in_the_fragment_and_without_a_refresh_token() {
    let pool = pool().await;
    let other = [("response_type", "token"), ("nonce", "n1")];
    let page = sign_in(&mut Browser::new(), &pool, &other).await;
    assert_eq!(page.url.query(), None);
    assert_eq!(page.parameter("refresh_token"), None);
    assert_eq!(page.parameter("token_type").as_deref(), Some("Bearer"));
    assert_eq!(page.parameter("expires_in").as_deref(), Some("3600"));
    assert_eq!(page.parameter("state").as_deref(), Some("st&te"));
    let verifier = crate::support::full_verifier(&pool).build().unwrap();
    for name in ["access_token", "id_token"] {
        verifier.verify(&page.parameter(name).unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn without_openid_there_is_no_id_token_and_no_user_info() {
    let pool = pool().await;
    let code = code(&pool, &[("scope", "https://api.test/orders/read")]).await;
    let answer = exchange(&pool, &code, VERIFIER).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.get("id_token"), None);
    assert_eq!(claims(&answer.body["access_token"])["scope"], "https://api.test/orders/read");
    let info = user_info(&pool, text(&answer, "access_token")).await;
    assert_eq!(info.status, 401);
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", text(&answer, "refresh_token"))];
    assert_eq!(token(&pool, &refresh).await.body.get("id_token"), None);
}

#[tokio::test]
async fn request_without_scope_gets_all_scopes_of_the_client() {
    let pool = pool().await;
    let code = code(&pool, &[("scope", "")]).await;
    let answer = exchange(&pool, &code, VERIFIER).await;
    assert_eq!(
        claims(&answer.body["access_token"])["scope"],
        "openid email profile aws.cognito.signin.user.admin https://api.test/orders/read"
    );
}

#[tokio::test]
async fn user_info_returns_the_attributes_of_the_scopes() {
    let pool = pool().await;
    let code = code(&pool, &[]).await;
    let answer = exchange(&pool, &code, VERIFIER).await;
    let info = user_info(&pool, text(&answer, "access_token")).await;
    assert_eq!(info.status, 200);
    let sub = claims(&answer.body["id_token"])["sub"].clone();
    assert_eq!(
        info.body,
        json!({
            "sub": sub, "username": "alice", "email": "alice@example.com", "email_verified": "true",
        })
    );
    // An ID token and an access token from a sign-in through the API are rejected.
    assert_eq!(user_info(&pool, text(&answer, "id_token")).await.status, 401);
    assert_eq!(user_info(&pool, &pool.token("alice").sign()).await.status, 401);
    let address = format!("http://{}/oauth2/userInfo", pool.address());
    let response = reqwest::get(address).await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["www-authenticate"],
        "error=\"invalid_request\", error_description=\"Bad OAuth2 request at UserInfo Endpoint\""
    );
    let input = json!({ "UserPoolId": pool.id().to_string(), "Username": "alice" });
    call(&pool, "AdminUserGlobalSignOut", input).await.unwrap();
    let info = user_info(&pool, text(&answer, "access_token")).await;
    assert_eq!(info.status, 401);
    assert_eq!(
        info.headers["www-authenticate"],
        "error=\"invalid_token\", error_description=\"Access token is expired, disabled, or deleted, or the user \
         has globally signed out.\""
    );
}

#[tokio::test]
async fn refresh_keeps_scopes_and_auth_time() {
    let pool = pool().await;
    let code = code(&pool, &[("nonce", "n1")]).await;
    let first = exchange(&pool, &code, VERIFIER).await;
    pool.advance(Duration::from_secs(600));
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", text(&first, "refresh_token"))];
    let second = token(&pool, &refresh).await;
    assert_eq!(second.status, 200);
    assert_eq!(second.body.get("refresh_token"), None);
    let (before, after) =
        (claims(&first.body["access_token"]), claims(&second.body["access_token"]));
    assert_eq!(before["scope"], after["scope"]);
    assert_eq!(before["auth_time"], after["auth_time"]);
    assert_eq!(before["origin_jti"], after["origin_jti"]);
    assert_ne!(before["jti"], after["jti"]);
    let bad = [("grant_type", "refresh_token"), ("refresh_token", "a.b.c.d.e")];
    assert_error(&token(&pool, &bad).await, 400, "invalid_grant");
    // A refresh token of another client is rejected.
    let stolen =
        post(&pool, "/oauth2/token", Some(("server", "a secret: with+signs%")), &refresh).await;
    assert_error(&stolen, 400, "invalid_grant");
}

#[tokio::test]
async fn client_secret_is_accepted_once_from_header_or_form() {
    let pool = pool().await;
    let other = [("client_id", "server"), ("code_challenge", ""), ("code_challenge_method", "")];
    let secret = "a secret: with+signs%";
    let good = code(&pool, &other).await;
    let form = vec![("grant_type", "authorization_code"), ("code", &*good), ("redirect_uri", BACK)];
    let with = |more: &[(&'static str, &'static str)]| [&form[..], more].concat();
    let id = ("client_id", "server");
    for (basic, form) in [
        (None, with(&[id])),
        (None, with(&[id, ("client_secret", "wrong")])),
        (Some(("server", "wrong")), form.clone()),
        (Some(("nobody", secret)), form.clone()),
        (Some((pool.client_id(), secret)), form.clone()),
    ] {
        assert_error(&post(&pool, "/oauth2/token", basic, &form).await, 400, "invalid_client");
    }
    for (basic, form) in [
        (None, form.clone()),
        (Some(("server", secret)), with(&[("client_secret", secret)])),
        (Some(("server", secret)), with(&[("client_id", "machine")])),
    ] {
        assert_error(&post(&pool, "/oauth2/token", basic, &form).await, 400, "invalid_request");
    }
    let answer = post(&pool, "/oauth2/token", Some(("server", secret)), &with(&[id])).await;
    assert_eq!(answer.status, 200);
    // With rotation, a refresh returns a new refresh token, and the old one is invalid.
    let refresh = |token| vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    let old = text(&answer, "refresh_token");
    let body = [&refresh(old)[..], &[id, ("client_secret", secret)]].concat();
    let next = post(&pool, "/oauth2/token", None, &body).await;
    let current = text(&next, "refresh_token");
    assert_ne!(current, old);
    // Reuse of a token revokes the session, even if the request also has a wrong resource.
    let reused = [&body[..], &[("resource", "https://other.test")]].concat();
    assert_error(&post(&pool, "/oauth2/token", None, &reused).await, 400, "invalid_grant");
    assert_error(&post(&pool, "/oauth2/token", None, &body).await, 400, "invalid_grant");
    let current = [&refresh(current)[..], &[id, ("client_secret", secret)]].concat();
    assert_error(&post(&pool, "/oauth2/token", None, &current).await, 400, "invalid_grant");
}

#[tokio::test]
async fn client_credentials_get_scopes_of_resource_servers() {
    let pool = pool().await;
    let ask = |scope: &'static str| {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let pool = &pool;
        async move { post(pool, "/oauth2/token", Some(("machine", "machine-secret")), &form).await }
    };
    let answer = ask("").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.as_object().unwrap().len(), 3);
    let claims = claims(&answer.body["access_token"]);
    assert_eq!(claims["scope"], "https://api.test/orders/read https://api.test/orders/write");
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!("machine"), &json!("machine")));
    let one = ask("https://api.test/orders/read").await;
    let verifier = tower_cognito::Verifier::builder(
        tower_cognito::Pool::custom(pool.issuer(), pool.jwks_uri()).access_tokens(["machine"]),
    );
    let verified = verifier.build().unwrap().verify(text(&one, "access_token")).await.unwrap();
    assert!(verified.has_scope("https://api.test/orders/read"));
    assert!(!verified.has_scope("https://api.test/orders/write"));
    assert_error(&ask("openid").await, 400, "invalid_scope");
    let form = [("grant_type", "client_credentials")];
    assert_error(&token(&pool, &form).await, 400, "unauthorized_client");
    assert_error(&token(&pool, &[("grant_type", "password")]).await, 400, "unsupported_grant_type");
    assert_error(&token(&pool, &[]).await, 400, "invalid_request");
}

#[tokio::test]
async fn revoking_a_refresh_token_revokes_its_access_tokens() {
    let pool = pool().await;
    let code = code(&pool, &[]).await;
    let answer = exchange(&pool, &code, VERIFIER).await;
    let (access, refresh) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    let revoke = |token: &str| {
        let form = [("client_id", pool.client_id().to_owned()), ("token", token.to_owned())];
        let pool = &pool;
        async move {
            let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
            post(pool, "/oauth2/revoke", None, &form).await
        }
    };
    assert_error(&revoke("").await, 400, "invalid_request");
    // The endpoint and the API operation follow the same rule.
    for token in [access, "garbage", "a.b.c.d"] {
        assert_error(&revoke(token).await, 400, "unsupported_token_type");
        let input = json!({ "ClientId": pool.client_id(), "Token": token });
        let error = call(&pool, "RevokeToken", input).await.unwrap_err();
        assert_eq!(error.0, "UnsupportedTokenTypeException", "{token}");
    }
    let other = [("client_id", "server"), ("token", refresh)];
    assert_error(&post(&pool, "/oauth2/revoke", None, &other).await, 401, "invalid_client");
    assert_eq!(user_info(&pool, access).await.status, 200);
    for _ in 0..2 {
        assert_eq!(revoke(refresh).await.status, 200);
    }
    assert_eq!(revoke("a.b.c.d.e").await.status, 200);
    assert_eq!(user_info(&pool, access).await.status, 401);
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_error(&token(&pool, &form).await, 400, "invalid_grant");
}

#[tokio::test]
async fn browser_stays_signed_in_for_an_hour() {
    let pool = pool().await;
    let mut browser = Browser::new();
    let first = sign_in(&mut browser, &pool, &[]).await.parameter("code").unwrap();
    let first = claims(&exchange(&pool, &first, VERIFIER).await.body["id_token"]);
    pool.advance(Duration::from_secs(59 * 60));
    let page = authorize(&mut browser, &pool, &[("nonce", "n2")]).await;
    let second = page.parameter("code").unwrap();
    let second = claims(&exchange(&pool, &second, VERIFIER).await.body["id_token"]);
    assert_eq!(first["auth_time"], second["auth_time"]);
    assert_eq!(second["nonce"], "n2");
    // The app can require the password again.
    let page = authorize(&mut browser, &pool, &[("prompt", "login")]).await;
    assert_eq!(page.url.path(), "/login");
    pool.advance(Duration::from_secs(60));
    let page = authorize(&mut browser, &pool, &[]).await;
    assert_eq!(page.url.path(), "/login");
}

#[tokio::test]
async fn prompt_login_requires_the_password_on_every_page() {
    let pool = pool().await;
    let mut browser = Browser::new();
    let first = sign_in(&mut browser, &pool, &[]).await.parameter("code").unwrap();
    let first = claims(&exchange(&pool, &first, VERIFIER).await.body["id_token"]);
    pool.advance(Duration::from_secs(60));
    for prompt in ["login", "login consent", "select_account login", " login "] {
        let prompt = [("prompt", prompt)];
        for path in ["/oauth2/authorize", "/login", "/login/continue", "/login/step"] {
            let page = browser.open(url(&pool, path, &authorize_parameters(&pool, &prompt))).await;
            assert!(page.has_form("/login"), "{prompt:?} {path}: {}", page.url);
            assert!(!page.has_form("/login/continue"), "{prompt:?} {path}");
            assert!(!page.body.contains("Continue as"), "{prompt:?} {path}");
        }
        // After a wrong password, the page does not offer to continue without one.
        let page = authorize(&mut browser, &pool, &prompt).await;
        let wrong = [("username", "alice"), ("password", "Wrong-Horse-1")];
        let page = browser.submit(&page, "/login", &wrong).await;
        assert!(page.problem().is_some() && !page.has_form("/login/continue"));
        // The form of a page that was shown without the prompt is rejected.
        let other = browser.open(url(&pool, "/login", &authorize_parameters(&pool, &[]))).await;
        let mut form = other.form("/login/continue");
        form.action =
            url(&pool, "/login/continue", &authorize_parameters(&pool, &prompt)).parse().unwrap();
        let refused = browser.post(&form).await;
        assert_eq!((refused.status.as_u16(), refused.location()), (400, None));
        // The correct password signs the user in.
        let typed = [("username", "alice"), ("password", PASSWORD)];
        let code = browser.submit(&page, "/login", &typed).await.parameter("code").unwrap();
        let next = claims(&exchange(&pool, &code, VERIFIER).await.body["id_token"]);
        assert!(next["auth_time"].as_u64() > first["auth_time"].as_u64());
    }
    // With all other values, a signed-in user gets a code, and the login page offers to continue.
    for prompt in ["", "consent", "select_account", "consent select_account", "LOGIN", "nonsense"] {
        let prompt = [("prompt", prompt)];
        let page = authorize(&mut browser, &pool, &prompt).await;
        assert!(page.parameter("code").is_some(), "{prompt:?}");
        let page = browser.open(url(&pool, "/login", &authorize_parameters(&pool, &prompt))).await;
        let page = browser.submit(&page, "/login/continue", &[]).await;
        assert!(page.parameter("code").is_some(), "{prompt:?}");
    }
}

#[tokio::test]
async fn prompt_none_never_shows_a_page_and_cannot_be_combined() {
    let pool = pool().await;
    let mut signed_in_browser = Browser::new();
    sign_in(&mut signed_in_browser, &pool, &[]).await;
    for path in ["/oauth2/authorize"].into_iter().chain(PAGES) {
        let none = url(&pool, path, &authorize_parameters(&pool, &[("prompt", "none")]));
        let page = Browser::new().open(&none).await;
        assert_eq!(page.parameter("error").as_deref(), Some("login_required"), "{path}");
        assert_eq!(page.parameter("state").as_deref(), Some("st&te"), "{path}");
        let page = signed_in_browser.open(&none).await;
        assert!(page.parameter("code").is_some(), "{path}");
        for prompt in ["none login", "consent none", "none nonsense"] {
            let mixed = url(&pool, path, &authorize_parameters(&pool, &[("prompt", prompt)]));
            let page = signed_in_browser.open(mixed).await;
            assert_eq!(page.parameter("error").as_deref(), Some("invalid_request"), "{path}");
        }
    }
}

#[tokio::test]
async fn login_hint_fills_in_the_user_name() {
    let pool = pool().await;
    for hint in ["alice", "alice@example.com", "\"><script>alert(1)</script>", ""] {
        let page = authorize(&mut Browser::new(), &pool, &[("login_hint", hint)]).await;
        assert_eq!(page.url.path(), "/login");
        assert_eq!(page.form("/login").get("username"), hint);
        assert!(!page.body.contains("<script"));
        let page = Browser::new().open(&page.url).await;
        assert_eq!(page.form("/login").get("username"), hint);
    }
}

#[tokio::test]
async fn global_sign_out_invalidates_codes_but_not_the_browser_session() {
    let pool = pool().await;
    let mut browser = Browser::new();
    let kept = sign_in(&mut browser, &pool, &[]).await.parameter("code").unwrap();
    let input = json!({ "UserPoolId": pool.id().to_string(), "Username": "alice" });
    call(&pool, "AdminUserGlobalSignOut", input).await.unwrap();
    assert_error(&exchange(&pool, &kept, VERIFIER).await, 400, "invalid_grant");
    let next = authorize(&mut browser, &pool, &[]).await.parameter("code").unwrap();
    assert_eq!(exchange(&pool, &next, VERIFIER).await.status, 200);
}

#[tokio::test]
async fn password_change_and_administrator_end_the_browser_session() {
    let pool = pool().await;
    for operation in ["AdminSetUserPassword", "AdminDisableUser"] {
        let mut browser = Browser::new();
        sign_in(&mut browser, &pool, &[]).await;
        let kept = authorize(&mut browser, &pool, &[]).await.parameter("code").unwrap();
        let input = json!({
            "UserPoolId": pool.id().to_string(), "Username": "alice",
            "Password": PASSWORD, "Permanent": true,
        });
        call(&pool, operation, input).await.unwrap();
        assert_eq!(authorize(&mut browser, &pool, &[]).await.url.path(), "/login", "{operation}");
        assert_error(&exchange(&pool, &kept, VERIFIER).await, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn logout_requires_a_registered_uri_and_ends_the_browser_session() {
    let pool = pool().await;
    let mut browser = Browser::new();
    sign_in(&mut browser, &pool, &[]).await;
    let kept = browser.cookies.clone();
    for uri in ["https://evil.test/", "https://app.test/bye/", "https://app.test/bye?x", BACK] {
        let parameters = [("client_id", pool.client_id()), ("logout_uri", uri)];
        let page = browser.open_once(url(&pool, "/logout", &parameters)).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, None), "{uri}");
    }
    assert!(authorize(&mut browser, &pool, &[]).await.parameter("code").is_some());
    let parameters = [("client_id", pool.client_id()), ("logout_uri", "https://app.test/bye")];
    let page = browser.open(url(&pool, "/logout", &parameters)).await;
    assert_eq!(page.url.as_str(), "https://app.test/bye");
    assert_eq!(authorize(&mut browser, &pool, &[]).await.url.path(), "/login");
    // The old cookie is invalid.
    browser.cookies = kept;
    assert_eq!(authorize(&mut browser, &pool, &[]).await.url.path(), "/login");
}

#[tokio::test]
async fn logout_can_continue_with_another_sign_in() {
    let pool = pool().await;
    let mut browser = Browser::new();
    sign_in(&mut browser, &pool, &[]).await;
    let page = browser.open(url(&pool, "/logout", &authorize_parameters(&pool, &[]))).await;
    assert_eq!(page.url.path(), "/login");
    let typed = [("username", "bob"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/login", &typed).await;
    let answer = exchange(&pool, &page.parameter("code").unwrap(), VERIFIER).await;
    assert_eq!(claims(&answer.body["access_token"])["username"], "bob");
}

#[tokio::test]
async fn discovery_lists_local_addresses_for_any_issuer() {
    let pool = UserPool::builder()
        .config(Config::from_toml(CONFIG).unwrap())
        .issuer("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Local0001")
        .start()
        .await
        .unwrap();
    let address =
        format!("http://{}/{}/.well-known/openid-configuration", pool.address(), pool.id());
    let text = reqwest::get(address).await.unwrap().text().await.unwrap();
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["issuer"], pool.issuer());
    for (name, method, status) in [
        ("authorization_endpoint", "GET", 400),
        ("token_endpoint", "POST", 400),
        ("userinfo_endpoint", "GET", 400),
        ("userinfo_endpoint", "POST", 400),
        ("revocation_endpoint", "POST", 400),
        ("end_session_endpoint", "GET", 400),
        ("jwks_uri", "GET", 200),
    ] {
        let request =
            reqwest::Client::new().request(method.parse().unwrap(), found[name].as_str().unwrap());
        assert_eq!(request.send().await.unwrap().status(), status, "{name}");
    }
    let code = code(&pool, &[]).await;
    let answer = exchange(&pool, &code, VERIFIER).await;
    assert_eq!(claims(&answer.body["id_token"])["iss"], pool.issuer());
}

async fn send(
    pool: &UserPool,
    method: &str,
    path: &str,
    kind: Option<&str>,
    body: String,
) -> (u16, http::HeaderMap, String) {
    let address = format!("http://{}{path}", pool.address());
    let mut request = client().request(method.parse().unwrap(), address);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let response = request.body(body).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.text().await.unwrap())
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn invalid_body_gets_json_at_endpoints_and_html_at_pages() {
    let pool = pool().await;
    let page = url(&pool, "", &authorize_parameters(&pool, &[]));
    let query = page.split_once('?').unwrap().1;
    for (kind, body, statuses) in [
        (Some(FORM), format!("code={}", "a".repeat(70_000)), (413, 413)),
        (Some("application/json"), "{}".to_owned(), (400, 400)),
        (Some("text/plain"), "client_id=server".to_owned(), (400, 400)),
        (None, "client_id=server".to_owned(), (400, 400)),
        (Some(FORM), "client_id=%ff&token=x".to_owned(), (400, 403)),
        (Some(FORM), "client_id=a&client_id=a".to_owned(), (400, 403)),
        (Some(FORM), String::new(), (400, 403)),
    ] {
        for path in ["/oauth2/token", "/oauth2/revoke"] {
            let (status, headers, text) = send(&pool, "POST", path, kind, body.clone()).await;
            let body = serde_json::from_str(&text).unwrap_or(Value::Null);
            let answer = Answer { status, headers, body };
            assert_error(&answer, statuses.0, "invalid_request");
        }
        for path in PAGES {
            let address = format!("{path}?{query}");
            let (status, headers, text) = send(&pool, "POST", &address, kind, body.clone()).await;
            assert_eq!(status, statuses.1, "{path} {kind:?}");
            assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{path} {kind:?}");
            assert!(headers.contains_key("content-security-policy"), "{path} {kind:?}");
            assert!(text.starts_with("<!DOCTYPE html>"), "{path} {kind:?}");
        }
    }
    // A parameter of the media type is ignored.
    let kind = Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    let body = encoded(&[("grant_type", "client_credentials"), ("client_id", "machine")]);
    let body = format!("{body}&client_secret=machine-secret");
    assert_eq!(send(&pool, "POST", "/oauth2/token", kind, body).await.0, 200);
}

#[tokio::test]
async fn unsupported_method_gets_405_with_allow() {
    let pool = pool().await;
    let pages =
        ["/login", "/login/continue", "/login/step", "/signup", "/confirm", "/forgotPassword"];
    for (paths, allow, wrong) in [
        (&["/oauth2/token", "/oauth2/revoke"][..], "POST", &["GET", "HEAD", "PUT", "DELETE"][..]),
        (&["/oauth2/userInfo"], "GET,HEAD,POST", &["PUT", "DELETE", "PATCH"]),
        (&["/oauth2/authorize", "/oauth2/idpresponse", "/logout"], "GET", &["HEAD", "POST", "PUT"]),
        (&pages, "GET,HEAD,POST", &["PUT", "DELETE", "OPTIONS"]),
        (&["/error"], "GET,HEAD", &["POST", "PUT"]),
    ] {
        for (path, method) in paths.iter().flat_map(|path| wrong.iter().map(move |m| (path, m))) {
            let (status, headers, text) = send(&pool, method, path, None, String::new()).await;
            assert_eq!(status, 405, "{method} {path}");
            assert_eq!(headers["allow"], allow, "{method} {path}");
            if *method == "HEAD" {
                assert_eq!(text, "");
            } else if allow == "POST" || *path == "/oauth2/userInfo" {
                let body: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(body["error"], "invalid_request", "{method} {path}");
            } else {
                assert!(text.starts_with("<!DOCTYPE html>"), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn head_requests_have_no_side_effects() {
    let pool = pool().await;
    let mut browser = Browser::new();
    sign_in(&mut browser, &pool, &[]).await;
    let bye = [("client_id", pool.client_id()), ("logout_uri", "https://app.test/bye")];
    let cookies: Vec<_> =
        browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for address in [
        url(&pool, "/logout", &bye),
        url(&pool, "/logout", &authorize_parameters(&pool, &[])),
        url(&pool, "/oauth2/authorize", &authorize_parameters(&pool, &[])),
    ] {
        let request = client().head(&address).header("cookie", cookies.join("; "));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 405, "{address}");
        assert!(!response.headers().contains_key("set-cookie"), "{address}");
        assert!(!response.headers().contains_key("location"), "{address}");
        let page = authorize(&mut browser, &pool, &[]).await;
        assert!(page.parameter("code").is_some(), "{address}");
    }
    // A GET request to the same URL signs out.
    browser.open_once(url(&pool, "/logout", &bye)).await;
    assert_eq!(authorize(&mut browser, &pool, &[]).await.url.path(), "/login");
}

#[tokio::test]
async fn basic_credentials_are_accepted_raw_and_form_encoded() {
    let pool = pool().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let header = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let ask = async |lines: &[&str], form: &[(&str, &str)]| {
        let mut request = client()
            .post(format!("http://{}/oauth2/token", pool.address()))
            .header("content-type", FORM)
            .body(encoded(form));
        for line in lines {
            request = request.header("authorization", *line);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        Answer { status, headers, body }
    };
    // Raw as in Cognito's developer guide, and form-encoded as in RFC 6749, section 2.3.1.
    let raw = header("server:a secret: with+signs%");
    let encoded_pair = header("server:a+secret%3A+with%2Bsigns%25");
    let percent = header("ser%76er:a%20secret%3A%20with%2Bsigns%25");
    for line in [&raw, &encoded_pair, &percent, &raw.replace("Basic", "bAsIc")] {
        let answer = ask(&[line], &form).await;
        assert_error(&answer, 400, "invalid_grant");
        let same_client = [&form[..], &[("client_id", "server")]].concat();
        assert_error(&ask(&[line], &same_client).await, 400, "invalid_grant");
        let other_client = [&form[..], &[("client_id", "machine")]].concat();
        assert_error(&ask(&[line], &other_client).await, 400, "invalid_request");
        for secret in ["a secret: with+signs%", "other", ""] {
            let both = [&form[..], &[("client_secret", secret)]].concat();
            assert_error(&ask(&[line], &both).await, 400, "invalid_request");
        }
        assert_error(&ask(&[line, line], &form).await, 400, "invalid_request");
    }
    let by_form = [("client_id", "server"), ("client_secret", "a secret: with+signs%")];
    assert_error(&ask(&[], &[&form[..], &by_form].concat()).await, 400, "invalid_grant");
    for line in [
        header("server:a secret: with signs%"),
        header("server:a+secret:+with+signs%"),
        header("server:"),
        header("server"),
        header(":a secret: with+signs%"),
        header(""),
        "Basic".to_owned(),
        "Basic !".to_owned(),
        raw.replace("Basic", "Bearer"),
    ] {
        assert_error(&ask(&[&line], &form).await, 400, "invalid_client");
    }
    // A client without a secret may use the header too, with an empty password.
    let public = header(&format!("{}:", pool.client_id()));
    assert_error(&ask(&[&public], &form).await, 400, "invalid_grant");
}

#[tokio::test]
async fn codes_tokens_and_browser_sessions_survive_a_restart() {
    let file = DataFile::new("oauth");
    let open = async |address: Option<std::net::SocketAddr>| {
        let builder =
            UserPool::builder().config(Config::from_toml(CONFIG).unwrap()).data(file.path());
        let builder = address.map_or(builder.clone(), |address| builder.address(address));
        builder.issuer("https://pool.test/a").start().await.unwrap()
    };
    let pool = open(None).await;
    let mut browser = Browser::new();
    let bound = [("resource", "https://api.test/orders")];
    let used = sign_in(&mut browser, &pool, &bound).await.parameter("code").unwrap();
    let answer = exchange(&pool, &used, VERIFIER).await;
    let kept = authorize(&mut browser, &pool, &bound).await.parameter("code").unwrap();
    let address = pool.address();
    drop(pool);

    let mut again = None;
    // The port is free once the server's task has ended.
    for _ in 0..100 {
        if std::net::TcpListener::bind(address).is_ok() {
            again = Some(open(Some(address)).await);
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pool = again.unwrap();
    assert_eq!(user_info(&pool, text(&answer, "access_token")).await.status, 200);
    assert!(authorize(&mut browser, &pool, &[]).await.parameter("code").is_some());
    let refresh = text(&answer, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_audience(&pool, &token(&pool, &form).await.body, Some(bound[0].1));
    assert_audience(&pool, &exchange(&pool, &kept, VERIFIER).await.body, Some(bound[0].1));
    assert_error(&exchange(&pool, &used, VERIFIER).await, 400, "invalid_grant");
    assert_eq!(user_info(&pool, text(&answer, "access_token")).await.status, 401);
}

#[tokio::test]
async fn no_input_causes_a_server_error() {
    let pool = pool().await;
    let endpoints = [
        "/oauth2/authorize",
        "/oauth2/token",
        "/oauth2/userInfo",
        "/oauth2/revoke",
        "/oauth2/idpresponse",
        "/logout",
        "/error",
    ];
    let paths: Vec<_> = endpoints.into_iter().chain(PAGES).collect();
    let good = encoded(&authorize_parameters(&pool, &[]));
    let long = format!("{good}&nonce={}", "a".repeat(20_000));
    let bodies = [
        "",
        "=",
        "&&&",
        "%",
        "%ff=%ff",
        "state=%00",
        "grant_type=authorization_code&client_id[]=x",
        "_csrf=x&_csrf=y",
        "challenge=MFA_SETUP&session=x&code=1&user=u&detail=%5B",
        &good,
        &long,
    ];
    let mut tried = 0;
    for path in paths {
        for text in bodies {
            let address = format!("http://{}{path}?{text}", pool.address());
            for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
                let request = client()
                    .request(method.parse().unwrap(), &address)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("authorization", "Basic Og==")
                    .header("cookie", "a; =; cognito=x; ;;")
                    .body(text.to_owned());
                let status = request.send().await.unwrap().status().as_u16();
                assert!(status < 500, "{method} {path} {text:.80}: {status}");
                tried += 1;
            }
        }
    }
    assert!(tried > 800, "{tried}");
}
