use std::{fmt, sync::Arc};

use crate::{
    claims::{ListForm, SignedBy, Verified},
    clock::Clock,
    error::{AuthError, AuthErrorKind},
    keys::Miss,
    verifier::{
        cache::TokenCache, check::Checks, pool_rules::PoolRules, pools::Pools, rules::Tolerance,
    },
};

/// Verifies tokens of one or more user pools.
///
/// A verifier is cheap to clone, and all clones share keys and cache. It does not depend on HTTP: it takes a token
/// and returns the claims.
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
pub struct Verifier(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) pools: Pools,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tolerance: Tolerance,
    pub(super) permissions_claim: Option<String>,
    pub(super) permissions_form: ListForm,
    pub(super) cache: TokenCache,
    pub(super) checks: Checks,
}

/// The result of the part of a verification that does not wait, if the token is not rejected.
pub(crate) enum Verification {
    /// The token passed all rules and checks.
    Passed(Verified),
    /// The key has to be fetched before the signature can be verified.
    NeedsKey(MissingKey),
    /// The token passed all rules and synchronous checks; the asynchronous checks remain.
    NeedsChecks(Verified),
}

/// A key that has to be fetched to verify a token.
pub(crate) struct MissingKey {
    /// A copy of the token. Empty while it is not known whether the key can be fetched.
    token: Box<[u8]>,
    pool: Arc<PoolRules>,
    key_id: Box<str>,
}

impl Verification {
    pub(super) fn needs_key(pool: &Arc<PoolRules>, key_id: Box<str>) -> Self {
        Self::NeedsKey(MissingKey { token: Box::default(), pool: Arc::clone(pool), key_id })
    }
}

impl Verifier {
    /// Verifies a token: checks all rules, in the order of
    /// [the manual](crate::docs::threats#the-rules-in-their-order), and then your own checks.
    ///
    /// Waits only if the key has to be fetched first, or for asynchronous checks. The future can be dropped at any
    /// time: a fetch that it started continues for other callers that wait for it.
    ///
    /// # Errors
    /// An [`AuthError`] of any kind but `MissingCredential`, `InvalidRequest`, `CrossSiteRequest`, `NotFound`,
    /// `InsufficientScope`, `ClaimsShape` and `MissingLayer`. Your own checks may return these too.
    pub async fn verify(&self, token: &str) -> Result<Verified, AuthError> {
        self.finish(self.begin(token.as_bytes())?).await
    }

    /// Verifies a token as [`verify`](Self::verify) does, if that is possible without waiting.
    ///
    /// Returns `None` if a key has to be fetched first, or if there are
    /// [asynchronous checks](crate::VerifierBuilder::add_async_check). With static keys and without such checks
    /// it always returns a result. Synchronous checks run before `None` is returned for asynchronous ones, and again in
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    /// Those of [`verify`](Self::verify).
    pub fn try_verify(&self, token: &str) -> Option<Result<Verified, AuthError>> {
        match self.begin(token.as_bytes()) {
            Ok(Verification::Passed(verified)) => Some(Ok(verified)),
            Ok(Verification::NeedsKey(_) | Verification::NeedsChecks(_)) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// Verifies a token as far as that is possible without waiting.
    ///
    /// # Errors
    /// The token is rejected, or its key is missing and cannot be fetched now.
    pub(crate) fn begin(&self, token: &[u8]) -> Result<Verification, AuthError> {
        let mut verification = self.0.verify_now(token)?;
        if let Verification::NeedsKey(missing) = &mut verification {
            // Tokens with unknown keys must be cheap to reject.
            if let Some(miss) = missing.pool.keys.miss_at_once(&missing.key_id) {
                return Err(no_key(miss));
            }
            missing.token = token.into();
        }
        Ok(verification)
    }

    /// Completes what [`begin`](Self::begin) returned, and waits for what it needs.
    ///
    /// # Errors
    /// The token is rejected, or its key could not be fetched.
    pub(crate) async fn finish(&self, verification: Verification) -> Result<Verified, AuthError> {
        match verification {
            Verification::Passed(verified) => Ok(verified),
            Verification::NeedsChecks(verified) => self.0.checks.run_async(verified).await,
            Verification::NeedsKey(missing) => {
                let miss = missing.pool.keys.obtain(&missing.key_id).await;
                match self.0.verify_now(&missing.token)? {
                    Verification::Passed(verified) => Ok(verified),
                    Verification::NeedsChecks(verified) => self.0.checks.run_async(verified).await,
                    Verification::NeedsKey(_) => Err(no_key(miss)),
                }
            }
        }
    }
}

impl Inner {
    /// Verifies a token with the keys that its pool has now.
    fn verify_now(&self, token: &[u8]) -> Result<Verification, AuthError> {
        let now = self.clock.now();
        if let Some(verified) = self.cache.get(token) {
            let SignedBy { pool, key } = &verified.facts().signed_by;
            let pools = self.pools.load();
            match pools.at(*pool).map(|pool| pool.keys.usable_set(now)) {
                Some(Some(keys)) if keys.has(key) => {
                    let validity = verified.facts().validity.check(now);
                    if let Err(error) = &validity
                        && error.kind() == AuthErrorKind::Expired
                    {
                        // It will not be accepted again, so its claims need not stay in memory.
                        self.cache.remove(token);
                    }
                    validity?;
                    return self.run_checks(verified);
                }
                // The key was withdrawn or replaced, or the pool was removed.
                Some(Some(_)) | None => self.cache.remove(token),
                // The token stays in the cache until there are keys again.
                Some(None) => {}
            }
        }
        self.verify_cold(token, now)
    }

    /// Runs the application's synchronous checks, for a token that passed all rules.
    pub(super) fn run_checks(&self, verified: Verified) -> Result<Verification, AuthError> {
        self.checks.run(&verified)?;
        if self.checks.has_async() {
            return Ok(Verification::NeedsChecks(verified));
        }
        Ok(Verification::Passed(verified))
    }
}

pub(super) fn no_key(miss: Miss) -> AuthError {
    match miss {
        Miss::Unavailable(after) => AuthError::new(
            AuthErrorKind::KeysUnavailable,
            "the pool's keys are unavailable; try again later",
        )
        .with_retry_after(after),
        Miss::Unknown => {
            AuthError::new(AuthErrorKind::UnknownKey, "the pool has no key with the token's `kid`")
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("pools", &self.0.pools).finish_non_exhaustive()
    }
}
