//! The grants of OAuth: authorization codes, implicit tokens, refresh tokens and client credentials.

use std::sync::Arc;

use tower_cognito::TokenUse;

use crate::{
    crypto::secret::{self, digest_of},
    domain::{
        authorization::Authorization,
        pkce, resource, scopes, sessions,
        sign_in::{CompletedSignIn, StartedSession, find_ready_user, first_tokens, start_session},
    },
    error::Error,
    ids::random_uuid,
    model::{
        BrowserSession, Client, Grant, Session, User,
        settings::{OAuthFlow, OWN_PROVIDER},
    },
    pool::{Pool, issue::Tokens},
    store::Data,
    triggers::{Metadata, TokenSource},
};

/// The lifetime of a code, in milliseconds: five minutes.
const LIFETIME: u64 = 5 * 60 * 1000;

/// How long a used code is kept to detect a second use, in milliseconds: one day.
const KEPT_AFTER_USE: u64 = 24 * 60 * 60 * 1000;

/// The parameters of a request that exchanges a code for tokens.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
    pub(crate) resource: Option<&'a str>,
}

/// An access token from the client credentials grant.
pub(crate) struct MachineToken {
    pub(crate) access_token: String,
    /// The lifetime of the token, in seconds.
    pub(crate) expires_in: u64,
}

/// Error returned when a grant is rejected.
pub(crate) enum GrantError {
    /// The client may not use the grant.
    FlowNotAllowed,
    /// Client credentials require a client with a secret.
    NoClientSecret,
    /// The client may not have the requested scopes, or has no scopes.
    InvalidScope,
    /// The code or the refresh token is invalid, or a trigger rejected the request. The kind
    /// [`InvalidTarget`](crate::error::ErrorKind::InvalidTarget) means that the grant is for another resource.
    Rejected(Error),
}

impl From<Error> for GrantError {
    fn from(error: Error) -> Self {
        Self::Rejected(error)
    }
}

/// Issues a code for a user with a browser session.
pub(crate) async fn issue_code(
    pool: &Pool,
    authorization: &Authorization<'_>,
    user: &User,
    session: &BrowserSession,
) -> Result<String, Error> {
    let now = pool.now();
    let code = random_uuid();
    let grant = Grant {
        username: user.username.clone(),
        proof: user.proof(),
        client_id: authorization.client.settings.client_id.clone(),
        redirect_uri: authorization.redirect_uri.to_owned(),
        scopes: authorization.scopes.to_vec(),
        nonce: nonce(authorization, session),
        code_challenge: authorization.code_challenge.map(str::to_owned),
        resource: authorization.resource.map(str::to_owned),
        auth_time: session.auth_time,
        expires_at: now.saturating_add(LIFETIME),
        used_for: None,
    };
    pool.store
        .write(|data| {
            data.grants.retain(|_, grant| {
                let kept = if grant.used_for.is_some() { KEPT_AFTER_USE } else { 0 };
                now < grant.expires_at.saturating_add(kept)
            });
            data.grants.insert(digest_of(&code), grant);
            Ok::<_, Error>(())
        })
        .await??;
    Ok(code)
}

/// Issues tokens for a user with a browser session (the implicit grant).
pub(crate) async fn issue_tokens(
    pool: &Pool,
    authorization: &Authorization<'_>,
    user: &User,
    session: &BrowserSession,
) -> Result<Tokens, Error> {
    let completed = CompletedSignIn {
        client: authorization.client,
        user,
        auth_time: session.auth_time,
        scopes: Some(authorization.scopes.to_vec()),
        nonce: nonce(authorization, session),
        resource: authorization.resource.map(str::to_owned),
        metadata: Metadata::NONE,
        source: TokenSource::HostedAuth,
    };
    let now = pool.now();
    let started = pool.store.write(|data| start_session(data, &completed, now)).await??;
    first_tokens(pool, &completed, started).await
}

/// Exchanges a code for tokens. The second use of a code is rejected and revokes the session of its first use
/// (RFC 6749, section 4.1.2).
pub(crate) async fn exchange(
    pool: &Pool,
    client: &Client,
    exchange: &Exchange<'_>,
) -> Result<Tokens, GrantError> {
    if !client.settings.allows_oauth_flow(OAuthFlow::Code) {
        return Err(GrantError::FlowNotAllowed);
    }
    let now = pool.now();
    // The revocation must be saved even though the request fails.
    let redeemed = pool.store.write_always(|data| redeem(data, client, exchange, now)).await;
    let (user, grant, started) = redeemed.map_err(Error::from)??;
    Ok(first_tokens(pool, &completed(client, &user, &grant), started).await?)
}

/// Issues new tokens for a refresh token.
pub(crate) async fn refresh(
    pool: &Pool,
    client: &Client,
    token: &str,
    resource: Option<&str>,
) -> Result<Tokens, GrantError> {
    if !client.settings.allowed_oauth_flows_user_pool_client {
        return Err(GrantError::FlowNotAllowed);
    }
    let check = |session: &Session| resource::check(resource, session.resource.as_deref());
    Ok(sessions::refresh(pool, client, token, Metadata::NONE, |_| Ok(()), check).await?)
}

/// Issues an access token for the client credentials grant.
pub(crate) async fn client_credentials(
    pool: &Pool,
    client: &Client,
    scope: Option<&str>,
    metadata: &Metadata,
) -> Result<MachineToken, GrantError> {
    if !client.settings.allows_oauth_flow(OAuthFlow::ClientCredentials) {
        return Err(GrantError::FlowNotAllowed);
    }
    if client.settings.client_secret.is_none() {
        return Err(GrantError::NoClientSecret);
    }
    let scopes = pool.store.read(|data| scopes::of_machine(data, &client.settings, scope));
    let scopes = scopes.ok_or(GrantError::InvalidScope)?;
    let claims = pool.machine_claims(client, &scopes, metadata).await?;
    let access_token = pool.sign_claims(TokenUse::Access, claims).await;
    Ok(MachineToken { access_token, expires_in: client.settings.access_token_lifetime().as_secs() })
}

/// Returns the nonce of the ID token. As in Cognito, the ID token of a user from an identity provider has a nonce even if
/// the app sent none.
fn nonce(authorization: &Authorization<'_>, session: &BrowserSession) -> Option<String> {
    let generated = || (session.provider != OWN_PROVIDER).then(secret::random_text);
    authorization.nonce.map(str::to_owned).or_else(generated)
}

fn redeem(
    data: &mut Data,
    client: &Client,
    exchange: &Exchange<'_>,
    now: u64,
) -> Result<(Arc<User>, Arc<Grant>, StartedSession), Error> {
    let key = digest_of(exchange.code);
    let is_own = |grant: &&Arc<Grant>| grant.client_id == client.settings.client_id;
    let grant = data.grants.get(&key).filter(is_own).cloned().ok_or_else(invalid)?;
    if let Some(origin_jti) = &grant.used_for {
        if let Some(session) = data.sessions.get_mut(origin_jti) {
            session.revoked = true;
        }
        return Err(invalid());
    }
    let is_valid = now < grant.expires_at
        && exchange.redirect_uri == Some(&grant.redirect_uri)
        && pkce::is_verified(exchange.verifier, grant.code_challenge.as_deref());
    let user = find_ready_user(data, &grant.username, &grant.proof).filter(|_| is_valid).cloned();
    let user = user.ok_or_else(invalid)?;
    resource::check(exchange.resource, grant.resource.as_deref())?;
    let started = start_session(data, &completed(client, &user, &grant), now)?;
    if let Some(grant) = data.grants.get_mut(&key) {
        grant.used_for = Some(started.origin_jti.clone());
    }
    Ok((user, grant, started))
}

fn completed<'a>(client: &'a Client, user: &'a User, grant: &Grant) -> CompletedSignIn<'a> {
    CompletedSignIn {
        client,
        user,
        auth_time: grant.auth_time,
        scopes: Some(grant.scopes.clone()),
        nonce: grant.nonce.clone(),
        resource: grant.resource.clone(),
        metadata: Metadata::NONE,
        source: TokenSource::HostedAuth,
    }
}

fn invalid() -> Error {
    Error::not_authorized("Invalid authorization code")
}
