use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use tower_cognito::{AuthError, Claims, TokenUse, Verified, Verifier};

use crate::{
    pool::{Parts, Pool},
    store::Store,
    testing::token::TokenBuilder,
    triggers::Triggers,
};

/// A pool without a server. Mock claims need only its keys.
static UNSERVED: LazyLock<Arc<Pool>> = LazyLock::new(|| {
    let shared = Pool::new(Parts {
        store: Store::open(ID, None).expect("a store in memory opens nothing"),
        id: ID.parse().expect("the id is a pool's"),
        client_id: "mockclient".to_owned(),
        issuer: format!("https://mock.invalid/{ID}"),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        own_keys: false,
        triggers: Triggers::default(),
    });
    Arc::new(shared.expect("the system has random numbers, of which keys are made"))
});

const ID: &str = "us-east-1_Mock00001";

/// Starts claims of an access token, for the unit test of a handler: no server, no request, no runtime.
///
/// [`claims`](TokenBuilder::claims) gives what a handler takes, [`verified`](TokenBuilder::verified) what
/// a request carries in its extensions. See [the page on tests](crate::docs::testing).
///
/// # Panics
/// The system has no random numbers.
pub fn mock(username: impl Into<String>) -> TokenBuilder {
    TokenBuilder::user(Arc::clone(&UNSERVED), TokenUse::Access, username.into())
}

/// As [`mock`], of an ID token.
///
/// # Panics
/// The system has no random numbers.
pub fn mock_id(username: impl Into<String>) -> TokenBuilder {
    TokenBuilder::user(Arc::clone(&UNSERVED), TokenUse::Id, username.into())
}

impl TokenBuilder {
    /// Verifies the token and returns what the layer would put into the request's extensions. The token is signed and
    /// passes all rules, so that a mock cannot claim what no real token can.
    ///
    /// # Errors
    /// The error of a verifier of the pool, for example of kind `Expired`.
    pub fn verified(&self) -> Result<Verified, AuthError> {
        let verified = self.verifier().try_verify(&self.sign());
        verified.expect("a verifier with a static key set and no checks never waits")
    }

    /// Returns the claims as a handler takes them.
    ///
    /// # Errors
    /// Those of [`verified`](Self::verified), and `ClaimsShape` if the claims do not fit `T`.
    pub fn claims<T>(&self) -> Result<Claims<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Claims::from_verified(&self.verified()?)
    }

    /// Returns a verifier that accepts the token's client and fetches nothing. If the token names no possible client,
    /// the verifier accepts that of the pool, and refuses the token.
    fn verifier(&self) -> Verifier {
        let payload = self.payload();
        let named = |claim: &str| payload.get(claim).and_then(Value::as_str);
        let of = |client: &str| {
            // Accepts any resource, because a mock stands for a correctly bound token.
            let pool = self.pool().trusted().ok()?.access_tokens([client]).id_tokens([client]);
            let verifier = Verifier::builder(pool).permissions_claim("custom:permissions");
            verifier.token_cache_bytes(0).build().ok()
        };
        let client = named("client_id").or_else(|| named("aud"));
        let verifier = client.and_then(of).or_else(|| of(self.pool().client_id()));
        verifier.expect("the pool's own id, client and keys are valid")
    }
}
