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

use crate::{
    model::StoredKey,
    pool::weak_key::{EXPONENT, WeakKey},
    text::base64url,
};

/// A key pair that signs tokens, with its id.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    /// Counts all keys that the pool has had.
    pub(crate) number: usize,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Real(Arc<KeyPair>),
    Weak(Arc<WeakKey>),
}

/// Where the key pairs of a pool come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeySupply {
    /// The pools of the process share key pairs, because generating them is slow.
    Shared,
    /// The pool generates its own key pairs.
    Own,
    /// Key pairs that are generated quickly and protect nothing. Only for a pool that is not served.
    Weak,
}

/// The key pairs that all pools of the process share, each pool under different ids, because generating a key is slow.
static SHARED: Mutex<Vec<Arc<KeyPair>>> = Mutex::new(Vec::new());

impl KeySupply {
    /// Returns the key with this number.
    pub(crate) fn key(self, issuer: &str, number: usize) -> io::Result<SigningKey> {
        let pair = match self {
            Self::Shared => return SigningKey::shared(issuer, number),
            Self::Own => Pair::Real(Arc::new(generate()?)),
            Self::Weak => Pair::Weak(Arc::new(WeakKey::generate())),
        };
        Ok(SigningKey::of(issuer, number, pair))
    }
}

impl SigningKey {
    /// Returns the key of a number from the key pairs that all pools of the process share.
    fn shared(issuer: &str, number: usize) -> io::Result<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        while shared.len() <= number {
            shared.push(Arc::new(generate()?));
        }
        let pair =
            shared.get(number).map(Arc::clone).ok_or_else(|| io::Error::other("no shared key"))?;
        Ok(Self::of(issuer, number, Pair::Real(pair)))
    }

    /// Returns a key with its id. The id depends on the public key, because after a restart another key pair may have the
    /// same number.
    fn of(issuer: &str, number: usize, pair: Pair) -> Self {
        let modulus = base64url::encode(pair.public_key().n);
        let kid = key_id(&format!("{issuer} {number} {modulus}"));
        Self { kid, number, pair }
    }

    /// Reads a stored key.
    pub(crate) fn from_stored(number: &str, stored: &StoredKey) -> io::Result<Self> {
        let pkcs8 = STANDARD.decode(&stored.pkcs8).map_err(io::Error::other)?;
        let pair = Arc::new(KeyPair::from_pkcs8(&pkcs8).map_err(io::Error::other)?);
        let number = number.parse().map_err(io::Error::other)?;
        Ok(Self { kid: stored.kid.clone(), number, pair: Pair::Real(pair) })
    }

    /// Returns the key of its row. Rows are in the order of the numbers.
    pub(crate) fn table_key(&self) -> String {
        format!("{:010}", self.number)
    }

    /// Returns the key in the form in which it is stored.
    pub(crate) fn to_stored(&self) -> io::Result<StoredKey> {
        let Pair::Real(pair) = &self.pair else {
            return Err(io::Error::other("a weak key is not stored"));
        };
        let pkcs8: Pkcs8V1Der<'static> = pair.as_der().map_err(io::Error::other)?;
        Ok(StoredKey { kid: self.kid.clone(), pkcs8: STANDARD.encode(pkcs8.as_ref()) })
    }

    /// Returns the signed token of a header and a payload.
    pub(crate) fn token(&self, header: &[u8], payload: &[u8]) -> String {
        let message = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
        let signature = base64url::encode(self.pair.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// Returns the public key as a JWK (RFC 7517) with the members that Cognito's JWKs have.
    pub(crate) fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = self.pair.public_key();
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

impl Pair {
    fn public_key(&self) -> PublicKeyComponents<Vec<u8>> {
        match self {
            Self::Real(pair) => pair.public_key().into(),
            Self::Weak(key) => PublicKeyComponents { n: key.modulus(), e: vec![EXPONENT] },
        }
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Real(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("an RSA key of 2048 bits signs any text");
                signature
            }
            Self::Weak(key) => key.sign(message),
        }
    }
}

fn generate() -> io::Result<KeyPair> {
    KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)
}

/// Returns a key id in Cognito's format: 32 bytes in base64.
fn key_id(seed: &str) -> String {
    STANDARD.encode(digest(&SHA256, seed.as_bytes()))
}
