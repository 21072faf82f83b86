//! `axum-jwt-auth` as its README shows it: an extractor with keys from the key endpoint.
//!
//! It checks neither the client nor the kind of token.

use std::{error::Error, sync::Arc};

use axum::{Router, routing::get};
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
use jsonwebtoken_10::{Algorithm, Validation};

use crate::{
    crypto::Crypto,
    subject::{Subject, User, version_of},
    world::{PATH, World},
};

pub async fn subject(world: &World, crypto: Crypto) -> Result<Subject, Box<dyn Error>> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[world.issuer()]);
    validation.set_required_spec_claims(&["exp", "iss"]);
    // Access tokens of Cognito have no audience.
    validation.validate_aud = false;

    let decoder =
        RemoteJwksDecoder::builder().jwks_url(world.jwks_uri()).validation(validation).build()?;
    // Its refresh task ends with the runtime.
    decoder.initialize().await?;
    let decoder: Decoder<User> = Arc::new(decoder);
    let app = Router::new().route(PATH, get(handler)).with_state(decoder);
    let version = version_of("axum-jwt-auth", "");
    Ok(Subject::request("axum-jwt-auth", version, Some(crypto.name()), app))
}

async fn handler(user: Claims<User>) -> String {
    user.claims.sub
}
