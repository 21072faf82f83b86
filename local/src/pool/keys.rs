use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{model::StoredKey, text::base64url};

/// A key pair that signs tokens, with its id.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    /// Counts all keys that the pool has had.
    pub(crate) number: usize,
    pair: Arc<KeyPair>,
}

/// The key pairs that all pools of the process share, each pool under different ids, because generating a key is slow.
static SHARED: Mutex<Vec<Arc<KeyPair>>> = Mutex::new(Vec::new());

impl SigningKey {
    /// Returns the key of a number from the key pairs that all pools of the process share.
    pub(crate) fn shared(issuer: &str, number: usize) -> io::Result<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        while shared.len() <= number {
            shared.push(Arc::new(generate()?));
        }
        let pair =
            shared.get(number).map(Arc::clone).ok_or_else(|| io::Error::other("no shared key"))?;
        Ok(Self::of(issuer, number, pair))
    }

    /// Generates a key for one pool.
    pub(crate) fn own(issuer: &str, number: usize) -> io::Result<Self> {
        Ok(Self::of(issuer, number, Arc::new(generate()?)))
    }

    /// Returns a key with its id. The id depends on the public key, because after a restart another key pair may have the
    /// same number.
    fn of(issuer: &str, number: usize, pair: Arc<KeyPair>) -> Self {
        let PublicKeyComponents { n, .. } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
        let kid = key_id(&format!("{issuer} {number} {}", base64url::encode(n)));
        Self { kid, number, pair }
    }

    /// Reads a stored key.
    pub(crate) fn from_stored(number: &str, stored: &StoredKey) -> io::Result<Self> {
        let pkcs8 = STANDARD.decode(&stored.pkcs8).map_err(io::Error::other)?;
        let pair = KeyPair::from_pkcs8(&pkcs8).map_err(io::Error::other)?;
        let number = number.parse().map_err(io::Error::other)?;
        Ok(Self { kid: stored.kid.clone(), number, pair: Arc::new(pair) })
    }

    /// Returns the key of its row. Rows are in the order of the numbers.
    pub(crate) fn table_key(&self) -> String {
        format!("{:010}", self.number)
    }

    /// Returns the key in the form in which it is stored.
    pub(crate) fn to_stored(&self) -> io::Result<StoredKey> {
        let pkcs8: Pkcs8V1Der<'static> = self.pair.as_der().map_err(io::Error::other)?;
        Ok(StoredKey { kid: self.kid.clone(), pkcs8: STANDARD.encode(pkcs8.as_ref()) })
    }

    /// Returns the signed token of a header and a payload.
    pub(crate) fn token(&self, header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
        let signature = self.sign(&message);
        format!("{message}.{signature}")
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256. Returns base64url.
    fn sign(&self, message: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .expect("an RSA key of 2048 bits signs any text");
        base64url::encode(signature)
    }

    /// Returns the public key as a JWK (RFC 7517) with the members that Cognito's JWKs have.
    pub(crate) fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } =
            PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        json!({
            "alg": "RS256",
            "e": base64url::encode(e),
            "kid": self.kid,
            "kty": "RSA",
            "n": base64url::encode(n),
            "use": "sig",
        })
    }
}

fn generate() -> io::Result<KeyPair> {
    KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)
}

/// Returns a key id in Cognito's format: 32 bytes in base64.
fn key_id(seed: &str) -> String {
    STANDARD.encode(digest(&SHA256, seed.as_bytes()))
}
