//! The authorization response: a code or tokens, in the redirect to the app.

use crate::{
    domain::{authorization::ResponseType, grants},
    error::Error,
    http::oauth::request::AuthorizationRequest,
    model::{BrowserSession, User},
    pool::issue::Tokens,
};

/// Returns the address of the app with the response to its request, for a user who is signed in.
pub(crate) async fn authorization_response(
    request: &AuthorizationRequest,
    user: &User,
    session: &BrowserSession,
) -> Result<String, Error> {
    let (pool, authorization) = (&request.pool, request.authorization());
    match request.response_type {
        ResponseType::Code => {
            let code = grants::issue_code(pool, &authorization, user, session).await?;
            Ok(request.response_url(&[("code", &code)]))
        }
        ResponseType::Token => {
            let tokens = grants::issue_tokens(pool, &authorization, user, session).await?;
            Ok(with_tokens(request, &tokens))
        }
    }
}

fn with_tokens(request: &AuthorizationRequest, tokens: &Tokens) -> String {
    let expires_in = tokens.expires_in.to_string();
    let parameters: Vec<_> = [
        ("id_token", tokens.id_token.as_deref()),
        ("access_token", Some(tokens.access_token.as_str())),
        ("token_type", Some("Bearer")),
        ("expires_in", Some(&expires_in)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    request.response_url(&parameters)
}
