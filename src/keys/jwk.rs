use std::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents},
    try_fips_mode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::base64url;

/// A public RSA key for RS256 signatures, parsed once.
pub(crate) struct Key {
    parsed: ParsedPublicKey,
    pub(crate) fingerprint: Fingerprint,
    pub(super) modulus: String,
    pub(super) exponent: String,
}

/// Identifies a key by its `kid`, modulus and exponent: the SHA-256 hash of these members of its JWK, written as a
/// thumbprint is (RFC 7638).
pub(crate) type Fingerprint = [u8; 32];

/// The members of a JWK (RFC 7517, section 4; RFC 7518, section 6.3) that are read.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    d: Option<Value>,
    p: Option<Value>,
    q: Option<Value>,
}

impl Key {
    /// Parses one entry of a key set, and returns its `kid` with the key.
    ///
    /// # Errors
    /// A fixed text with the reason why the entry is unusable. It contains no part of the key.
    pub(super) fn from_jwk(entry: Value) -> Result<(String, Self), &'static str> {
        let jwk = Jwk::deserialize(entry).map_err(|_| "it is not a JWK")?;
        if jwk.kty != "RSA" {
            return Err("its `kty` is not RSA");
        }
        if jwk.d.is_some() || jwk.p.is_some() || jwk.q.is_some() {
            return Err("it is a private key, which must not be published");
        }
        // RFC 8725, section 3.1: each key must be used with exactly one algorithm.
        if jwk.alg.as_deref() != Some("RS256") {
            return Err("its `alg` is not RS256");
        }
        if jwk.usage.is_some_and(|usage| usage != "sig") {
            return Err("its `use` is not sig");
        }
        if jwk.key_ops.is_some_and(|operations| !operations.iter().any(|name| name == "verify")) {
            return Err("its `key_ops` do not include verify");
        }
        let kid = jwk.kid.filter(|kid| !kid.is_empty()).ok_or("it has no `kid`")?;
        let modulus = jwk.n.ok_or("it has no modulus")?;
        let exponent = jwk.e.ok_or("it has no exponent")?;
        let key = Self::from_components(&kid, &modulus, &exponent)?;
        Ok((kid, key))
    }

    /// Creates a key from modulus and exponent in base64url, as in a JWK.
    fn from_components(kid: &str, modulus: &str, exponent: &str) -> Result<Self, &'static str> {
        let n = unsigned(modulus).ok_or("its modulus is not a Base64urlUInt")?;
        let e = unsigned(exponent).ok_or("its exponent is not a Base64urlUInt")?;
        if !is_odd(&n) || !(2048..=8192).contains(&bits(&n)) {
            return Err("its modulus is not an odd number of 2048 to 8192 bits");
        }
        if !is_odd(&e) || e.as_slice() == [1] || bits(&e) > 33 {
            return Err("its exponent is not an odd number from 3 to 2^33");
        }
        let parsed = RsaPublicKeyComponents { n: &n, e: &e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| "it is not an RSA key")?;
        // Encoded again, so that equal keys have equal texts.
        let [modulus, exponent] = [n, e].map(base64url::encode);
        let fingerprint = fingerprint(kid, &modulus, &exponent);
        Ok(Self { parsed, fingerprint, modulus, exponent })
    }

    /// Verifies a signature: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let result = if try_fips_mode().is_ok() {
            // In FIPS mode, the module itself must compute the hash for the check to be an approved service.
            self.parsed.verify_sig(message, signature)
        } else {
            // Cheaper than verifying the message, because the library has less to set up.
            self.parsed.verify_digest_sig(&digest(&SHA256, message), signature)
        };
        result.is_ok()
    }
}

/// Keys with the same `kid`, modulus and exponent are equal, whichever document they come from.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(RS256)")
    }
}

fn fingerprint(kid: &str, modulus: &str, exponent: &str) -> Fingerprint {
    let members = json!({ "e": exponent, "kid": kid, "kty": "RSA", "n": modulus });
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest(&SHA256, members.to_string().as_bytes()).as_ref());
    fingerprint
}

/// Decodes a Base64urlUInt (RFC 7518, section 2). Leading zero octets, which some issuers write, do not change
/// the number.
fn unsigned(text: &str) -> Option<Vec<u8>> {
    let bytes = base64url::decode(text)?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes.get(start..)?.to_vec())
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

/// Returns the length in bits of a number without leading zero octets.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |byte| byte.leading_zeros());
    number.len() * 8 - usize::try_from(unused).unwrap_or(0)
}
