use std::{
    any::Any,
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    claims::text::Text,
    error::{AuthError, AuthErrorKind},
};

/// The claims of a token that passed every rule.
///
/// Only a [`Verifier`](crate::Verifier) makes one, so whoever holds a `Verified` holds the proof:
/// policies and extractors accept nothing else. It is cheap to clone, and its `Debug` prints the
/// kind of token and no claim.
///
/// There is no other way to one, so that nothing unproven can be held against a policy:
///
/// ```compile_fail
/// let policy = tower_cognito::scope("orders/write");
/// let claims: serde_json::Value = serde_json::json!({ "scope": "orders/write" });
/// policy.check(&claims); // expected `&Verified`
/// ```
///
/// A method names the claim that it reads. Times are wall-clock instants made from whole seconds.
#[derive(Clone)]
pub struct Verified(Hold);

/// A hold of what is known of a token. Threads that count the holders of one value slow each other down,
/// so a thread that keeps a token counts its own holders, apart from all others.
#[derive(Clone)]
enum Hold {
    Shared(Arc<Inner>),
    Own(Arc<Apart>),
}

/// Counts on one cache line, or on two that are fetched together, would slow threads down too.
#[repr(align(128))]
struct Apart(Arc<Inner>);

struct Inner {
    facts: Facts,
    payload: String,
    all: OnceLock<Map<String, Value>>,
    decoded: [OnceLock<Arc<dyn Any + Send + Sync>>; DECODED_TYPES],
}

/// Where a decoded type is.
pub(crate) enum Decoded<T> {
    /// Remembered with the token, in this slot.
    In(usize),
    /// By itself, since all slots hold other types.
    Own(Arc<T>),
}

/// How many types of custom claims are remembered with one token; further ones are decoded anew.
const DECODED_TYPES: usize = 3;

/// What a `String` takes beside its bytes: itself, and the allocator's share.
const ALLOCATED_TEXT: usize = 48;

/// What a value takes as an entry of a map, whose nodes are half full as a rule.
const DECODED_VALUE: usize = 160;

/// What an object takes that has an entry at all: a map's first node has room for eleven.
const DECODED_OBJECT: usize = 720;

/// What the verifier found while it applied the rules.
pub(crate) struct Facts {
    pub(crate) issuer: Text,
    pub(crate) pool: Box<str>,
    pub(crate) subject: Text,
    pub(crate) username: Option<Text>,
    pub(crate) client_id: Text,
    pub(crate) token_use: TokenUse,
    /// Scope tokens separated by spaces.
    pub(crate) scope: Text,
    pub(crate) groups: Vec<String>,
    pub(crate) permissions: Vec<String>,
    /// Whether the verifier takes permissions from anywhere.
    pub(crate) has_permission_source: bool,
    /// When the token is good, by its dates and the leeway that the verifier gives them.
    pub(crate) good: Range<SystemTime>,
    pub(crate) expires_at: u64,
    pub(crate) issued_at: Option<u64>,
    pub(crate) auth_time: Option<u64>,
    pub(crate) signed_by: SignedBy,
}

/// The key that signed a token: its pool's place in the configuration, its id and its thumbprint.
pub(crate) struct SignedBy {
    pub(crate) pool: usize,
    pub(crate) kid: Box<str>,
    pub(crate) thumbprint: [u8; 32],
}

/// The latest time that a claim may name: the end of the year 9999, in seconds of the Unix epoch.
pub(crate) const MAX_NUMERIC_DATE: u64 = 253_402_300_799;

/// The kind of a token, from its `token_use` claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "Cognito signs two kinds of JWT")]
pub enum TokenUse {
    /// An access token: what a client may do. Carries `client_id` and scopes.
    Access,
    /// An ID token: who the user is. Carries `aud` and the user's attributes.
    Id,
}

impl Verified {
    pub(crate) fn new(facts: Facts, payload: String) -> Self {
        let (all, decoded) = (OnceLock::new(), Default::default());
        Self(Hold::Shared(Arc::new(Inner { facts, payload, all, decoded })))
    }

    /// The same, counted apart from all others.
    pub(crate) fn with_own_count(&self) -> Self {
        Self(Hold::Own(Arc::new(Apart(Arc::clone(self.inner())))))
    }

    /// Who the token speaks of: the user's unique id, or the client's for a machine. Claim `sub`.
    pub fn subject(&self) -> &str {
        self.inner().facts.subject.within(&self.inner().payload)
    }

    /// The user's name; a machine has none. Claim `username` of access tokens, `cognito:username`
    /// of ID tokens.
    pub fn username(&self) -> Option<&str> {
        self.inner().facts.username.as_ref().map(|name| name.within(&self.inner().payload))
    }

    /// The app client that the token was made for. Claim `client_id` of access tokens, `aud` of
    /// ID tokens.
    pub fn client_id(&self) -> &str {
        self.inner().facts.client_id.within(&self.inner().payload)
    }

    /// Which pool signed the token. Claim `iss`, always one of the configured issuers.
    pub fn issuer(&self) -> &str {
        self.inner().facts.issuer.within(&self.inner().payload)
    }

    /// The name of the pool that signed the token: see [`Pool::name`](crate::Pool::name).
    pub fn pool(&self) -> &str {
        &self.inner().facts.pool
    }

    /// The kind of token. Claim `token_use`.
    pub fn token_use(&self) -> TokenUse {
        self.inner().facts.token_use
    }

    /// The granted scopes (RFC 6749, section 3.3). Claim `scope` of access tokens; an ID token
    /// has none, whatever its payload says.
    pub fn scopes(&self) -> impl Iterator<Item = &str> + Clone {
        self.scope().split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether a scope was granted, compared as a whole.
    pub fn has_scope(&self, scope: &str) -> bool {
        // Scopes are short, so that looking byte by byte finds their ends soonest.
        let mut granted = self.scope().as_bytes().split(|byte| *byte == b' ');
        !scope.is_empty() && granted.any(|granted| granted == scope.as_bytes())
    }

    /// The user's groups. Claim `cognito:groups`.
    pub fn groups(&self) -> &[String] {
        &self.inner().facts.groups
    }

    /// Whether the user is in a group.
    pub fn in_group(&self, group: &str) -> bool {
        self.groups().iter().any(|name| name == group)
    }

    /// The permissions from the claim that was named by
    /// [`permissions_claim`](crate::VerifierBuilder::permissions_claim), and those that the user's
    /// groups grant by [`grants`](crate::Pool::grants).
    pub fn permissions(&self) -> &[String] {
        &self.inner().facts.permissions
    }

    /// Whether a permission is held, compared as a whole.
    pub fn has_permission(&self, permission: &str) -> bool {
        self.permissions().iter().any(|held| held == permission)
    }

    /// When the token stops to be good (RFC 7519, section 4.1.4). Claim `exp`.
    pub fn expires_at(&self) -> SystemTime {
        instant(self.inner().facts.expires_at)
    }

    /// When the token was signed (RFC 7519, section 4.1.6). Claim `iat`.
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.inner().facts.issued_at.map(instant)
    }

    /// When the user signed in; a refresh does not change it. Claim `auth_time`.
    pub fn auth_time(&self) -> Option<SystemTime> {
        self.inner().facts.auth_time.map(instant)
    }

    /// The token's own id (RFC 7519, section 4.1.7). Claim `jti`; there with token revocation on.
    pub fn jti(&self) -> Option<&str> {
        self.text("jti")
    }

    /// The id that all tokens of one sign-in share. Claim `origin_jti`; there with token
    /// revocation on.
    pub fn origin_jti(&self) -> Option<&str> {
        self.text("origin_jti")
    }

    /// The id of the sign-in event in the pool's log. Claim `event_id`.
    pub fn event_id(&self) -> Option<&str> {
        self.text("event_id")
    }

    /// The remembered device. Claim `device_key` of access tokens, with device tracking on.
    pub fn device_key(&self) -> Option<&str> {
        self.text("device_key")
    }

    /// The IAM roles of the user's groups. Claim `cognito:roles` of ID tokens.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.claim("cognito:roles")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// The IAM role that takes precedence. Claim `cognito:preferred_role` of ID tokens.
    pub fn preferred_role(&self) -> Option<&str> {
        self.text("cognito:preferred_role")
    }

    /// One claim as it stands in the payload.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.all().get(name)
    }

    /// All claims. They are decoded at the first call and remembered with the token.
    pub fn all(&self) -> &Map<String, Value> {
        self.inner()
            .all
            .get_or_init(|| serde_json::from_str(&self.inner().payload).unwrap_or_default())
    }

    /// The payload's JSON text, to the letter as it was signed.
    pub fn payload(&self) -> &str {
        &self.inner().payload
    }

    /// The claims decoded as a type of yours, remembered with the token: a token that is seen
    /// again is not decoded again. `()` asks for nothing.
    ///
    /// # Errors
    /// [`ClaimsShape`](AuthErrorKind::ClaimsShape) if the payload does not fit the type.
    pub fn decode<T>(&self) -> Result<Arc<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        match self.remember()? {
            Decoded::Own(decoded) => Ok(decoded),
            Decoded::In(slot) => {
                let decoded = self.inner().decoded.get(slot).and_then(OnceLock::get).cloned();
                decoded.and_then(|decoded| decoded.downcast().ok()).ok_or_else(wrong_shape)
            }
        }
    }

    /// Decodes a type, or finds out where it is remembered, which counts no further holder of it.
    pub(crate) fn remember<T>(&self) -> Result<Decoded<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        for (position, slot) in self.inner().decoded.iter().enumerate() {
            if slot.get().is_none() {
                let decoded: Arc<T> = self.decode_anew()?;
                // Another thread may be first, for this type or for another.
                let _ = slot.set(decoded);
            }
            if slot.get().is_some_and(|known| known.is::<T>()) {
                return Ok(Decoded::In(position));
            }
        }
        self.decode_anew().map(Decoded::Own)
    }

    /// What a slot holds, if it is of that type.
    pub(crate) fn remembered<T: 'static>(&self, slot: usize) -> Option<&T> {
        self.inner().decoded.get(slot)?.get()?.downcast_ref()
    }

    fn scope(&self) -> &str {
        self.inner().facts.scope.within(&self.inner().payload)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Value::as_str)
    }

    /// About how many bytes this takes, with what may yet be decoded from it.
    pub(crate) fn memory(&self) -> usize {
        let facts = &self.inner().facts;
        let lists: usize = [&facts.groups, &facts.permissions]
            .into_iter()
            .flatten()
            .map(|name| ALLOCATED_TEXT + name.len())
            .sum();
        // Each value behind a sign that separates or opens may become an entry of the map of all.
        let decoded: usize = self
            .inner()
            .payload
            .bytes()
            .map(|sign| match sign {
                b',' | b'[' => DECODED_VALUE,
                b'{' => DECODED_OBJECT,
                _ => 0,
            })
            .sum();
        lists + 2 * self.inner().payload.len() + decoded
    }

    fn inner(&self) -> &Arc<Inner> {
        match &self.0 {
            Hold::Shared(inner) => inner,
            Hold::Own(apart) => &apart.0,
        }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.inner().facts
    }

    fn decode_anew<T>(&self) -> Result<Arc<T>, AuthError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let nothing: Arc<dyn Any + Send + Sync> = Arc::new(());
        if let Ok(nothing) = nothing.downcast() {
            return Ok(nothing);
        }
        let decoded: T = serde_json::from_str(&self.inner().payload).map_err(|error| {
            // Serde's text may quote the payload; only the name of a missing field is ours.
            let error = error.to_string();
            let missing = error.starts_with("missing field `").then_some(error);
            tracing::debug!(
                wanted = std::any::type_name::<T>(),
                missing,
                "the claims do not fit the type that a handler asks for"
            );
            wrong_shape()
        })?;
        Ok(Arc::new(decoded))
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("token_use", &self.token_use()).finish_non_exhaustive()
    }
}

impl TokenUse {
    /// The claim's value: `access` or `id`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Id => "id",
        }
    }
}

impl fmt::Display for TokenUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn instant(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn wrong_shape() -> AuthError {
    AuthError::new(
        AuthErrorKind::ClaimsShape,
        "the token's claims do not have the shape that this route needs",
    )
}
