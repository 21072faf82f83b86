use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use foldhash::fast::RandomState;
use quick_cache::{Equivalent, Lifecycle, Weighter, sync::Cache};

use crate::{
    claims::Verified,
    verifier::cache::{same, signature_end},
};

/// The level that all threads share, bounded in bytes.
pub(super) struct Shared(Cache<Token, Known, Weight, RandomState, DropOutside>);

/// A token with what is known of it.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) token: Arc<[u8]>,
    pub(super) verified: Verified,
    /// About how many bytes both take, counted once.
    pub(super) bytes: usize,
}

struct Token(Arc<[u8]>);

struct TokenRef<'a>(&'a [u8]);

#[derive(Clone)]
struct Weight;

/// What goes is dropped with no lock held, since it may hold values of the application's own types.
#[derive(Clone)]
struct DropOutside;

impl Lifecycle<Token, Known> for DropOutside {
    type RequestState = Vec<Known>;

    fn on_evict(&self, gone: &mut Vec<Known>, _: Token, known: Known) {
        gone.push(known);
    }
}

/// What an entry costs beside its texts: the table's share, and the allocations.
const ENTRY_OVERHEAD: usize = 768;

/// A token of 1,055 bytes with its payload.
const TYPICAL_ENTRY: usize = 5000;

impl Shared {
    /// For at most so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        // Only an estimate, by which the table is laid out.
        let entries = (bytes / TYPICAL_ENTRY).clamp(16, 1 << 20);
        let weight = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self(Cache::with(entries, weight, Weight, RandomState::default(), DropOutside))
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<Known> {
        self.0.get(&TokenRef(token))
    }

    pub(super) fn insert(&self, token: &[u8], verified: Verified) {
        let (token, bytes) = (Arc::from(token), token.len() + verified.memory());
        self.0.insert(Token(Arc::clone(&token)), Known { token, verified, bytes });
    }

    pub(super) fn remove(&self, token: &[u8]) {
        self.0.remove(&TokenRef(token));
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        TokenRef(&self.0).hash(state);
    }
}

impl Hash for TokenRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(signature_end(self.0));
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for Token {}

impl Equivalent<Token> for TokenRef<'_> {
    fn equivalent(&self, key: &Token) -> bool {
        same(self.0, &key.0)
    }
}

impl Weighter<Token, Known> for Weight {
    fn weight(&self, _: &Token, known: &Known) -> u64 {
        u64::try_from(ENTRY_OVERHEAD + known.bytes).unwrap_or(u64::MAX)
    }
}
