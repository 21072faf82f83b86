//! Decides about tokens: configuration, the rules in their order, and the cache of what passed.

mod builder;
mod cache;
mod check;
mod pool;
mod rules;
#[cfg(test)]
mod wycheproof;

use std::{fmt, sync::Arc};

pub use self::builder::VerifierBuilder;
use self::cache::TokenCache;
use self::check::Checks;
pub use self::check::Refusal;
pub use self::pool::{DangerousPool, Pool};
pub(crate) use self::rules::NO_PERMISSION_SOURCE;
use self::rules::{Rules, Stop, WantedKey};
use crate::{
    claims::Verified,
    error::{AuthError, AuthErrorKind},
    keys::{Begin, FetchError, KeyHealth, Miss},
    policy::Policy,
};
pub use crate::{clock::Clock, pool::PoolId};

/// Decides whether a token is good, and for what.
///
/// Cheap to clone; all clones share keys and cache. It needs no HTTP: give it a token and get the
/// claims.
///
/// ```no_run
/// # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use tower_cognito::{Pool, Verifier};
///
/// let pool = Pool::new("eu-west-1_Ab12Cd34E").access_tokens(["1example23456789"]);
/// let verifier = Verifier::builder(pool).build()?;
/// let claims = verifier.verify(token).await?;
/// println!("{}", claims.subject());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    rules: Rules,
    cache: TokenCache,
    checks: Checks,
}

/// Error returned when the keys of a pool could not be fetched. Its `source()` is the [`FetchError`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("the keys of {issuer} could not be fetched; check the pool's id and the network")]
pub struct ReadyError {
    issuer: Arc<str>,
    #[source]
    reason: FetchError,
}

/// What could be decided about a token without waiting.
pub(crate) enum Decision {
    Made(Result<Verified, AuthError>),
    Wait(Waiting),
}

/// What has to be waited for, in [`Verifier::wait`].
pub(crate) enum Waiting {
    /// A key has to be fetched, and the token looked at again.
    Key { wanted: WantedKey, token: Box<[u8]> },
    /// The application's own checks have to be asked.
    Checks(Verified),
}

impl Verifier {
    /// Starts the configuration of a verifier for this pool.
    /// [`add_pool`](VerifierBuilder::add_pool) adds further ones.
    pub fn builder(pool: Pool) -> VerifierBuilder {
        VerifierBuilder::new(pool)
    }

    /// Holds a token against all rules, in the order of
    /// [the manual](crate::docs::threats#the-rules-in-their-order).
    ///
    /// A token whose key is known is decided without waiting. Dropping the future does no harm: a
    /// fetch that it began goes on for the others who wait for it.
    ///
    /// # Errors
    /// An [`AuthError`] of any kind but `MissingCredential`, `InvalidRequest`, `CrossSiteRequest`,
    /// `InsufficientScope`, `ClaimsShape` and `MissingLayer`.
    pub async fn verify(&self, token: &str) -> Result<Verified, AuthError> {
        match self.decide(token.as_bytes()) {
            Decision::Made(result) => result,
            Decision::Wait(waiting) => self.wait(waiting).await,
        }
    }

    /// Verifies a token as [`verify`](Self::verify) does, if that takes no waiting.
    ///
    /// Returns `None` if a key has to be fetched first, or if there are
    /// [asynchronous checks](VerifierBuilder::add_async_check). With static keys and without such checks
    /// it always returns a result.
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify).
    pub fn try_verify(&self, token: &str) -> Option<Result<Verified, AuthError>> {
        match self.decide(token.as_bytes()) {
            Decision::Made(result) => Some(result),
            Decision::Wait(_) => None,
        }
    }

    /// Decides at once, or says what has to be waited for.
    pub(crate) fn decide(&self, token: &[u8]) -> Decision {
        let fetch = |wanted| Decision::Wait(Waiting::Key { wanted, token: token.into() });
        match self.authenticate(token) {
            Ok(verified) if self.0.checks.must_wait() => Decision::Wait(Waiting::Checks(verified)),
            Ok(verified) => Decision::Made(Ok(verified)),
            Err(Stop::Refused(error)) => Decision::Made(Err(error)),
            Err(Stop::KeyAbsent(wanted)) => match self.0.rules.miss_at_once(&wanted) {
                Some(miss) => Decision::Made(Err(no_key(miss))),
                None => fetch(wanted),
            },
            Err(Stop::SetStale(wanted)) => fetch(wanted),
        }
    }

    /// Decides about the token of which [`decide`](Self::decide) said that it takes waiting.
    pub(crate) async fn wait(&self, waiting: Waiting) -> Result<Verified, AuthError> {
        let verified = match waiting {
            Waiting::Checks(verified) => verified,
            Waiting::Key { wanted, token } => {
                let miss = self.0.rules.obtain(&wanted).await;
                match self.authenticate(&token) {
                    Ok(verified) => verified,
                    Err(Stop::Refused(error)) => return Err(error),
                    Err(Stop::KeyAbsent(_)) => return Err(no_key(miss)),
                    Err(Stop::SetStale(wanted)) => {
                        return Err(no_key(self.0.rules.unavailable(&wanted)));
                    }
                }
            }
        };
        self.0.checks.run_async(&verified).await?;
        Ok(verified)
    }

    /// Fetches the keys of all pools now, all at once, so that a wrong pool id or a closed network is
    /// noticed at start and not at the first request. Returns at once for keys that are there.
    ///
    /// Call it before you serve; or do not, and let the service answer 503 until keys can be had.
    /// Calling it again and again causes no more fetches than the
    /// [limit](VerifierBuilder::unknown_key_window) allows.
    ///
    /// # Errors
    /// The keys of a pool cannot be had; the first such pool is told.
    pub async fn ready(&self) -> Result<(), ReadyError> {
        let fetches: Vec<_> = self.0.rules.pools().map(|pool| pool.keys.begin_ready()).collect();
        for (pool, fetch) in self.0.rules.pools().zip(fetches) {
            if let Some(fetch) = fetch {
                pool.keys.ended(fetch).await;
            }
        }
        for pool in self.0.rules.pools() {
            let issuer = Arc::clone(&pool.issuer);
            pool.keys.readiness().map_err(|reason| ReadyError { issuer, reason })?;
        }
        Ok(())
    }

    /// Fetches the keys of all pools now, whatever their age, and waits for the fetches to end. Keys that
    /// are not in the new sets stop working at once, for tokens seen before too.
    ///
    /// For a leaked key: once the pool's key set no longer has it, call this in each process of the
    /// service. Without the call the key stops working at the next
    /// [refresh](VerifierBuilder::refresh_interval). The limit on fetches for unknown keys does not
    /// apply, so do not let callers of the service trigger it. Pools with static keys are left alone.
    ///
    /// ```no_run
    /// # async fn example(verifier: tower_cognito::Verifier) {
    /// if let Err(error) = verifier.force_refresh().await {
    ///     tracing::error!(%error, "the leaked key may still be accepted");
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// The keys of a pool could not be fetched. Its previous keys stay in use, including the leaked one.
    /// The error names the first such pool; the sets of the others may be new.
    pub async fn force_refresh(&self) -> Result<(), ReadyError> {
        let mut pools: Vec<_> =
            self.0.rules.pools().map(|pool| (pool, pool.keys.begun())).collect();
        let all = pools.clone();
        // A fetch that was under way began before the call, so that one more is needed. The pools fetch side
        // by side.
        for _ in 0..2 {
            let fetches: Vec<_> = pools.iter().map(|(pool, _)| pool.keys.begin_forced()).collect();
            let mut joined = Vec::new();
            for (entry, begin) in pools.into_iter().zip(fetches) {
                match begin {
                    Some(Begin::Began(fetch)) => entry.0.keys.ended(fetch).await,
                    Some(Begin::Joined(fetch)) => {
                        entry.0.keys.ended(fetch).await;
                        joined.push(entry);
                    }
                    Some(Begin::Refused) | None => {}
                }
            }
            pools = joined;
        }
        all.into_iter().try_for_each(|(pool, begun)| {
            let issuer = Arc::clone(&pool.issuer);
            pool.keys.refreshed_after(begun).map_err(|reason| ReadyError { issuer, reason })
        })
    }

    /// How the keys of each pool are doing, for a health endpoint or a metric.
    pub fn health(&self) -> Vec<KeyHealth> {
        self.0.rules.pools().map(|pool| pool.keys.health(Arc::clone(&pool.issuer))).collect()
    }

    /// Why no token that this verifier accepts can meet a part of a policy.
    pub(crate) fn defects(&self, policy: &Policy) -> Vec<String> {
        self.0.rules.defects(policy)
    }

    /// The fetched keys of all pools as text, for
    /// [`import_keys`](VerifierBuilder::import_keys) in a process that starts later. Whoever can
    /// change that text decides whom the other process trusts, so keep it as safe as its
    /// configuration.
    pub fn export_keys(&self) -> String {
        self.0.rules.export_keys()
    }

    /// The rules up to and including the synchronous checks, from the cache where the token was
    /// seen before.
    fn authenticate(&self, token: &[u8]) -> Result<Verified, Stop> {
        let now = self.0.rules.now();
        let rules = &self.0.rules;
        let verified = match self.0.cache.get(token, |known| rules.recheck(known, now)) {
            Some(known) => known?,
            None => {
                let verified = rules.check(token, now)?;
                self.0.cache.insert(token, &verified);
                verified
            }
        };
        self.0.checks.run(&verified).map_err(Stop::Refused)?;
        Ok(verified)
    }
}

impl ReadyError {
    /// The first issuer of the pool whose keys cannot be had.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Why they cannot.
    pub fn reason(&self) -> &FetchError {
        &self.reason
    }
}

fn no_key(miss: Miss) -> AuthError {
    match miss {
        Miss::Unavailable(after) => AuthError::new(
            AuthErrorKind::KeysUnavailable,
            "the keys to check the token with cannot be had at present; try again later",
        )
        .with_retry_after(after),
        Miss::Unknown => {
            AuthError::new(AuthErrorKind::UnknownKey, "the pool has no key of the token's `kid`")
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("rules", &self.0.rules).finish_non_exhaustive()
    }
}
