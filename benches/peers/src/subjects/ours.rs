//! This crate, with its cache of verified tokens and without.

use std::error::Error;

use axum::{Router, routing::get};
use tower::Layer;
use tower_cognito::{
    Claims, CognitoLayer, Policy, Pool, Verifier, VerifierBuilder, group, permission, require,
    scope,
};

use crate::{
    subject::{Subject, User, version_of},
    world::{PATH, PERMISSION, SCOPE, World},
};

/// The layer with the policy around the router, which avoids axum's boxing for each layer.
pub async fn around(world: &World) -> Result<Subject, Box<dyn Error>> {
    let router = Router::new().route(PATH, get(handler)).with_state(());
    let app = CognitoLayer::new(warm_verifier(world).await?).require(policy()).layer(router);
    let version = version_of("tower-cognito", "");
    Ok(Subject::around("tower-cognito around, warm", version, Some("aws-lc-rs"), app))
}

/// The same layer inside the router.
pub async fn one_layer(world: &World) -> Result<Subject, Box<dyn Error>> {
    let layer = CognitoLayer::new(warm_verifier(world).await?).require(policy());
    let app = Router::new().route(PATH, get(handler)).layer(layer);
    let (name, version) =
        ("tower-cognito inside, one layer, warm", version_of("tower-cognito", ""));
    Ok(Subject::request(name, version, Some("aws-lc-rs"), app))
}

/// The layer around all routes, and a policy at the route: a cached token needs no RSA.
pub async fn warm(world: &World) -> Result<Subject, Box<dyn Error>> {
    Ok(subject("tower-cognito inside, warm", warm_verifier(world).await?))
}

/// Without the cache: every request costs as much as a new token.
pub async fn cold(world: &World) -> Result<Subject, Box<dyn Error>> {
    Ok(subject("tower-cognito inside, cold", cold_verifier(world).await?))
}

pub async fn warm_verifier(world: &World) -> Result<Verifier, Box<dyn Error>> {
    ready(builder(world)).await
}

pub async fn cold_verifier(world: &World) -> Result<Verifier, Box<dyn Error>> {
    ready(builder(world).token_cache_bytes(0)).await
}

fn builder(world: &World) -> VerifierBuilder {
    let pool = Pool::custom(world.issuer(), world.jwks_uri()).access_tokens([world.client_id()]);
    Verifier::builder(pool).permissions_claim("custom:permissions")
}

async fn ready(builder: VerifierBuilder) -> Result<Verifier, Box<dyn Error>> {
    let verifier = builder.build()?;
    verifier.ready().await?;
    Ok(verifier)
}

/// Checks more than the peers do: client, kind of token, scope, group and permission.
fn subject(name: &'static str, verifier: Verifier) -> Subject {
    let app = Router::new()
        .route(PATH, get(handler).layer(require(policy())))
        .layer(CognitoLayer::new(verifier));
    Subject::request(name, version_of("tower-cognito", ""), Some("aws-lc-rs"), app)
}

/// No token has the group, so that all three parts are evaluated.
fn policy() -> Policy {
    scope(SCOPE) & (group("admin") | permission(PERMISSION))
}

async fn handler(claims: Claims<User>) -> String {
    claims.custom().sub.clone()
}
