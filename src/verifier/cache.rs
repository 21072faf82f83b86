//! The cache of verified tokens. A token that was verified before needs no RSA operation.
//!
//! Only verified tokens are cached, so an attacker without the pool's private key can neither fill the cache nor choose
//! which tokens collide in it. An entry is looked up by a hash of the end of the signature, which differs between any
//! two verified tokens. Then the whole token is compared in constant time. The caller checks the token's times and the
//! presence of its key again at each use.
//!
//! There are two levels. The shared level is bounded in bytes and decides what is kept. Each hit there writes to shared
//! locks and reference counts, for which threads contend. Therefore each thread also keeps copies of the tokens that it
//! finds most often.

use std::{
    cell::RefCell,
    hash::{BuildHasher, Hash, Hasher},
    sync::Arc,
};

use constant_time_eq::constant_time_eq;
use foldhash::fast::RandomState;
use quick_cache::{Equivalent, Lifecycle, Weighter, sync::Cache};
use thread_local::ThreadLocal;

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

/// The level of each thread, dropped with its verifier.
///
/// A table with one token in each slot. A token is stored once the thread has found it in the shared level twice,
/// in a row, that is, with no other token of the same slot in between. Otherwise tokens that share a slot would replace
/// each other at each request, which is more expensive than the shared level.
struct PerThread {
    // Boxed, so that the threads' tables are not on the same cache lines.
    tables: ThreadLocal<Box<RefCell<Vec<Slot>>>>,
    hasher: RandomState,
    /// How many slots a table has: a power of two.
    slots: usize,
}

#[derive(Default)]
struct Slot {
    /// The hash of the token that was last found, here or in the shared level.
    last_found: u64,
    entry: Option<Entry>,
}

struct Entry {
    hash: u64,
    token: Arc<[u8]>,
    verified: Verified,
}

/// Enough for the tokens that all threads use at once, such as those of other services. They take at most 512 KiB in
/// each thread. The tokens of many users are cheaper to find in the shared level, because copies in each thread would
/// fill the processor's caches.
const MAX_SLOTS: usize = 64;

/// A smaller cache gets fewer slots, so that they stay a small part of it.
const BYTES_PER_SLOT: usize = 128 << 10;

/// A token that takes more memory stays in the shared level only.
const MAX_TOKEN_BYTES: usize = 8 << 10;

impl PerThread {
    /// Creates tables for a cache of `bytes`.
    fn new(bytes: usize) -> Self {
        let slots = 1 << (bytes / BYTES_PER_SLOT).clamp(1, MAX_SLOTS).ilog2();
        Self { tables: ThreadLocal::new(), hasher: RandomState::default(), slots }
    }

    fn get(&self, token: &[u8]) -> Option<Verified> {
        self.with_slot(token, |slot, hash| {
            let entry = slot.entry.as_ref()?;
            // The hash is compared first, so that another token at this slot is not read.
            if entry.hash != hash || !is_same_token(&entry.token, token) {
                return None;
            }
            slot.last_found = hash;
            Some(entry.verified.clone())
        })
        .flatten()
    }

    /// Records that a token was found in the shared level, and keeps it if it was the last one found at its slot.
    fn record(&self, found: CachedToken) -> Verified {
        let CachedToken { token, verified, bytes } = found;
        if bytes > MAX_TOKEN_BYTES {
            return verified;
        }
        let replaced = self.with_slot(&token, |slot, hash| {
            if slot.last_found != hash {
                slot.last_found = hash;
                return None;
            }
            let (token, verified) = (Arc::clone(&token), verified.copy_for_thread());
            slot.entry.replace(Entry { hash, token, verified })
        });
        // Dropped after the borrow, since the entry may contain values of the application's types.
        drop(replaced);
        verified
    }

    fn remove(&self, token: &[u8]) {
        let removed = self.with_slot(token, |slot, _| {
            slot.entry.take_if(|entry| is_same_token(&entry.token, token))
        });
        drop(removed);
    }

    fn with_slot<R>(&self, token: &[u8], then: impl FnOnce(&mut Slot, u64) -> R) -> Option<R> {
        let table = self
            .tables
            .get_or(|| Box::new(RefCell::new((0..self.slots).map(|_| Slot::default()).collect())));
        let hash = self.hasher.hash_one(signature_end(token));
        let slot = usize::try_from(hash).unwrap_or_default() & (self.slots - 1);
        table.try_borrow_mut().ok()?.get_mut(slot).map(|slot| then(slot, hash))
    }
}

/// The level that all threads share, bounded in bytes.
struct Shared(Cache<Key, CachedToken, Weight, RandomState, DropUnlocked>);

/// A verified token.
#[derive(Clone)]
struct CachedToken {
    token: Arc<[u8]>,
    verified: Verified,
    /// The approximate size of both in bytes.
    bytes: usize,
}

struct Key(Arc<[u8]>);

struct KeyRef<'a>(&'a [u8]);

#[derive(Clone)]
struct Weight;

/// Drops evicted tokens after the cache's lock is released, since they may contain values of the application's types.
#[derive(Clone)]
struct DropUnlocked;

impl Lifecycle<Key, CachedToken> for DropUnlocked {
    type RequestState = Vec<CachedToken>;

    fn on_evict(&self, evicted: &mut Vec<CachedToken>, _: Key, token: CachedToken) {
        evicted.push(token);
    }
}

/// Bytes that an entry takes in addition to its texts: its share of the table, and the allocations.
const ENTRY_OVERHEAD: usize = 768;

/// Bytes that a token of 1,055 bytes takes in the cache.
const TYPICAL_ENTRY: usize = 5000;

impl Shared {
    /// Creates a cache of at most `bytes`.
    fn new(bytes: usize) -> Self {
        // An estimate, for the size of the table.
        let entries = (bytes / TYPICAL_ENTRY).clamp(16, 1 << 20);
        let weight = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self(Cache::with(entries, weight, Weight, RandomState::default(), DropUnlocked))
    }

    fn get(&self, token: &[u8]) -> Option<CachedToken> {
        self.0.get(&KeyRef(token))
    }

    fn insert(&self, token: &[u8], verified: Verified) {
        let (token, bytes) = (Arc::from(token), token.len() + verified.memory());
        self.0.insert(Key(Arc::clone(&token)), CachedToken { token, verified, bytes });
    }

    fn remove(&self, token: &[u8]) {
        self.0.remove(&KeyRef(token));
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        KeyRef(&self.0).hash(state);
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(signature_end(self.0));
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        is_same_token(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        is_same_token(self.0, &key.0)
    }
}

impl Weighter<Key, CachedToken> for Weight {
    fn weight(&self, _: &Key, token: &CachedToken) -> u64 {
        u64::try_from(ENTRY_OVERHEAD + token.bytes).unwrap_or(u64::MAX)
    }
}

/// Returns the last 384 bits of the signature, in base64url.
fn signature_end(token: &[u8]) -> &[u8] {
    token.last_chunk::<64>().map_or(token, |chunk| chunk)
}

/// Compares in constant time, so that response times do not help to guess a cached token byte by byte.
fn is_same_token(a: &[u8], b: &[u8]) -> bool {
    constant_time_eq(a, b)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use aws_lc_rs::digest::{SHA384, digest};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::claims::{Facts, Names, PoolPlace, SignedBy, TokenUse, Validity};

    const BYTES: usize = 4 << 20;

    /// Returns a token whose end is as random as a signature.
    fn token(number: usize) -> Arc<[u8]> {
        let end = URL_SAFE_NO_PAD.encode(digest(&SHA384, &number.to_le_bytes()));
        format!("token.{end}").into_bytes().into()
    }

    /// Returns claims that take about as many bytes as those of a Cognito token.
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
            groups: Names::default(),
            permissions: Names::default(),
            has_permission_source: false,
            validity: Validity { start: UNIX_EPOCH, end: UNIX_EPOCH },
            expires_at: 0,
            issued_at: None,
            auth_time: None,
            signed_by: SignedBy { pool: PoolPlace { index: 0, number: 0 }, key: [0; 32] },
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
    fn alternating_tokens_do_not_replace_each_other_in_a_thread() {
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
        let bytes = |number| shared.get(&token(number)).map(|known| ENTRY_OVERHEAD + known.bytes);
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
