//! [`Claims`] and related types as axum extractors.
//!
//! | extractor | no token | the other kind of token | claims that do not fit `T` |
//! |---|---|---|---|
//! | [`Claims<T>`], [`Verified`] | 401 | | 403 |
//! | `Option<Claims<T>>`, `Option<Verified>` | `None` | | 403 |
//! | [`AccessClaims<T>`], [`IdClaims<T>`] | 401 | 403 | 403 |
//! | `Option<AccessClaims<T>>`, `Option<IdClaims<T>>` | `None` | 403 | 403 |
//!
//! [`AuthError`], [`Refusal`] and [`Denied`] are responses, so handlers and middleware can return them as errors.
//!
//! All extractors respond with 500 if the route has no [`CognitoLayer`](crate::CognitoLayer) around it.

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{Extensions, request::Parts};
use serde::de::DeserializeOwned;

use crate::{
    claims::{AccessClaims, Claims, IdClaims, Verified},
    error::{AuthError, AuthErrorKind},
    policy::Denied,
    service::{RejectionResponder, responder_of, verified_of},
    verifier::Refusal,
};

/// Rejection of the extractors. It responds in the same format as the layer around the route.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct ClaimsRejection {
    error: AuthError,
    responder: RejectionResponder,
}

impl ClaimsRejection {
    /// Returns the reason.
    pub fn error(&self) -> &AuthError {
        &self.error
    }
}

impl IntoResponse for ClaimsRejection {
    fn into_response(self) -> Response {
        self.responder.respond(self.error).map(Body::from)
    }
}

impl From<ClaimsRejection> for AuthError {
    fn from(rejection: ClaimsRejection) -> Self {
        rejection.error
    }
}

impl From<ClaimsRejection> for Refusal {
    fn from(rejection: ClaimsRejection) -> Self {
        rejection.error.into()
    }
}

/// Responds in the format of the [`CognitoLayer`](crate::CognitoLayer) around the route, or in the default format
/// without one.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        Response::<Body>::from(self)
    }
}

/// Responds in the format of the [`CognitoLayer`](crate::CognitoLayer) around the route, or in the default format
/// without one.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        AuthError::from(self).into_response()
    }
}

/// Responds like [`require`](crate::require()) with this policy.
impl IntoResponse for Denied<'_> {
    fn into_response(self) -> Response {
        AuthError::from(self).into_response()
    }
}

/// Creates an extractor's value from the claims that the layer verified.
fn extract<C>(
    extensions: &Extensions,
    make: fn(&Verified) -> Result<C, AuthError>,
) -> Result<C, ClaimsRejection> {
    verified_of(extensions)
        .and_then(make)
        .map_err(|error| ClaimsRejection { error, responder: responder_of(extensions) })
}

/// Does the same as [`extract`], but returns `None` for an anonymous request.
fn extract_optional<C>(
    extensions: &Extensions,
    make: fn(&Verified) -> Result<C, AuthError>,
) -> Result<Option<C>, ClaimsRejection> {
    match extract(extensions, make) {
        Ok(claims) => Ok(Some(claims)),
        Err(rejection) if rejection.error.kind() == AuthErrorKind::MissingCredential => Ok(None),
        Err(rejection) => Err(rejection),
    }
}

macro_rules! extractor {
    ([$($generics:tt)*] $claims:ty, $make:expr) => {
        impl<$($generics)* S: Send + Sync> FromRequestParts<S> for $claims {
            type Rejection = ClaimsRejection;

            async fn from_request_parts(
                parts: &mut Parts,
                _state: &S,
            ) -> Result<Self, ClaimsRejection> {
                extract(&parts.extensions, $make)
            }
        }

        impl<$($generics)* S: Send + Sync> OptionalFromRequestParts<S> for $claims {
            type Rejection = ClaimsRejection;

            async fn from_request_parts(
                parts: &mut Parts,
                _state: &S,
            ) -> Result<Option<Self>, ClaimsRejection> {
                extract_optional(&parts.extensions, $make)
            }
        }
    };
}

extractor!([] Verified, |verified| Ok(verified.clone()));
extractor!([T: DeserializeOwned + Send + Sync + 'static,] Claims<T>, Self::from_verified);
extractor!([T: DeserializeOwned + Send + Sync + 'static,] AccessClaims<T>, Self::from_verified);
extractor!([T: DeserializeOwned + Send + Sync + 'static,] IdClaims<T>, Self::from_verified);
