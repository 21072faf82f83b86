use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    claims::TokenUse,
    error::{AuthError, AuthErrorKind},
    keys::KeyCache,
    policy::Grants,
};

/// A built pool: its accepted app clients, resources and keys.
pub(super) struct PoolRules {
    /// Unique in this process, also among removed pools.
    pub(super) number: u64,
    pub(super) issuer: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) grants: Grants,
    pub(super) issuers: Vec<Arc<str>>,
    /// Shared only with the pool that this one replaces.
    pub(super) keys: Arc<KeyCache>,
    pub(super) keys_from: KeyOrigin,
    /// The settings that remove a protection.
    pub(super) dangerous: Vec<&'static str>,
    pub(super) access_clients: Vec<String>,
    pub(super) id_clients: Vec<String>,
    /// The resources that access tokens may be bound to.
    pub(super) resources: Vec<String>,
    /// Whether access tokens that are bound to no resource are accepted.
    pub(super) accepts_unbound: bool,
    /// Whether access tokens are accepted regardless of their resource.
    pub(super) accepts_any_resource: bool,
}

/// The source of a pool's keys.
#[derive(PartialEq)]
pub(super) enum KeyOrigin {
    Url(String),
    /// The application's own source.
    Source,
    Static,
}

impl PoolRules {
    /// Returns a number that no other pool of this process has.
    pub(super) fn next_number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Keeps the keys of the pool that this one replaces, if both are fetched from the same URL and this one does not
    /// start with newer ones.
    pub(super) fn take_over_keys(&mut self, replaced: &Self) {
        let has_same_url =
            matches!(self.keys_from, KeyOrigin::Url(_)) && self.keys_from == replaced.keys_from;
        if has_same_url && self.keys.fetched_at() <= replaced.keys.fetched_at() {
            self.keys = Arc::clone(&replaced.keys);
        }
    }

    /// Returns the app clients whose tokens of this kind are accepted.
    pub(super) fn clients(&self, token_use: TokenUse) -> &[String] {
        match token_use {
            TokenUse::Access => &self.access_clients,
            TokenUse::Id => &self.id_clients,
        }
    }

    /// Checks that tokens of this kind and client are accepted.
    pub(super) fn accepts(&self, token_use: TokenUse, client: &str) -> Result<(), AuthError> {
        let clients = self.clients(token_use);
        if clients.is_empty() {
            let detail = match token_use {
                TokenUse::Access => "access tokens are not accepted here",
                TokenUse::Id => "ID tokens are not accepted here",
            };
            return Err(AuthError::new(AuthErrorKind::WrongTokenUse, detail));
        }
        if clients.iter().any(|accepted| accepted == client) {
            return Ok(());
        }
        Err(AuthError::new(
            AuthErrorKind::WrongClient,
            "the token was issued to an app client that is not accepted here",
        ))
    }

    pub(super) fn accepts_kind(&self, token_use: TokenUse) -> bool {
        !self.clients(token_use).is_empty()
    }

    pub(super) fn accepts_client(&self, client: &str) -> bool {
        self.access_clients.iter().chain(&self.id_clients).any(|accepted| accepted == client)
    }

    /// Checks that access tokens with this `aud` are accepted: see [`Pool::resources`].
    pub(super) fn accepts_audience(
        &self,
        audience: Option<&[Cow<'_, str>]>,
    ) -> Result<(), AuthError> {
        let names = match audience {
            Some(names) => names,
            None if self.accepts_unbound || self.accepts_any_resource => return Ok(()),
            None => {
                return Err(wrong_audience(
                    "the access token is not bound to a resource; request one with `resource` \
                     (RFC 8707) at the authorization endpoint",
                ));
            }
        };
        let is_in = |accepted: &[String], name: &str| accepted.iter().any(|it| it == name);
        let names_resource = names.iter().any(|name| is_in(&self.resources, name));
        let names_only_clients =
            !names.is_empty() && names.iter().all(|name| is_in(&self.access_clients, name));
        if self.accepts_any_resource
            || names_resource
            || (self.accepts_unbound && names_only_clients)
        {
            return Ok(());
        }
        Err(wrong_audience("the access token is bound to a resource that is not accepted here"))
    }
}

fn wrong_audience(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::WrongAudience, detail)
}

impl fmt::Debug for PoolRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("issuers", &self.issuers).field("keys", &self.keys).finish()
    }
}
