//! `jwt-authorizer` as its README shows it: a layer with keys from the key endpoint.
//!
//! It requires axum 0.7. It takes the algorithm from the key in the set, which is RS256. It does not check the client. No
//! audience is configured, so it would reject each token with an `aud`.

use std::error::Error;

use axum_07::{Router, routing::get};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims, Validation};

use crate::{
    subject::{Subject, User, version_of},
    world::{PATH, World},
};

pub async fn subject(world: &World) -> Result<Subject, Box<dyn Error>> {
    // The first request fetches the keys, before the measurement.
    let authorizer = JwtAuthorizer::<User>::from_jwks_url(&world.jwks_uri())
        .validation(Validation::new().iss(&[world.issuer()]))
        .build()
        .await?;
    let app = Router::new().route(PATH, get(handler)).layer(authorizer.into_layer());
    let version = version_of("jwt-authorizer", "");
    Ok(Subject::request_07("jwt-authorizer", version, Some("ring"), app))
}

async fn handler(JwtClaims(user): JwtClaims<User>) -> String {
    user.sub
}
