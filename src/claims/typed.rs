use std::{fmt, ops::Deref, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    claims::verified::{Decoded, TokenUse, Verified},
    error::{AuthError, AuthErrorKind},
};

/// The verified claims, and those of your own type `T` with them.
///
/// In axum it is an extractor; elsewhere make it from the [`Verified`] in the request's extensions.
/// All that [`Verified`] tells can be asked of it too.
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
    custom: Decoded<T>,
}

/// [`Claims`] of an access token; an ID token is refused with 403.
pub struct AccessClaims<T = ()>(Claims<T>);

/// [`Claims`] of an ID token; an access token is refused with 403.
pub struct IdClaims<T = ()>(Claims<T>);

impl<T: 'static> Claims<T> {
    /// The claims of your own type.
    pub fn custom(&self) -> &T {
        match &self.custom {
            Decoded::Own(custom) => custom,
            Decoded::In(slot) => match self.verified.remembered(*slot) {
                Some(custom) => custom,
                None => unreachable!("a slot that was found to hold a type keeps it"),
            },
        }
    }
}

impl<T> Claims<T> {
    /// The proof without the custom claims.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Claims<T> {
    /// Decodes `T` from the payload, or finds it beside the token if that was done before.
    ///
    /// # Errors
    /// [`ClaimsShape`](AuthErrorKind::ClaimsShape) if the payload does not fit `T`.
    pub fn from_verified(verified: &Verified) -> Result<Self, AuthError> {
        Ok(Self { custom: verified.remember()?, verified: verified.clone() })
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> AccessClaims<T> {
    /// As [`Claims::from_verified`], for access tokens alone.
    ///
    /// # Errors
    /// [`InsufficientScope`](AuthErrorKind::InsufficientScope) for an ID token, and those of
    /// [`Claims::from_verified`].
    pub fn from_verified(verified: &Verified) -> Result<Self, AuthError> {
        expect(TokenUse::Access, verified, "this route takes an access token, not an ID token")?;
        Claims::from_verified(verified).map(Self)
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> IdClaims<T> {
    /// As [`Claims::from_verified`], for ID tokens alone.
    ///
    /// # Errors
    /// [`InsufficientScope`](AuthErrorKind::InsufficientScope) for an access token, and those of
    /// [`Claims::from_verified`].
    pub fn from_verified(verified: &Verified) -> Result<Self, AuthError> {
        expect(TokenUse::Id, verified, "this route takes an ID token, not an access token")?;
        Claims::from_verified(verified).map(Self)
    }
}

fn expect(wanted: TokenUse, found: &Verified, detail: &'static str) -> Result<(), AuthError> {
    if found.token_use() == wanted {
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
        let custom = match &self.custom {
            Decoded::In(slot) => Decoded::In(*slot),
            Decoded::Own(custom) => Decoded::Own(Arc::clone(custom)),
        };
        Self { verified: self.verified.clone(), custom }
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
