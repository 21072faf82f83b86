//! Time-based one-time passwords (RFC 6238), and control of the pool's clock within a time step.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::hmac;
use tower_cognito_local::UserPool;

use super::wall_time;

/// The time of a pool's clock, for tests that advance it.
pub(crate) struct PoolTime {
    ahead: Duration,
}

impl PoolTime {
    /// Advances the pool's clock into the first half of a 30-second time step.
    pub(crate) fn inside_a_step(pool: &UserPool) -> Self {
        let past = seconds(Duration::ZERO) % 30;
        let mut time = Self { ahead: Duration::ZERO };
        time.advance(pool, Duration::from_secs(30 - past + 3));
        time
    }

    pub(crate) fn advance(&mut self, pool: &UserPool, by: Duration) {
        pool.advance(by);
        self.ahead += by;
    }

    /// Advances to the next time step, where a new code is accepted.
    pub(crate) fn next_step(&mut self, pool: &UserPool) {
        self.advance(pool, Duration::from_secs(30));
    }

    /// Returns the code of the time step `steps` after the current one.
    pub(crate) fn code(&self, secret: &str, steps: i64) -> String {
        let present = i64::try_from(seconds(self.ahead) / 30).unwrap();
        code_of(secret, u64::try_from(present + steps).unwrap())
    }
}

fn seconds(ahead: Duration) -> u64 {
    (wall_time() + ahead).duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn code_of(secret: &str, step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret));
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let start = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[start..start + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn base32(text: &str) -> Vec<u8> {
    let (mut octets, mut bits, mut bit_count) = (Vec::new(), 0_u32, 0);
    for character in text.chars() {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(character).unwrap();
        bits = (bits << 5 | u32::try_from(value).unwrap()) & 0xffff;
        bit_count += 5;
        if bit_count >= 8 {
            bit_count -= 8;
            octets.push((bits >> bit_count & 0xff) as u8);
        }
    }
    octets
}
