//! State that the fuzz targets share: a pool, a verifier with its keys, and a runtime.

use std::sync::LazyLock;

use serde_json::json;
use tokio::runtime::Runtime;
use tower_cognito::{AuthError, Pool, TokenUse, Verified, Verifier};
use tower_cognito_local::UserPool;

/// State of the whole run. The keys are generated once.
pub struct Fixture {
    pub runtime: Runtime,
    pub pool: UserPool,
    pub verifier: Verifier,
    /// A valid token.
    pub good: String,
}

pub static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(UserPool::start()).unwrap();
    let own = Pool::custom(pool.issuer(), pool.jwks_uri())
        .access_tokens([pool.client_id()])
        .id_tokens([pool.client_id()])
        .static_keys(pool.key_set().unwrap());
    let verifier = Verifier::builder(own)
        .permissions_claim("custom:permissions")
        .token_cache_bytes(1 << 20)
        .build()
        .unwrap();
    let good = pool.token("alice").scope("a").sign();
    Fixture { runtime, pool, verifier, good }
});

impl Fixture {
    pub fn verify(&self, token: &str) -> Result<Verified, AuthError> {
        self.runtime.block_on(self.verifier.verify(token))
    }

    /// Returns the JOSE header of the pool's tokens.
    pub fn header(&self) -> String {
        json!({ "kid": self.pool.key_id(TokenUse::Access), "alg": "RS256" }).to_string()
    }
}
