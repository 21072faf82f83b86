use crate::{
    error::{AuthError, AuthErrorKind},
    json::{Json, read_object},
};

/// The claims that the rules look at, as the sender wrote them.
#[derive(Debug, Default)]
pub(crate) struct Payload<'a> {
    pub(crate) issuer: Option<Json<'a>>,
    pub(crate) subject: Option<Json<'a>>,
    pub(crate) audience: Option<Json<'a>>,
    pub(crate) client_id: Option<Json<'a>>,
    pub(crate) token_use: Option<Json<'a>>,
    pub(crate) expires_at: Option<Json<'a>>,
    pub(crate) not_before: Option<Json<'a>>,
    pub(crate) issued_at: Option<Json<'a>>,
    pub(crate) auth_time: Option<Json<'a>>,
    pub(crate) scope: Option<Json<'a>>,
    pub(crate) groups: Option<Json<'a>>,
    pub(crate) access_username: Option<Json<'a>>,
    pub(crate) id_username: Option<Json<'a>>,
    pub(crate) confirmation: Option<Json<'a>>,
    pub(crate) permissions: Option<Json<'a>>,
}

/// Reads a JWT claims set (RFC 7519, section 4).
///
/// # Errors
/// `MalformedToken` if the text is not one JSON object whose names are distinct at every depth.
pub(crate) fn decode_payload<'a>(
    text: &'a str,
    permissions_claim: Option<&str>,
) -> Result<Payload<'a>, AuthError> {
    let mut payload = Payload::default();
    read_object(text, |name, value| {
        if permissions_claim == Some(name) {
            payload.permissions = Some(value);
            return;
        }
        let slot = match name {
            "iss" => &mut payload.issuer,
            "sub" => &mut payload.subject,
            "aud" => &mut payload.audience,
            "client_id" => &mut payload.client_id,
            "token_use" => &mut payload.token_use,
            "exp" => &mut payload.expires_at,
            "nbf" => &mut payload.not_before,
            "iat" => &mut payload.issued_at,
            "auth_time" => &mut payload.auth_time,
            "scope" => &mut payload.scope,
            "cognito:groups" => &mut payload.groups,
            "username" => &mut payload.access_username,
            "cognito:username" => &mut payload.id_username,
            "cnf" => &mut payload.confirmation,
            _ => return,
        };
        *slot = Some(value);
    })
    .map_err(|_| {
        AuthError::new(
            AuthErrorKind::MalformedToken,
            "the token's payload is not a JSON object with distinct names",
        )
    })?;
    Ok(payload)
}
