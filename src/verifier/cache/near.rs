use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{same, shared::Known, signature_end};
use crate::claims::Verified;

/// One verifier's part in what each thread keeps for itself.
pub(super) struct Near {
    /// Which verifier it is: no two of a process have the same number.
    owner: u64,
    /// How many pairs of places it may use.
    pairs: usize,
}

/// A token in its place.
struct Entry {
    owner: u64,
    token: Arc<[u8]>,
    verified: Verified,
}

/// How many pairs of tokens a thread keeps: one or two MiB of tokens as Cognito writes them, most of which
/// the shared level holds anyway.
const PAIRS: usize = 256;

/// A smaller cache gets fewer places, so that they stay a small part of it.
const BYTES_A_PAIR: usize = 128 << 10;

/// A longer token is left to the shared level.
const LONGEST: usize = 4 << 10;

/// A token's place is one of a pair. The one that came last is the first of them.
type Pair = [Option<Entry>; 2];

thread_local! {
    static PAIRS_OF_THREAD: RefCell<Vec<Pair>> = const { RefCell::new(Vec::new()) };
}

impl Near {
    /// For a cache of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        static OWNERS: AtomicU64 = AtomicU64::new(0);
        let owner = OWNERS.fetch_add(1, Ordering::Relaxed);
        Self { owner, pairs: (bytes / BYTES_A_PAIR).clamp(1, PAIRS) }
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<Verified> {
        self.with_pair(token, |pair| {
            let known = pair.iter().flatten().find(|entry| self.is_of(entry, token));
            known.map(|entry| entry.verified.clone())
        })
        .flatten()
    }

    /// Keeps a token, and gives what is known of it in this thread's own hold.
    pub(super) fn insert(&self, Known { token, verified }: Known) -> Verified {
        if token.len() > LONGEST {
            return verified;
        }
        let verified = verified.with_own_count();
        let entry =
            Entry { owner: self.owner, token: Arc::clone(&token), verified: verified.clone() };
        let gone = self
            .with_pair(&token, |[first, second]| std::mem::replace(second, first.replace(entry)));
        // Dropped with nothing borrowed, since it may hold values of the application's own types.
        drop(gone);
        verified
    }

    pub(super) fn remove(&self, token: &[u8]) {
        let gone = self.with_pair(token, |pair| {
            pair.each_mut().map(|place| place.take_if(|entry| self.is_of(entry, token)))
        });
        drop(gone);
    }

    fn is_of(&self, entry: &Entry, token: &[u8]) -> bool {
        entry.owner == self.owner && same(&entry.token, token)
    }

    /// Nothing if the thread is ending.
    fn with_pair<R>(&self, token: &[u8], then: impl FnOnce(&mut Pair) -> R) -> Option<R> {
        let with = |pairs: &RefCell<Vec<Pair>>| {
            let mut pairs = pairs.try_borrow_mut().ok()?;
            if pairs.is_empty() {
                pairs.resize_with(PAIRS, Pair::default);
            }
            pairs.get_mut(self.place(token)).map(then)
        };
        PAIRS_OF_THREAD.try_with(with).ok().flatten()
    }

    /// The end of the signature is as good as random. Its very last sign stands for fewer bits.
    fn place(&self, token: &[u8]) -> usize {
        let signs = signature_end(token).iter().rev().skip(1).take(4);
        let number = signs.fold(0_usize, |number, sign| number * 61 + usize::from(*sign));
        number % self.pairs
    }
}
