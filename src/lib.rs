#![doc = include_str!("docs/crate.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base64url;
mod claims;
mod clock;
mod error;
mod json;
mod keys;
mod policy;
mod pool;
mod token;
mod verifier;

#[cfg(feature = "axum")]
mod extract;
pub mod service;

pub mod docs;

#[cfg(feature = "axum")]
pub use self::extract::ClaimsRejection;
pub use self::{
    claims::{AccessClaims, Claims, IdClaims, Identity, TokenUse, Verified, de},
    clock::Clock,
    error::{AuthError, AuthErrorKind, ConfigError},
    keys::{FetchError, KeyDocument, KeyHealth, KeySet, KeySetError, KeySource},
    policy::{
        Denied, Grants, Policy, all, any, authenticated, claim, client, group, permission, pool,
        scope, token_use,
    },
    pool::PoolId,
    service::{
        ApiGatewayBody, CognitoLayer, Credential, GrpcStatus, ProblemJson, RejectionHandler,
        require,
    },
    verifier::{DangerousPool, Pool, ReadyError, Refusal, Verifier, VerifierBuilder},
};
