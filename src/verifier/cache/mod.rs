//! Tokens that were verified before, so that a token seen again costs no RSA.
//!
//! Only verified tokens enter, so nobody without the pool's private key can fill the cache or choose what
//! collides in it. The whole token is compared, in constant time; a hash only finds the place, and takes
//! the end of the signature for that, which differs in any two verified tokens. At each use the token's
//! times and the presence of its key are checked again.
//!
//! There are two levels. The shared one is bounded in bytes. In front of it each thread keeps the few
//! tokens that it saw last for itself: a look there writes nothing that another thread reads, so that threads
//! do not slow each other down.

mod near;
mod shared;

use constant_time_eq::constant_time_eq;

use self::{near::Near, shared::Shared};
use crate::claims::Verified;

/// The two levels, or nothing if the cache is off.
pub(super) struct TokenCache(Option<Levels>);

struct Levels {
    near: Near,
    shared: Shared,
}

impl TokenCache {
    /// A cache of at most so many bytes, beside what threads keep; 0 turns it off.
    pub(super) fn new(bytes: usize) -> Self {
        let levels = || Levels { near: Near::new(bytes), shared: Shared::new(bytes) };
        Self((bytes > 0).then(levels))
    }

    /// Returns what is known of a token. The rules that time can break have to be checked again.
    pub(super) fn get(&self, token: &[u8]) -> Option<Verified> {
        let Levels { near, shared } = self.0.as_ref()?;
        match near.get(token) {
            Some(known) => Some(known),
            None => Some(near.insert(shared.get(token)?)),
        }
    }

    pub(super) fn remove(&self, token: &[u8]) {
        if let Some(Levels { near, shared }) = &self.0 {
            near.remove(token);
            shared.remove(token);
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
    constant_time_eq(a, b)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::UNIX_EPOCH};

    use aws_lc_rs::digest::{SHA384, digest};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::{
        near::Near,
        shared::{Known, Shared},
    };
    use crate::claims::{Facts, SignedBy, Text, TokenUse, Verified};

    const BYTES: usize = 4 << 20;

    /// As unlike at its end as signatures are.
    fn token(number: usize) -> Arc<[u8]> {
        let end = URL_SAFE_NO_PAD.encode(digest(&SHA384, &number.to_le_bytes()));
        format!("token.{end}").into_bytes().into()
    }

    /// About as heavy as Cognito's.
    fn verified() -> Verified {
        let text = || Text::Own("text".into());
        let facts = Facts {
            issuer: text(),
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
        Verified::new(facts, " ".repeat(2000))
    }

    #[test]
    fn a_thread_keeps_about_as_many_tokens_as_it_has_pairs_of_places() {
        let (near, verified) = (Near::new(BYTES), verified());
        let tokens: Vec<_> = (0..BYTES >> 17).map(token).collect();
        for token in &tokens {
            let (token, verified) = (Arc::clone(token), verified.clone());
            near.insert(Known { token, verified, bytes: 5000 });
        }
        let kept = tokens.iter().filter(|token| near.get(token).is_some()).count();
        assert!(kept * 5 > tokens.len() * 4, "{kept} of {}", tokens.len());
    }

    #[test]
    fn a_thread_keeps_no_token_of_more_than_8_kib() {
        for (bytes, is_kept) in [(0, true), (8192, true), (8193, false), (usize::MAX, false)] {
            let near = Near::new(BYTES);
            near.insert(Known { token: token(0), verified: verified(), bytes });
            assert_eq!(near.get(&token(0)).is_some(), is_kept, "{bytes}");
        }
    }

    #[test]
    fn tokens_are_kept_as_long_as_their_bytes_have_room_and_no_longer() {
        let (shared, verified) = (Shared::new(BYTES), verified());
        let insert = |number| shared.insert(&token(number), verified.clone());
        let bytes = |number| shared.get(&token(number)).map(|known| known.bytes);
        let half = BYTES / 2 / 6000;
        (0..half).for_each(insert);
        for number in 0..half {
            let known = shared.get(&token(number)).expect("half of the room is enough");
            assert_eq!(known.token, token(number));
        }
        (half..10 * half).for_each(insert);
        let kept: usize = (0..10 * half).filter_map(bytes).sum();
        assert!((BYTES / 2..=BYTES).contains(&kept), "{kept} of {BYTES} bytes");
    }

    #[test]
    fn a_token_that_was_verified_twice_at_once_is_kept_once() {
        let shared = Shared::new(BYTES);
        for _ in 0..2 {
            shared.insert(&token(0), verified());
        }
        assert!(shared.get(&token(0)).is_some());
        shared.remove(&token(0));
        assert!(shared.get(&token(0)).is_none());
    }
}
