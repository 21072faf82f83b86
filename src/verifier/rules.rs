use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use foldhash::fast::RandomState;
use serde_json::json;

use crate::{
    claims::{Facts, MAX_NUMERIC_DATE, SignedBy, TokenUse, Verified, read_permissions},
    clock::Clock,
    error::{AuthError, AuthErrorKind},
    json::Json,
    keys::{Find, Miss},
    policy::Policy,
    token::{Compact, decode_payload},
    verifier::{cache::Recheck, pool::PoolRules},
};

/// The rules of the token, with all that they are configured by.
pub(super) struct Rules {
    pub(super) pools: Vec<PoolRules>,
    /// Which pool an issuer belongs to; one look-up, however many pools there are.
    pub(super) issuers: HashMap<Arc<str>, usize, RandomState>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) expiry_leeway: Duration,
    pub(super) clock_skew: Duration,
    pub(super) permissions_claim: Option<String>,
    /// Whether tokens of any pool can have permissions at all.
    pub(super) has_permission_source: bool,
    pub(super) told_of_permissions: AtomicBool,
}

/// Why a token did not pass.
pub(super) enum Stop {
    Refused(AuthError),
    /// The key is not in the pool's current set; a newer set may have it.
    KeyAbsent(WantedKey),
    /// The pool has no set that may be used before a fetch was tried.
    SetStale(WantedKey),
}

/// A key that a token names.
pub(crate) struct WantedKey {
    pool: usize,
    kid: Box<str>,
}

impl Rules {
    /// All rules of the token, in their order: shape, header, issuer, key, signature, time, use and
    /// client. Cheap checks come before dear ones, and what a claim says is told only after the
    /// signature holds.
    pub(super) fn check(&self, token: &[u8], now: SystemTime) -> Result<Verified, Stop> {
        let jws = Compact::parse(token)?;
        let payload = decode_payload(&jws.payload, self.permissions_claim.as_deref())?;

        let (issuer, position, pool) = self.trusted_issuer(payload.issuer)?;

        let signed_by = pool.keys.find(&jws.header.key_id, now, |key| {
            key.verifies(jws.signing_input, &jws.signature).then_some(key.thumbprint)
        });
        let kid = jws.header.key_id;
        let signed_by = match signed_by {
            Find::Found(Some(thumbprint)) => SignedBy { pool: position, kid, thumbprint },
            Find::Found(None) => return Err(bad_signature().into()),
            Find::Absent => return Err(Stop::KeyAbsent(WantedKey { pool: position, kid })),
            Find::Stale => return Err(Stop::SetStale(WantedKey { pool: position, kid })),
        };

        let expires_at = required(date(payload.expires_at.as_ref(), "exp")?, "exp")?;
        let not_before = date(payload.not_before.as_ref(), "nbf")?;
        let issued_at = date(payload.issued_at.as_ref(), "iat")?;
        let good = self.good(expires_at, not_before.max(issued_at));
        in_time(now, &good)?;

        let token_use = required(text(payload.token_use, "token_use")?, "token_use")?;
        let mut bound_to = None;
        let (token_use, client_id, scope, username) = match &*token_use {
            "access" => {
                let client_id = required(text(payload.client_id, "client_id")?, "client_id")?;
                let scope = text(payload.scope, "scope")?.unwrap_or_default();
                let username = text(payload.access_username, "username")?;
                bound_to = payload.audience;
                (TokenUse::Access, client_id, scope, username)
            }
            "id" => {
                let audience = required(text(payload.audience, "aud")?, "aud")?;
                let username = text(payload.id_username, "cognito:username")?;
                (TokenUse::Id, audience, Cow::default(), username)
            }
            _ => return Err(wrong_use("the token's `token_use` is neither access nor id").into()),
        };
        pool.accepts(token_use, &client_id)?;
        if token_use == TokenUse::Access {
            pool.accepts_audience(bound_to.as_ref())?;
        }
        if payload.confirmation.is_some() {
            return Err(unsupported_confirmation().into());
        }

        let subject = required(text(payload.subject, "sub")?, "sub")?;
        let auth_time = date(payload.auth_time.as_ref(), "auth_time")?;
        let groups = strings(payload.groups, "cognito:groups")?;
        let mut permissions = self.permissions(payload.permissions.as_ref());
        pool.grants.extend(&groups, &mut permissions);
        let kept = |text: Cow<'_, str>| text.into_owned().into_boxed_str();
        let facts = Facts {
            issuer: Arc::clone(issuer),
            pool: Arc::clone(&pool.name),
            subject: kept(subject),
            username: username.map(kept),
            client_id: kept(client_id),
            token_use,
            scope: kept(scope),
            groups,
            permissions,
            has_permission_source: self.has_permission_source,
            good,
            expires_at,
            issued_at,
            auth_time,
            signed_by,
        };
        Ok(Verified::new(facts, jws.payload.into()))
    }

    /// The rules that time can break for a token that passed before: its times, and its key.
    pub(super) fn recheck(&self, known: &Verified, now: SystemTime) -> Recheck<Stop> {
        let facts = known.facts();
        let SignedBy { pool: position, kid, thumbprint } = &facts.signed_by;
        let Some(pool) = self.pools.get(*position) else {
            return Recheck::Forget;
        };
        match pool.keys.find(kid, now, |key| key.thumbprint == *thumbprint) {
            Find::Found(true) => {}
            Find::Found(false) | Find::Absent => return Recheck::Forget,
            Find::Stale => {
                let wanted = WantedKey { pool: *position, kid: kid.clone() };
                return Recheck::Refused(Stop::SetStale(wanted));
            }
        }
        match in_time(now, &facts.good) {
            Ok(()) => Recheck::Good,
            Err(error) => Recheck::Refused(error.into()),
        }
    }

    /// Why no token that passes these rules can meet a part of a policy.
    pub(super) fn defects(&self, policy: &Policy) -> Vec<String> {
        let accepts = |token_use| self.pools.iter().any(|pool| pool.accepts_kind(token_use));
        let mut defects = policy.defects();
        policy.visit(&mut |part| {
            let defect = match part {
                Policy::Permission(_) if !self.has_permission_source => NO_PERMISSION_SOURCE,
                Policy::Scope(_) | Policy::TokenUse(TokenUse::Access)
                    if !accepts(TokenUse::Access) =>
                {
                    "the verifier accepts no access tokens"
                }
                Policy::TokenUse(TokenUse::Id) if !accepts(TokenUse::Id) => {
                    "the verifier accepts no ID tokens"
                }
                Policy::Client(id) if !self.pools.iter().any(|pool| pool.accepts_client(id)) => {
                    "the verifier accepts no tokens of this app client"
                }
                Policy::Pool(name) if self.pools.iter().all(|pool| *pool.name != **name) => {
                    "the verifier has no pool of this name"
                }
                _ => return,
            };
            defects.push(format!("{part}: {defect}"));
        });
        defects
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(super) fn pools(&self) -> impl Iterator<Item = &PoolRules> {
        self.pools.iter()
    }

    /// What to say at once of a key that is absent, if it cannot be fetched now.
    pub(super) fn miss_at_once(&self, wanted: &WantedKey) -> Option<Miss> {
        self.pools.get(wanted.pool)?.keys.miss_at_once(&wanted.kid)
    }

    pub(super) async fn obtain(&self, wanted: &WantedKey) -> Miss {
        match self.pools.get(wanted.pool) {
            Some(pool) => pool.keys.obtain(&wanted.kid).await,
            None => Miss::Unknown,
        }
    }

    /// What to respond if the set of the wanted key is still stale after a fetch was tried.
    pub(super) fn unavailable(&self, wanted: &WantedKey) -> Miss {
        self.pools.get(wanted.pool).map_or(Miss::Unknown, |pool| pool.keys.unavailable())
    }

    pub(super) fn export_keys(&self) -> String {
        let sets: serde_json::Map<_, _> = self
            .pools()
            .filter_map(|pool| {
                let (fetched_at, keys) = pool.keys.export()?;
                let seconds = fetched_at.duration_since(UNIX_EPOCH).ok()?.as_secs();
                Some((pool.issuer.to_string(), json!({ "fetched_at": seconds, "jwks": keys })))
            })
            .collect();
        json!({ "tower_cognito_keys": sets }).to_string()
    }

    /// The issuer must be one of the configured ones, letter by letter.
    fn trusted_issuer(
        &self,
        issuer: Option<Json<'_>>,
    ) -> Result<(&Arc<str>, usize, &PoolRules), AuthError> {
        let untrusted = |detail| AuthError::new(AuthErrorKind::UntrustedIssuer, detail);
        let Some(Json::String(issuer)) = issuer else {
            return Err(untrusted("the token's `iss` is missing or not a string"));
        };
        self.issuers
            .get_key_value(issuer.as_ref())
            .and_then(|(issuer, position)| Some((issuer, *position, self.pools.get(*position)?)))
            .ok_or_else(|| untrusted("the token's `iss` is not one of the configured issuers"))
    }

    /// When a token is good that ends and begins so. A clock before 1970 is wrong; no token is good then.
    fn good(&self, expires_at: u64, begins_at: Option<u64>) -> Range<SystemTime> {
        let begin = Duration::from_secs(begins_at.unwrap_or_default());
        UNIX_EPOCH + begin.saturating_sub(self.clock_skew)
            ..UNIX_EPOCH + Duration::from_secs(expires_at) + self.expiry_leeway
    }

    fn permissions(&self, claim: Option<&Json<'_>>) -> Vec<String> {
        match claim.map(read_permissions) {
            None => Vec::new(),
            Some(Some(held)) => held,
            Some(None) => {
                if !self.told_of_permissions.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        claim = self.permissions_claim,
                        "the permissions claim of a token is neither an array of strings, nor a \
                         string with such an array, nor names separated by spaces; it grants \
                         nothing (told once)"
                    );
                }
                Vec::new()
            }
        }
    }
}

/// The defect of a policy that asks for a permission.
pub(crate) const NO_PERMISSION_SOURCE: &str = "the verifier takes permissions from nowhere; call `permissions_claim` or `grants` on its builder";

fn in_time(now: SystemTime, good: &Range<SystemTime>) -> Result<(), AuthError> {
    if good.contains(&now) {
        return Ok(());
    }
    let (kind, detail) = if now >= good.end {
        (AuthErrorKind::Expired, "the token has expired")
    } else if now < UNIX_EPOCH {
        (AuthErrorKind::NotYetValid, "the clock of this machine is before 1970")
    } else {
        (AuthErrorKind::NotYetValid, "the token's `nbf` or `iat` lies in the future")
    };
    Err(AuthError::new(kind, detail))
}

/// A claim that must be there.
fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, AuthError> {
    claim.ok_or_else(|| invalid_claim(name))
}

/// A claim of the wrong type is an error; it never counts as absent.
fn text<'a>(
    claim: Option<Json<'a>>,
    name: &'static str,
) -> Result<Option<Cow<'a, str>>, AuthError> {
    match claim {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid_claim(name)),
    }
}

fn strings(claim: Option<Json<'_>>, name: &'static str) -> Result<Vec<String>, AuthError> {
    match claim {
        None => Ok(Vec::new()),
        Some(Json::Strings(texts)) => Ok(texts.into_iter().map(String::from).collect()),
        Some(_) => Err(invalid_claim(name)),
    }
}

/// A `NumericDate` (RFC 7519, section 2) as Cognito writes it: whole seconds. Fractions, which the
/// RFC allows, and years past 9999 are refused: no token of Cognito's has them.
fn date(claim: Option<&Json<'_>>, name: &'static str) -> Result<Option<u64>, AuthError> {
    match claim {
        None => Ok(None),
        Some(Json::Integer(seconds)) if *seconds <= MAX_NUMERIC_DATE => Ok(Some(*seconds)),
        Some(_) => Err(invalid_claim(name)),
    }
}

fn invalid_claim(name: &'static str) -> AuthError {
    let detail = match name {
        "exp" => "the token's `exp` is missing or not a whole number of seconds",
        "nbf" => "the token's `nbf` is not a whole number of seconds",
        "iat" => "the token's `iat` is not a whole number of seconds",
        "auth_time" => "the token's `auth_time` is not a whole number of seconds",
        "token_use" => "the token's `token_use` is missing or not a string",
        "client_id" => "the token's `client_id` is missing or not a string",
        "aud" => "the token's `aud` is missing or not a single string",
        "sub" => "the token's `sub` is missing or not a string",
        "scope" => "the token's `scope` is not a string",
        "cognito:groups" => "the token's `cognito:groups` is not an array of strings",
        _ => "the token's user name is not a string",
    };
    AuthError::new(AuthErrorKind::InvalidClaim, detail)
}

pub(super) fn wrong_use(detail: &'static str) -> AuthError {
    AuthError::new(AuthErrorKind::WrongTokenUse, detail)
}

/// No rule here checks that the sender holds the key that `cnf` names, so a stolen token would be accepted.
fn unsupported_confirmation() -> AuthError {
    AuthError::new(
        AuthErrorKind::UnsupportedConfirmation,
        "the token is bound to a key of its holder's (`cnf`), which is not supported here",
    )
}

fn bad_signature() -> AuthError {
    AuthError::new(AuthErrorKind::BadSignature, "the token's signature does not hold")
}

impl From<AuthError> for Stop {
    fn from(error: AuthError) -> Self {
        Self::Refused(error)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("pools", &self.pools).finish_non_exhaustive()
    }
}
