//! Where tokens are looked for.

use http::{HeaderValue, Request, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, CognitoLayer, Credential, Verified, local::UserPool,
};

/// What the inner service saw: the request's headers as `Debug` prints them; or why it saw nothing.
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
async fn each_place_is_read_when_asked_for_and_its_header_is_marked_sensitive() {
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
async fn two_of_a_credential_or_one_that_cannot_be_read_is_a_bad_request() {
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
        (Credential::header("x-token").unwrap(), request("/", &[("x-token", "")])),
        (
            Credential::header("x-token").unwrap(),
            request("/", &[("x-token", &format!("Bearer {token}"))]),
        ),
        (Credential::query("t").unwrap(), request(&query, &[])),
        (Credential::query("t").unwrap(), request("/?t=", &[])),
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
async fn the_first_place_with_a_credential_decides() {
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
async fn all_places_are_marked_sensitive_whichever_decided() {
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
async fn a_place_that_is_not_asked_for_is_not_read() {
    let pool = UserPool::start().await.unwrap();
    let token = pool.token("alice").sign();
    let layer = CognitoLayer::new(pool.verifier().build().unwrap())
        .credentials([Credential::header("x-token").unwrap()]);
    let bearer = format!("Bearer {token}");
    let outcome = seen(&layer, request("/", &[(header::AUTHORIZATION.as_str(), &bearer)])).await;
    assert_eq!(outcome.err(), Some(AuthErrorKind::MissingCredential));
}

#[tokio::test]
async fn a_request_with_as_many_headers_as_there_can_be_is_refused_and_no_guest() {
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
