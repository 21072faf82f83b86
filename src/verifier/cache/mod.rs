//! The cache of verified tokens, so that a token that was seen before needs no RSA operation.
//!
//! Only verified tokens are cached, so nobody without the pool's private key can fill the cache or choose which
//! tokens collide in it. A hash of the end of the signature, which is different in any two verified tokens, finds the
//! entry; then the whole token is compared in constant time. The caller checks the token's times and the presence of
//! its key again at each use.
//!
//! There are two levels. The shared level is bounded in bytes and decides what is kept. Each hit there writes shared
//! locks and reference counts, for which threads contend. So each thread also keeps copies of the tokens that it
//! finds most often.

mod per_thread;
mod shared;

use self::{per_thread::PerThread, shared::Shared};
use crate::claims::Verified;

/// The two levels, or `None` if the cache is disabled.
pub(super) struct TokenCache(Option<Levels>);

struct Levels {
    per_thread: PerThread,
    shared: Shared,
}

impl TokenCache {
    /// Creates a cache of at most `bytes`, not counting what each thread keeps. 0 disables it.
    pub(super) fn new(bytes: usize) -> Self {
        let levels = || Levels { per_thread: PerThread::new(bytes), shared: Shared::new(bytes) };
        Self((bytes > 0).then(levels))
    }

    /// Returns a cached token. The caller must check its times and its key again.
    pub(super) fn get(&self, token: &[u8]) -> Option<Verified> {
        let Levels { per_thread, shared } = self.0.as_ref()?;
        match per_thread.get(token) {
            Some(known) => Some(known),
            None => Some(per_thread.record(shared.get(token)?)),
        }
    }

    pub(super) fn remove(&self, token: &[u8]) {
        if let Some(Levels { per_thread, shared }) = &self.0 {
            per_thread.remove(token);
            shared.remove(token);
        }
    }

    pub(super) fn insert(&self, token: &[u8], verified: &Verified) {
        if let Some(Levels { shared, .. }) = &self.0 {
            shared.insert(token, verified.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::UNIX_EPOCH};

    use aws_lc_rs::digest::{SHA384, digest};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::{
        per_thread::PerThread,
        shared::{CachedToken, Shared},
    };
    use crate::claims::{Facts, SignedBy, TokenUse, Verified};

    const BYTES: usize = 4 << 20;

    /// A token whose end is as random as a signature.
    fn token(number: usize) -> Arc<[u8]> {
        let end = URL_SAFE_NO_PAD.encode(digest(&SHA384, &number.to_le_bytes()));
        format!("token.{end}").into_bytes().into()
    }

    /// Takes about as many bytes as a token of Cognito's.
    fn verified() -> Verified {
        let text = || Box::from("text");
        let facts = Facts {
            issuer: "issuer".into(),
            pool: "pool".into(),
            subject: text(),
            username: None,
            client_id: text(),
            token_use: TokenUse::Access,
            scope: text(),
            groups: Vec::new(),
            permissions: Vec::new(),
            has_permission_source: false,
            good: UNIX_EPOCH..UNIX_EPOCH,
            expires_at: 0,
            issued_at: None,
            auth_time: None,
            signed_by: SignedBy { pool: 0, kid: "kid".into(), thumbprint: [0; 32] },
        };
        Verified::new(facts, " ".repeat(2000).into())
    }

    fn cached(number: usize, bytes: usize) -> CachedToken {
        CachedToken { token: token(number), verified: verified(), bytes }
    }

    #[test]
    fn a_thread_keeps_a_token_that_it_finds_twice_in_a_row() {
        let per_thread = PerThread::new(BYTES);
        per_thread.record(cached(0, 5000));
        assert!(per_thread.get(&token(0)).is_none());
        per_thread.record(cached(0, 5000));
        assert!(per_thread.get(&token(0)).is_some());
        per_thread.remove(&token(0));
        assert!(per_thread.get(&token(0)).is_none());
    }

    #[test]
    fn tokens_in_turn_do_not_replace_each_other_in_a_thread() {
        let per_thread = PerThread::new(1);
        for _ in 0..2 {
            per_thread.record(cached(0, 5000));
        }
        for _ in 0..3 {
            assert!(per_thread.get(&token(0)).is_some());
            assert!(per_thread.get(&token(1)).is_none());
            per_thread.record(cached(1, 5000));
        }
        per_thread.record(cached(1, 5000));
        assert!(per_thread.get(&token(1)).is_some());
        assert!(per_thread.get(&token(0)).is_none());
    }

    #[test]
    fn a_thread_keeps_no_token_of_more_than_8_kib() {
        for (bytes, is_kept) in [(0, true), (8192, true), (8193, false), (usize::MAX, false)] {
            let per_thread = PerThread::new(BYTES);
            for _ in 0..2 {
                per_thread.record(cached(0, bytes));
            }
            assert_eq!(per_thread.get(&token(0)).is_some(), is_kept, "{bytes}");
        }
    }

    #[test]
    fn the_shared_level_is_bounded_in_bytes() {
        let (shared, verified) = (Shared::new(BYTES), verified());
        let insert = |number| shared.insert(&token(number), verified.clone());
        let bytes = |number| shared.get(&token(number)).map(|known| known.bytes);
        let half = BYTES / 2 / 6000;
        (0..half).for_each(insert);
        for number in 0..half {
            let known = shared.get(&token(number)).expect("half of the bytes are free");
            assert_eq!(known.token, token(number));
        }
        (half..10 * half).for_each(insert);
        let kept: usize = (0..10 * half).filter_map(bytes).sum();
        assert!((BYTES / 2..=BYTES).contains(&kept), "{kept} of {BYTES} bytes");
    }

    #[test]
    fn a_token_inserted_twice_is_kept_once() {
        let shared = Shared::new(BYTES);
        for _ in 0..2 {
            shared.insert(&token(0), verified());
        }
        assert!(shared.get(&token(0)).is_some());
        shared.remove(&token(0));
        assert!(shared.get(&token(0)).is_none());
    }
}
