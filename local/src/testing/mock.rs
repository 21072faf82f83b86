use std::{
    net::Ipv4Addr,
    sync::{Arc, LazyLock},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use tower_cognito::{AuthError, Claims, ConfigError, TokenUse, Verified, Verifier};

use crate::{
    pool::{KeySupply, Parts, Pool, addresses::Addresses},
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
        // The keys need not be secret, because no server publishes them.
        keys: KeySupply::Weak,
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
    /// Sets the function with which [`verified`](Self::verified) and [`claims`](Self::claims) build the verifier: the
    /// function of your service, so that mocks have its permissions, grants, pool name and checks.
    ///
    /// The function gets the issuer and the keys of the mock, as a [`UserPool`](crate::UserPool::pool) would pass them.
    /// The token is of the app client `mockclient` unless [`client`](Self::client) sets it.
    ///
    /// ```
    /// use tower_cognito::{ConfigError, Pool, Verifier, policy::Grants};
    /// use tower_cognito_local::mock;
    ///
    /// fn verifier(pool: Pool) -> Result<Verifier, ConfigError> {
    ///     let grants = Grants::new().add_group("staff", ["orders:read"]);
    ///     Verifier::builder(pool.access_tokens(["web"]).grants(grants)).build()
    /// }
    ///
    /// let claims = mock("alice").client("web").group("staff").verifier(verifier).verified()?;
    /// assert!(claims.has_permission("orders:read"));
    /// # Ok::<(), tower_cognito::AuthError>(())
    /// ```
    ///
    /// Default: a verifier that accepts the token's app client and any resource, and grants no permissions.
    pub fn verifier<F>(mut self, verifier: F) -> Self
    where
        F: Fn(tower_cognito::Pool) -> Result<Verifier, ConfigError> + Send + Sync + 'static,
    {
        self.configure = Some(Arc::new(verifier));
        self
    }

    /// Verifies the token and returns the value that the layer would put into the request's extensions. The token is
    /// signed and all rules are checked, so a mock cannot have claims that no real token has.
    ///
    /// # Errors
    /// The token breaks a rule, for example with an error of kind `Expired`.
    ///
    /// # Panics
    /// - The pool would not issue such a token: see [`sign`](Self::sign).
    /// - The function that [`verifier`](Self::verifier) set returns an error, or a verifier that has to wait: with
    ///   asynchronous checks, or with another pool than the given one.
    #[track_caller]
    pub fn verified(&self) -> Result<Verified, AuthError> {
        let token = self.sign();
        let verifier = match self.configure.as_deref() {
            Some(configure) => {
                let pool = self.pool().with_static_keys().expect(OWN_SETTINGS);
                configure(pool)
                    .unwrap_or_else(|error| panic!("the verifier cannot be built: {error}"))
            }
            None => self.default_verifier(),
        };
        let verified = verifier.try_verify(&token);
        verified.expect(
            "a mock cannot wait for asynchronous checks or for the keys of another pool: use a UserPool instead",
        )
    }

    /// Returns the claims as a handler takes them.
    ///
    /// # Errors
    /// The same errors as [`verified`](Self::verified), and `ClaimsShape` if the claims do not fit `T`.
    ///
    /// # Panics
    /// Panics as [`verified`](Self::verified) does.
    #[track_caller]
    pub fn claims<T>(&self) -> Result<Claims<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Claims::from_verified(&self.verified()?)
    }

    /// Returns a verifier that accepts the token's client and fetches nothing. If the token has no valid client, the
    /// verifier accepts the pool's client and rejects the token.
    fn default_verifier(&self) -> Verifier {
        let payload = self.payload();
        let named = |claim: &str| payload.get(claim).and_then(Value::as_str);
        let of = |client: &str| {
            let pool = self.pool().with_static_keys().ok()?;
            let pool = pool.access_tokens([client]).id_tokens([client]);
            let clock = self.pool().clock();
            let verifier = Verifier::builder(pool.dangerous().accept_any_resource());
            verifier.clock(move || clock.time()).token_cache_bytes(0).build().ok()
        };
        let client = named("client_id").or_else(|| named("aud"));
        client.and_then(of).or_else(|| of(self.pool().client_id())).expect(OWN_SETTINGS)
    }
}

const OWN_SETTINGS: &str = "the pool's own id, client and keys are valid";
