//! Authorization codes: given to an app by way of a browser, and exchanged for tokens once.

use std::sync::Arc;

use crate::{
    crypto::secret::{self, same},
    domain::sign_in::{Entered, Entry, enter, may_enter, tokens},
    error::ApiError,
    http::oauth::{
        request::{Asking, ResponseType},
        resource,
    },
    model::{BrowserSession, Client, Grant, User, settings::OWN_PROVIDER},
    pool::{
        Shared,
        issue::{Tokens, digest_of},
        keys::random_uuid,
    },
    store::Data,
    text::base64url,
    triggers::{Metadata, TokenSource},
};
use aws_lc_rs::digest::{SHA256, digest};

/// A code lives for five minutes.
const LIFETIME: u64 = 5 * 60 * 1000;

/// A used code is remembered for a day, so that who brings it again is known.
const REMEMBERED: u64 = 24 * 60 * 60 * 1000;

/// What an app shows for tokens.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
    pub(crate) resource: Option<&'a str>,
}

/// How a user came in.
struct Arrival {
    auth_time: u64,
    nonce: Option<String>,
}

/// Where a browser goes whose user is signed in: to the app, with a code or with tokens.
pub(crate) async fn back_to_app(
    asking: &Asking,
    user: &User,
    session: &BrowserSession,
) -> Result<String, ApiError> {
    // Who came by a provider gets a nonce in the ID token, whether or not the app sent one.
    let invented = || (session.provider != OWN_PROVIDER).then(secret::random_text);
    let arrival = Arrival {
        auth_time: session.auth_time,
        nonce: asking.request.nonce.clone().or_else(invented),
    };
    match asking.request.response_type {
        ResponseType::Code => {
            let code = give_code(asking, user, arrival).await?;
            Ok(asking.address(&[("code", &code)]))
        }
        ResponseType::Token => give_tokens(asking, user, arrival).await,
    }
}

/// Exchanges a code. Whoever brings one for the second time ends what came of the first.
pub(crate) async fn exchange(
    pool: &Shared,
    client: &Client,
    given: &Exchange<'_>,
) -> Result<Tokens, ApiError> {
    let now = pool.now();
    // A code that is used twice is rejected and ends the session of its first use.
    let redeemed = pool.store.write_always(|data| redeem(data, client, given, now)).await?;
    let (user, grant, entered) = redeemed?;
    tokens(pool, &entry(client, &user, &grant), entered).await
}

async fn give_code(asking: &Asking, user: &User, arrival: Arrival) -> Result<String, ApiError> {
    let now = asking.pool.now();
    let code = random_uuid();
    let request = &asking.request;
    let grant = Grant {
        username: user.username.clone(),
        proof: user.proof(),
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        scopes: asking.scopes.clone(),
        nonce: arrival.nonce,
        code_challenge: request.code_challenge.clone(),
        resource: request.resource.clone(),
        auth_time: arrival.auth_time,
        expires_at: now.saturating_add(LIFETIME),
        used_for: None,
    };
    asking
        .pool
        .store
        .write(|data| {
            data.grants.retain(|_, grant| {
                let kept = if grant.used_for.is_some() { REMEMBERED } else { 0 };
                now < grant.expires_at.saturating_add(kept)
            });
            data.grants.insert(digest_of(&code), grant);
            Ok::<_, ApiError>(())
        })
        .await??;
    Ok(code)
}

async fn give_tokens(asking: &Asking, user: &User, arrival: Arrival) -> Result<String, ApiError> {
    let entry = Entry {
        client: &asking.client,
        user,
        auth_time: arrival.auth_time,
        scopes: Some(asking.scopes.clone()),
        nonce: arrival.nonce,
        resource: asking.request.resource.clone(),
        metadata: Metadata::NONE,
        source: TokenSource::HostedAuth,
    };
    let now = asking.pool.now();
    let entered = asking.pool.store.write(|data| enter(data, &entry, now)).await??;
    let result = tokens(&asking.pool, &entry, entered).await?;
    let expires_in = result.expires_in.to_string();
    let parameters: Vec<_> = [
        ("id_token", result.id_token.as_deref()),
        ("access_token", Some(result.access_token.as_str())),
        ("token_type", Some("Bearer")),
        ("expires_in", Some(&expires_in)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    Ok(asking.address(&parameters))
}

fn redeem(
    data: &mut Data,
    client: &Client,
    given: &Exchange<'_>,
    now: u64,
) -> Result<(Arc<User>, Arc<Grant>, Entered), ApiError> {
    let key = digest_of(given.code);
    let is_theirs = |grant: &&Arc<Grant>| grant.client_id == client.settings.client_id;
    let grant = data.grants.get(&key).filter(is_theirs).cloned().ok_or_else(invalid)?;
    if let Some(origin_jti) = &grant.used_for {
        if let Some(session) = data.sessions.get_mut(origin_jti) {
            session.revoked = true;
        }
        return Err(invalid());
    }
    let is_right = now < grant.expires_at
        && given.redirect_uri == Some(&grant.redirect_uri)
        && proves(given.verifier, grant.code_challenge.as_deref());
    let user = may_enter(data, &grant.username, &grant.proof).filter(|_| is_right).cloned();
    let user = user.ok_or_else(invalid)?;
    resource::check(given.resource, grant.resource.as_deref())?;
    let entered = enter(data, &entry(client, &user, &grant), now)?;
    if let Some(grant) = data.grants.get_mut(&key) {
        grant.used_for = Some(entered.origin_jti.clone());
    }
    Ok((user, grant, entered))
}

fn entry<'a>(client: &'a Client, user: &'a User, grant: &Grant) -> Entry<'a> {
    Entry {
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

/// RFC 7636, section 4.6. A verifier without a challenge is refused too: somebody took the challenge out of the
/// request (RFC 9700, section 4.8.2).
fn proves(verifier: Option<&str>, challenge: Option<&str>) -> bool {
    match (verifier, challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) => {
            (43..=128).contains(&verifier.len())
                && same(challenge, base64url::encode(digest(&SHA256, verifier.as_bytes())))
        }
        _ => false,
    }
}

fn invalid() -> ApiError {
    ApiError::not_authorized("Invalid authorization code")
}
