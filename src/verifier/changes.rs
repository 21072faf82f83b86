use std::sync::Arc;

use crate::{
    error::ConfigError,
    verifier::{banner, pool::Pool, verify::Verifier},
};

/// Methods that change the pools of a running verifier, for example when a service adds or removes a tenant.
///
/// A change applies to all clones of the verifier, and to each token whose verification starts after the call has
/// returned. It does not affect the keys and the cached tokens of other pools. A request costs the same with any number
/// of pools. See [the manual](crate::docs::operations#tenants).
impl Verifier {
    /// Adds a pool. Its keys are fetched when its first token arrives, or by the next call of
    /// [`ready`](Self::ready).
    ///
    /// ```
    /// # use tower_cognito::{ConfigError, Pool, Verifier};
    /// let verifier = Verifier::builder_without_pools().build()?;
    /// verifier.add_pool(Pool::new("eu-west-1_Tenant001").name("acme").access_tokens(["web"]))?;
    /// assert!(verifier.remove_pool("acme"));
    /// # Ok::<(), ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`build`](crate::VerifierBuilder::build) for a pool: its configuration is invalid, or another pool has
    /// one of its issuers, or its name. The pools are then unchanged.
    pub fn add_pool(&self, pool: Pool) -> Result<(), ConfigError> {
        let pool = Arc::new(self.0.pools.build(pool, &self.0.clock)?);
        self.0.pools.change(|set| set.insert(Arc::clone(&pool)))?;
        banner::log_added(&pool);
        Ok(())
    }

    /// Replaces the pool with the same name, or adds the pool if there is none, for example to change its app
    /// clients. No request is rejected in between.
    ///
    /// The tokens of the pool are verified again under the new configuration. The keys stay in use if both
    /// configurations fetch them from the same URL, unless the new one has newer
    /// [initial keys](Pool::initial_keys). Otherwise they are fetched when the next token arrives.
    ///
    /// # Errors
    /// Those of [`add_pool`](Self::add_pool). The previous pool is then still in use.
    pub fn add_or_replace_pool(&self, pool: Pool) -> Result<(), ConfigError> {
        let mut pool = self.0.pools.build(pool, &self.0.clock)?;
        // Another change may come first. Keys from the same URL are still valid then.
        if let Some(old) = self.0.pools.load().named(&pool.name) {
            pool.take_over_keys(old);
        }
        let pool = Arc::new(pool);
        let old = self.0.pools.change(|set| {
            let old = set.remove(&pool.name);
            set.insert(Arc::clone(&pool)).map(|()| old)
        })?;
        match old {
            Some(_) => banner::log_replaced(&pool),
            None => banner::log_added(&pool),
        }
        Ok(())
    }

    /// Removes the pool with this [name](Pool::name): by default its id, or the issuer of a custom pool. Returns whether
    /// there was one.
    ///
    /// Its tokens are rejected from then on with `untrusted_issuer`, also those in the cache. Its keys are no longer
    /// refreshed and are removed from memory. A request that waits for them is rejected when the fetch ends. If a pool
    /// with the same issuer is added later, tokens are verified under the configuration of the new pool.
    pub fn remove_pool(&self, name: &str) -> bool {
        let removed = self.0.pools.change(|set| Ok(set.remove(name))).ok().flatten();
        if let Some(pool) = &removed {
            banner::log_removed(pool);
        }
        removed.is_some()
    }
}
