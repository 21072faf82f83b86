//! The pages and endpoints under `/_local/`, and who can access them.

use serde_json::{Value, json};
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    browser::{Browser, Page},
    cognito::call,
};

async fn get(pool: &UserPool, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = reqwest::Client::new().get(format!("http://{}{path}", pool.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn list(pool: &UserPool, query: &str) -> Vec<Value> {
    let (status, text) = get(pool, &format!("/_local/messages{query}"), &[]).await;
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

async fn sign_up(pool: &UserPool, name: &str, email: &str) -> String {
    let input = json!({
        "ClientId": pool.client_id(),
        "Username": name,
        "Password": "Correct-Horse-1",
        "UserAttributes": [{ "Name": "email", "Value": email }],
    });
    let answer = call(pool, "SignUp", input).await.unwrap();
    answer["UserSub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn messages_are_found_by_name_sub_and_address_newest_first() {
    let pool = UserPool::start().await.unwrap();
    let sub = sign_up(&pool, "alice", "jane+x@example.com").await;
    sign_up(&pool, "bob", "bob@example.com").await;
    let input = json!({ "ClientId": pool.client_id(), "Username": "alice" });
    call(&pool, "ResendConfirmationCode", input).await.unwrap();

    let found = list(&pool, "?username=alice").await;
    assert_eq!(found.len(), 2);
    let newest = found[0].as_object().unwrap();
    let names: Vec<_> = newest.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["at", "body", "code", "destination", "link", "medium", "subject", "username"]
    );
    let code = newest["code"].as_str().unwrap();
    assert_eq!(newest["body"], format!("Your confirmation code is {code}"));
    assert_eq!(newest["subject"], "Your verification code");
    assert_eq!(newest["medium"], "EMAIL");
    assert_eq!(newest["destination"], "jane+x@example.com");
    assert!(found[0]["at"].as_f64() >= found[1]["at"].as_f64());
    let input =
        json!({ "ClientId": pool.client_id(), "Username": "alice", "ConfirmationCode": code });
    call(&pool, "ConfirmSignUp", input).await.unwrap();

    for name in [sub.as_str(), "ALICE", "jane%2Bx@example.com"] {
        assert_eq!(list(&pool, &format!("?username={name}")).await, found, "{name}");
    }
    assert_eq!(list(&pool, "").await.len(), 3);
    assert_eq!(list(&pool, &format!("?username=bob&pool={}", pool.id())).await.len(), 1);
    assert_eq!(get(&pool, "/_local/messages?pool=us-east-1_Nowhere00", &[]).await.0, 404);
}

#[tokio::test]
async fn messages_use_the_texts_of_the_pool() {
    let config = Config::from_toml(
        "[aws_cognito_user_pool]\nemail_verification_subject = \"Hello\"\n\
         email_verification_message = \"Type {####} here\"\n",
    );
    let pool = UserPool::builder().config(config.unwrap()).start().await.unwrap();
    sign_up(&pool, "alice", "a@example.com").await;
    let found = list(&pool, "?username=alice").await;
    assert_eq!(found[0]["subject"], "Hello");
    assert_eq!(found[0]["body"], format!("Type {} here", found[0]["code"].as_str().unwrap()));
}

#[tokio::test]
async fn pages_of_other_sites_cannot_read_codes() {
    let pool = UserPool::start().await.unwrap();
    sign_up(&pool, "alice", "a@example.com").await;
    let port = pool.address().port();
    for path in ["/_local", "/_local/", "/_local/messages"] {
        for host in ["evil.example", &format!("evil.example:{port}"), "localhost.evil.example", ""]
        {
            let (status, text) = get(&pool, path, &[("host", host)]).await;
            assert_eq!(status, 403, "{path} at {host}");
            assert!(!text.contains("alice"));
        }
        for origin in ["https://evil.example", "null"] {
            assert_eq!(get(&pool, path, &[("origin", origin)]).await.0, 403, "{path} {origin}");
        }
        for host in ["localhost", &format!("localhost:{port}"), &format!("[::1]:{port}")] {
            assert_eq!(get(&pool, path, &[("host", host)]).await.0, 200, "{path} at {host}");
        }
        let own = [("origin", "http://localhost:3000")];
        assert_eq!(get(&pool, path, &own).await.0, 200);
    }
}

#[tokio::test]
async fn page_escapes_all_data_and_runs_no_scripts() {
    let pool = UserPool::start().await.unwrap();
    sign_up(&pool, "<script>alert(1)</script>", "a@example.com").await;
    let (status, html) = get(&pool, "/_local/", &[]).await;
    assert_eq!(status, 200);
    assert!(!html.contains("<script"), "{html}");
    for part in ["&lt;script&gt;", "Users", "Groups", "Sessions", "Messages", "UNCONFIRMED"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(html.contains(list(&pool, "").await[0]["code"].as_str().unwrap()));
    assert!(html.contains("<html lang=\"en\">") && html.contains("name=\"viewport\""));
    let response = reqwest::get(format!("http://{}/_local/", pool.address())).await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn forms_of_the_page_confirm_sign_out_and_advance_the_clock() {
    let pool = UserPool::start().await.unwrap();
    sign_up(&pool, "alice", "a@example.com").await;
    let mut browser = Browser::new();
    let page = browser.open(format!("http://{}/_local/", pool.address())).await;
    let form = |page: &Page, action: &str| {
        let field = format!("name=\"action\" value=\"{action}\"");
        let form = page.body.split("<form ").find(|form| form.contains(&field)).unwrap();
        let only = format!("<form {}</form>", form.split("</form>").next().unwrap());
        let url = page.url.clone();
        Page { url, status: page.status, headers: page.headers.clone(), body: only }
            .form("/_local/actions")
    };
    let confirm = form(&page, "confirm");
    assert_eq!(browser.post(&confirm).await.status, 303);
    let sign_in = json!({
        "ClientId": pool.client_id(), "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": "Correct-Horse-1" },
    });
    let tokens = call(&pool, "InitiateAuth", sign_in).await.unwrap();
    assert_eq!(browser.post(&confirm).await.status, 400, "the user is already confirmed");

    assert_eq!(browser.post(&form(&page, "sign_out")).await.status, 303);
    let token = &tokens["AuthenticationResult"]["AccessToken"];
    call(&pool, "GetUser", json!({ "AccessToken": token })).await.unwrap_err();

    let before = pool.time();
    let mut advance = form(&page, "advance");
    advance.set("seconds", "3600");
    assert_eq!(browser.post(&advance).await.status, 303);
    assert!(pool.time().duration_since(before).unwrap().as_secs() >= 3600);
    for seconds in ["", "-1", "soon", "999999999999"] {
        advance.set("seconds", seconds);
        assert_eq!(browser.post(&advance).await.status, 400, "{seconds}");
    }
}

#[tokio::test]
async fn form_from_another_page_is_rejected() {
    let pool = UserPool::start().await.unwrap();
    sign_up(&pool, "alice", "a@example.com").await;
    let mut browser = Browser::new();
    let page = browser.open(format!("http://{}/_local/", pool.address())).await;
    let mut good = page.form("/_local/actions");
    good.set("action", "confirm");
    good.set("username", "alice");
    let mut without = good.clone();
    without.remove("_csrf");
    assert_eq!(browser.post(&without).await.status, 403);
    assert_eq!(Browser::new().post(&good).await.status, 403, "another browser");
    for origin in ["https://evil.test", "null", "http://localhost:3000"] {
        browser.origin = Some(origin);
        assert_eq!(browser.post(&good).await.status, 403, "{origin}");
    }
    browser.origin = None;
    assert_eq!(browser.post(&good).await.status, 303);
}

#[tokio::test]
async fn only_this_machine_can_advance_the_clock() {
    let pool = UserPool::start().await.unwrap();
    let before = pool.time();
    let clock = format!("http://{}/_local/clock", pool.address());
    let post = |body: &'static str, kind: &'static str, origin: &'static str| {
        let request = reqwest::Client::new().post(&clock).header("content-type", kind);
        request.header("origin", origin).body(body).send()
    };
    let (json, here) = ("application/json", "http://localhost:3000");
    for (body, kind, origin, status) in [
        (r#"{"advance_seconds":7200}"#, json, "https://evil.example", 403),
        (r#"{"advance_seconds":7200}"#, json, "null", 403),
        (r#"{"advance_seconds":7200}"#, "text/plain", here, 415),
        (r#"{"advance_seconds":-1}"#, json, here, 422),
        (r#"{"seconds":7200}"#, json, here, 422),
        (r#"{"advance_seconds":18446744073709551615}"#, json, here, 400),
        ("{", json, here, 400),
    ] {
        assert_eq!(post(body, kind, origin).await.unwrap().status(), status, "{body} {kind}");
    }
    assert!(pool.time().duration_since(before).unwrap().as_secs() < 7200);

    let answer = post(r#"{"advance_seconds":7200}"#, json, here).await.unwrap();
    let times: Value = answer.json().await.unwrap();
    assert!(pool.time().duration_since(before).unwrap().as_secs() >= 7200);
    let seconds = |time: std::time::SystemTime| {
        time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
    };
    let reported = times[pool.id().as_str()].as_f64().unwrap();
    assert!(reported >= seconds(before) + 7200.0 - 0.01 && reported <= seconds(pool.time()) + 0.01);
    let (status, text) = get(&pool, "/_local/clock", &[]).await;
    assert!(status == 200 && text.contains(pool.id().as_str()));
    let elsewhere = [("host", "evil.example")];
    assert_eq!(get(&pool, "/_local/clock", &elsewhere).await.0, 403);
    // Requests can advance the clock by ten years in total.
    for status in [200, 400] {
        let answer = post(r#"{"advance_seconds":300000000}"#, json, here).await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn cors_is_allowed_only_for_endpoints_of_apps() {
    let pool = UserPool::start().await.unwrap();
    let origin = "http://localhost:5173";
    let ask = |path: &str| {
        let url = format!("http://{}{path}", pool.address());
        reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,x-amz-target")
            .send()
    };
    let documents = ["jwks.json", "openid-configuration"]
        .map(|document| format!("/{}/.well-known/{document}", pool.id()));
    let [keys, discovery] = documents.each_ref().map(String::as_str);
    for path in ["/", "/oauth2/token", "/oauth2/userInfo", "/oauth2/revoke", keys, discovery] {
        let answer = ask(path).await.unwrap();
        assert_eq!(answer.status(), 204, "{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        let allowed = answer.headers()["access-control-allow-headers"].to_str().unwrap();
        for name in ["content-type", "x-amz-target", "x-amz-user-agent", "amz-sdk-request"] {
            assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
        }
    }
    // No route serves the last two paths.
    for path in [
        "/_local/messages",
        "/_local/clock",
        "/login",
        "/logout",
        "/oauth2/authorize",
        "/oauth2/idpresponse",
        "/a/b/.well-known/jwks.json",
        "/.well-known/openid-configuration",
    ] {
        let answer = ask(path).await.unwrap();
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path}");
        assert_ne!(answer.status(), 204, "{path}");
    }
    // Errors are read too.
    let answer = reqwest::Client::new()
        .post(format!("http://{}/", pool.address()))
        .header("origin", origin)
        .header("x-amz-target", "AWSCognitoIdentityProviderService.GetUser")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("x-amzn-errortype"));
}
