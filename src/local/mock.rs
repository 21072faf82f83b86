use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    own_verifier::own_pool,
    shared::{Parts, Shared},
    store::Store,
    token::TokenBuilder,
    triggers::Triggers,
};
use crate::{
    claims::{Claims, TokenUse, Verified},
    error::{AuthError, AuthErrorKind},
    verifier::{Decision, Verifier},
};

/// A pool that nobody serves: its keys are all that mock claims need.
static UNSERVED: LazyLock<Arc<Shared>> = LazyLock::new(|| {
    let shared = Shared::new(Parts {
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
    /// The proof that the layer would leave in the request's extensions. The token is signed and then held
    /// against the rules, so that a mock cannot have what no token has.
    ///
    /// # Errors
    /// What a verifier of the pool says of the token: it is expired, say.
    pub fn verified(&self) -> Result<Verified, AuthError> {
        let no_verifier =
            || AuthError::new(AuthErrorKind::WrongClient, "the mock names no app client");
        let verifier = self.verifier().map_err(|_| no_verifier())?;
        match verifier.decide(self.sign().as_bytes()) {
            Decision::Made(result) => result,
            Decision::Wait(_) => {
                Err(AuthError::new(AuthErrorKind::UnknownKey, "the pool withdrew the mock's key"))
            }
        }
    }

    /// What a handler takes.
    ///
    /// # Errors
    /// Those of [`verified`](Self::verified), and [`ClaimsShape`](AuthErrorKind::ClaimsShape) if the claims
    /// do not fit `T`.
    pub fn claims<T>(&self) -> Result<Claims<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        Claims::from_verified(&self.verified()?)
    }

    /// A verifier that knows the token's client and fetches nothing.
    fn verifier(&self) -> Result<Verifier, Box<dyn Error>> {
        let payload = self.payload();
        let named = |claim: &str| payload.get(claim).and_then(Value::as_str);
        let client = named("client_id").or_else(|| named("aud"));
        let client = client.unwrap_or_else(|| self.pool().client_id());
        // A mock of a bound token is for a service that accepts what it is bound to.
        let pool = own_pool(self.pool())?.access_tokens([client]).id_tokens([client]);
        let verifier = Verifier::for_pools([pool]).permissions_claim("custom:permissions");
        Ok(verifier.token_cache_bytes(0).build()?)
    }
}
