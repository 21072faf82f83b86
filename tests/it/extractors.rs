//! The extractors respond with the statuses of the table on the crate's front page.

use axum::{Router, routing::get};
use serde::Deserialize;
use tower_cognito::{AccessClaims, Claims, CognitoLayer, IdClaims, Verified, Verifier};
use tower_cognito_local::UserPool;

use crate::support;

/// Claims that no token has.
#[derive(Deserialize)]
struct Other {
    #[serde(rename = "custom:none")]
    _none: String,
}

/// Defines a route for an extractor, which responds with `some` or `none`.
macro_rules! route {
    ($app:ident, $path:literal, $extractor:ty) => {
        $app = $app.route($path, get(|_: $extractor| async { "some" }));
    };
    ($app:ident, $path:literal, Option $extractor:ty) => {
        $app = $app.route(
            $path,
            get(|found: Option<$extractor>| async move {
                if found.is_some() { "some" } else { "none" }
            }),
        );
    };
}

fn routes() -> Router {
    let mut app = Router::new();
    route!(app, "/claims", Claims);
    route!(app, "/verified", Verified);
    route!(app, "/access", AccessClaims);
    route!(app, "/id", IdClaims);
    route!(app, "/optional-claims", Option Claims);
    route!(app, "/optional-verified", Option Verified);
    route!(app, "/optional-access", Option AccessClaims);
    route!(app, "/optional-id", Option IdClaims);
    route!(app, "/other", Claims<Other>);
    route!(app, "/other-access", AccessClaims<Other>);
    route!(app, "/optional-other", Option Claims<Other>);
    app
}

#[tokio::test]
async fn extractors_have_the_statuses_of_the_front_page() {
    let pool = UserPool::start().await.unwrap();
    let clients = [pool.client_id()];
    let both = Verifier::builder(pool.pool().access_tokens(clients).id_tokens(clients));
    let cognito = CognitoLayer::new(both.build().unwrap());
    let anonymous = support::serve(routes().layer(cognito.clone().allow_anonymous())).await;
    let strict = support::serve(routes().layer(cognito)).await;
    let bare = support::serve(routes()).await;
    let (access, id) = (pool.token("alice").sign(), pool.id_token("alice").sign());
    let get = async |address, path, token| {
        let response = support::get(address, path, token).await;
        let body = if response.status == 200 { response.body } else { String::new() };
        (response.status, body)
    };
    let some = || (200, "some".to_owned());
    let rejected = |status| (status, String::new());
    let none = || (200, "none".to_owned());
    for (path, without, with_access, with_id) in [
        ("/claims", rejected(401), some(), some()),
        ("/verified", rejected(401), some(), some()),
        ("/access", rejected(401), some(), rejected(403)),
        ("/id", rejected(401), rejected(403), some()),
        ("/optional-claims", none(), some(), some()),
        ("/optional-verified", none(), some(), some()),
        ("/optional-access", none(), some(), rejected(403)),
        ("/optional-id", none(), rejected(403), some()),
        ("/other", rejected(401), rejected(403), rejected(403)),
        ("/other-access", rejected(401), rejected(403), rejected(403)),
        ("/optional-other", none(), rejected(403), rejected(403)),
    ] {
        assert_eq!(get(anonymous, path, None).await, without, "{path} without a token");
        assert_eq!(get(anonymous, path, Some(&access)).await, with_access, "{path}, access token");
        assert_eq!(get(anonymous, path, Some(&id)).await, with_id, "{path}, ID token");
        assert_eq!(get(anonymous, path, Some("x")).await, rejected(401), "{path}, invalid token");
        assert_eq!(get(strict, path, None).await, rejected(401), "{path}, no anonymous requests");
        assert_eq!(get(bare, path, Some(&access)).await, rejected(500), "{path} without the layer");
    }
}
