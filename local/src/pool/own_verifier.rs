//! Verifies a pool's own access tokens, by the rules that services use.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tower_cognito::{Verifier, keys::KeySetError};

use crate::pool::Pool;

/// The verifier of a pool's own access tokens. It is rebuilt when the pool's app clients or keys are no longer those
/// that it was built from, whatever changed them.
#[derive(Default)]
pub(crate) struct OwnVerifier(Mutex<Option<Arc<Built>>>);

/// A verifier, with what it was built from.
struct Built {
    clients: Vec<String>,
    key_ids: Vec<String>,
    verifier: Verifier,
}

impl OwnVerifier {
    /// Returns the verifier for the pool's present clients and keys, or `None` for a pool without app clients: it has
    /// no tokens.
    pub(crate) fn current(&self, pool: &Pool) -> io::Result<Option<Verifier>> {
        let clients: Vec<_> =
            pool.store.read(|data| data.clients.iter().map(|(id, _)| id.to_owned()).collect());
        if clients.is_empty() {
            return Ok(None);
        }
        let key_ids = pool.key_ids();
        let mut built = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |built: &&Arc<Built>| built.clients == clients && built.key_ids == key_ids;
        if let Some(built) = built.as_ref().filter(is_current) {
            return Ok(Some(built.verifier.clone()));
        }
        let verifier = build(pool, &clients).map_err(io::Error::other)?;
        *built = Some(Arc::new(Built { clients, key_ids, verifier: verifier.clone() }));
        Ok(Some(verifier))
    }
}

fn build(
    pool: &Pool,
    clients: &[String],
) -> Result<Verifier, Box<dyn std::error::Error + Send + Sync>> {
    let own = own_pool(pool)?.access_tokens(clients);
    let clock = Arc::clone(pool.clock());
    Ok(Verifier::builder(own).clock(move || clock.time()).token_cache_bytes(0).build()?)
}

/// A pool with its present keys, for the pool's own use: it takes its tokens whatever API they are for.
pub(crate) fn own_pool(pool: &Pool) -> Result<tower_cognito::Pool, KeySetError> {
    Ok(tower_cognito::Pool::custom(pool.issuer(), pool.jwks_uri())
        .static_keys(pool.key_set()?)
        // The keys are static: nothing is ever fetched over plain HTTP.
        .dangerous()
        .allow_plain_http()
        .dangerous()
        .accept_any_resource())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::{
        model::{Client, settings::ClientSettings},
        pool::Parts,
        store::{Data, Store},
        triggers::Triggers,
    };

    fn pool() -> Pool {
        let id = "us-east-1_Local0001";
        let parts = Parts {
            store: Store::open(id, None).unwrap(),
            id: id.parse().unwrap(),
            client_id: "first".to_owned(),
            issuer: format!("http://cognito:9229/{id}"),
            address: SocketAddr::from(([192, 168, 1, 7], 9229)),
            own_keys: false,
            triggers: Triggers::default(),
        };
        Pool::new(parts).unwrap()
    }

    async fn change_clients(pool: &Pool, change: impl FnOnce(&mut Data) + Send) {
        pool.store.write_always(change).await.unwrap();
    }

    fn add(id: &'static str) -> impl FnOnce(&mut Data) + Send {
        move |data| drop(data.clients.insert(id, Client::new(ClientSettings::default(), 0)))
    }

    /// Returns the verifier that is kept, to compare by its address.
    fn built(pool: &Pool, verifier: &OwnVerifier) -> Option<Arc<Built>> {
        verifier.current(pool).unwrap()?;
        verifier.0.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn verifier_is_built_again_for_other_clients_and_keys_alone() {
        let (pool, verifier) = (pool(), OwnVerifier::default());
        assert!(built(&pool, &verifier).is_none());
        change_clients(&pool, add("first")).await;
        let mut last = built(&pool, &verifier).unwrap();
        for step in 0..4 {
            for _ in 0..3 {
                assert!(Arc::ptr_eq(&last, &built(&pool, &verifier).unwrap()));
            }
            match step {
                0 => change_clients(&pool, add("second")).await,
                1 => pool.add_keys().unwrap(),
                2 => pool.withdraw_old_keys(),
                _ => change_clients(&pool, |data| drop(data.remove_client("first"))).await,
            }
            let next = built(&pool, &verifier).unwrap();
            assert!(!Arc::ptr_eq(&last, &next), "step {step}");
            last = next;
        }
        change_clients(&pool, |data| drop(data.remove_client("second"))).await;
        assert!(built(&pool, &verifier).is_none());
    }
}
