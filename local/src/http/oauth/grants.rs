//! Authorization responses, with a code or with tokens, and the exchange of a code for tokens.

use aws_lc_rs::digest::{SHA256, digest};

use std::sync::Arc;

use crate::{
    crypto::secret::{self, same},
    domain::sign_in::{
        CompletedSignIn, StartedSession, find_ready_user, first_tokens, start_session,
    },
    error::Error,
    http::oauth::{
        request::{AuthorizationRequest, ResponseType},
        resource,
    },
    model::{BrowserSession, Client, Grant, User, settings::OWN_PROVIDER},
    pool::{
        Pool,
        issue::{Tokens, digest_of},
        keys::random_uuid,
    },
    store::Data,
    text::base64url,
    triggers::{Metadata, TokenSource},
};

/// The lifetime of a code, in milliseconds: five minutes.
const LIFETIME: u64 = 5 * 60 * 1000;

/// How long a used code is kept, in milliseconds, so that a second use is detected: one day.
const KEPT_AFTER_USE: u64 = 24 * 60 * 60 * 1000;

/// The parameters with which an app exchanges a code for tokens.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
    pub(crate) resource: Option<&'a str>,
}

/// Returns the address of the app with the response to its request: a code or tokens.
pub(crate) async fn authorization_response(
    request: &AuthorizationRequest,
    user: &User,
    session: &BrowserSession,
) -> Result<String, Error> {
    // As in Cognito, the ID token of a user from an identity provider has a nonce even if the app sent none.
    let generated = || (session.provider != OWN_PROVIDER).then(secret::random_text);
    let nonce = request.nonce.clone().or_else(generated);
    match request.response_type {
        ResponseType::Code => {
            let code = issue_code(request, user, session.auth_time, nonce).await?;
            Ok(request.response_url(&[("code", &code)]))
        }
        ResponseType::Token => issue_tokens(request, user, session.auth_time, nonce).await,
    }
}

/// Exchanges a code for tokens. The second use of a code is rejected and revokes the session of its first use
/// (RFC 6749, section 4.1.2).
pub(crate) async fn exchange(
    pool: &Pool,
    client: &Client,
    given: &Exchange<'_>,
) -> Result<Tokens, Error> {
    let now = pool.now();
    // The revocation has to be kept although the request fails.
    let redeemed = pool.store.write_always(|data| redeem(data, client, given, now)).await?;
    let (user, grant, entered) = redeemed?;
    first_tokens(pool, &entry(client, &user, &grant), entered).await
}

async fn issue_code(
    request: &AuthorizationRequest,
    user: &User,
    auth_time: u64,
    nonce: Option<String>,
) -> Result<String, Error> {
    let now = request.pool.now();
    let code = random_uuid();
    let grant = Grant {
        username: user.username.clone(),
        proof: user.proof(),
        client_id: request.client.settings.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        scopes: request.scopes.clone(),
        nonce,
        code_challenge: request.code_challenge.clone(),
        resource: request.resource.clone(),
        auth_time,
        expires_at: now.saturating_add(LIFETIME),
        used_for: None,
    };
    request
        .pool
        .store
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

async fn issue_tokens(
    request: &AuthorizationRequest,
    user: &User,
    auth_time: u64,
    nonce: Option<String>,
) -> Result<String, Error> {
    let entry = CompletedSignIn {
        client: &request.client,
        user,
        auth_time,
        scopes: Some(request.scopes.clone()),
        nonce,
        resource: request.resource.clone(),
        metadata: Metadata::NONE,
        source: TokenSource::HostedAuth,
    };
    let now = request.pool.now();
    let entered = request.pool.store.write(|data| start_session(data, &entry, now)).await??;
    let tokens = first_tokens(&request.pool, &entry, entered).await?;
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
    Ok(request.response_url(&parameters))
}

fn redeem(
    data: &mut Data,
    client: &Client,
    given: &Exchange<'_>,
    now: u64,
) -> Result<(Arc<User>, Arc<Grant>, StartedSession), Error> {
    let key = digest_of(given.code);
    let is_own = |grant: &&Arc<Grant>| grant.client_id == client.settings.client_id;
    let grant = data.grants.get(&key).filter(is_own).cloned().ok_or_else(invalid)?;
    if let Some(origin_jti) = &grant.used_for {
        if let Some(session) = data.sessions.get_mut(origin_jti) {
            session.revoked = true;
        }
        return Err(invalid());
    }
    let is_valid = now < grant.expires_at
        && given.redirect_uri == Some(&grant.redirect_uri)
        && is_verified(given.verifier, grant.code_challenge.as_deref());
    let user = find_ready_user(data, &grant.username, &grant.proof).filter(|_| is_valid).cloned();
    let user = user.ok_or_else(invalid)?;
    resource::check(given.resource, grant.resource.as_deref())?;
    let entered = start_session(data, &entry(client, &user, &grant), now)?;
    if let Some(grant) = data.grants.get_mut(&key) {
        grant.used_for = Some(entered.origin_jti.clone());
    }
    Ok((user, grant, entered))
}

fn entry<'a>(client: &'a Client, user: &'a User, grant: &Grant) -> CompletedSignIn<'a> {
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

/// Verifies the PKCE code verifier (RFC 7636, section 4.6). A verifier without a challenge is rejected, since an attacker
/// may have removed the challenge from the authorization request (RFC 9700, section 4.8.2).
fn is_verified(verifier: Option<&str>, challenge: Option<&str>) -> bool {
    match (verifier, challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) => {
            (43..=128).contains(&verifier.len())
                && same(challenge, base64url::encode(digest(&SHA256, verifier.as_bytes())))
        }
        _ => false,
    }
}

fn invalid() -> Error {
    Error::not_authorized("Invalid authorization code")
}
