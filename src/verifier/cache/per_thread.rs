use std::{cell::RefCell, hash::BuildHasher, sync::Arc};

use foldhash::fast::RandomState;
use thread_local::ThreadLocal;

use crate::{
    claims::Verified,
    verifier::cache::shared::{CachedToken, is_same_token, signature_end},
};

/// The level that each thread has for itself, dropped with its verifier.
///
/// A table with one token at each place. A token is stored after the thread found it in the shared level twice,
/// without another token of the same place in between. So tokens that share a place do not replace each other at each
/// request, which would cost more than the shared level does.
pub(super) struct PerThread {
    // Boxed, so that the threads' tables are not on the same cache lines.
    tables: ThreadLocal<Box<RefCell<Vec<Place>>>>,
    hasher: RandomState,
    /// How many places a table has: a power of two.
    places: usize,
}

#[derive(Default)]
struct Place {
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
/// each thread. Many users do better in the shared level: a copy in each thread would only fill the processor's caches.
const MAX_PLACES: usize = 64;

/// A smaller cache gets fewer places, so that they stay a small part of it.
const BYTES_PER_PLACE: usize = 128 << 10;

/// A token that takes more bytes stays in the shared level only.
const MAX_TOKEN_BYTES: usize = 8 << 10;

impl PerThread {
    /// Creates tables for a cache of `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        let places = 1 << (bytes / BYTES_PER_PLACE).clamp(1, MAX_PLACES).ilog2();
        Self { tables: ThreadLocal::new(), hasher: RandomState::default(), places }
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<Verified> {
        self.with_place(token, |place, hash| {
            let entry = place.entry.as_ref()?;
            // The hash is compared first, so that another token at this place is not read.
            if entry.hash != hash || !is_same_token(&entry.token, token) {
                return None;
            }
            place.last_found = hash;
            Some(entry.verified.clone())
        })
        .flatten()
    }

    /// Records that a token was found in the shared level, and keeps it if it was the last one found at its place.
    pub(super) fn record(&self, found: CachedToken) -> Verified {
        let CachedToken { token, verified, bytes } = found;
        if bytes > MAX_TOKEN_BYTES {
            return verified;
        }
        let replaced = self.with_place(&token, |place, hash| {
            if place.last_found != hash {
                place.last_found = hash;
                return None;
            }
            let (token, verified) = (Arc::clone(&token), verified.copy_for_thread());
            place.entry.replace(Entry { hash, token, verified })
        });
        // Dropped after the borrow, since the entry may contain values of the application's types.
        drop(replaced);
        verified
    }

    pub(super) fn remove(&self, token: &[u8]) {
        let removed = self.with_place(token, |place, _| {
            place.entry.take_if(|entry| is_same_token(&entry.token, token))
        });
        drop(removed);
    }

    fn with_place<R>(&self, token: &[u8], then: impl FnOnce(&mut Place, u64) -> R) -> Option<R> {
        let table = self.tables.get_or(|| {
            Box::new(RefCell::new((0..self.places).map(|_| Place::default()).collect()))
        });
        let hash = self.hasher.hash_one(signature_end(token));
        let place = usize::try_from(hash).unwrap_or_default() & (self.places - 1);
        table.try_borrow_mut().ok()?.get_mut(place).map(|place| then(place, hash))
    }
}
