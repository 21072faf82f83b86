use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::Future,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, UNIX_EPOCH},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    claims::Verified,
    clock::{Clock, SystemClock},
    error::ConfigError,
    keys::{HttpSources, KeySet, KeySettings},
    verifier::{
        Inner, Verifier,
        cache::TokenCache,
        check::{Checks, Refusal},
        pool::{Pool, PoolRules},
        rules::Rules,
    },
};

/// The configuration of a [`Verifier`]. Each setting says its default and the reason for it.
#[must_use]
pub struct VerifierBuilder {
    pools: Vec<Pool>,
    keys: KeySettings,
    clock: Arc<dyn Clock>,
    expiry_leeway: Duration,
    clock_skew: Duration,
    permissions_claim: Option<String>,
    checks: Checks,
    cache_bytes: usize,
    imported: Option<String>,
}

/// The default size of the cache of verified tokens: some five thousand tokens.
const DEFAULT_CACHE_BYTES: usize = 32 * 1024 * 1024;

/// More leeway than this hides a broken clock.
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Claims that the rules read under their own names, so that they cannot hold permissions.
const TAKEN_CLAIMS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "client_id",
    "token_use",
    "exp",
    "nbf",
    "iat",
    "auth_time",
    "scope",
    "username",
    "cognito:username",
    "cognito:groups",
    "cnf",
];

impl VerifierBuilder {
    pub(super) fn new(pool: Pool) -> Self {
        Self {
            pools: vec![pool],
            keys: KeySettings::default(),
            clock: Arc::new(SystemClock),
            expiry_leeway: Duration::ZERO,
            clock_skew: Duration::from_secs(30),
            permissions_claim: None,
            checks: Checks::default(),
            cache_bytes: DEFAULT_CACHE_BYTES,
            imported: None,
        }
    }

    /// Adds a pool with its own issuers, clients and keys.
    pub fn add_pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Reads permissions from this claim: an array of strings, a string that holds such an array
    /// as JSON, or names separated by spaces. Anything else grants nothing, and is told once in the
    /// log. By default no claim is read.
    ///
    /// **Users can write what the app client can write.** With a custom attribute that is in the
    /// client's write attributes, any user grants themselves any permission (`UpdateUserAttributes`).
    /// Use a claim that a pre-token-generation trigger writes, or take the attribute from the
    /// client's write attributes.
    pub fn permissions_claim(mut self, name: impl Into<String>) -> Self {
        self.permissions_claim = Some(name.into());
        self
    }

    /// Adds a check of your own, made at each request after all rules hold. It must not block.
    pub fn add_check<F>(mut self, check: F) -> Self
    where
        F: Fn(&Verified) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        self.checks.add(check);
        self
    }

    /// Adds a check of your own that waits for something, such as a look into a list of revoked
    /// sign-ins. It is made at each request after all rules and all synchronous checks hold. Give
    /// it a time limit: the request waits for it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_cognito::{Pool, Verified, Verifier, verifier::Refusal};
    /// # async fn is_revoked(id: &str) -> Result<bool, std::io::Error> { Ok(false) }
    /// # let builder = Verifier::builder(Pool::new("eu-west-1_A").access_tokens(["web"]));
    /// builder.add_async_check(|token: Verified| async move {
    ///     let id = token.origin_jti().ok_or(Refusal::unauthorized("the token cannot be revoked"))?;
    ///     match is_revoked(id).await {
    ///         Ok(false) => Ok(()),
    ///         Ok(true) => Err(Refusal::unauthorized("the token was revoked")),
    ///         Err(_) => Err(Refusal::unavailable("revocation is down", Duration::from_secs(5))),
    ///     }
    /// })
    /// # ;
    /// ```
    pub fn add_async_check<F, Fut>(mut self, check: F) -> Self
    where
        F: Fn(Verified) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        self.checks.add_async(check);
        self
    }

    /// For how long after `exp` a token is still good: none by default, at most 5 minutes. A token's
    /// end is a promise to its owner, and clocks that lag make it later as it is.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.expiry_leeway = leeway;
        self
    }

    /// How far ahead of this machine's clock `nbf` and `iat` may lie: 30 seconds by default, at most
    /// 5 minutes. A clock that lags a little must not refuse fresh tokens.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// How old keys may get before they are fetched again: 15 minutes by default. A key that was
    /// withdrawn works for at most that long while the endpoint answers. `Cache-Control: max-age` of
    /// the endpoint makes it shorter, down to a minute, never longer.
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.keys.refresh_interval = interval;
        self
    }

    /// The window in which tokens with unknown `kid`s cause at most two fetches: 30 seconds by
    /// default. Two, so that the first request after a rotation passes even if a fetch had just
    /// been made; no more, so that a flood of made-up `kid`s does not become a flood of fetches.
    pub fn unknown_key_window(mut self, window: Duration) -> Self {
        self.keys.unknown_key_window = window;
        self
    }

    /// How old keys may get while they cannot be fetched: 24 hours by default, after which requests
    /// are answered with 503. An outage of the endpoint should not become yours, but a key must not
    /// live forever because somebody blocks the way to its withdrawal.
    pub fn max_staleness(mut self, bound: Duration) -> Self {
        self.keys.max_staleness = bound;
        self
    }

    /// How long one fetch of keys may take in all: 3 seconds by default, which is what a person
    /// waits for a page.
    pub fn fetch_timeout(mut self, limit: Duration) -> Self {
        self.keys.fetch_timeout = limit;
        self
    }

    /// Starts no background task: requests check the age of the keys and refresh them. For functions
    /// that freeze between requests. Requests that find keys past their refresh interval wait for
    /// one shared fetch. If it fails, the old keys are used for one more interval and no request waits.
    pub fn refresh_on_demand(mut self) -> Self {
        self.keys.background = false;
        self
    }

    /// How many bytes of verified tokens are remembered: 32 MiB by default, some five thousand
    /// tokens. Their decoded claims are counted in; what a type of your own takes is not. 0 turns the
    /// cache off; what is refused and what passes stays the same.
    ///
    /// Beside that each thread keeps up to 512 tokens that it saw last, fewer with a small cache, so that
    /// threads do not slow each other down: one or two MiB of tokens as Cognito writes them, at the most
    /// 4 MiB a thread.
    pub fn token_cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Starts with keys that another verifier exported, so that a cold start needs no fetch while they
    /// are younger than the [refresh interval](Self::refresh_interval). If they are older, the first
    /// request waits for a fetch, and if that fails, the imported keys are used. Keys older than
    /// [`max_staleness`](Self::max_staleness) and issuers that are not configured here are left out.
    pub fn import_keys(mut self, exported: impl Into<String>) -> Self {
        self.imported = Some(exported.into());
        self
    }

    /// Takes wall time from here instead of the system.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the verifier. Nothing is fetched yet; see [`Verifier::ready`].
    ///
    /// # Errors
    /// A [`ConfigError`] that names the setting and the fix: an impossible pool id, no client, an impossible
    /// client id or address, plain HTTP off loopback, an issuer or a name that stands twice, settings
    /// that exclude each other, a duration out of its range, a claim name that cannot hold permissions, imported keys that cannot be read.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        self.keys.check()?;
        check_leeway("expiry_leeway", self.expiry_leeway)?;
        check_leeway("clock_skew", self.clock_skew)?;
        if let Some(name) = &self.permissions_claim {
            check_permissions_claim(name)?;
        }
        let mut http = HttpSources::default();
        let pools = self
            .pools
            .into_iter()
            .map(|pool| pool.build(&self.keys, &self.clock, &mut http))
            .collect::<Result<Vec<_>, _>>()?;
        let mut issuers = HashMap::default();
        let mut names = HashSet::new();
        for (position, pool) in pools.iter().enumerate() {
            for issuer in &pool.issuers {
                if issuers.insert(Arc::clone(issuer), position).is_some() {
                    return Err(ConfigError::DuplicateIssuer { issuer: issuer.to_string() });
                }
            }
            if !names.insert(&pool.name) {
                return Err(ConfigError::DuplicatePoolName { name: pool.name.to_string() });
            }
        }
        if let Some(text) = &self.imported {
            import(text, &pools)?;
        }
        let has_permission_source =
            self.permissions_claim.is_some() || pools.iter().any(|pool| !pool.grants.is_empty());
        let rules = Rules {
            pools,
            issuers,
            clock: self.clock,
            expiry_leeway: self.expiry_leeway,
            clock_skew: self.clock_skew,
            permissions_claim: self.permissions_claim,
            has_permission_source,
            told_of_permissions: AtomicBool::new(false),
        };
        let cache = TokenCache::new(self.cache_bytes);
        Ok(Verifier(Arc::new(Inner { rules, cache, checks: self.checks })))
    }
}

fn check_leeway(field: &'static str, found: Duration) -> Result<(), ConfigError> {
    if found <= LONGEST_LEEWAY {
        return Ok(());
    }
    Err(ConfigError::Duration { field, found, expected: "at most 5 minutes" })
}

fn check_permissions_claim(name: &str) -> Result<(), ConfigError> {
    if !name.is_empty() && !TAKEN_CLAIMS.contains(&name) {
        return Ok(());
    }
    Err(ConfigError::Name {
        field: "permissions_claim",
        found: name.to_owned(),
        expected: "a claim of its own, such as `custom:permissions`",
    })
}

#[derive(Deserialize)]
struct Exported {
    tower_cognito_keys: HashMap<String, ExportedSet>,
}

#[derive(Deserialize)]
struct ExportedSet {
    fetched_at: u64,
    jwks: Value,
}

fn import(text: &str, pools: &[PoolRules]) -> Result<(), ConfigError> {
    let refuse =
        |reason: &dyn fmt::Display| ConfigError::ImportedKeys { reason: reason.to_string() };
    let mut exported: Exported = serde_json::from_str(text)
        .map_err(|_| refuse(&"the text is not a document with `tower_cognito_keys`"))?;
    for pool in pools {
        let Some(found) = exported.tower_cognito_keys.remove(pool.issuer.as_ref()) else {
            continue;
        };
        let set = KeySet::from_json(&found.jwks.to_string()).map_err(|error| refuse(&error))?;
        let fetched_at = UNIX_EPOCH
            .checked_add(Duration::from_secs(found.fetched_at))
            .ok_or_else(|| refuse(&"`fetched_at` is out of range"))?;
        pool.keys.import(fetched_at, set);
    }
    Ok(())
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("pools", &self.pools)
            .field("keys", &self.keys)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}
