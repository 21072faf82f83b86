use std::borrow::Cow;

use crate::{
    claims::TokenUse,
    error::{AuthError, AuthErrorKind},
    json::Json,
    token::{
        claims_set::{Claim, ClaimsSet, invalid},
        compact::CompactJws,
    },
};

/// A token before its signature is verified. Its content is not trusted, so only the values that are needed to find
/// the key can be read.
pub(crate) struct Unverified<'a> {
    jws: &'a CompactJws<'a>,
    claims: ClaimsSet<'a>,
}

/// A token with a valid signature. Its claims were written by the issuer.
///
/// Only [`Unverified::verify`] creates it. Each method reads one claim. A claim of the wrong type is an error, and is
/// never treated as absent.
pub(crate) struct Signed<'a>(&'a Unverified<'a>);

impl<'a> Unverified<'a> {
    /// Parses the claims. `permissions_claim` is the name of the claim with the permissions.
    ///
    /// # Errors
    /// `MalformedToken` if the payload is not one JSON object whose names are unique at every depth.
    pub(crate) fn parse(
        jws: &'a CompactJws<'a>,
        permissions_claim: Option<&str>,
    ) -> Result<Self, AuthError> {
        Ok(Self { jws, claims: ClaimsSet::parse(jws.payload(), permissions_claim)? })
    }

    pub(crate) fn key_id(&self) -> &str {
        self.jws.key_id()
    }

    /// Returns `iss`, or `None` if it is missing or not a string.
    pub(crate) fn issuer(&self) -> Option<&str> {
        match &self.claims.issuer {
            Claim::Present(issuer) => Some(issuer),
            Claim::Absent | Claim::WrongType => None,
        }
    }

    /// Verifies the signature with `check`, the check of one key. Its arguments are the signing input and the
    /// signature.
    ///
    /// # Errors
    /// `BadSignature` if the check returns false.
    pub(crate) fn verify(
        &self,
        check: impl FnOnce(&[u8], &[u8]) -> bool,
    ) -> Result<Signed<'_>, AuthError> {
        self.jws.verify_signature(check)?;
        Ok(Signed(self))
    }
}

impl Signed<'_> {
    /// Returns the JSON text of the payload.
    pub(crate) fn payload(&self) -> &str {
        self.0.jws.payload()
    }

    /// Returns `exp`, which is required.
    pub(crate) fn expires_at(&self) -> Result<u64, AuthError> {
        let detail = "the token's `exp` is missing or not a whole number of seconds";
        self.0.claims.expires_at.required(detail).copied()
    }

    /// Returns `nbf`.
    pub(crate) fn not_before(&self) -> Result<Option<u64>, AuthError> {
        let detail = "the token's `nbf` is not a whole number of seconds";
        self.0.claims.not_before.optional(detail).map(Option::<&u64>::copied)
    }

    /// Returns `iat`.
    pub(crate) fn issued_at(&self) -> Result<Option<u64>, AuthError> {
        let detail = "the token's `iat` is not a whole number of seconds";
        self.0.claims.issued_at.optional(detail).map(Option::<&u64>::copied)
    }

    /// Returns `auth_time`.
    pub(crate) fn auth_time(&self) -> Result<Option<u64>, AuthError> {
        let detail = "the token's `auth_time` is not a whole number of seconds";
        self.0.claims.auth_time.optional(detail).map(Option::<&u64>::copied)
    }

    /// Returns `token_use`, which is required and must be `access` or `id`.
    pub(crate) fn token_use(&self) -> Result<TokenUse, AuthError> {
        let detail = "the token's `token_use` is missing or not a string";
        match self.0.claims.token_use.required(detail)?.as_ref() {
            "access" => Ok(TokenUse::Access),
            "id" => Ok(TokenUse::Id),
            _ => Err(AuthError::new(
                AuthErrorKind::WrongTokenUse,
                "the token's `token_use` is neither access nor id",
            )),
        }
    }

    /// Returns the app client, which is required: `client_id` of an access token, `aud` of an ID token.
    pub(crate) fn client_id(&self) -> Result<&str, AuthError> {
        match self.token_use()? {
            TokenUse::Access => {
                let detail = "the token's `client_id` is missing or not a string";
                self.0.claims.client_id.required(detail).map(AsRef::as_ref)
            }
            TokenUse::Id => match &self.0.claims.audience {
                Some(Json::String(client_id)) => Ok(client_id),
                _ => Err(invalid("the token's `aud` is missing or not a single string")),
            },
        }
    }

    /// Returns `scope` of an access token. The result for an ID token is empty, even if its payload has `scope`.
    pub(crate) fn scope(&self) -> Result<&str, AuthError> {
        match self.token_use()? {
            TokenUse::Access => {
                let scope = self.0.claims.scope.optional("the token's `scope` is not a string")?;
                Ok(scope.map_or("", AsRef::as_ref))
            }
            TokenUse::Id => Ok(""),
        }
    }

    /// Returns the user's name: `username` of an access token, `cognito:username` of an ID token.
    pub(crate) fn username(&self) -> Result<Option<&str>, AuthError> {
        let username = match self.token_use()? {
            TokenUse::Access => &self.0.claims.access_username,
            TokenUse::Id => &self.0.claims.id_username,
        };
        let username = username.optional("the token's user name is not a string")?;
        Ok(username.map(AsRef::as_ref))
    }

    /// Returns the entries of `aud` of an access token. A string is one entry.
    pub(crate) fn audience(&self) -> Result<Option<&[Cow<'_, str>]>, AuthError> {
        match &self.0.claims.audience {
            None => Ok(None),
            Some(Json::String(name)) => Ok(Some(std::slice::from_ref(name))),
            Some(Json::Strings(names)) => Ok(Some(names)),
            Some(_) => {
                Err(invalid("the access token's `aud` is neither a string nor an array of strings"))
            }
        }
    }

    /// Returns whether the token has the claim `cnf`, with any value.
    pub(crate) fn has_confirmation(&self) -> bool {
        self.0.claims.has_confirmation
    }

    /// Returns `sub`, which is required.
    pub(crate) fn subject(&self) -> Result<&str, AuthError> {
        let detail = "the token's `sub` is missing or not a string";
        self.0.claims.subject.required(detail).map(AsRef::as_ref)
    }

    /// Returns `cognito:groups`.
    pub(crate) fn groups(&self) -> Result<&[Cow<'_, str>], AuthError> {
        let detail = "the token's `cognito:groups` is not an array of strings";
        Ok(self.0.claims.groups.optional(detail)?.map_or(&[], Vec::as_slice))
    }

    /// Returns the claim with the permissions. It may have any type; a claim that cannot be read grants nothing.
    pub(crate) fn permissions(&self) -> Option<&Json<'_>> {
        self.0.claims.permissions.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    #[test]
    fn a_failed_signature_check_returns_no_claims() {
        let parts = [r#"{"alg":"RS256","kid":"a"}"#, r#"{"iss":"b","sub":"c"}"#, "signature"];
        let token = parts.map(base64url::encode).join(".");
        let mut buffer = Vec::new();
        let jws = CompactJws::decode(token.as_bytes(), &mut buffer).unwrap();
        let unverified = Unverified::parse(&jws, None).unwrap();
        assert_eq!((unverified.key_id(), unverified.issuer()), ("a", Some("b")));
        let error = unverified.verify(|_, _| false).err().unwrap();
        assert_eq!(error.kind(), AuthErrorKind::BadSignature);
        let signed = unverified.verify(|input, signature| {
            let sent = token.rsplit_once('.').unwrap().0;
            input == sent.as_bytes() && signature == b"signature"
        });
        assert_eq!(signed.unwrap().subject().unwrap(), "c");
    }
}
