//! HTTPS, the certificate, and the addresses of pools that browsers and containers reach in different ways.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, Method, Response, redirect::Policy};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tower_cognito_local::{Config, Tls, UserPool, UserPoolBuilder};

use crate::support::{
    browser::{BACK, Browser, client, encoded, open},
    cognito::call,
};

const CONFIG: &str = r#"
[[aws_cognito_user_pool_client]]
allowed_oauth_flows_user_pool_client = true
allowed_oauth_flows = ["code"]
allowed_oauth_scopes = ["openid"]
callback_urls = ["https://app.test/back"]
supported_identity_providers = ["COGNITO"]

[[aws_cognito_user]]
username = "alice"
password = "Correct-Horse-1"
attributes = { email = "alice@example.com" }
"#;

const TEXT_HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn builder() -> UserPoolBuilder {
    UserPool::builder().config(Config::from_toml(CONFIG).unwrap())
}

async fn tls_pool() -> UserPool {
    builder().tls(Tls::generated()).start().await.unwrap()
}

/// A client that trusts only the pool's certificate authority.
fn trusting(pool: &UserPool) -> ClientBuilder {
    let authority = pool.ca_certificate().unwrap();
    let authority = Certificate::from_pem(authority.as_bytes()).unwrap();
    Client::builder().redirect(Policy::none()).no_proxy().tls_certs_only([authority])
}

/// Returns the texts of all causes of an error.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

fn discovery_path(pool: &UserPool) -> String {
    format!("/{}/.well-known/openid-configuration", pool.id())
}

/// Fetches the discovery document over plain HTTP under a host name.
async fn discovery_at(pool: &UserPool, host: &str) -> Value {
    let url = format!("http://{}{}", pool.address(), discovery_path(pool));
    json(Client::new().get(url).header("host", host).send().await.unwrap()).await
}

/// Sends a request under a host name and returns the status, the body and the `Location` header.
async fn get_at(
    address: SocketAddr,
    path: &str,
    host: &str,
    headers: &[(&str, &str)],
) -> (u16, String, Option<String>) {
    let mut request = client().get(format!("http://{address}{path}")).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let location = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (response.status().as_u16(), response.text().await.unwrap(), location)
}

#[tokio::test]
async fn https_needs_trust_in_the_certificate_authority_of_the_pool() {
    let pool = tls_pool().await;
    let url = format!("{}{}", pool.endpoint(), discovery_path(&pool));
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let response = trusting(&pool).build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(response.status(), 200);

    let other = Client::builder().no_proxy().build().unwrap();
    let error = other.get(&url).send().await.unwrap_err();
    assert!(causes(&error).contains("UnknownIssuer"), "{}", causes(&error));
}

#[tokio::test]
async fn certificate_is_valid_for_the_names_of_the_pool_and_for_no_other() {
    let pool = builder()
        .tls(Tls::generated())
        .allow_host("Cognito")
        .issuer("https://issuer.test/us-east-1_Local0001")
        .public_url("https://public.test:9229")
        .start()
        .await
        .unwrap();
    let get = async |host: &str| {
        let client = trusting(&pool).resolve(host, pool.address()).build().unwrap();
        let port = pool.address().port();
        client.get(format!("https://{host}:{port}/_local/health")).send().await
    };
    for host in ["localhost", "cognito", "issuer.test", "public.test", "127.0.0.1"] {
        assert_eq!(get(host).await.unwrap().status(), 200, "{host}");
    }
    for host in ["evil.test", "sub.cognito"] {
        let error = causes(&get(host).await.unwrap_err());
        assert!(error.contains("certificate not valid for name"), "{host}: {error}");
    }
}

#[tokio::test]
async fn tokens_and_discovery_of_a_pool_with_tls_have_https_addresses() {
    let pool = tls_pool().await;
    let endpoint = pool.endpoint();
    assert_eq!(pool.issuer(), format!("{endpoint}/{}", pool.id()));
    let client = trusting(&pool).build().unwrap();
    let found =
        json(client.get(format!("{endpoint}{}", discovery_path(&pool))).send().await.unwrap())
            .await;
    assert_eq!(found["issuer"], pool.issuer());
    for (name, method, status) in [
        ("authorization_endpoint", Method::GET, 400),
        ("end_session_endpoint", Method::GET, 400),
        ("token_endpoint", Method::POST, 400),
        ("userinfo_endpoint", Method::GET, 400),
        ("revocation_endpoint", Method::POST, 400),
        ("jwks_uri", Method::GET, 200),
    ] {
        let url = found[name].as_str().unwrap();
        assert!(url.starts_with(&format!("{endpoint}/")), "{name}: {url}");
        assert_eq!(client.request(method, url).send().await.unwrap().status(), status, "{name}");
    }
}

#[tokio::test]
async fn plain_http_on_the_same_port_serves_the_api_and_a_verifier() {
    let pool = tls_pool().await;
    let input = serde_json::json!({
        "ClientId": pool.client_id(), "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "alice", "PASSWORD": "Correct-Horse-1" },
    });
    let answer = call(&pool, "InitiateAuth", input).await.unwrap();
    let token = answer["AuthenticationResult"]["AccessToken"].as_str().unwrap();
    // The verifier fetches the keys.
    let claims = pool.verifier().build().unwrap().verify(token).await.unwrap();
    assert_eq!(claims.username(), Some("alice"));
    assert_eq!(pool.fetches(), 1);
    // The client may not trust the certificate, so its addresses are plain HTTP, except for those of browsers.
    let found = discovery_at(&pool, "cognito:9229").await;
    assert_eq!(found["token_endpoint"], "http://cognito:9229/oauth2/token");
    assert_eq!(found["authorization_endpoint"], "https://cognito:9229/oauth2/authorize");
}

#[tokio::test]
async fn hosted_pages_of_a_pool_with_tls_use_https_and_secure_cookies() {
    let pool = tls_pool().await;
    // Over plain HTTP, pages redirect to HTTPS at the same host.
    let path = "/login?client_id=a&state=b";
    let (status, _, location) = get_at(pool.address(), path, "localhost:9229", &[]).await;
    assert_eq!((status, location.unwrap()), (307, format!("https://localhost:9229{path}")));

    let mut browser = Browser::with_client("127.0.0.1", trusting(&pool).build().unwrap());
    let query = [
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid"),
    ];
    let start = format!("{}/oauth2/authorize?{}", pool.endpoint(), encoded(&query));
    let page = browser.open(&start).await;
    assert_eq!((page.url.scheme(), page.url.path()), ("https", "/login"));
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.split("; ").any(|part| part == "Secure"), "{cookie}");
    let typed = [("username", "alice"), ("password", "Correct-Horse-1")];
    let page = browser.submit(&page, "/login", &typed).await;
    assert!(page.parameter("code").is_some(), "{}", page.url);

    // Without TLS, browsers would not store secure cookies.
    let plain = builder().start().await.unwrap();
    let page = open(&mut Browser::new(), &plain, "/login", "code").await;
    let cookie = page.headers["set-cookie"].to_str().unwrap();
    assert!(!cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn authority_is_served_under_any_host_name_and_signs_all_pools_of_the_process() {
    let (pool, other) = (tls_pool().await, tls_pool().await);
    let (status, pem, _) = get_at(pool.address(), "/_local/ca.pem", "cognito:9229", &[]).await;
    assert_eq!((status, Some(pem.as_str())), (200, pool.ca_certificate()));
    assert!(!pem.contains("PRIVATE"));
    let client = trusting(&pool).build().unwrap();
    let health = format!("{}/_local/health", other.endpoint());
    assert_eq!(client.get(health).send().await.unwrap().status(), 200);

    let plain = builder().start().await.unwrap();
    assert_eq!(plain.ca_certificate(), None);
    assert_eq!(get_at(plain.address(), "/_local/ca.pem", "localhost", &[]).await.0, 404);
}

#[tokio::test]
async fn users_sign_in_at_a_provider_that_is_another_pool_with_tls() {
    let corp =
        builder().tls(Tls::generated()).pool_id("us-east-1_Corp00001").start().await.unwrap();
    let config = format!(
        r#"
        [[aws_cognito_user_pool_client]]
        allowed_oauth_flows_user_pool_client = true
        allowed_oauth_flows = ["code"]
        allowed_oauth_scopes = ["openid"]
        callback_urls = ["https://app.test/back"]
        supported_identity_providers = ["Corp"]

        [[aws_cognito_identity_provider]]
        provider_name = "Corp"
        provider_type = "OIDC"
        provider_details = {{ client_id = "{}", oidc_issuer = "{}", authorize_scopes = "openid" }}
        "#,
        corp.client_id(),
        corp.issuer(),
    );
    let config = Config::from_toml(&config).unwrap();
    let pool = UserPool::builder().config(config).tls(Tls::generated()).start().await.unwrap();
    let input = serde_json::json!({
        "UserPoolId": corp.id().as_str(), "ClientId": corp.client_id(),
        "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"], "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": [format!("{}/oauth2/idpresponse", pool.endpoint())],
    });
    call(&corp, "UpdateUserPoolClient", input).await.unwrap();
    let mut browser = Browser::with_client("127.0.0.1", trusting(&pool).build().unwrap());
    let query = [
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("identity_provider", "Corp"),
    ];
    let page =
        browser.open(format!("{}/oauth2/authorize?{}", pool.endpoint(), encoded(&query))).await;
    assert_eq!(page.url.port(), Some(corp.address().port()), "{}", page.url);
    let typed = [("username", "alice"), ("password", "Correct-Horse-1")];
    let page = browser.submit(&page, "/login", &typed).await;
    assert!(page.parameter("code").is_some(), "{}", page.url);
}

#[tokio::test]
async fn provided_certificate_is_served_and_must_belong_to_its_key() {
    let name = rcgen::generate_simple_self_signed(vec!["pool.test".to_owned()]).unwrap();
    let (certificate, key) = (name.cert.pem(), name.signing_key.serialize_pem());
    let pool =
        builder().tls(Tls::from_pem(certificate.as_str(), key.as_str())).start().await.unwrap();
    assert_eq!(pool.ca_certificate(), None);
    let root = Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = Client::builder().no_proxy().tls_certs_only([root]);
    let client = client.resolve("pool.test", pool.address()).build().unwrap();
    let url = format!("https://pool.test:{}/_local/health", pool.address().port());
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);

    let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
    for (certificate, key, expected) in [
        (certificate.as_str(), other.as_str(), "invalid TLS certificate or key"),
        (certificate.as_str(), "", "the TLS key is not a private key in PEM"),
        ("", key.as_str(), "the TLS certificate has no PEM section CERTIFICATE"),
    ] {
        let error = builder().tls(Tls::from_pem(certificate, key)).start().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!error.to_string().contains("PRIVATE"));
    }
}

#[tokio::test]
async fn connections_of_a_pool_with_tls_end_when_it_is_dropped() {
    let pool = tls_pool().await;
    // The first connection has sent nothing, so its protocol is not known. The request of the second one is incomplete.
    let mut silent = TcpStream::connect(pool.address()).await.unwrap();
    let mut incomplete = TcpStream::connect(pool.address()).await.unwrap();
    incomplete.write_all(b"GET /_local/health HTTP/1.1\r\n").await.unwrap();
    assert_eq!(get_at(pool.address(), "/_local/health", "localhost", &[]).await.0, 200);
    drop(pool);
    for stream in [&mut silent, &mut incomplete] {
        let end = timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
        assert!(end.is_ok(), "the connection is still open");
    }
}

#[tokio::test]
async fn apps_use_the_host_of_their_request_and_browsers_the_public_url() {
    let pool = builder().public_url("http://localhost:8080").start().await.unwrap();
    let port = pool.address().port();
    assert_eq!(pool.endpoint(), "http://localhost:8080");
    assert_eq!(pool.issuer(), format!("http://localhost:8080/{}", pool.id()));
    assert_eq!(
        pool.jwks_uri(),
        format!("http://127.0.0.1:{port}/{}/.well-known/jwks.json", pool.id())
    );
    for host in ["cognito:9229", "localhost:8080", "10.0.2.2:1234"] {
        let found = discovery_at(&pool, host).await;
        for name in ["token_endpoint", "userinfo_endpoint", "revocation_endpoint", "jwks_uri"] {
            let url = found[name].as_str().unwrap();
            assert!(url.starts_with(&format!("http://{host}/")), "{name}: {url}");
        }
        for name in ["authorization_endpoint", "end_session_endpoint"] {
            let url = found[name].as_str().unwrap();
            assert!(url.starts_with("http://localhost:8080/"), "{name}: {url}");
        }
    }
    // Without a public URL, all addresses have the host of the request, with any port.
    let pool = builder().start().await.unwrap();
    let found = discovery_at(&pool, "localhost:8080").await;
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert!(found[name].as_str().unwrap().starts_with("http://localhost:8080/"), "{name}");
    }
}

#[tokio::test]
async fn reverse_proxy_that_accepts_tls_needs_only_the_public_url() {
    let pool = builder().public_url("https://auth.test").start().await.unwrap();
    let found = discovery_at(&pool, "auth.test").await;
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        assert!(found[name].as_str().unwrap().starts_with("https://auth.test/"), "{name}");
    }
    // The proxy may replace the host of the request.
    let mut browser = Browser::new();
    browser.origin = Some("https://auth.test");
    let page = open(&mut browser, &pool, "/login", "code").await;
    let typed = [("username", "alice"), ("password", "Correct-Horse-1")];
    assert!(browser.submit(&page, "/login", &typed).await.parameter("code").is_some());
    browser.origin = Some("https://evil.test");
    let page = open(&mut Browser::new(), &pool, "/login", "code").await;
    assert_eq!(browser.submit(&page, "/login", &typed).await.status, 403);
}

#[tokio::test]
async fn allowed_hosts_can_use_the_console_and_the_operations_of_administrators() {
    let pool = builder()
        .allow_host("cognito")
        .allow_host("admin.test")
        .issuer("http://issuer.test:9229/us-east-1_Local0001")
        .start()
        .await
        .unwrap();
    let own = pool.address();
    for host in ["cognito:9229", "COGNITO", "admin.test:80", "issuer.test:9229"] {
        assert_eq!(get_at(own, "/_local/", host, &[]).await.0, 200, "{host}");
    }
    let list = async |origin: &str| {
        let request = Client::new().post(format!("http://{own}/"));
        let request = request.header("origin", origin).body(r#"{"MaxResults":1}"#);
        let operation = "AWSCognitoIdentityProviderService.ListUserPools";
        let response = request.header("x-amz-target", operation).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for origin in ["http://cognito:3000", "https://admin.test"] {
        let page = [("origin", origin)];
        assert_eq!(get_at(own, "/_local/messages", "cognito:9229", &page).await.0, 200, "{origin}");
        assert_eq!(list(origin).await.0, 200, "{origin}");
    }
    for name in ["other", "cognito.evil.test", "evil.cognito"] {
        let (status, text, _) = get_at(own, "/_local/", &format!("{name}:9229"), &[]).await;
        assert_eq!(status, 403, "{name}");
        assert!(text.contains(&format!("start the pool with --allow-host {name}.")), "{text}");
        let origin = format!("http://{name}:3000");
        let page = [("origin", origin.as_str())];
        let (status, text, _) = get_at(own, "/_local/messages", "cognito:9229", &page).await;
        assert_eq!(status, 403, "{name}");
        assert!(text.contains(&format!("start the pool with --allow-host {name}.")), "{text}");
        let (status, text) = list(&origin).await;
        assert_eq!(status, 400);
        assert!(text.contains("AccessDeniedException") && text.contains("--allow-host"), "{text}");
    }
    // Browsers get a page.
    let browser = [("accept", TEXT_HTML)];
    let (status, page, _) = get_at(own, "/_local/", "other:9229", &browser).await;
    assert_eq!(status, 403);
    assert!(page.contains("<code>--allow-host other</code>"), "{page}");
}

#[tokio::test]
async fn pool_on_all_addresses_shows_the_console_at_any_ip_address() {
    let address = SocketAddr::from(([0, 0, 0, 0], 0));
    let all = builder().serve(address).await.unwrap();
    let own = SocketAddr::from(([127, 0, 0, 1], all.address().port()));
    let loopback = builder().start().await.unwrap();
    for (host, expected) in [("192.168.1.7:9229", 200), ("cognito:9229", 403)] {
        assert_eq!(get_at(own, "/_local/", host, &[]).await.0, expected, "{host}");
        assert_eq!(get_at(loopback.address(), "/_local/", host, &[]).await.0, 403, "{host}");
    }
}

#[tokio::test]
async fn invalid_addresses_are_rejected_with_what_is_expected() {
    for (builder, expected) in [
        (builder().allow_host("http://cognito"), "without scheme and port"),
        (builder().allow_host("cognito:9229"), "without scheme and port"),
        (builder().allow_host(""), "without scheme and port"),
        (builder().public_url("localhost:9229"), "expected http:// or https:// and a host"),
        (builder().public_url("http://localhost:9229/a"), "without a path"),
        (
            builder().public_url("http://localhost:9229").tls(Tls::generated()),
            "must start with https://",
        ),
    ] {
        let error = builder.start().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn address_of_the_server_leads_browsers_to_the_console_and_api_clients_to_an_error() {
    let pool = builder().start().await.unwrap();
    let get = async |accept| get_at(pool.address(), "/", "localhost", &[("accept", accept)]).await;
    let (status, _, location) = get(TEXT_HTML).await;
    assert_eq!((status, location.as_deref()), (303, Some("/_local/")));
    for accept in ["*/*", "application/json"] {
        let (status, body, location) = get(accept).await;
        assert_eq!((status, location), (405, None));
        assert!(body.contains("The API accepts only POST requests."), "{body}");
    }
}
