use std::{
    net::Ipv4Addr,
    sync::{Arc, LazyLock},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use tower_cognito::{AuthError, Claims, TokenUse, Verified, Verifier};

use crate::{
    pool::{Parts, Pool, addresses::Addresses},
    store::Store,
    testing::token::TokenBuilder,
    triggers::Triggers,
};

/// A pool without a server, whose keys sign the mock tokens.
static UNSERVED: LazyLock<Arc<Pool>> = LazyLock::new(|| {
    let pool = Pool::open(Parts {
        store: Store::open(ID, None).expect("a store in memory needs no file"),
        id: ID.parse().expect("the id is valid"),
        client_id: "mockclient".to_owned(),
        issuer: format!("https://mock.invalid/{ID}"),
        addresses: Arc::new(Addresses::of((Ipv4Addr::LOCALHOST, 0).into())),
        own_keys: false,
        triggers: Triggers::default(),
    });
    Arc::new(pool.expect("the system has random numbers to generate keys"))
});

const ID: &str = "us-east-1_Mock00001";

/// Returns a builder of mock claims of an access token, to test a handler without a server, a request and a runtime.
///
/// [`claims`](TokenBuilder::claims) returns the value that a handler takes. [`verified`](TokenBuilder::verified) returns
/// the value that the layer puts into the request's extensions. See [the page on tests](crate::docs::testing).
///
/// # Panics
/// Panics if the system has no random numbers.
pub fn mock(username: impl Into<String>) -> TokenBuilder {
    TokenBuilder::user(Arc::clone(&UNSERVED), TokenUse::Access, username.into())
}

/// Returns a builder of mock claims of an ID token. See [`mock`].
///
/// # Panics
/// Panics if the system has no random numbers.
pub fn mock_id(username: impl Into<String>) -> TokenBuilder {
    TokenBuilder::user(Arc::clone(&UNSERVED), TokenUse::Id, username.into())
}

impl TokenBuilder {
    /// Verifies the token and returns the value that the layer would put into the request's extensions. The token is
    /// signed and all rules are checked, so a mock cannot have claims that no real token has.
    ///
    /// # Errors
    /// The token breaks a rule, for example with an error of kind `Expired`.
    pub fn verified(&self) -> Result<Verified, AuthError> {
        let verified = self.verifier().try_verify(&self.sign());
        verified.expect("a verifier with a static key set and no checks never waits")
    }

    /// Returns the claims as a handler takes them.
    ///
    /// # Errors
    /// The same errors as [`verified`](Self::verified), and `ClaimsShape` if the claims do not fit `T`.
    pub fn claims<T>(&self) -> Result<Claims<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Claims::from_verified(&self.verified()?)
    }

    /// Returns a verifier that accepts the token's client and fetches nothing. If the token has no valid client, the
    /// verifier accepts the pool's client and rejects the token.
    fn verifier(&self) -> Verifier {
        let payload = self.payload();
        let named = |claim: &str| payload.get(claim).and_then(Value::as_str);
        let of = |client: &str| {
            let pool = self.pool().trusted().ok()?.access_tokens([client]).id_tokens([client]);
            let verifier = Verifier::builder(pool).permissions_claim("custom:permissions");
            let clock = self.pool().clock();
            verifier.clock(move || clock.time()).token_cache_bytes(0).build().ok()
        };
        let client = named("client_id").or_else(|| named("aud"));
        let verifier = client.and_then(of).or_else(|| of(self.pool().client_id()));
        verifier.expect("the pool's own id, client and keys are valid")
    }
}
