use std::{borrow::Cow, sync::Arc, time::SystemTime};

use crate::{
    claims::{Facts, Names, SignedBy, Verified},
    error::{AuthError, AuthErrorKind},
    token::{CompactJws, Signed, Unverified},
    verifier::{
        pool::PoolRules,
        rules::{self, Context},
        verify::{Inner, Verification},
    },
};

impl Inner {
    /// Verifies a token that is not in the cache, and caches it once all rules have passed.
    pub(super) fn verify_cold(
        &self,
        token: &[u8],
        now: SystemTime,
    ) -> Result<Verification, AuthError> {
        let mut buffer = Vec::new();
        let jws = CompactJws::decode(token, &mut buffer)?;
        let unverified = Unverified::parse(&jws, self.permissions_claim.as_deref())?;
        let (issuer, position, pool) = self.trusted_pool(unverified.issuer())?;
        let key = pool.keys.usable_set(now).and_then(|keys| keys.find(unverified.key_id()));
        let Some(key) = key else {
            return Ok(Verification::needs_key(pool, unverified.key_id()));
        };
        let signed = unverified.verify(|message, signature| key.verifies(message, signature))?;
        let context = Context { token: &signed, pool, tolerance: self.tolerance, now };
        rules::check(&context)?;
        let signed_by = SignedBy { pool: position, key: key.fingerprint };
        let facts = self.facts(&context, issuer, signed_by)?;
        let verified = Verified::new(facts, Arc::from(signed.payload()));
        self.cache.insert(token, &verified);
        self.run_checks(verified)
    }

    /// Finds the pool of an issuer, which must exactly match a configured one.
    fn trusted_pool(
        &self,
        issuer: Option<&str>,
    ) -> Result<(&Arc<str>, usize, &Arc<PoolRules>), AuthError> {
        let untrusted = |detail| AuthError::new(AuthErrorKind::UntrustedIssuer, detail);
        let issuer =
            issuer.ok_or_else(|| untrusted("the token's `iss` is missing or not a string"))?;
        self.issuers
            .get_key_value(issuer)
            .and_then(|(issuer, position)| Some((issuer, *position, self.pools.get(*position)?)))
            .ok_or_else(|| untrusted("the token's `iss` is not one of the configured issuers"))
    }

    /// Collects what [`Verified`] keeps of a token that passed all rules.
    fn facts(
        &self,
        context: &Context<'_>,
        issuer: &Arc<str>,
        signed_by: SignedBy,
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
            has_permission_source: self.has_permission_source,
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
