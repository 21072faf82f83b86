use std::borrow::Cow;

use crate::{
    claims::MAX_NUMERIC_DATE,
    error::{AuthError, AuthErrorKind},
    json::{Json, read_object},
};

/// The claims that the rules check, as they are in the payload. Other claims are not kept.
#[derive(Default)]
pub(super) struct ClaimsSet<'a> {
    pub(super) issuer: Claim<Cow<'a, str>>,
    pub(super) subject: Claim<Cow<'a, str>>,
    /// A string or an array of strings, depending on the kind of token.
    pub(super) audience: Option<Json<'a>>,
    pub(super) client_id: Claim<Cow<'a, str>>,
    pub(super) token_use: Claim<Cow<'a, str>>,
    pub(super) expires_at: Claim<u64>,
    pub(super) not_before: Claim<u64>,
    pub(super) issued_at: Claim<u64>,
    pub(super) auth_time: Claim<u64>,
    pub(super) scope: Claim<Cow<'a, str>>,
    pub(super) groups: Claim<Vec<Cow<'a, str>>>,
    pub(super) access_username: Claim<Cow<'a, str>>,
    pub(super) id_username: Claim<Cow<'a, str>>,
    pub(super) has_confirmation: bool,
    pub(super) permissions: Option<Json<'a>>,
}

/// One claim. A claim of the wrong type is not treated as absent.
#[derive(Default)]
pub(super) enum Claim<T> {
    #[default]
    Absent,
    Present(T),
    WrongType,
}

impl<'a> ClaimsSet<'a> {
    /// Reads a JWT claims set (RFC 7519, section 4). `permissions_claim` is the name of the claim with the
    /// permissions.
    ///
    /// # Errors
    /// `MalformedToken` if the text is not one JSON object whose names are unique at every depth.
    pub(super) fn parse(
        payload: &'a str,
        permissions_claim: Option<&str>,
    ) -> Result<Self, AuthError> {
        let mut claims = Self::default();
        read_object(payload, |name, value| match name {
            _ if permissions_claim == Some(name) => claims.permissions = Some(value),
            "iss" => claims.issuer = text(value),
            "sub" => claims.subject = text(value),
            "aud" => claims.audience = Some(value),
            "client_id" => claims.client_id = text(value),
            "token_use" => claims.token_use = text(value),
            "exp" => claims.expires_at = date(&value),
            "nbf" => claims.not_before = date(&value),
            "iat" => claims.issued_at = date(&value),
            "auth_time" => claims.auth_time = date(&value),
            "scope" => claims.scope = text(value),
            "cognito:groups" => claims.groups = texts(value),
            "username" => claims.access_username = text(value),
            "cognito:username" => claims.id_username = text(value),
            "cnf" => claims.has_confirmation = true,
            _ => {}
        })
        .map_err(|_| {
            AuthError::new(
                AuthErrorKind::MalformedToken,
                "the token's payload is not a JSON object with unique names",
            )
        })?;
        Ok(claims)
    }
}

impl<T> Claim<T> {
    /// Returns the claim's value, or `None` if the claim is absent.
    ///
    /// # Errors
    /// `InvalidClaim` with this detail if the claim is of the wrong type.
    pub(super) fn optional(&self, detail: &'static str) -> Result<Option<&T>, AuthError> {
        match self {
            Self::Absent => Ok(None),
            Self::Present(value) => Ok(Some(value)),
            Self::WrongType => Err(invalid(detail)),
        }
    }

    /// Returns the claim's value.
    ///
    /// # Errors
    /// `InvalidClaim` with this detail if the claim is absent or of the wrong type.
    pub(super) fn required(&self, detail: &'static str) -> Result<&T, AuthError> {
        match self {
            Self::Present(value) => Ok(value),
            Self::Absent | Self::WrongType => Err(invalid(detail)),
        }
    }
}

pub(super) fn invalid(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::InvalidClaim, detail)
}

fn text(value: Json<'_>) -> Claim<Cow<'_, str>> {
    match value {
        Json::String(text) => Claim::Present(text),
        _ => Claim::WrongType,
    }
}

fn texts(value: Json<'_>) -> Claim<Vec<Cow<'_, str>>> {
    match value {
        Json::Strings(texts) => Claim::Present(texts),
        _ => Claim::WrongType,
    }
}

/// Reads a `NumericDate` (RFC 7519, section 2) as Cognito writes it, in whole seconds. Fractions, which the RFC allows,
/// and years after 9999 count as a wrong type, because Cognito never writes them.
fn date(value: &Json<'_>) -> Claim<u64> {
    match value {
        Json::Integer(seconds) if *seconds <= MAX_NUMERIC_DATE => Claim::Present(*seconds),
        _ => Claim::WrongType,
    }
}
