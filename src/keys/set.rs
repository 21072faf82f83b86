use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::Arc,
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::keys::jwk::{Fingerprint, Key};

/// The usable keys of one JWKS document. A key set is immutable.
///
/// ```
/// use tower_cognito::keys::KeySet;
///
/// let error = KeySet::from_json(r#"{"keys":[{"kty":"EC","kid":"a","crv":"P-256"}]}"#).unwrap_err();
/// assert!(error.to_string().contains("no usable key"));
/// ```
#[derive(Clone, PartialEq)]
pub struct KeySet {
    /// An ordered map, because a pool has two to four keys, and comparing them is cheaper than hashing.
    keys: BTreeMap<Box<str>, Arc<Key>>,
}

/// Error returned when a document is not a usable key set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JSON object with an array `keys`.
    #[error("the document is not a JWKS: expected a JSON object with an array `keys`")]
    NotAKeySet,
    /// No entry can be used.
    #[error(
        "the document has no usable key: none of its {entries} entries is a public RSA key of \
         2048 to 8192 bits with a `kid` and `alg` RS256"
    )]
    NoUsableKey {
        /// How many entries the document has.
        entries: usize,
    },
}

/// Error returned by [`KeySet::verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The set has no key with this id.
    #[error("the key set has no key with this id")]
    UnknownKey,
    /// The signature does not match the message and the key.
    #[error("the signature is invalid")]
    InvalidSignature,
}

/// The entries of a document that were skipped.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    count: u32,
    first_reason: Option<&'static str>,
}

impl Skipped {
    pub(super) fn log(&self) {
        if let Some(first_reason) = self.first_reason {
            tracing::warn!(
                count = self.count,
                first_reason,
                "skipped unusable keys of the key set"
            );
        }
    }
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// Parses a JWKS document (RFC 7517, section 5). Entries are parsed independently. An unusable entry is skipped and
    /// logged at `warn`. If two different keys have the same `kid`, neither is used.
    ///
    /// A usable entry is a public RSA key of 2048 to 8192 bits with an odd exponent of at least 3. It has a
    /// `kid` and `alg` RS256, and its `use` and `key_ops`, if present, allow verification. An entry without
    /// `alg` is skipped: Cognito always writes it, and a key must be used with one algorithm only (RFC 8725,
    /// section 3.1).
    ///
    /// # Errors
    /// The text is not a JWKS document, or no entry is usable.
    pub fn from_json(text: &str) -> Result<Self, KeySetError> {
        let (set, skipped) = Self::read(text)?;
        skipped.log();
        Ok(set)
    }

    /// Parses a document without logging, because a subscriber may panic and the keys must not be lost.
    pub(super) fn read(text: &str) -> Result<(Self, Skipped), KeySetError> {
        let Document { keys: entries } =
            serde_json::from_str(text).map_err(|_| KeySetError::NotAKeySet)?;
        let count = entries.len();
        let mut keys = BTreeMap::new();
        let mut skipped = Skipped::default();
        for entry in entries {
            if let Err(reason) =
                Key::from_jwk(entry).and_then(|(kid, key)| add(&mut keys, kid, key))
            {
                skipped.count += 1;
                skipped.first_reason.get_or_insert(reason);
            }
        }
        let keys: BTreeMap<_, _> =
            keys.into_iter().filter_map(|(kid, key)| key.map(|key| (kid, key))).collect();
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey { entries: count });
        }
        Ok((Self { keys }, skipped))
    }

    /// Verifies an RS256 signature (RSASSA-PKCS1-v1_5 with SHA-256) of a message by the key with this id.
    ///
    /// Use it for signed texts that are not Cognito tokens, such as ID tokens of other providers. It verifies only the
    /// signature. The caller has to check `alg`, `crit`, the issuer and all other claims. For tokens of a user pool use
    /// a [`Verifier`](crate::Verifier).
    ///
    /// The message of a JWS is its header and payload as they were received, joined by a dot (RFC 7515, section 5.2).
    ///
    /// # Errors
    /// - [`SignatureError::UnknownKey`] if the set has no key with this id.
    /// - [`SignatureError::InvalidSignature`] if that key did not sign this message.
    pub fn verify(
        &self,
        key_id: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let key = self.find(key_id).ok_or(SignatureError::UnknownKey)?;
        if key.verifies(message, signature) {
            Ok(())
        } else {
            Err(SignatureError::InvalidSignature)
        }
    }

    /// Returns the keys as a JWKS document, with the members that Cognito writes.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// Returns the number of keys, which is never 0.
    #[expect(clippy::len_without_is_empty, reason = "a key set is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the ids of the keys.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(AsRef::as_ref)
    }

    pub(super) fn find(&self, kid: &str) -> Option<&Arc<Key>> {
        self.keys.get(kid)
    }

    pub(super) fn has(&self, fingerprint: &Fingerprint) -> bool {
        self.keys.values().any(|key| key.fingerprint == *fingerprint)
    }

    pub(super) fn to_value(&self) -> Value {
        let entries: Vec<_> = self
            .keys
            .iter()
            .map(|(kid, key)| {
                json!({
                    "alg": "RS256", "e": key.exponent, "kid": kid,
                    "kty": "RSA", "n": key.modulus, "use": "sig",
                })
            })
            .collect();
        json!({ "keys": entries })
    }
}

/// Adds a key. If another key has the same id, marks the id as unusable.
fn add(
    keys: &mut BTreeMap<Box<str>, Option<Arc<Key>>>,
    kid: String,
    key: Key,
) -> Result<(), &'static str> {
    match keys.entry(kid.into_boxed_str()) {
        Entry::Vacant(place) => {
            place.insert(Some(Arc::new(key)));
        }
        Entry::Occupied(mut known) if known.get().as_deref() != Some(&key) => {
            known.insert(None);
            return Err("another key has the same `kid`, so neither is used");
        }
        Entry::Occupied(_) => {}
    }
    Ok(())
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("keys", &self.keys.len()).finish()
    }
}
