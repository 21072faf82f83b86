//! All subjects, each in its own file.

mod axum_jwt_auth;
mod bare;
pub mod functions;
mod jwt_authorizer;
mod jwt_verify;
mod oauth2_resource_server;
pub mod ours;

use std::error::Error;

pub use self::functions::LIMIT;
use crate::{crypto::Crypto, subject::Subject, world::World};

/// Creates all subjects. Those that fetch keys before their first request have done so on return.
pub async fn all(world: &World, crypto: Crypto) -> Result<Vec<Subject>, Box<dyn Error>> {
    Ok(vec![
        bare::subject(),
        bare::subject_07(),
        bare::idle(),
        ours::around(world).await?,
        ours::one_layer(world).await?,
        ours::warm(world).await?,
        ours::cold(world).await?,
        jwt_authorizer::subject(world).await?,
        axum_jwt_auth::subject(world, crypto).await?,
        oauth2_resource_server::subject(world, crypto).await?,
        jwt_verify::subject(world).await?,
        functions::limit(world)?,
        functions::jsonwebtoken(world, crypto)?,
        functions::verify_warm(world).await?,
        functions::verify_cold(world).await?,
    ])
}
