use std::hash::{Hash, Hasher};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use foldhash::fast::RandomState;
use quick_cache::{Equivalent, Weighter, sync::Cache};

use crate::claims::Verified;

/// Tokens that were verified before, so that a token seen again costs no RSA.
///
/// Only verified tokens enter, so nobody without the pool's private key can fill it or choose what
/// collides in it. The whole token is compared, in constant time; the hash only finds the place, and
/// takes the end of the signature for that, which is unlike in any two verified tokens.
/// What an entry says is held against time and keys again at each use.
pub(super) struct TokenCache(Option<Cache<Token, Verified, Weight, RandomState>>);

/// What was found about a token seen before, or nothing if it has to be verified anew.
pub(super) enum Recheck<E> {
    Good,
    Refused(E),
    /// Its key is not there any more: the entry goes.
    Forget,
}

struct Token(Box<[u8]>);

struct TokenRef<'a>(&'a [u8]);

#[derive(Clone)]
struct Weight;

/// What an entry costs beside its texts: the table's share, and the allocations.
const ENTRY_OVERHEAD: usize = 512;

/// 384 bits of the signature, in base64url.
const HASHED_BYTES: usize = 64;

/// A token of 1,055 bytes with its payload.
const TYPICAL_ENTRY: usize = 5000;

impl TokenCache {
    /// A cache of at most so many bytes; 0 turns it off.
    pub(super) fn new(bytes: usize) -> Self {
        if bytes == 0 {
            return Self(None);
        }
        // Only an estimate, by which the table is laid out.
        let entries = (bytes / TYPICAL_ENTRY).clamp(16, 1 << 20);
        let weight = u64::try_from(bytes).unwrap_or(u64::MAX);
        Self(Some(Cache::with(entries, weight, Weight, RandomState::default(), Default::default())))
    }

    /// Finds a token and looks at it again.
    pub(super) fn get<E>(
        &self,
        token: &[u8],
        recheck: impl FnOnce(&Verified) -> Recheck<E>,
    ) -> Option<Result<Verified, E>> {
        let cache = self.0.as_ref()?;
        let entry = cache.get(&TokenRef(token))?;
        match recheck(&entry) {
            Recheck::Good => Some(Ok(entry)),
            Recheck::Refused(error) => Some(Err(error)),
            Recheck::Forget => {
                cache.remove(&TokenRef(token));
                None
            }
        }
    }

    pub(super) fn insert(&self, token: &[u8], entry: Verified) {
        if let Some(cache) = &self.0 {
            cache.insert(Token(token.into()), entry);
        }
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        TokenRef(&self.0).hash(state);
    }
}

impl Hash for TokenRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let end = self.0.last_chunk::<HASHED_BYTES>().map_or(self.0, |chunk| chunk);
        state.write(end);
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

/// Constant in time for texts of one length, so that a stranger cannot find a token piece by piece.
fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

impl Weighter<Token, Verified> for Weight {
    fn weight(&self, token: &Token, entry: &Verified) -> u64 {
        let bytes = ENTRY_OVERHEAD + token.0.len() + entry.memory();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
