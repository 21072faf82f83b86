use std::{borrow::Cow, sync::Arc, time::SystemTime};

use crate::{
    claims::{Facts, Names, PoolPlace, SignedBy, Verified},
    error::{AuthError, AuthErrorKind},
    keys::{KeyCache, UsableSet},
    token::{CompactJws, Signed, Unverified},
    verifier::{
        pool_rules::PoolRules,
        pools::PoolSet,
        rules::{self, Context},
        verify::{Inner, Verification},
    },
};

/// The result for a token that breaks no rule.
pub(super) enum Examined<'p> {
    Verified(Verified),
    /// The token names a key that its pool does not have.
    NoKey {
        pool: &'p Arc<PoolRules>,
        key_id: Box<str>,
    },
}

/// The steps before the rules of a signed token, in their order.
pub(super) const STEPS: [&str; 4] = [FORM, ISSUER, KEY, SIGNATURE];

const FORM: &str = "form";
const ISSUER: &str = "issuer";
const KEY: &str = "key";
const SIGNATURE: &str = "signature";

impl Inner {
    /// Verifies a token that is not in the cache, and caches it once all rules have passed.
    pub(super) fn verify_cold(
        &self,
        token: &[u8],
        now: SystemTime,
    ) -> Result<Verification, AuthError> {
        let pools = self.pools.load();
        match self.examine(&pools, token, now, |keys| keys.usable_set(now), |_| ())? {
            Examined::Verified(verified) => {
                self.cache.insert(token, &verified);
                self.run_checks(verified)
            }
            Examined::NoKey { pool, key_id } => Ok(Verification::needs_key(pool, key_id)),
        }
    }

    /// Checks all rules of a token but the application's own, with the keys that `key_set` returns. Calls `passed` with
    /// the name of each step that the token passes.
    pub(super) fn examine<'p>(
        &self,
        pools: &'p PoolSet,
        token: &[u8],
        now: SystemTime,
        key_set: impl FnOnce(&KeyCache) -> Option<UsableSet>,
        mut passed: impl FnMut(&'static str),
    ) -> Result<Examined<'p>, AuthError> {
        let mut buffer = Vec::new();
        let jws = CompactJws::decode(token, &mut buffer)?;
        let unverified = Unverified::parse(&jws, self.permissions_claim.as_deref())?;
        passed(FORM);
        let (issuer, place, pool) = trusted_pool(pools, unverified.issuer())?;
        passed(ISSUER);
        let key = key_set(&pool.keys).and_then(|keys| keys.find(unverified.key_id()));
        let Some(key) = key else {
            return Ok(Examined::NoKey { pool, key_id: unverified.key_id().into() });
        };
        passed(KEY);
        let signed = unverified.verify(|message, signature| key.verifies(message, signature))?;
        passed(SIGNATURE);
        let context = Context { token: &signed, pool, tolerance: self.tolerance, now };
        rules::check(&context, passed)?;
        let place = PoolPlace { index: place, number: pool.number };
        let signed_by = SignedBy { pool: place, key: key.fingerprint };
        let facts = self.facts(&context, issuer, signed_by, self.has_permission_source(pools))?;
        Ok(Examined::Verified(Verified::new(facts, Arc::from(signed.payload()))))
    }

    /// Returns whether tokens of any pool can have permissions.
    pub(super) fn has_permission_source(&self, pools: &PoolSet) -> bool {
        self.permissions_claim.is_some() || pools.has_grants()
    }

    /// Collects what [`Verified`] keeps of a token that passed all rules.
    fn facts(
        &self,
        context: &Context<'_>,
        issuer: &Arc<str>,
        signed_by: SignedBy,
        has_permission_source: bool,
    ) -> Result<Facts, AuthError> {
        let Context { token, pool, .. } = context;
        let groups = Names::new(token.groups()?.iter().map(AsRef::as_ref));
        let mut permissions = self.permissions(token);
        pool.grants.extend(groups.iter(), &mut permissions);
        Ok(Facts {
            issuer: Arc::clone(issuer),
            pool: Arc::clone(&pool.name),
            subject: token.subject()?.into(),
            username: token.username()?.map(Into::into),
            client_id: token.client_id()?.into(),
            token_use: token.token_use()?,
            scope: token.scope()?.into(),
            groups,
            permissions: Names::new(permissions.iter().map(AsRef::as_ref)),
            has_permission_source,
            validity: context.validity()?,
            expires_at: token.expires_at()?,
            issued_at: token.issued_at()?,
            auth_time: token.auth_time()?,
            signed_by,
        })
    }

    /// Reads the permissions claim. One that cannot be read grants nothing.
    fn permissions<'t>(&self, token: &'t Signed<'_>) -> Vec<Cow<'t, str>> {
        let (Some(name), Some(value)) = (&self.permissions_claim, token.permissions()) else {
            return Vec::new();
        };
        self.permissions_form.read(value).unwrap_or_else(|| {
            self.permissions_form.log_wrong_form(name);
            Vec::new()
        })
    }
}

/// Finds the pool of an issuer, with the text of the issuer and the pool's place.
fn trusted_pool<'p>(
    pools: &'p PoolSet,
    issuer: Option<&str>,
) -> Result<(&'p Arc<str>, usize, &'p Arc<PoolRules>), AuthError> {
    let untrusted = |detail| AuthError::new(AuthErrorKind::UntrustedIssuer, detail);
    let issuer = issuer.ok_or_else(|| untrusted("the token's `iss` is missing or not a string"))?;
    pools
        .with_issuer(issuer)
        .ok_or_else(|| untrusted("the token's `iss` is not one of the configured issuers"))
}
