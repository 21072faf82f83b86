//! Verifies any text as a token. Only the valid token is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cognito_fuzz::FIXTURE;

fuzz_target!(|data: &[u8]| {
    // The input is an edit of the valid token: position, number of removed bytes, and replacement.
    let [a, b, cut, rest @ ..] = data else { return };
    let Ok(insert) = std::str::from_utf8(rest) else { return };
    let good = &FIXTURE.good;
    let at = usize::from(u16::from_le_bytes([*a, *b])) % (good.len() + 1);
    let end = (at + usize::from(*cut)).min(good.len());
    let edited = format!("{}{insert}{}", &good[..at], &good[end..]);
    assert_eq!(FIXTURE.verify(&edited).is_ok(), edited == *good);
    assert!(FIXTURE.verify(insert).is_err() || insert == good);
});
