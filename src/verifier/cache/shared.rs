use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use constant_time_eq::constant_time_eq;
use foldhash::fast::RandomState;
use quick_cache::{Equivalent, Lifecycle, Weighter, sync::Cache};

use crate::claims::Verified;

/// The level that all threads share, bounded in bytes.
pub(super) struct Shared(Cache<Key, CachedToken, Weight, RandomState, DropUnlocked>);

/// A verified token.
#[derive(Clone)]
pub(super) struct CachedToken {
    pub(super) token: Arc<[u8]>,
    pub(super) verified: Verified,
    /// About how many bytes both take.
    pub(super) bytes: usize,
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

/// What an entry costs in addition to its texts: its share of the table, and the allocations.
const ENTRY_OVERHEAD: usize = 768;

/// What a token of 1,055 bytes takes.
const TYPICAL_ENTRY: usize = 5000;

impl Shared {
    /// Creates a cache of at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        // An estimate, for the size of the table.
        let entries = (bytes / TYPICAL_ENTRY).clamp(16, 1 << 20);
        let weight = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self(Cache::with(entries, weight, Weight, RandomState::default(), DropUnlocked))
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<CachedToken> {
        self.0.get(&KeyRef(token))
    }

    pub(super) fn insert(&self, token: &[u8], verified: Verified) {
        let (token, bytes) = (Arc::from(token), token.len() + verified.memory());
        self.0.insert(Key(Arc::clone(&token)), CachedToken { token, verified, bytes });
    }

    pub(super) fn remove(&self, token: &[u8]) {
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

/// The last 384 bits of the signature, in base64url.
pub(super) fn signature_end(token: &[u8]) -> &[u8] {
    token.last_chunk::<64>().map_or(token, |chunk| chunk)
}

/// Compares in constant time, so that response times do not help to guess a cached token byte by byte.
pub(super) fn is_same_token(a: &[u8], b: &[u8]) -> bool {
    constant_time_eq(a, b)
}
