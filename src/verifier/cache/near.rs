use std::{cell::RefCell, sync::Arc};

use thread_local::ThreadLocal;

use crate::{
    claims::Verified,
    verifier::cache::{same, shared::Known},
};

/// What each thread keeps for itself. It goes with its verifier.
pub(super) struct Near {
    threads: ThreadLocal<Places>,
    /// How many pairs of places a thread has: a power of two.
    pairs: usize,
}

/// A thread's own places, whose mark of being borrowed is on no other thread's cache line.
#[repr(align(128))]
struct Places(RefCell<Box<[Pair]>>);

/// A token's place is one of a pair. The one that came last is the first of them.
type Pair = [Option<Entry>; 2];

struct Entry {
    token: Arc<[u8]>,
    verified: Verified,
}

/// So many pairs make 512 tokens: one or two MiB of tokens as Cognito writes them, and at the most 4 MiB.
const PAIRS: usize = 256;

/// A smaller cache gets fewer places, so that they stay a small part of it.
const BYTES_A_PAIR: usize = 128 << 10;

/// A token that takes more, with what may yet be decoded from it, is left to the shared level.
const HEAVIEST: usize = 8 << 10;

impl Near {
    /// For a cache of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let pairs = 1 << (bytes / BYTES_A_PAIR).clamp(1, PAIRS).ilog2();
        Self { threads: ThreadLocal::new(), pairs }
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<Verified> {
        self.with_pair(token, |pair| {
            let found = pair.iter().flatten().find(|entry| same(&entry.token, token));
            found.map(|entry| entry.verified.clone())
        })
        .flatten()
    }

    /// Keeps a token, and gives what is known of it in this thread's own hold.
    pub(super) fn insert(&self, Known { token, verified, bytes }: Known) -> Verified {
        if bytes > HEAVIEST {
            return verified;
        }
        let verified = verified.with_own_count();
        let entry = Entry { token: Arc::clone(&token), verified: verified.clone() };
        let gone = self
            .with_pair(&token, |[first, second]| std::mem::replace(second, first.replace(entry)));
        // Dropped with nothing borrowed, since it may hold values of the application's own types.
        drop(gone);
        verified
    }

    pub(super) fn remove(&self, token: &[u8]) {
        let gone = self.with_pair(token, |pair| {
            pair.each_mut().map(|place| place.take_if(|entry| same(&entry.token, token)))
        });
        drop(gone);
    }

    fn with_pair<R>(&self, token: &[u8], then: impl FnOnce(&mut Pair) -> R) -> Option<R> {
        let places = || Places(RefCell::new((0..self.pairs).map(|_| Pair::default()).collect()));
        let Places(pairs) = self.threads.get_or(places);
        pairs.try_borrow_mut().ok()?.get_mut(self.place(token)).map(then)
    }

    /// Fibonacci hashing of the last eight signs, which are as good as random: the product's highest byte
    /// depends on all of them.
    fn place(&self, token: &[u8]) -> usize {
        const { assert!(PAIRS <= 256, "a byte tells the pairs apart") };
        let signs = token.last_chunk().map_or(0, |signs| u64::from_le_bytes(*signs));
        let [.., place] = signs.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        usize::from(place) & (self.pairs - 1)
    }
}
