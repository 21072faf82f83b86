use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    api::ApiError,
    mail::Outbox,
    shared::Shared,
    store::{Client, Disk},
};
use crate::{
    claims::Verified,
    error::AuthErrorKind,
    verifier::{Pool, Verifier},
};

/// All pools that one server serves.
pub(super) struct Site {
    pub(super) address: SocketAddr,
    pub(super) disk: Option<Arc<Disk>>,
    outbox: Option<Outbox>,
    pools: Mutex<BTreeMap<String, Arc<Shared>>>,
}

impl Site {
    pub(super) fn new(
        address: SocketAddr,
        disk: Option<Arc<Disk>>,
        outbox: Option<Outbox>,
    ) -> Self {
        Self { address, disk, outbox, pools: Mutex::default() }
    }

    pub(super) fn add(&self, pool: Arc<Shared>) {
        if let Some(outbox) = &self.outbox {
            pool.store.mail_by(outbox.clone());
        }
        self.lock().insert(pool.id().to_string(), pool);
    }

    pub(super) fn pool(&self, id: &str) -> Option<Arc<Shared>> {
        self.lock().get(id).map(Arc::clone)
    }

    pub(super) fn pools(&self) -> Vec<Arc<Shared>> {
        self.lock().values().map(Arc::clone).collect()
    }

    /// Forgets a pool, on disk too.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        self.lock().remove(id);
        self.disk.as_ref().map_or(Ok(()), |disk| disk.forget(id))
    }

    /// An app client, with the pool that it belongs to.
    pub(super) fn client(&self, id: &str) -> Option<(Arc<Shared>, Client)> {
        self.pools().into_iter().find_map(|pool| {
            let client = pool.store.read(|data| data.clients.get(id).cloned())?;
            Some((pool, client))
        })
    }

    /// The claims of an access token of one of the pools, by this crate's own rules.
    pub(super) async fn verified(&self, token: &str) -> Result<(Arc<Shared>, Verified), ApiError> {
        for pool in self.pools() {
            match pool.own_verifier()?.verify(token).await {
                Ok(verified) => {
                    pool.check_revocation(&verified)?;
                    return Ok((pool, verified));
                }
                Err(error) if error.kind() == AuthErrorKind::UntrustedIssuer => {}
                Err(error) if error.kind() == AuthErrorKind::Expired => {
                    return Err(ApiError::not_authorized("Access Token has expired"));
                }
                Err(_) => break,
            }
        }
        Err(ApiError::not_authorized("Invalid Access Token"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Shared>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// A verifier of this pool's access tokens with the keys of this moment.
    fn own_verifier(self: &Arc<Self>) -> Result<Verifier, ApiError> {
        let clients: Vec<_> =
            self.store.read(|data| data.clients.iter().map(|(id, _)| id.to_owned()).collect());
        let keys = self.key_set().map_err(io::Error::other)?;
        let pool =
            Pool::custom(self.issuer(), self.jwks_uri()).access_tokens(clients).static_keys(keys);
        let clock = Arc::clone(self);
        Verifier::for_pools([pool])
            .clock(move || clock.time())
            .token_cache_bytes(0)
            .build()
            .map_err(|error| io::Error::other(error).into())
    }
}
