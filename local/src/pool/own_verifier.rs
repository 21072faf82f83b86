//! The verifier of the access tokens that the same pool issued.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use tower_cognito::{ConfigError, Verifier, VerifierBuilder};

/// The verifier of a pool's own access tokens, which is built once per generation of the pool's clients and keys.
#[derive(Default)]
pub(crate) struct OwnVerifier(Mutex<Option<Built>>);

/// Builds a verifier for internal use. Its configuration is not logged, because it is not that of the application.
pub(crate) fn build_without_log(builder: VerifierBuilder) -> Result<Verifier, ConfigError> {
    tracing::dispatcher::with_default(&tracing::Dispatch::none(), || builder.build())
}

/// The generations of clients and keys.
type Generation = (u64, u64);

struct Built {
    generation: Generation,
    /// `None` for a pool without app clients, which has no tokens.
    verifier: Option<Verifier>,
}

impl OwnVerifier {
    /// Returns the verifier of a generation, and builds it if the stored one is of another generation. The clients and
    /// keys that `build` reads may be newer than `generation`, but not older.
    pub(crate) fn of_generation(
        &self,
        generation: Generation,
        build: impl FnOnce() -> io::Result<Option<Verifier>>,
    ) -> io::Result<Option<Verifier>> {
        let mut stored = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(built) = stored.as_ref().filter(|built| built.generation == generation) {
            return Ok(built.verifier.clone());
        }
        let verifier = build()?;
        *stored = Some(Built { generation, verifier: verifier.clone() });
        Ok(verifier)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        model::{Client, User, settings::ClientSettings},
        pool::{KeySupply, Parts, Pool, addresses::Addresses},
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
            addresses: Arc::new(Addresses::of(([192, 168, 1, 7], 9229).into())),
            keys: KeySupply::Shared,
            triggers: Triggers::default(),
        };
        Pool::open(parts).unwrap()
    }

    async fn change_clients(pool: &Pool, change: impl FnOnce(&mut Data) + Send) {
        pool.store.write_always(change).await.unwrap();
    }

    fn add(id: &'static str) -> impl FnOnce(&mut Data) + Send {
        move |data| drop(data.clients.insert(id, Client::new(ClientSettings::default(), 0)))
    }

    fn generation(pool: &Pool) -> (bool, Option<Generation>) {
        let has_verifier = pool.own_verifier().unwrap().is_some();
        (has_verifier, pool.verifier.0.lock().unwrap().as_ref().map(|built| built.generation))
    }

    #[tokio::test]
    async fn verifier_is_rebuilt_after_changes_of_clients_and_keys_only() {
        let pool = pool();
        assert!(!generation(&pool).0);
        change_clients(&pool, add("first")).await;
        let mut last = generation(&pool);
        assert!(last.0);
        for step in 0..4 {
            change_clients(&pool, |data| drop(data.users.insert("alice", alice(step)))).await;
            assert_eq!(generation(&pool), last, "step {step}");
            match step {
                0 => change_clients(&pool, add("second")).await,
                1 => pool.add_keys().unwrap(),
                2 => pool.withdraw_old_keys(),
                _ => change_clients(&pool, |data| drop(data.remove_client("first"))).await,
            }
            let next = generation(&pool);
            assert!(next.0 && next != last, "step {step}");
            last = next;
        }
        change_clients(&pool, |data| drop(data.remove_client("second"))).await;
        assert!(!generation(&pool).0);
    }

    fn alice(now: u64) -> User {
        User::new("alice".to_owned(), "sub".to_owned(), now)
    }

    #[test]
    fn verifier_is_built_once_per_generation() {
        let verifier = OwnVerifier::default();
        let mut builds = 0;
        for generation in [(0, 0), (0, 0), (1, 0), (1, 0), (1, 1)] {
            let build = || {
                builds += 1;
                Ok(None)
            };
            assert!(verifier.of_generation(generation, build).unwrap().is_none());
        }
        assert_eq!(builds, 3);
    }
}
