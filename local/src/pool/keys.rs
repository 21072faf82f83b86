use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der},
    rand::{SecureRandom, SystemRandom},
    rsa::{KeyPair, KeyPairComponents, KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use num_bigint::BigUint;
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
    /// Returns the key of a number.
    pub(crate) fn key(self, issuer: &str, number: usize) -> io::Result<SigningKey> {
        let pair = match self {
            Self::Shared => return SigningKey::shared(issuer, number),
            Self::Own => generate()?,
            Self::Weak => generate_weak()?,
        };
        Ok(SigningKey::of(issuer, number, Arc::new(pair)))
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
        Ok(Self::of(issuer, number, pair))
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

/// Generates a key pair that any RSA library accepts, within a millisecond. It protects nothing: anyone can factor its
/// modulus, which is the product of a random prime of 32 bits and the Mersenne prime 2^2203 − 1.
fn generate_weak() -> io::Result<KeyPair> {
    let one = BigUint::from(1_u8);
    let exponent = BigUint::from(65_537_u32);
    let large = (&one << 2203_u32) - &one;
    loop {
        let small = BigUint::from(small_prime()?);
        let order = (&large - &one) * (&small - &one);
        let (Some(private), Some(inverse)) = (exponent.modinv(&order), small.modinv(&large)) else {
            continue;
        };
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: (&large * &small).to_bytes_be(),
                e: exponent.to_bytes_be(),
            },
            d: private.to_bytes_be(),
            p: large.to_bytes_be(),
            q: small.to_bytes_be(),
            dP: (&private % (&large - &one)).to_bytes_be(),
            dQ: (&private % (&small - &one)).to_bytes_be(),
            qInv: inverse.to_bytes_be(),
        };
        return KeyPair::from_components(&components).map_err(io::Error::other);
    }
}

/// Returns a random prime of 32 bits.
fn small_prime() -> io::Result<u32> {
    let mut bytes = [0; 4];
    loop {
        SystemRandom::new().fill(&mut bytes).map_err(io::Error::other)?;
        let candidate = u32::from_be_bytes(bytes) | 0x8000_0001;
        let mut divisors = (3..=u32::from(u16::MAX)).step_by(2);
        if divisors.all(|divisor| candidate % divisor != 0) {
            return Ok(candidate);
        }
    }
}

/// Returns a key id in Cognito's format: 32 bytes in base64.
fn key_id(seed: &str) -> String {
    STANDARD.encode(digest(&SHA256, seed.as_bytes()))
}
