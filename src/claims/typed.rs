use std::{fmt, ops::Deref, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    claims::{token_use::TokenUse, verified::Verified},
    error::{AuthError, AuthErrorKind},
};

/// The claims of a verified token, with your own claims as type `T`.
///
/// This is an axum extractor. Without axum, call [`from_verified`](Self::from_verified) with the [`Verified`] in the
/// request's extensions. It dereferences to [`Verified`], so it has all of its methods.
///
/// ```
/// use serde::Deserialize;
/// use tower_cognito::Claims;
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     #[serde(rename = "custom:tenant_id")]
///     tenant_id: String,
/// }
///
/// async fn me(claims: Claims<Tenant>) -> String {
///     format!("{} of {}", claims.subject(), claims.custom().tenant_id)
/// }
/// ```
pub struct Claims<T = ()> {
    verified: Verified,
    custom: Arc<T>,
}

/// [`Claims`] of an access token. An ID token is rejected with 403.
pub struct AccessClaims<T = ()>(Claims<T>);

/// [`Claims`] of an ID token. An access token is rejected with 403.
pub struct IdClaims<T = ()>(Claims<T>);

impl<T> Claims<T> {
    /// Returns your own claims.
    pub fn custom(&self) -> &T {
        &self.custom
    }

    /// Returns the verified claims without your own type.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// Returns your own claims as an owned value. They are cloned if the token cache keeps them too.
    pub fn into_custom(self) -> T
    where
        T: Clone,
    {
        // `verified` keeps a reference too, unless it is dropped first.
        let Self { verified, custom } = self;
        drop(verified);
        Arc::unwrap_or_clone(custom)
    }
}

impl<T: Clone> AccessClaims<T> {
    /// Does the same as [`Claims::into_custom`].
    pub fn into_custom(self) -> T {
        self.0.into_custom()
    }
}

impl<T: Clone> IdClaims<T> {
    /// Does the same as [`Claims::into_custom`].
    pub fn into_custom(self) -> T {
        self.0.into_custom()
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Claims<T> {
    /// Decodes `T` from the payload, or returns the value that was decoded earlier for the same cached token.
    ///
    /// # Errors
    /// [`ClaimsShape`](AuthErrorKind::ClaimsShape) if the payload does not fit `T`;
    /// [`claims_mismatch`](AuthError::claims_mismatch) names the claim.
    pub fn from_verified(verified: &Verified) -> Result<Self, AuthError> {
        Ok(Self { custom: verified.decode()?, verified: verified.clone() })
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> AccessClaims<T> {
    /// Does the same as [`Claims::from_verified`], for access tokens only.
    ///
    /// # Errors
    /// [`InsufficientScope`](AuthErrorKind::InsufficientScope) for an ID token, and the errors of
    /// [`Claims::from_verified`].
    pub fn from_verified(verified: &Verified) -> Result<Self, AuthError> {
        check_use(
            TokenUse::Access,
            verified,
            "this route requires an access token, not an ID token",
        )?;
        Claims::from_verified(verified).map(Self)
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> IdClaims<T> {
    /// Does the same as [`Claims::from_verified`], for ID tokens only.
    ///
    /// # Errors
    /// [`InsufficientScope`](AuthErrorKind::InsufficientScope) for an access token, and the errors of
    /// [`Claims::from_verified`].
    pub fn from_verified(verified: &Verified) -> Result<Self, AuthError> {
        check_use(TokenUse::Id, verified, "this route requires an ID token, not an access token")?;
        Claims::from_verified(verified).map(Self)
    }
}

fn check_use(
    expected: TokenUse,
    verified: &Verified,
    detail: &'static str,
) -> Result<(), AuthError> {
    if verified.token_use() == expected {
        return Ok(());
    }
    Err(AuthError::new(AuthErrorKind::InsufficientScope, detail))
}

impl<T> Deref for Claims<T> {
    type Target = Verified;

    fn deref(&self) -> &Verified {
        &self.verified
    }
}

impl<T> Deref for AccessClaims<T> {
    type Target = Claims<T>;

    fn deref(&self) -> &Claims<T> {
        &self.0
    }
}

impl<T> Deref for IdClaims<T> {
    type Target = Claims<T>;

    fn deref(&self) -> &Claims<T> {
        &self.0
    }
}

impl<T> Clone for Claims<T> {
    fn clone(&self) -> Self {
        Self { verified: self.verified.clone(), custom: Arc::clone(&self.custom) }
    }
}

impl<T> Clone for AccessClaims<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for IdClaims<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Claims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claims").field(&self.verified).finish()
    }
}

impl<T> fmt::Debug for AccessClaims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccessClaims").field(&self.0.verified).finish()
    }
}

impl<T> fmt::Debug for IdClaims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IdClaims").field(&self.0.verified).finish()
    }
}
