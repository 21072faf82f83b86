//! Single functions, as a reference for the requests.

use std::error::Error;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use tower_cognito::Verifier;

use super::ours;
use crate::{
    crypto::Crypto,
    subject::{Subject, User, version_of},
    world::World,
};

/// The name of the limit: no subject that verifies signatures can be faster.
pub const LIMIT: &str = "the signature alone";

/// Verifies only the signature, with the key and the token parsed in advance.
pub fn limit(world: &World) -> Result<Subject, Box<dyn Error>> {
    let (n, e) = world.public_key()?;
    let (n, e) = (URL_SAFE_NO_PAD.decode(n)?, URL_SAFE_NO_PAD.decode(e)?);
    let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?;
    Ok(Subject::call(LIMIT, version_of("aws-lc-rs", ""), "aws-lc-rs", move |token| {
        key.verify_sig(token.message(), &token.signature).is_ok()
    }))
}

/// Decodes the token with `jsonwebtoken`, which most comparable crates use.
pub fn jsonwebtoken(world: &World, crypto: Crypto) -> Result<Subject, Box<dyn Error>> {
    let (n, e) = world.public_key()?;
    let key = DecodingKey::from_rsa_components(&n, &e)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[world.issuer()]);
    validation.set_required_spec_claims(&["exp", "iss"]);
    // Access tokens of Cognito have no audience.
    validation.validate_aud = false;
    let version = version_of("jsonwebtoken", "11.");
    Ok(Subject::call("jsonwebtoken::decode", version, crypto.name(), move |token| {
        jsonwebtoken::decode::<User>(&token.text, &key, &validation).is_ok()
    }))
}

/// This crate without axum, for tokens in the cache.
pub async fn verify_warm(world: &World) -> Result<Subject, Box<dyn Error>> {
    Ok(verify("Verifier::verify, warm", ours::warm_verifier(world).await?))
}

/// The same for tokens that are not in the cache.
pub async fn verify_cold(world: &World) -> Result<Subject, Box<dyn Error>> {
    Ok(verify("Verifier::verify, cold", ours::cold_verifier(world).await?))
}

fn verify(name: &'static str, verifier: Verifier) -> Subject {
    Subject::call(name, version_of("tower-cognito", ""), "aws-lc-rs", move |token| {
        // The keys are loaded, so the first poll is ready.
        verifier.verify(&token.text).now_or_never().is_some_and(|result| result.is_ok())
    })
}
