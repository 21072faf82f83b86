//! Tokens that were verified before, so that a token seen again costs no RSA.
//!
//! Only verified tokens enter, so nobody without the pool's private key can fill the cache or choose what
//! collides in it. The whole token is compared, in constant time; a hash only finds the place, and takes
//! the end of the signature for that, which is unlike in any two verified tokens. What is known of a token
//! is held against time and keys again at each use.
//!
//! There are two levels. The shared one is bounded in bytes. In front of it each thread keeps the few
//! tokens that it saw last for itself: a look there writes nothing that another thread reads, so that threads
//! do not slow each other down.

mod near;
mod shared;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use self::{near::Near, shared::Shared};
use crate::claims::Verified;

/// The two levels, or nothing if the cache is off.
pub(super) struct TokenCache(Option<Levels>);

struct Levels {
    near: Near,
    shared: Shared,
}

/// What was found about a token seen before, or nothing if it has to be verified anew.
pub(super) enum Recheck<E> {
    Good,
    Refused(E),
    /// Its key is not there any more: the entry goes.
    Forget,
}

impl TokenCache {
    /// A cache of at most so many bytes, beside what threads keep; 0 turns it off.
    pub(super) fn new(bytes: usize) -> Self {
        let levels = || Levels { near: Near::new(bytes), shared: Shared::new(bytes) };
        Self((bytes > 0).then(levels))
    }

    /// Finds a token and looks at it again.
    pub(super) fn get<E>(
        &self,
        token: &[u8],
        recheck: impl FnOnce(&Verified) -> Recheck<E>,
    ) -> Option<Result<Verified, E>> {
        let Levels { near, shared } = self.0.as_ref()?;
        let known = near.get(token).or_else(|| Some(near.insert(shared.get(token)?)))?;
        match recheck(&known) {
            Recheck::Good => Some(Ok(known)),
            Recheck::Refused(error) => Some(Err(error)),
            Recheck::Forget => {
                near.remove(token);
                shared.remove(token);
                None
            }
        }
    }

    pub(super) fn insert(&self, token: &[u8], verified: &Verified) {
        if let Some(Levels { shared, .. }) = &self.0 {
            shared.insert(token, verified.clone());
        }
    }
}

/// 384 bits of the signature, in base64url: enough to find a token's place by.
fn signature_end(token: &[u8]) -> &[u8] {
    token.last_chunk::<64>().map_or(token, |chunk| chunk)
}

/// Constant in time for texts of one length, so that a stranger cannot find a token piece by piece.
fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}
