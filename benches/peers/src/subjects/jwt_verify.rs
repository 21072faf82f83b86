//! `jwt-verify`: it has no middleware, so a minimal one wraps it here.
//!
//! Its verifier for Cognito accepts only AWS endpoints, so its verifier for OpenID Connect is used. That one processes
//! tokens the same way, and with `client_id` read as `aud` it also checks issuer, client and kind of token.

use std::{error::Error, sync::Arc};

use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use http::{StatusCode, header::AUTHORIZATION};
use jwt_verify::{OidcAccessTokenClaims, OidcJwtVerifier, OidcProviderConfig};

use crate::{
    subject::{Subject, version_of},
    world::{PATH, World},
};

pub async fn subject(world: &World) -> Result<Subject, Box<dyn Error>> {
    let clients = [world.client_id().to_owned()];
    let config = OidcProviderConfig::new(world.issuer(), Some(&world.jwks_uri()), &clients, None)?;
    let verifier = OidcJwtVerifier::new(vec![config])?;
    for (_, fetched) in verifier.hydrate().await {
        fetched?;
    }
    let app = Router::new()
        .route(PATH, get(handler))
        .layer(from_fn_with_state(Arc::new(verifier), authorize));
    Ok(Subject::request("jwt-verify", version_of("jwt-verify", ""), Some("ring"), app))
}

async fn authorize(
    State(verifier): State<Arc<OidcJwtVerifier>>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let claims = verifier
        .verify::<OidcAccessTokenClaims>(token)
        .await
        .map_err(|_| StatusCode::UNAUTHORIZED)?;
    // Behind an `Arc`, so that the handler does not copy them.
    request.extensions_mut().insert(Arc::new(claims));
    Ok(next.run(request).await)
}

async fn handler(Extension(claims): Extension<Arc<OidcAccessTokenClaims>>) -> String {
    claims.base.sub.clone()
}
