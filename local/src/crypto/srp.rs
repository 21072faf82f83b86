//! The Secure Remote Password protocol (RFC 2945, RFC 5054) as Cognito's clients use it: the group of 3072 bits,
//! SHA-256, numbers padded for hashing, and a key derived with "Caldera Derived Key".
//!
//! An exponentiation in this group takes milliseconds, and ten times as long if `num-bigint` is not optimized. All
//! exponentiations run on blocking threads.

use std::sync::LazyLock;

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};

use crate::{blocking, crypto::secret::random_octets};

/// The stored form of a password. It can verify the password, but does not reveal it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Password {
    salt: String,
    verifier: String,
    /// When a temporary password expires, in milliseconds of the Unix epoch.
    pub(crate) expires_at: Option<u64>,
}

/// The pool's state of an exchange until the client responds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Exchange {
    private: String,
    public: String,
    client_public: String,
    salt: String,
    verifier: String,
}

/// A client's proof that it knows the password.
pub(crate) struct Claim<'a> {
    /// The part of the pool id after the underscore.
    pub(crate) pool_name: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) secret_block: &'a [u8],
    pub(crate) timestamp: &'a str,
    /// In base64.
    pub(crate) signature: &'a str,
}

/// Error returned for a client's public number that is malformed or would weaken the exchange.
#[derive(Debug)]
pub(crate) struct InvalidPublicNumber;

/// The prime of the group (RFC 3526, section 5).
static PRIME: LazyLock<BigUint> = LazyLock::new(|| {
    number(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
         020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
         4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
         EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
         98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
         9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
         E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718\
         3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33\
         A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
         ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864\
         D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E2\
         08E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    )
});

static GENERATOR: LazyLock<BigUint> = LazyLock::new(|| BigUint::from(2_u8));

static MULTIPLIER: LazyLock<BigUint> =
    LazyLock::new(|| hash(&[padded(&PRIME), padded(&GENERATOR)]));

impl Password {
    pub(crate) async fn new(pool_name: &str, user_id: &str, password: &str) -> Self {
        let identity = identity(pool_name, user_id, password);
        blocking::run(move || {
            let salt = BigUint::from_bytes_be(&random_octets::<16>());
            let verifier = verifier(identity, &salt);
            Self { salt: hex(&salt), verifier: hex(&verifier), expires_at: None }
        })
        .await
    }

    /// Returns a password that no text matches, with a given salt, for a user who does not exist.
    pub(crate) fn unknown(salt: [u8; 16]) -> Self {
        let salt = BigUint::from_bytes_be(&salt);
        // A random group element: its discrete logarithm is unknown.
        let verifier = BigUint::from_bytes_be(&random_octets::<384>()) % &*PRIME;
        Self { salt: hex(&salt), verifier: hex(&verifier), expires_at: None }
    }

    pub(crate) fn expiring(self, at: u64) -> Self {
        Self { expires_at: Some(at), ..self }
    }

    /// Returns whether a password is the stored one.
    pub(crate) async fn is(&self, pool_name: &str, user_id: &str, password: &str) -> bool {
        let identity = identity(pool_name, user_id, password);
        let (salt, known) = (number(&self.salt), self.verifier.clone());
        blocking::run(move || {
            let verifier = verifier(identity, &salt);
            let equal = aws_lc_rs::constant_time::verify_slices_are_equal;
            equal(hex(&verifier).as_bytes(), known.as_bytes()).is_ok()
        })
        .await
    }

    pub(crate) fn salt(&self) -> &str {
        &self.salt
    }
}

impl Exchange {
    /// Begins an exchange with a client's public number.
    pub(crate) async fn begin(
        password: &Password,
        client_public: &str,
    ) -> Result<Self, InvalidPublicNumber> {
        let (password, client_public) = (password.clone(), client_public.to_owned());
        blocking::run(move || Self::compute(&password, &client_public)).await
    }

    fn compute(password: &Password, client_public: &str) -> Result<Self, InvalidPublicNumber> {
        // The parser also accepts signs and underscores.
        let is_plain = client_public.bytes().all(|digit| digit.is_ascii_hexdigit());
        let client = BigUint::parse_bytes(client_public.as_bytes(), 16);
        let client = client.filter(|_| is_plain).ok_or(InvalidPublicNumber)?;
        if &client % &*PRIME == BigUint::ZERO {
            return Err(InvalidPublicNumber);
        }
        // RFC 5054, section 3.1, requires at least 256 bits. More bits take longer and add no security in this group.
        let private = BigUint::from_bytes_be(&random_octets::<32>());
        let verifier = number(&password.verifier);
        let public = (&*MULTIPLIER * verifier + GENERATOR.modpow(&private, &PRIME)) % &*PRIME;
        Ok(Self {
            private: hex(&private),
            public: hex(&public),
            client_public: hex(&client),
            salt: password.salt.clone(),
            verifier: password.verifier.clone(),
        })
    }

    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    pub(crate) fn salt(&self) -> &str {
        &self.salt
    }

    /// Returns whether the client knows the password.
    pub(crate) async fn proves(&self, claim: &Claim<'_>) -> bool {
        let mut message = Vec::new();
        message.extend_from_slice(claim.pool_name.as_bytes());
        message.extend_from_slice(claim.user_id.as_bytes());
        message.extend_from_slice(claim.secret_block);
        message.extend_from_slice(claim.timestamp.as_bytes());
        let Ok(signature) = STANDARD.decode(claim.signature) else {
            return false;
        };
        let exchange = self.clone();
        blocking::run(move || exchange.signed(&message, &signature)).await
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let (client, public) = (number(&self.client_public), number(&self.public));
        let scramble = hash(&[padded(&client), padded(&public)]);
        if scramble == BigUint::ZERO {
            return false;
        }
        let base = client * number(&self.verifier).modpow(&scramble, &PRIME);
        let secret = base.modpow(&number(&self.private), &PRIME);
        let key = derived_key(&scramble, &secret);
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), message, signature).is_ok()
    }
}

/// Returns the hash of the pool, the user and the password.
fn identity(pool_name: &str, user_id: &str, password: &str) -> Vec<u8> {
    let text = format!("{pool_name}{user_id}:{password}");
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

fn verifier(identity: Vec<u8>, salt: &BigUint) -> BigUint {
    let exponent = hash(&[padded(salt), identity]);
    GENERATOR.modpow(&exponent, &PRIME)
}

/// Derives the key of the signature with HKDF (RFC 5869), truncated to 128 bits.
fn derived_key(scramble: &BigUint, secret: &BigUint) -> Vec<u8> {
    let salt = hmac::Key::new(hmac::HMAC_SHA256, &padded(scramble));
    let extracted = hmac::sign(&salt, &padded(secret));
    let expand = hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref());
    let okm = hmac::sign(&expand, b"Caldera Derived Key\x01");
    okm.as_ref().iter().copied().take(16).collect()
}

fn hash<const N: usize>(parts: &[Vec<u8>; N]) -> BigUint {
    BigUint::from_bytes_be(digest(&SHA256, &parts.concat()).as_ref())
}

/// Returns the bytes of a number, with a zero byte in front if the highest bit is set.
fn padded(number: &BigUint) -> Vec<u8> {
    let mut octets = number.to_bytes_be();
    if octets.first().is_some_and(|first| *first >= 0x80) {
        octets.insert(0, 0);
    }
    octets
}

/// Parses a number that [`hex`] wrote, or a constant of this file.
fn number(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).unwrap_or_default()
}

fn hex(number: &BigUint) -> String {
    number.to_str_radix(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes the signature like a client.
    fn client_signature(exchange: &Exchange, private: &BigUint, password: &str) -> String {
        let (client, public) = (number(&exchange.client_public), number(&exchange.public));
        let scramble = hash(&[padded(&client), padded(&public)]);
        let salt = number(&exchange.salt);
        let identity = digest(&SHA256, format!("Local0001alice:{password}").as_bytes());
        let exponent = hash(&[padded(&salt), identity.as_ref().to_vec()]);
        let known = &*MULTIPLIER * GENERATOR.modpow(&exponent, &PRIME) % &*PRIME;
        let base = (public + &*PRIME - known) % &*PRIME;
        let secret = base.modpow(&(private + &scramble * exponent), &PRIME);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &derived_key(&scramble, &secret));
        STANDARD.encode(hmac::sign(&key, b"Local0001aliceblocknow"))
    }

    #[tokio::test]
    async fn only_the_right_password_is_accepted() {
        let password = Password::new("Local0001", "alice", "right").await;
        assert!(password.is("Local0001", "alice", "right").await);
        assert!(!password.is("Local0001", "alice", "wrong").await);
        assert!(!password.is("Local0001", "bob", "right").await);
        let private = BigUint::from_bytes_be(&random_octets::<64>());
        let public = hex(&GENERATOR.modpow(&private, &PRIME));
        for (typed, expected) in [("right", true), ("wrong", false)] {
            let exchange = Exchange::begin(&password, &public).await.unwrap();
            let signature = client_signature(&exchange, &private, typed);
            let claim = Claim {
                pool_name: "Local0001",
                user_id: "alice",
                secret_block: b"block",
                timestamp: "now",
                signature: &signature,
            };
            assert_eq!(exchange.proves(&claim).await, expected);
            assert!(!exchange.proves(&Claim { timestamp: "later", ..claim }).await);
        }
    }

    #[tokio::test]
    async fn unsafe_public_numbers_are_rejected() {
        let password = Password::new("Local0001", "alice", "right").await;
        for public in ["0", "", "no number", "+1", "1_0", &hex(&PRIME), &hex(&(&*PRIME * 3_u8))] {
            assert!(Exchange::begin(&password, public).await.is_err(), "{public}");
        }
    }
}
