//! The pools that one server serves.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::UNIX_EPOCH,
};

use tower_cognito::{AuthErrorKind, Verified, verifier::Clock};

use crate::{
    blocking,
    crypto::secret,
    error::Error,
    model::{Client, PoolRecord},
    pool::{KeySupply, Parts, Pool, addresses::Addresses},
    store::{Data, Disk, Store, StoreError, mail::Outbox},
    time::{SystemClock, milliseconds},
    triggers::Triggers,
};

/// The pools of one server.
pub(crate) struct Site {
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) disk: Option<Arc<Disk>>,
    outbox: Option<Outbox>,
    /// The part of each issuer before the pool id.
    issuers: String,
    /// The region of the pools that the API creates, unless the request names one.
    region: String,
    keys: KeySupply,
    pools: Mutex<BTreeMap<String, Arc<Pool>>>,
    /// Held while a domain is assigned to a pool, so that two pools cannot get the same one.
    pub(crate) domains: tokio::sync::Mutex<()>,
}

impl Site {
    pub(crate) fn new(
        addresses: Arc<Addresses>,
        disk: Option<Arc<Disk>>,
        outbox: Option<Outbox>,
        issuers: String,
        (region, keys): (&str, KeySupply),
    ) -> Self {
        let region = region.to_owned();
        let (pools, domains) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { addresses, disk, outbox, issuers, region, keys, pools, domains }
    }

    /// Serves a pool.
    pub(crate) fn add(&self, pool: Arc<Pool>) {
        if let Some(outbox) = &self.outbox {
            pool.store.mail_by(outbox.clone());
        }
        self.lock().insert(pool.id().to_string(), pool);
    }

    /// Returns a pool by its id.
    pub(crate) fn pool(&self, id: &str) -> Option<Arc<Pool>> {
        self.lock().get(id).map(Arc::clone)
    }

    /// Returns all pools, in the order of their ids.
    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        self.lock().values().map(Arc::clone).collect()
    }

    /// Returns the default issuer of a pool.
    pub(crate) fn issuer(&self, id: &str) -> String {
        format!("{}{id}", self.issuers)
    }

    /// Creates and serves a pool, in the region of the first pool unless another is named.
    pub(crate) async fn create(
        self: &Arc<Self>,
        record: PoolRecord,
        region: Option<&str>,
    ) -> Result<Arc<Pool>, StoreError> {
        let id = format!("{}_{}", region.unwrap_or(&self.region), secret::pool_name());
        let pool = self.open(&id).await?;
        pool.create(record, |_| {}).await?;
        self.add(Arc::clone(&pool));
        Ok(pool)
    }

    /// Opens a pool, with its stored data. It is not served yet.
    pub(crate) async fn open(self: &Arc<Self>, id: &str) -> io::Result<Arc<Pool>> {
        let (site, id) = (Arc::clone(self), id.to_owned());
        blocking::run(move || site.load(&id)).await
    }

    fn load(&self, id: &str) -> io::Result<Arc<Pool>> {
        let store = Store::open(id, self.disk.clone())?;
        let client_id = store.read(|data| data.clients.iter().next().map(|(id, _)| id.to_owned()));
        let pool = Pool::open(Parts {
            store,
            id: id.parse().map_err(io::Error::other)?,
            client_id: client_id.unwrap_or_default(),
            issuer: self.issuer(id),
            addresses: Arc::clone(&self.addresses),
            keys: self.keys,
            triggers: Triggers::default(),
        })?;
        Ok(Arc::new(pool))
    }

    /// Removes a pool, also from disk, unless `check` returns an error.
    pub(crate) async fn remove(
        &self,
        pool: &Pool,
        check: impl FnOnce(&Data) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        pool.store.close(check).await??;
        self.lock().remove(pool.id().as_str());
        Ok(())
    }

    /// Returns the system's time in milliseconds. A new pool is created at this time.
    pub(crate) fn now(&self) -> u64 {
        let time = SystemClock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        milliseconds(time)
    }

    /// Finds an app client and its pool.
    pub(crate) fn client(&self, id: &str) -> Option<(Arc<Pool>, Arc<Client>)> {
        self.pools().into_iter().find_map(|pool| {
            let client = pool.store.read(|data| data.clients.get(id).cloned())?;
            Some((pool, client))
        })
    }

    /// Verifies an access token of one of the pools.
    pub(crate) async fn verified(&self, token: &str) -> Result<(Arc<Pool>, Verified), Error> {
        for pool in self.pools() {
            let verifier = match pool.own_verifier() {
                Ok(Some(verifier)) => verifier,
                Ok(None) => continue,
                Err(error) => {
                    // The token may be another pool's.
                    let pool = pool.id();
                    tracing::warn!(%pool, %error, "the pool's tokens cannot be verified");
                    continue;
                }
            };
            match verifier.verify(token).await {
                Ok(verified) => {
                    pool.check_revocation(&verified)?;
                    return Ok((pool, verified));
                }
                Err(error) if error.kind() == AuthErrorKind::UntrustedIssuer => {}
                Err(error) if error.kind() == AuthErrorKind::Expired => {
                    return Err(Error::not_authorized("Access Token has expired"));
                }
                Err(_) => break,
            }
        }
        Err(Error::not_authorized("Invalid Access Token"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
