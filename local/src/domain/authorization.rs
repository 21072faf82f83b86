//! Authorization requests: which redirect URIs and flows an app client may use, and which scopes it is granted.

use crate::{
    domain::{pkce, scopes},
    model::{
        Client,
        settings::{ClientSettings, OAuthFlow},
    },
    pool::Pool,
};

/// The parameters of an authorization request that decide what the app gets.
pub(crate) struct Request<'a> {
    pub(crate) response_type: ResponseType,
    /// The scopes, separated by spaces.
    pub(crate) scope: Option<&'a str>,
    pub(crate) code_challenge: Option<&'a str>,
    pub(crate) code_challenge_method: Option<&'a str>,
}

/// A valid authorization request, for which an app gets a code or tokens of a user.
pub(crate) struct Authorization<'a> {
    pub(crate) client: &'a Client,
    pub(crate) redirect_uri: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) nonce: Option<&'a str>,
    pub(crate) code_challenge: Option<&'a str>,
    /// The API that the access token is for.
    pub(crate) resource: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseType {
    Code,
    Token,
}

/// Error returned when an authorization request is rejected.
pub(crate) enum AuthorizationError {
    /// The app client may not use the flow.
    FlowNotAllowed,
    /// The PKCE challenge has the wrong form, or its method is not `S256`.
    InvalidChallenge,
    /// The app client may not use the scopes, or has no scopes.
    InvalidScope,
}

impl ResponseType {
    fn flow(self) -> OAuthFlow {
        match self {
            Self::Code => OAuthFlow::Code,
            Self::Token => OAuthFlow::Implicit,
        }
    }
}

/// Checks an authorization request and returns the scopes that the app gets.
///
/// # Errors
/// Returns an error if the app client may not use the flow or the scopes, or if the PKCE challenge is invalid.
pub(crate) fn authorize(
    pool: &Pool,
    client: &ClientSettings,
    request: &Request<'_>,
) -> Result<Vec<String>, AuthorizationError> {
    if !client.allows_oauth_flow(request.response_type.flow()) {
        return Err(AuthorizationError::FlowNotAllowed);
    }
    match (request.code_challenge, request.code_challenge_method) {
        (None, None) => {}
        (Some(challenge), Some("S256")) if pkce::is_challenge(challenge) => {}
        _ => return Err(AuthorizationError::InvalidChallenge),
    }
    let scopes = pool.store.read(|data| scopes::of_user(data, client, request.scope));
    scopes.ok_or(AuthorizationError::InvalidScope)
}

/// Returns a redirect URI if it is an exact match of a callback URL of the client.
pub(crate) fn registered_redirect_uri<'a>(
    client: &'a ClientSettings,
    requested: &str,
) -> Option<&'a str> {
    let registered = client.callback_urls.iter().find(|url| *url == requested)?;
    // The response to an implicit flow is in the fragment.
    (!registered.contains('#')).then_some(registered)
}

/// Returns a logout URI if it is an exact match of a logout URL of the client.
pub(crate) fn registered_logout_uri<'a>(
    client: &'a ClientSettings,
    requested: &str,
) -> Option<&'a str> {
    client.logout_urls.iter().map(String::as_str).find(|url| *url == requested)
}
