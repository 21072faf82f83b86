use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use serde::Deserialize;

use crate::{
    claims::{ListForm, Verified},
    clock::{Clock, SystemClock},
    error::ConfigError,
    keys::{ExportedSet, HttpSources, KeySet, KeySettings},
    verifier::{
        banner,
        cache::TokenCache,
        check::{Checks, Refusal},
        pool::Pool,
        pools::{PoolSet, Pools},
        rules::Tolerance,
        verify::{Inner, Verifier},
    },
};

/// Builder of a [`Verifier`]. Created by [`Verifier::builder`], [`Verifier::builder_without_pools`] or
/// [`VerifierBuilder::from_env`].
///
/// The order of the calls does not matter. A setting whose name starts with `add_` adds to earlier calls; each other
/// setting replaces the value of an earlier call.
#[must_use]
pub struct VerifierBuilder {
    pools: Vec<Pool>,
    keys: KeySettings,
    clock: Arc<dyn Clock>,
    expiry_leeway: Duration,
    clock_skew: Duration,
    permissions_claim: Option<String>,
    permissions_form: Option<ListForm>,
    checks: Checks,
    cache_bytes: usize,
    imported: Option<String>,
}

/// The default size of the cache of verified tokens, enough for about 5,000 tokens.
const DEFAULT_CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A longer tolerance would hide a broken clock.
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Claims with a fixed meaning, which cannot be used for permissions.
const RESERVED_CLAIMS: [&str; 14] = [
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

impl Verifier {
    /// Starts the configuration of a verifier for this pool.
    /// [`add_pool`](VerifierBuilder::add_pool) adds further ones.
    pub fn builder(pool: Pool) -> VerifierBuilder {
        VerifierBuilder::new(vec![pool])
    }

    /// Starts the configuration of a verifier that gets its pools later, by [`add_pool`](Self::add_pool), for example
    /// one for each tenant of a service.
    ///
    /// Until then it rejects each token with `untrusted_issuer`.
    pub fn builder_without_pools() -> VerifierBuilder {
        VerifierBuilder::new(Vec::new())
    }
}

impl VerifierBuilder {
    fn new(pools: Vec<Pool>) -> Self {
        Self {
            pools,
            keys: KeySettings::default(),
            clock: Arc::new(SystemClock),
            expiry_leeway: Duration::ZERO,
            clock_skew: Duration::from_secs(30),
            permissions_claim: None,
            permissions_form: None,
            checks: Checks::default(),
            cache_bytes: DEFAULT_CACHE_BYTES,
            imported: None,
        }
    }

    /// Adds a pool with its own issuers, clients and keys. [`Verifier::add_pool`] adds one to a running verifier.
    pub fn add_pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Reads permissions from this claim: an array of strings, a string that contains such an array as JSON, or names
    /// separated by spaces. Call [`permissions_form`](Self::permissions_form) for a list in another form. Any other
    /// value grants nothing, and is logged once.
    ///
    /// Default: no claim is read, because access must not depend on a claim that was not configured.
    ///
    /// **Users can write each attribute that the app client can write.** With a custom attribute that is among the
    /// client's write attributes, any user can grant themselves any permission (`UpdateUserAttributes`). Use a claim
    /// that a pre-token-generation trigger writes, or remove the attribute from the client's write attributes.
    pub fn permissions_claim(mut self, name: impl Into<String>) -> Self {
        self.permissions_claim = Some(name.into());
        self
    }

    /// Sets the form of the list in the [permissions claim](Self::permissions_claim). A value that does not have this
    /// form grants nothing, and is logged once. For example, Cognito writes several values of a SAML or OIDC attribute
    /// as `[a, b]`:
    ///
    /// ```
    /// # use tower_cognito::{Pool, Verifier, claims::ListForm};
    /// # let builder = Verifier::builder(Pool::new("eu-west-1_A").id_tokens(["web"]));
    /// builder.permissions_claim("custom:groups").permissions_form(ListForm::Bracketed)
    /// # .build().unwrap();
    /// ```
    ///
    /// Default: [`ListForm::JsonOrSpaces`], because triggers write these forms, and no text is ambiguous.
    pub fn permissions_form(mut self, form: ListForm) -> Self {
        self.permissions_form = Some(form);
        self
    }

    /// Adds your own check. It runs at each request after the token passed all rules, also for cached tokens. It must
    /// not block.
    pub fn add_check<F>(mut self, check: F) -> Self
    where
        F: Fn(&Verified) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        self.checks.add(check);
        self
    }

    /// Adds your own asynchronous check, for example against a list of revoked sign-ins. It runs at each request after
    /// the token passed all rules and all synchronous checks. Give it a time limit, because the request waits for it.
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

    /// Sets how long after `exp` a token is still accepted, at most 5 minutes.
    ///
    /// Default: 0, because an expired token must not be used, and a slow clock already extends its lifetime.
    pub fn expiry_leeway(mut self, leeway: Duration) -> Self {
        self.expiry_leeway = leeway;
        self
    }

    /// Sets how far `nbf` and `iat` may be ahead of this machine's clock, at most 5 minutes.
    ///
    /// Default: 30 seconds, so that a machine whose clock is slightly behind accepts new tokens.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Sets the age at which keys are fetched again: at least 1 second.
    ///
    /// Default: 15 minutes. A withdrawn key works for at most that long while the key endpoint responds.
    /// `Cache-Control: max-age` of the endpoint can shorten it to a minute, and cannot extend it.
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.keys.refresh_interval = interval;
        self
    }

    /// Sets the period in which tokens with unknown `kid`s cause at most two fetches.
    ///
    /// Default: 30 seconds. The second fetch is for a rotation that happens just after the first one.
    /// Further fetches are not allowed, so that a flood of invented `kid`s does not become a flood of fetches.
    pub fn unknown_key_window(mut self, window: Duration) -> Self {
        self.keys.unknown_key_window = window;
        self
    }

    /// Sets the age up to which keys are used while they cannot be fetched. Requests are rejected with 503 after that.
    ///
    /// Default: 24 hours. An outage of the key endpoint should not become an outage of the service, but a withdrawn key
    /// must not be used indefinitely because the endpoint is blocked.
    pub fn max_staleness(mut self, bound: Duration) -> Self {
        self.keys.max_staleness = bound;
        self
    }

    /// Sets the time limit of one fetch of keys, including the connection and the whole response.
    ///
    /// Default: 3 seconds, because requests may wait for a fetch.
    pub fn fetch_timeout(mut self, limit: Duration) -> Self {
        self.keys.fetch_timeout = limit;
        self
    }

    /// Lets requests refresh the keys instead of a background task. For functions that are frozen between requests.
    ///
    /// Requests that find keys older than the refresh interval wait for one shared fetch. If it fails, the old keys are
    /// used for one more interval and no request waits.
    pub fn refresh_on_demand(mut self) -> Self {
        self.keys.background = false;
        self
    }

    /// Sets the size of the cache of verified tokens in bytes. 0 disables the cache. The cache affects only the speed
    /// of verification, not its result.
    ///
    /// Default: 32 MiB, about 5,000 tokens. Decoded claims are included, except values of your own types.
    ///
    /// In addition each thread keeps copies of up to 64 tokens that it uses often, at most 512 KiB, so that threads
    /// do not contend for the cache.
    pub fn token_cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Starts with the keys that [`export_keys`](Verifier::export_keys) of another verifier returned, so that a cold
    /// start needs no fetch.
    ///
    /// If they are older than their lifetime, the first request waits for a fetch, and if that fails, the imported keys
    /// are used. The lifetime is the `max-age` of the response that they came in, or the other verifier's
    /// [refresh interval](Self::refresh_interval), whichever is shorter. Keys older than [`max_staleness`](Self::max_staleness) and keys of
    /// other issuers are ignored, also those of pools that are added later: see [`Pool::initial_keys`].
    pub fn import_keys(mut self, exported: impl Into<String>) -> Self {
        self.imported = Some(exported.into());
        self
    }

    /// Sets the clock that provides the wall time. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the verifier. Nothing is fetched yet: see [`Verifier::ready`].
    ///
    /// # Errors
    /// A [`ConfigError`] that names the setting and what to change:
    /// - a pool id, client id, resource, region or URL is invalid, or a pool has no client;
    /// - a URL is plain HTTP to another machine;
    /// - two pools have the same issuer or name;
    /// - two settings conflict;
    /// - a duration is out of its range;
    /// - the permissions claim is a claim with a fixed meaning, such as `sub`, or its form is set without the claim;
    /// - the imported keys cannot be read.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        self.keys.check()?;
        check_leeway("expiry_leeway", self.expiry_leeway)?;
        check_leeway("clock_skew", self.clock_skew)?;
        match &self.permissions_claim {
            Some(name) => check_permissions_claim(name)?,
            None if self.permissions_form.is_some() => {
                return Err(ConfigError::Name {
                    field: "permissions_claim",
                    found: String::new(),
                    expected: "the claim whose form `permissions_form` sets",
                });
            }
            None => {}
        }
        let http = HttpSources::default();
        let mut pools = PoolSet::default();
        for pool in self.pools {
            pools.insert(Arc::new(pool.build(&self.keys, &self.clock, &http)?))?;
        }
        if let Some(text) = &self.imported {
            import(text, &pools)?;
        }
        let tolerance =
            Tolerance { expiry_leeway: self.expiry_leeway, clock_skew: self.clock_skew };
        let permissions_claim = self.permissions_claim.as_deref();
        banner::log_built(&pools, &self.keys, tolerance, permissions_claim, &self.checks);
        Ok(Verifier(Arc::new(Inner {
            pools: Pools::new(pools, self.keys, http),
            clock: self.clock,
            tolerance,
            permissions_claim: self.permissions_claim,
            permissions_form: self.permissions_form.unwrap_or_default(),
            cache: TokenCache::new(self.cache_bytes),
            checks: self.checks,
        })))
    }
}

fn check_leeway(field: &'static str, found: Duration) -> Result<(), ConfigError> {
    if found <= MAX_LEEWAY {
        return Ok(());
    }
    Err(ConfigError::Duration { field, found, expected: "at most 5 minutes" })
}

pub(super) fn check_permissions_claim(name: &str) -> Result<(), ConfigError> {
    if !name.is_empty() && !RESERVED_CLAIMS.contains(&name) {
        return Ok(());
    }
    Err(ConfigError::Name {
        field: "permissions_claim",
        found: name.to_owned(),
        expected: "a claim without a fixed meaning, such as `custom:permissions`",
    })
}

#[derive(Deserialize)]
struct Exported {
    tower_cognito_keys: HashMap<String, ExportedSet>,
}

fn import(text: &str, pools: &PoolSet) -> Result<(), ConfigError> {
    let error = |reason, source| ConfigError::ImportedKeys { reason, source };
    let mut exported: Exported = serde_json::from_str(text)
        .map_err(|_| error("the text is not a document with `tower_cognito_keys`", None))?;
    for pool in pools.iter() {
        let Some(found) = exported.tower_cognito_keys.remove(pool.issuer.as_ref()) else {
            continue;
        };
        let set = KeySet::from_json(&found.jwks.to_string())
            .map_err(|source| error("a key set cannot be used", Some(Arc::new(source))))?;
        let fetched_at = UNIX_EPOCH
            .checked_add(Duration::from_secs(found.fetched_at))
            .ok_or_else(|| error("`fetched_at` is out of range", None))?;
        pool.keys.import(fetched_at, found.lifetime.map(Duration::from_secs), set);
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
