//! Cookies whose name is found in the request, such as those of Amplify.

use http::{HeaderValue, Request};
use tower::{Layer, ServiceExt, service_fn};
use tower_cognito::{
    AuthError, AuthErrorKind, CognitoLayer, TokenUse, Verified,
    service::{Cookies, Credential},
};
use tower_cognito_local::UserPool;

/// Returns the username of the token that the layer found, or the kind of its error.
async fn user(
    layer: &CognitoLayer,
    headers: &[(&'static str, &str)],
) -> Result<Option<String>, AuthErrorKind> {
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let user = request.extensions().get::<Verified>().and_then(Verified::username);
        let mut response = http::Response::new(String::new());
        let headers = format!("{:?}", request.headers());
        assert!(!headers.contains("eyJ"), "the cookie is not marked as sensitive");
        response.extensions_mut().insert(user.map(str::to_owned));
        Ok::<_, std::convert::Infallible>(response)
    }));
    let mut request = Request::new(());
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let response = service.oneshot(request).await.unwrap();
    match response.extensions().get::<AuthError>() {
        Some(error) => Err(error.kind()),
        None => Ok(response.extensions().get::<Option<String>>().unwrap().clone()),
    }
}

const PREFIX: &str = "CognitoIdentityServiceProvider";

#[tokio::test]
async fn amplify_cookie_of_the_last_user_is_read() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.client_id();
    let layer = |token_use| {
        CognitoLayer::new(crate::support::full_verifier(&pool).build().unwrap())
            .credentials([Credential::amplify_cookie(id, token_use).unwrap()])
    };
    let access = layer(TokenUse::Access);
    let token = |name: &str| pool.token(name).sign();
    let (alice, bob) = (token("alice"), token("bob"));
    let last = |user: &str| format!("{PREFIX}.{id}.LastAuthUser={user}");
    let cookie = |user: &str, token: &str| format!("{PREFIX}.{id}.{user}.accessToken={token}");
    let own = cookie("alice", &alice);
    let both = format!("{own}; {}", cookie("bob", &bob));
    let mail = "a+b.c@example.com";
    let ok = |name: &str| Ok(Some(name.to_owned()));
    let (missing, invalid) = (AuthErrorKind::MissingCredential, AuthErrorKind::InvalidRequest);
    for (cookies, expected) in [
        (format!("{}; {own}", last("alice")), ok("alice")),
        (format!("{own};{}", last("alice")), ok("alice")),
        (format!("{both}; {}", last("bob")), ok("bob")),
        (format!("{both}; {}", last("alice")), ok("alice")),
        // The encodings of browsers, of servers, and of neither.
        (format!("{}; {}", last(mail), cookie("a+b.c%40example.com", &alice)), ok("alice")),
        (format!("{}; {}", last("a%2Bb.c%40example.com"), cookie(mail, &alice)), ok("alice")),
        (format!("{}; {}", last("100%"), cookie("100%25", &alice)), ok("alice")),
        (format!("{}; {}", last("%"), cookie("%", &alice)), ok("alice")),
        (format!("{}; {}; {own}", last("alice"), last("alice")), ok("alice")),
        // No user is signed in.
        (both.clone(), Err(missing)),
        (format!("{}; {both}", last("")), Err(missing)),
        (format!("{}; {own}", last("bob")), Err(missing)),
        (format!("{}; {}", last("alice"), cookie("alice", "")), Err(missing)),
        (format!("{PREFIX}.other.LastAuthUser=alice; {own}"), Err(missing)),
        (format!("{}; {PREFIX}.other.alice.accessToken={alice}", last("alice")), Err(missing)),
        (format!("{}; {PREFIX}.{id}.alice.idToken={alice}", last("alice")), Err(missing)),
        (format!("{}; x{own}", last("alice")), Err(missing)),
        // It is not certain whose token it is.
        (format!("{}; {}; {both}", last("alice"), last("bob")), Err(invalid)),
        (format!("{}; {own}; {}", last("alice"), cookie("alice", &bob)), Err(invalid)),
        (format!("{}; {own}; {}", last("alice"), cookie("%61lice", &bob)), Err(invalid)),
        (
            format!("{}; {}", last("alice"), cookie("alice", "x")),
            Err(AuthErrorKind::MalformedToken),
        ),
        (
            format!("{}; {}", last("alice"), cookie("alice", &"x".repeat(16 * 1024 + 1))),
            Err(AuthErrorKind::MalformedToken),
        ),
    ] {
        let shown = cookies.replace(&alice, "<alice>").replace(&bob, "<bob>");
        assert_eq!(user(&access, &[("cookie", &cookies)]).await, expected, "{shown}");
    }
    let id_token = pool.id_token("carol").sign();
    let cookies = format!("{PREFIX}.{id}.carol.idToken={id_token}; {own}");
    let headers = [("cookie", &*cookies), ("cookie", &*last("carol"))];
    assert_eq!(user(&layer(TokenUse::Id), &headers).await, ok("carol"));
    assert_eq!(user(&access, &headers).await, Err(missing));
    for id in ["", "a b", "a.b", "a;b", "a=b"] {
        let error = Credential::amplify_cookie(id, TokenUse::Access).unwrap_err();
        assert!(error.to_string().contains("amplify_cookie"), "{id:?}: {error}");
    }
}

#[tokio::test]
async fn a_function_chooses_the_cookie() {
    let pool = UserPool::start().await.unwrap();
    let credential = Credential::cookie_by(|cookies: &Cookies<'_>| {
        assert_eq!(cookies.values("absent").count(), 0);
        let named = |name: &str| name.starts_with("app.") && name.ends_with(".token");
        let session = cookies.values("session").next();
        match session {
            Some(session) => Some(format!("app.{session}.token")),
            None => cookies.iter().find(|(name, _)| named(name)).map(|(name, _)| name.to_owned()),
        }
    });
    let layer = CognitoLayer::new(crate::support::full_verifier(&pool).build().unwrap())
        .credentials([credential]);
    let (alice, bob) = (pool.token("alice").sign(), pool.token("bob").sign());
    let invalid = Err(AuthErrorKind::InvalidRequest);
    let missing = Err(AuthErrorKind::MissingCredential);
    for (cookies, expected) in [
        (format!("session=2; app.1.token={alice}; app.2.token={bob}"), Ok(Some("bob".to_owned()))),
        (format!("x=y; app.1.token={alice}"), Ok(Some("alice".to_owned()))),
        (format!("session=1; app.1.token={alice}; app.1.token={bob}"), invalid.clone()),
        (format!("session=3; app.1.token={alice}"), missing.clone()),
        ("session=1; app.1.token=".to_owned(), missing.clone()),
        (String::new(), missing),
    ] {
        let shown = cookies.replace(&alice, "<alice>").replace(&bob, "<bob>");
        assert_eq!(user(&layer, &[("cookie", &cookies)]).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn request_with_two_cookies_of_possible_names_is_rejected() {
    let pool = UserPool::start().await.unwrap();
    let credential = Credential::cookie_by(|cookies: &Cookies<'_>| -> Vec<String> {
        let names = cookies.iter().map(|(name, _)| name);
        names.filter(|name| name.ends_with(".token")).map(str::to_owned).collect()
    });
    let layer = CognitoLayer::new(crate::support::full_verifier(&pool).build().unwrap())
        .credentials([credential]);
    let (alice, bob) = (pool.token("alice").sign(), pool.token("bob").sign());
    for (cookies, expected) in [
        (format!("a.token={alice}; b=x"), Ok(Some("alice".to_owned()))),
        (format!("a.token=; b.token={bob}"), Ok(Some("bob".to_owned()))),
        (format!("a.token={alice}; b.token={bob}"), Err(AuthErrorKind::InvalidRequest)),
        (format!("a.token={alice}; b.token=x"), Err(AuthErrorKind::InvalidRequest)),
        ("a.token=; b.token=".to_owned(), Err(AuthErrorKind::MissingCredential)),
    ] {
        let shown = cookies.replace(&alice, "<alice>").replace(&bob, "<bob>");
        assert_eq!(user(&layer, &[("cookie", &cookies)]).await, expected, "{shown}");
    }
}

#[tokio::test]
async fn found_cookie_is_rejected_in_cross_site_requests() {
    let pool = UserPool::start().await.unwrap();
    let id = pool.client_id();
    let cookies = format!(
        "{PREFIX}.{id}.LastAuthUser=alice; {PREFIX}.{id}.alice.accessToken={}",
        pool.token("alice").sign()
    );
    let name = format!("{PREFIX}.{id}.alice.accessToken");
    for credential in [
        Credential::amplify_cookie(id, TokenUse::Access).unwrap(),
        Credential::cookie_by(move |_| Some(name.clone())),
    ] {
        let trusting = credential.clone().add_trusted_origin("https://app.example.com").unwrap();
        for (credential, is_trusted) in [(credential, false), (trusting, true)] {
            let layer = CognitoLayer::new(crate::support::full_verifier(&pool).build().unwrap())
                .credentials([credential]);
            for (origin, site, passes) in [
                ("https://api.example.com", "same-origin", true),
                ("https://app.example.com", "same-site", is_trusted),
                ("https://evil.example", "cross-site", false),
            ] {
                let headers = [
                    ("host", "api.example.com"),
                    ("cookie", &*cookies),
                    ("origin", origin),
                    ("sec-fetch-site", site),
                ];
                let expected = if passes {
                    Ok(Some("alice".to_owned()))
                } else {
                    Err(AuthErrorKind::CrossSiteRequest)
                };
                assert_eq!(user(&layer, &headers).await, expected, "{origin} {is_trusted}");
            }
        }
    }
}

#[test]
fn debug_output_of_cookies_has_no_value() {
    let credential = Credential::cookie_by(|cookies: &Cookies<'_>| {
        assert_eq!(format!("{cookies:?}"), "Cookies { .. }");
        None
    });
    assert_eq!(credential, credential.clone());
    assert_ne!(credential, Credential::cookie_by(|_| None));
}
