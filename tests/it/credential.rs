//! The places of a request that tokens are read from.

use http::{HeaderValue, Request, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, CognitoLayer, Verified, Verifier, service::Credential,
};
use tower_cognito_local::UserPool;

/// Returns the headers that the inner service received, as `Debug` prints them, and whether the request had claims; or
/// the kind of error that the layer returned.
async fn seen(layer: &CognitoLayer, request: Request<()>) -> Result<(String, bool), AuthErrorKind> {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let known = request.extensions().get::<Verified>().is_some();
        let headers = format!("{:?}", request.headers());
        let mut response = http::Response::new(String::new());
        response.extensions_mut().insert((headers, known));
        Ok::<_, std::convert::Infallible>(response)
    }));
    let response = service.oneshot(request).await.unwrap();
    match response.extensions().get::<AuthError>() {
        Some(error) => Err(error.kind()),
        None => Ok(response.extensions().get::<(String, bool)>().unwrap().clone()),
    }
}

fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::builder().uri(uri).body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request
}

#[tokio::test]
async fn configured_place_is_read_and_its_header_marked_sensitive() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let bearer = format!("Bearer {token}");
    let cookies = format!("a=b; id={token}; c");
    let protocols = format!("chat, bearer, {token}");
    let query = format!("/x?a=b&access_token={token}&c=d");
    let cases = [
        (Credential::authorization(), request("/", &[("authorization", &bearer)])),
        (Credential::cookie("id").unwrap(), request("/", &[("cookie", &cookies)])),
        (
            Credential::cookie("id").unwrap(),
            request("/", &[("cookie", "x=y"), ("cookie", &cookies)]),
        ),
        (
            Credential::cookie("id").unwrap(),
            request("/", &[("cookie", &format!("id=\"{token}\""))]),
        ),
        (Credential::header("x-token").unwrap(), request("/", &[("x-token", &token)])),
        (
            Credential::bearer_header("x-forwarded-authorization").unwrap(),
            request("/", &[("x-forwarded-authorization", &bearer)]),
        ),
        (
            Credential::bearer_header("authorization").unwrap(),
            request("/", &[("authorization", &bearer.replace("Bearer", "bEARER"))]),
        ),
        (
            Credential::websocket_protocol("bearer").unwrap(),
            request("/", &[("sec-websocket-protocol", &protocols)]),
        ),
        (Credential::query("access_token").unwrap(), request(&query, &[])),
    ];
    for (place, request) in cases {
        let name = format!("{place:?}");
        let layer = CognitoLayer::new(verifier.clone()).credentials([place]);
        let (headers, known) =
            seen(&layer, request).await.unwrap_or_else(|kind| panic!("{name}: {kind:?}"));
        assert!(known, "{name}");
        assert!(
            !headers.contains(&token),
            "{name}: the credential's header is not marked: {headers}"
        );
    }
}

#[tokio::test]
async fn duplicate_or_unreadable_credential_is_a_bad_request() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let twice = format!("id={token}; id={token}");
    let query = format!("/?t={token}&t={token}");
    let protocols = format!("bearer, {token}, bearer, {token}");
    let cases = [
        (Credential::cookie("id").unwrap(), request("/", &[("cookie", &twice)])),
        (
            Credential::cookie("id").unwrap(),
            request("/", &[("cookie", &format!("id={token}")), ("cookie", "id=x")]),
        ),
        (Credential::cookie("id").unwrap(), request("/", &[("cookie", "id=a b")])),
        (Credential::cookie("id").unwrap(), request("/", &[("cookie", "id=é")])),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", &token), ("x-token", &token)]),
        ),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", &format!("Bearer {token}"))]),
        ),
        (Credential::query("t").unwrap(), request(&query, &[])),
        (Credential::bearer_header("x-token").unwrap(), request("/", &[("x-token", "Bearer ")])),
        (Credential::authorization(), request("/", &[("authorization", "Bearer")])),
        (
            Credential::websocket_protocol("bearer").unwrap(),
            request("/", &[("sec-websocket-protocol", "bearer")]),
        ),
        (
            Credential::websocket_protocol("bearer").unwrap(),
            request("/", &[("sec-websocket-protocol", &protocols)]),
        ),
    ];
    for (place, request) in cases {
        let name = format!("{place:?} {:?}", request.headers());
        let layer = CognitoLayer::new(verifier.clone()).credentials([place]).allow_anonymous();
        assert_eq!(
            seen(&layer, request).await.err(),
            Some(AuthErrorKind::InvalidRequest),
            "{name}"
        );
    }
}

#[tokio::test]
async fn first_place_with_a_credential_is_used() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap())
        .credentials([Credential::cookie("id").unwrap(), Credential::authorization()]);
    let (bearer, cookie) = (format!("Bearer {token}"), format!("id={token}"));
    for (headers, outcome) in [
        (vec![("cookie", &*cookie)], None),
        (vec![("authorization", &*bearer)], None),
        (
            vec![("cookie", "id=bad"), ("authorization", &*bearer)],
            Some(AuthErrorKind::MalformedToken),
        ),
        (vec![("cookie", &*cookie), ("authorization", "Bearer bad")], None),
        (vec![("cookie", "idx=1; xid=2"), ("authorization", &*bearer)], None),
        (vec![("cookie", &*cookie), ("authorization", "Basic YTpi")], None),
        (vec![("authorization", "Basic YTpi")], Some(AuthErrorKind::MissingCredential)),
        (vec![("cookie", "id="), ("authorization", &*bearer)], None),
        (vec![("cookie", "id=")], Some(AuthErrorKind::MissingCredential)),
        (vec![], Some(AuthErrorKind::MissingCredential)),
    ] {
        assert_eq!(seen(&layer, request("/", &headers)).await.err(), outcome, "{headers:?}");
    }
}

#[tokio::test]
async fn all_places_are_marked_sensitive_regardless_of_the_one_used() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap())
        .credentials([Credential::cookie("id").unwrap(), Credential::authorization()]);
    let (bearer, cookie) = (format!("Bearer {token}"), format!("id={token}"));
    let headers = [
        ("cookie", &*cookie),
        ("authorization", &*bearer),
        ("authorization", &*bearer),
        ("cookie", "a=b"),
    ];
    let (headers, known) = seen(&layer, request("/", &headers)).await.unwrap();
    assert!(known);
    assert!(!headers.contains(&token));
}

#[tokio::test]
async fn place_that_is_not_configured_is_ignored() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap())
        .credentials([Credential::header("x-token").unwrap()]);
    let bearer = format!("Bearer {token}");
    let outcome = seen(&layer, request("/", &[(header::AUTHORIZATION.as_str(), &bearer)])).await;
    assert_eq!(outcome.err(), Some(AuthErrorKind::MissingCredential));
}

#[tokio::test]
async fn request_with_the_maximum_number_of_headers_is_rejected_not_anonymous() {
    let pool = UserPool::start().await.unwrap();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap()).allow_anonymous();
    let mut request = request("/", &[("authorization", "Bearer bad")]);
    let name = |number: u32| http::HeaderName::try_from(format!("x-{number}")).unwrap();
    let mut numbers = 0..;
    while numbers.next().is_some_and(|number| {
        request.headers_mut().try_insert(name(number), HeaderValue::from_static("")).is_ok()
    }) {}
    assert_eq!(seen(&layer, request).await.err(), Some(AuthErrorKind::InvalidRequest));
}

/// Returns the error of the layer for a request with this credential.
async fn error(layer: &CognitoLayer, request: Request<()>) -> Option<AuthError> {
    let service = layer.layer(service_fn(|_| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(""))
    }));
    service.oneshot(request).await.unwrap().extensions().get::<AuthError>().cloned()
}

#[tokio::test]
async fn empty_credential_counts_as_missing() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let bearer = format!("Bearer {token}");
    let cookie = format!("id={token}");
    let query = format!("/?t={token}");
    for (place, empty, good) in [
        (
            Credential::authorization(),
            request("/", &[("authorization", "")]),
            request("/", &[("authorization", &bearer)]),
        ),
        (
            Credential::authorization(),
            request("/", &[("authorization", " \t ")]),
            request("/", &[("authorization", &bearer)]),
        ),
        (
            Credential::bearer_header("x-token").unwrap(),
            request("/", &[("x-token", "")]),
            request("/", &[("x-token", &bearer)]),
        ),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", " ")]),
            request("/", &[("x-token", &token)]),
        ),
        (
            Credential::cookie("id").unwrap(),
            request("/", &[("cookie", "id=")]),
            request("/", &[("cookie", &cookie)]),
        ),
        (
            Credential::cookie("id").unwrap(),
            request("/", &[("cookie", "id=\"\"")]),
            request("/", &[("cookie", &cookie)]),
        ),
        (Credential::query("t").unwrap(), request("/?t=&a=b", &[]), request(&query, &[])),
    ] {
        let name = format!("{place:?}");
        let layer = CognitoLayer::new(verifier.clone()).credentials([place]);
        let guests = layer.clone().allow_anonymous();
        let again = || {
            let mut copy = Request::builder().uri(empty.uri()).body(()).unwrap();
            *copy.headers_mut() = empty.headers().clone();
            copy
        };
        let refused = seen(&layer, again()).await.err();
        assert_eq!(refused, Some(AuthErrorKind::MissingCredential), "{name}");
        assert!(
            !seen(&guests, again()).await.unwrap().1,
            "{name}: an anonymous request must have no claims"
        );
        assert!(seen(&guests, good).await.unwrap().1, "{name}: the token was not read");
    }
}

#[tokio::test]
async fn error_for_an_unexpected_scheme_names_the_scheme() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let cookie = format!("id=Bearer {token}");
    for (place, request) in [
        (
            Credential::header("authorization").unwrap(),
            request("/", &[("authorization", &format!("Bearer {token}"))]),
        ),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", &format!("bearer {token}"))]),
        ),
        (Credential::cookie("id").unwrap(), request("/", &[("cookie", &cookie)])),
        (
            Credential::authorization(),
            request("/", &[("authorization", &format!("Bearer Bearer {token}"))]),
        ),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", &format!("Bearer\t{token}"))]),
        ),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", &format!("JWT {token}"))]),
        ),
        (
            Credential::header("authorization").unwrap(),
            request("/", &[("authorization", "Basic YTpi")]),
        ),
    ] {
        let name = format!("{place:?}");
        let layer = CognitoLayer::new(verifier.clone()).credentials([place]);
        let error = error(&layer, request).await.unwrap_or_else(|| panic!("{name}: it passed"));
        assert_eq!(error.kind(), AuthErrorKind::InvalidRequest, "{name}");
        assert!(error.detail().contains("scheme"), "{name}: {error}");
    }
    let layer = CognitoLayer::new(verifier).credentials([Credential::header("x-token").unwrap()]);
    let two = error(&layer, request("/", &[("x-token", &format!("{token} {token}"))])).await;
    assert!(two.unwrap().detail().contains("more than one token"));
}

#[tokio::test]
async fn header_can_be_read_with_and_without_a_scheme() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap())
        .credentials([Credential::authorization(), Credential::header("authorization").unwrap()]);
    for value in [token.clone(), format!("Bearer {token}")] {
        assert!(seen(&layer, request("/", &[("authorization", &value)])).await.unwrap().1);
    }
}

/// Returns a layer that reads the token only from this place.
fn layer_reading(verifier: &Verifier, place: Credential) -> CognitoLayer {
    CognitoLayer::new(verifier.clone()).credentials([place])
}

/// Returns a request to `api.example.com` with this token in a cookie.
fn with_cookie(token: &str, method: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let cookie = format!("id={token}");
    let mut all = vec![("host", "api.example.com"), ("cookie", &*cookie)];
    all.extend_from_slice(headers);
    let mut request = request("/", &all);
    *request.method_mut() = method.parse().unwrap();
    request
}

const WEB_SOCKET: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

#[tokio::test]
async fn cookie_is_rejected_in_cross_site_requests() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let layer = layer_reading(&verifier, Credential::cookie("id").unwrap());
    let own: [&[(&str, &str)]; 10] = [
        &[],
        &[("origin", "https://api.example.com")],
        &[("origin", "http://api.example.com")],
        &[("origin", "https://API.example.com:443")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
        &[("sec-fetch-site", "same-origin"), ("origin", "https://api.example.com")],
        // A form submitted by a page with `Referrer-Policy: no-referrer`.
        &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        // A proxy changed the host.
        &[("sec-fetch-site", "same-origin"), ("origin", "https://public.example.com")],
    ];
    let foreign: [&[(&str, &str)]; 21] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("sec-fetch-site", "Same-Origin")],
        &[("sec-fetch-site", "unknown")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://api.example.com")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", "api.example.com")],
        &[("origin", "https://api.example.com.evil.example")],
        &[("origin", "https://api.example.com@evil.example")],
        &[("origin", "https://evil.api.example.com")],
        &[("origin", "https://example.com")],
        &[("origin", "https://api.example.com:8443")],
        &[("origin", "chrome-extension://api.example.com")],
        &[("origin", "https://api.example.com"), ("origin", "https://evil.example")],
        &[("origin", "https://api.example.com https://evil.example")],
        &[("origin", "https://\u{e4}pi.example.com")],
    ];
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
        for upgrade in [false, true] {
            let request = |headers: &[(&'static str, &'static str)]| {
                let mut headers = headers.to_vec();
                headers.extend(WEB_SOCKET.iter().filter(|_| upgrade));
                with_cookie(&token, method, &headers)
            };
            for headers in own {
                let outcome = seen(&layer, request(headers)).await;
                assert!(outcome.is_ok_and(|(_, known)| known), "{method} {headers:?}");
            }
            for headers in foreign {
                for layer in [&layer, &layer.clone().allow_anonymous()] {
                    let outcome = seen(layer, request(headers)).await.err();
                    let expected = Some(AuthErrorKind::CrossSiteRequest);
                    assert_eq!(outcome, expected, "{method} {headers:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn authority_is_the_host_of_an_http_2_request() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let layer = layer_reading(&verifier, Credential::cookie("id").unwrap());
    let cookie = format!("id={}", pool.token("alice").sign());
    for (origin, expected) in [
        ("https://api.example.com", None),
        ("https://evil.example", Some(AuthErrorKind::CrossSiteRequest)),
    ] {
        let headers = [("cookie", &*cookie), ("origin", origin)];
        let outcome = seen(&layer, request("https://api.example.com/", &headers)).await.err();
        assert_eq!(outcome, expected, "{origin}");
    }
    let headers = [("cookie", &*cookie), ("origin", "https://api.example.com")];
    let without_host = seen(&layer, request("/", &headers)).await.err();
    assert_eq!(without_host, Some(AuthErrorKind::CrossSiteRequest));
}

#[tokio::test]
async fn cookie_is_accepted_from_trusted_origins() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let place = Credential::cookie("id")
        .unwrap()
        .add_trusted_origin("https://app.example.com")
        .unwrap()
        .add_trusted_origin("HTTP://LOCALHOST:5173")
        .unwrap();
    let layer = layer_reading(&verifier, place);
    for (origin, site, passes) in [
        ("https://app.example.com", Some("same-site"), true),
        ("https://app.example.com", Some("cross-site"), true),
        ("https://app.example.com", None, true),
        ("http://localhost:5173", Some("cross-site"), true),
        ("http://app.example.com", Some("cross-site"), false),
        ("https://app.example.com:8443", Some("cross-site"), false),
        ("https://app.example.com.evil.example", None, false),
        ("http://localhost", None, false),
        ("https://other.example.com", Some("same-site"), false),
    ] {
        for upgrade in [false, true] {
            let mut headers = vec![("origin", origin)];
            headers.extend(site.map(|site| ("sec-fetch-site", site)));
            headers.extend(WEB_SOCKET.iter().filter(|_| upgrade));
            let outcome = seen(&layer, with_cookie(&token, "GET", &headers)).await.err();
            let expected = (!passes).then_some(AuthErrorKind::CrossSiteRequest);
            assert_eq!(outcome, expected, "{origin} {site:?}");
        }
    }
}

#[tokio::test]
async fn only_allowed_cross_site_navigations_are_accepted() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let place = Credential::cookie("id").unwrap().allow_cross_site_navigation().unwrap();
    let layer = layer_reading(&verifier, place);
    for (method, mode, dest, passes) in [
        ("GET", Some("navigate"), Some("document"), true),
        ("HEAD", Some("navigate"), Some("document"), true),
        ("POST", Some("navigate"), Some("document"), false),
        ("GET", Some("navigate"), Some("iframe"), false),
        ("GET", Some("navigate"), None, false),
        ("GET", Some("no-cors"), Some("image"), false),
        ("GET", Some("cors"), Some("document"), false),
        ("GET", Some("websocket"), Some("websocket"), false),
        ("GET", None, None, false),
    ] {
        for site in ["cross-site", "same-site"] {
            let mut headers = vec![("sec-fetch-site", site)];
            headers.extend(mode.map(|mode| ("sec-fetch-mode", mode)));
            headers.extend(dest.map(|dest| ("sec-fetch-dest", dest)));
            let outcome = seen(&layer, with_cookie(&token, method, &headers)).await.err();
            let expected = (!passes).then_some(AuthErrorKind::CrossSiteRequest);
            assert_eq!(outcome, expected, "{method} {mode:?} {dest:?} {site}");
        }
    }
    let socket = with_cookie(&token, "GET", &[("origin", "https://evil.example")]);
    assert_eq!(seen(&layer, socket).await.err(), Some(AuthErrorKind::CrossSiteRequest));
}

#[tokio::test]
async fn cross_site_check_applies_only_to_requests_with_the_cookie() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let token = pool.token("alice").sign();
    let layer = CognitoLayer::new(verifier)
        .credentials([Credential::cookie("id").unwrap(), Credential::authorization()]);
    let foreign = ("sec-fetch-site", "cross-site");
    let bearer = format!("Bearer {token}");
    assert!(seen(&layer, request("/", &[foreign, ("authorization", &bearer)])).await.unwrap().1);
    let none = seen(&layer, request("/", &[foreign])).await.err();
    assert_eq!(none, Some(AuthErrorKind::MissingCredential));
    let guest = seen(&layer.allow_anonymous(), request("/", &[foreign])).await;
    assert!(!guest.unwrap().1);
}

#[tokio::test]
async fn cross_site_request_gets_403_without_a_challenge() {
    let pool = UserPool::start().await.unwrap();
    let verifier = pool.verifier().build().unwrap();
    let layer = layer_reading(&verifier, Credential::cookie("id").unwrap());
    let service = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    let token = pool.token("alice").sign();
    let request = with_cookie(&token, "POST", &[("origin", "https://evil.example")]);
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), http::StatusCode::FORBIDDEN);
    assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
    assert_eq!(response.extensions().get::<AuthError>().unwrap().code(), "cross_site_request");
}

#[test]
fn invalid_origins_and_places_are_rejected_with_the_fix() {
    for origin in [
        "",
        "null",
        "*",
        "app.example.com",
        "https://",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?a",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://app.example.com:port",
        "https://app.example.com:",
        "ftp://app.example.com",
        "https://a.test https://b.test",
    ] {
        let error = Credential::cookie("id").unwrap().add_trusted_origin(origin).unwrap_err();
        assert!(error.to_string().contains("https://app.example.com"), "{origin:?}: {error}");
    }
    for place in [
        Credential::authorization(),
        Credential::header("x-token").unwrap(),
        Credential::bearer_header("x-token").unwrap(),
        Credential::query("t").unwrap(),
        Credential::websocket_protocol("bearer").unwrap(),
    ] {
        let error = place.clone().add_trusted_origin("https://app.example.com").unwrap_err();
        assert!(error.to_string().contains("not a cookie"), "{error}");
        let error = place.allow_cross_site_navigation().unwrap_err();
        assert!(error.to_string().contains("not a cookie"), "{error}");
    }
    assert!(Credential::bearer_header("a b").unwrap_err().to_string().contains("bearer_header"));
    for refused in [Credential::header("Cookie"), Credential::bearer_header("cookie")] {
        // The cross-site check would not apply to it.
        assert!(refused.unwrap_err().to_string().contains("Credential::cookie"));
    }
}
