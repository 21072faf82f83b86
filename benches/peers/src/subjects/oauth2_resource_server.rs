//! `tower-oauth2-resource-server`: a layer that leaves the claims in the request's extensions.
//!
//! It checks neither the client nor the kind of token.

use std::error::Error;

use axum::{Extension, Router, routing::get};
use jsonwebtoken::Algorithm;
use tower_oauth2_resource_server::{
    server::OAuth2ResourceServer, tenant::TenantConfiguration, validation::ClaimsValidationSpec,
};

use crate::{
    crypto::Crypto,
    subject::{Subject, User, version_of},
    world::{PATH, World},
};

pub async fn subject(world: &World, crypto: Crypto) -> Result<Subject, Box<dyn Error>> {
    // The keys are configured as text, because the fetch of this crate cannot be awaited. In both cases a request finds
    // the keys in the same map.
    let tenant = TenantConfiguration::static_builder(&world.jwks)
        .allowed_algorithms(&[Algorithm::RS256])
        // Access tokens of Cognito have no audience, so none is required.
        .claims_validation(ClaimsValidationSpec::new().iss(world.issuer()).exp(true))
        .build()?;
    let server = OAuth2ResourceServer::<User>::builder().add_tenant(tenant).build().await?;
    let app = Router::new().route(PATH, get(handler)).layer(server.into_layer());
    let version = version_of("tower-oauth2-resource-server", "");
    Ok(Subject::request("tower-oauth2-resource-server", version, Some(crypto.name()), app))
}

async fn handler(Extension(user): Extension<User>) -> String {
    user.sub
}
