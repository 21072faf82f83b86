use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    claims::{names::Names, shape::wrong_shape, token_use::TokenUse},
    error::{AuthError, AuthErrorKind},
};

/// The claims of a token that passed every rule.
///
/// Only a [`Verifier`](crate::Verifier) creates this type. A value of it is the proof that a token was verified, and
/// policies and extractors accept nothing else. It is cheap to clone. Its `Debug` output contains the kind of token and
/// no claim.
///
/// Unverified claims cannot be checked against a policy:
///
/// ```compile_fail
/// let policy = tower_cognito::scope("orders/write");
/// let claims: serde_json::Value = serde_json::json!({ "scope": "orders/write" });
/// policy.check(&claims); // expected `&Verified`
/// ```
///
/// Each method's documentation names the claim that it reads. Times are wall-clock instants in whole seconds.
#[derive(Clone)]
pub struct Verified(Arc<Data>);

struct Data {
    facts: Facts,
    payload: Arc<str>,
    all: OnceLock<Map<String, Value>>,
    decoded: [OnceLock<Arc<dyn Any + Send + Sync>>; MAX_DECODED_TYPES],
}

/// The number of custom types whose decoded values are kept with a token. Further types are decoded at each use.
const MAX_DECODED_TYPES: usize = 3;

/// Bytes that a `String` takes in addition to its text: the value itself, and the allocator's overhead.
const TEXT_OVERHEAD: usize = 48;

/// Bytes that a value takes as an entry of a map. The nodes of a map are usually half full.
const DECODED_VALUE: usize = 160;

/// Bytes that an object with at least one entry takes. The first node of a map has room for eleven entries.
const DECODED_OBJECT: usize = 720;

/// The claims that the verifier read from a token, and the results of its rules.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) validity: Validity,
    pub(crate) signed_by: SignedBy,
    /// The scopes, separated by spaces.
    pub(crate) scope: Box<str>,
    pub(crate) groups: Names,
    pub(crate) permissions: Names,
    /// Whether the verifier read permissions from a claim or from groups when it verified the token.
    pub(crate) has_permission_source: bool,
    pub(crate) token_use: TokenUse,
    pub(crate) issuer: Arc<str>,
    pub(crate) pool: Arc<str>,
    pub(crate) subject: Box<str>,
    pub(crate) username: Option<Box<str>>,
    pub(crate) client_id: Box<str>,
    pub(crate) expires_at: u64,
    pub(crate) issued_at: Option<u64>,
    pub(crate) auth_time: Option<u64>,
}

/// The period in which a token is accepted, with the verifier's leeway and clock skew.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
}

/// The key that signed a token: the place of its pool in the verifier, and its fingerprint.
#[derive(Clone)]
pub(crate) struct SignedBy {
    pub(crate) pool: PoolPlace,
    pub(crate) key: [u8; 32],
}

/// Where a verifier finds a pool: at an index, as long as the pool there has this number. No two pools have the same
/// number.
#[derive(Clone, Copy)]
pub(crate) struct PoolPlace {
    pub(crate) index: usize,
    pub(crate) number: u64,
}

/// The latest time that a claim may have: the end of the year 9999, in seconds since the Unix epoch.
pub(crate) const MAX_NUMERIC_DATE: u64 = 253_402_300_799;

impl Verified {
    pub(crate) fn new(facts: Facts, payload: Arc<str>) -> Self {
        let (all, decoded) = (OnceLock::new(), Default::default());
        Self(Arc::new(Data { facts, payload, all, decoded }))
    }

    /// Returns a copy with its own reference count, for one thread. Threads that share a count would contend for it.
    pub(crate) fn copy_for_thread(&self) -> Self {
        Self::new(self.facts().clone(), Arc::clone(&self.0.payload))
    }

    /// Returns the user's unique id, or the client id for a machine. Claim `sub`.
    pub fn subject(&self) -> &str {
        &self.facts().subject
    }

    /// Returns the user name, or `None` for a machine. Claim `username` of access tokens, `cognito:username` of ID
    /// tokens.
    pub fn username(&self) -> Option<&str> {
        self.facts().username.as_deref()
    }

    /// Returns the app client that the token was issued to. Claim `client_id` of access tokens, `aud` of ID tokens.
    pub fn client_id(&self) -> &str {
        &self.facts().client_id
    }

    /// Returns the issuer of the token, which is one of the configured issuers. Claim `iss`.
    pub fn issuer(&self) -> &str {
        &self.facts().issuer
    }

    /// Returns the name of the pool that signed the token: see [`Pool::name`](crate::Pool::name).
    pub fn pool(&self) -> &str {
        &self.facts().pool
    }

    /// Returns the kind of token. Claim `token_use`.
    pub fn token_use(&self) -> TokenUse {
        self.facts().token_use
    }

    /// Returns the granted scopes (RFC 6749, section 3.3). Claim `scope` of access tokens. For an ID token there are
    /// none, even if its payload contains `scope`.
    pub fn scopes(&self) -> impl Iterator<Item = &str> + Clone {
        self.scope().split(' ').filter(|scope| !scope.is_empty())
    }

    /// Returns whether a scope was granted. The name must match exactly.
    pub fn has_scope(&self, scope: &str) -> bool {
        let mut granted = self.scope().as_bytes().split(|byte| *byte == b' ');
        !scope.is_empty() && granted.any(|granted| granted == scope.as_bytes())
    }

    /// Returns the user's groups. Claim `cognito:groups`.
    pub fn groups(&self) -> impl Iterator<Item = &str> + Clone {
        self.facts().groups.iter()
    }

    /// Returns whether the user is in a group.
    pub fn in_group(&self, group: &str) -> bool {
        self.facts().groups.contains(group)
    }

    /// Returns the permissions from the configured [claim](crate::VerifierBuilder::permissions_claim), and those that
    /// the user's groups have by [`Pool::grants`](crate::Pool::grants).
    pub fn permissions(&self) -> impl Iterator<Item = &str> + Clone {
        self.facts().permissions.iter()
    }

    /// Returns whether a permission was granted. The name must match exactly.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.facts().permissions.contains(permission)
    }

    /// Returns when the token expires (RFC 7519, section 4.1.4). Claim `exp`.
    pub fn expires_at(&self) -> SystemTime {
        since_epoch(self.facts().expires_at)
    }

    /// Returns when the token was issued (RFC 7519, section 4.1.6). Claim `iat`.
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.facts().issued_at.map(since_epoch)
    }

    /// Returns when the user signed in. A refresh does not change it. Claim `auth_time`.
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.facts().auth_time.map(since_epoch)
    }

    /// Returns the token's id (RFC 7519, section 4.1.7). Claim `jti`, present if token revocation is enabled.
    pub fn jti(&self) -> Option<&str> {
        self.string_claim("jti")
    }

    /// Returns the id that all tokens of one sign-in share. Claim `origin_jti`, present if token revocation is enabled.
    pub fn origin_jti(&self) -> Option<&str> {
        self.string_claim("origin_jti")
    }

    /// Returns the id of the sign-in event in the pool's log. Claim `event_id`.
    pub fn event_id(&self) -> Option<&str> {
        self.string_claim("event_id")
    }

    /// Returns the key of the user's device. Claim `device_key` of access tokens, present if devices are tracked.
    pub fn device_key(&self) -> Option<&str> {
        self.string_claim("device_key")
    }

    /// Returns the IAM roles of the user's groups. Claim `cognito:roles` of ID tokens.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.claim("cognito:roles")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Returns the IAM role that takes precedence. Claim `cognito:preferred_role` of ID tokens.
    pub fn preferred_role(&self) -> Option<&str> {
        self.string_claim("cognito:preferred_role")
    }

    /// Returns the value of one claim, read from the payload.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.all().get(name)
    }

    /// Returns all claims. They are decoded at the first call and kept with the token.
    pub fn all(&self) -> &Map<String, Value> {
        self.0.all.get_or_init(|| serde_json::from_str(&self.0.payload).unwrap_or_default())
    }

    /// Returns the JSON text of the payload, exactly as it was signed.
    pub fn payload(&self) -> &str {
        &self.0.payload
    }

    /// Decodes the payload as your own type. The cache keeps the results of up to three types with the token; each thread
    /// may decode once more for its own copy. Further types are decoded at each call. For the type `()`, nothing is
    /// decoded.
    ///
    /// # Errors
    /// [`ClaimsShape`](AuthErrorKind::ClaimsShape) if the payload does not fit the type;
    /// [`claims_mismatch`](AuthError::claims_mismatch) names the claim.
    pub fn decode<T>(&self) -> Result<Arc<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        for slot in &self.0.decoded {
            if slot.get().is_none() {
                let decoded: Arc<T> = self.decode_payload()?;
                // Another thread may have filled the slot in the meantime, with this type or another one.
                let _ = slot.set(decoded);
            }
            if let Some(Ok(decoded)) = slot.get().map(|decoded| Arc::clone(decoded).downcast()) {
                return Ok(decoded);
            }
        }
        self.decode_payload()
    }

    fn scope(&self) -> &str {
        &self.facts().scope
    }

    pub(crate) fn string_claim(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Value::as_str)
    }

    /// Estimates the memory of this value in bytes, including what may be decoded from it later.
    pub(crate) fn memory(&self) -> usize {
        let Facts { groups, permissions, subject, username, client_id, scope, .. } = self.facts();
        let claims = [subject, client_id, scope].into_iter().chain(username);
        let texts: usize = claims
            .map(|text| text.len())
            .chain([groups.bytes(), permissions.bytes()])
            .map(|length| TEXT_OVERHEAD + length)
            .sum();
        // Each value after one of these characters may become an entry of the map of all claims.
        let decoded: usize = self
            .payload()
            .bytes()
            .map(|byte| match byte {
                b',' | b'[' => DECODED_VALUE,
                b'{' => DECODED_OBJECT,
                _ => 0,
            })
            .sum();
        texts + 2 * self.payload().len() + decoded
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.0.facts
    }

    fn decode_payload<T>(&self) -> Result<Arc<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let unit: Arc<dyn Any + Send + Sync> = Arc::new(());
        if let Ok(unit) = unit.downcast() {
            return Ok(unit);
        }
        // The error of `serde_json` may quote the payload, so it is not used.
        serde_json::from_str(self.payload())
            .map(Arc::new)
            .map_err(|_| wrong_shape::<T>(self.payload(), self.token_use()))
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("token_use", &self.token_use()).finish_non_exhaustive()
    }
}

impl Validity {
    /// Checks that a time is within the period.
    pub(crate) fn check(&self, now: SystemTime) -> Result<(), AuthError> {
        self.check_end(now)?;
        self.check_start(now)
    }

    pub(crate) fn check_end(&self, now: SystemTime) -> Result<(), AuthError> {
        if now < self.end {
            return Ok(());
        }
        Err(AuthError::new(AuthErrorKind::Expired, "the token has expired"))
    }

    pub(crate) fn check_start(&self, now: SystemTime) -> Result<(), AuthError> {
        if now >= self.start {
            return Ok(());
        }
        // With a clock before 1970 no token is accepted.
        let detail = if now < UNIX_EPOCH {
            "the clock of this machine is before 1970"
        } else {
            "the token's `nbf` or `iat` is in the future"
        };
        Err(AuthError::new(AuthErrorKind::NotYetValid, detail))
    }
}

fn since_epoch(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
