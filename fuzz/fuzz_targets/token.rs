//! Any text as a token: only the valid one is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cognito_fuzz::BENCH;

fuzz_target!(|data: &[u8]| {
    // The input is an edit of the valid token: position, number of removed bytes, and replacement.
    let [a, b, cut, rest @ ..] = data else { return };
    let Ok(insert) = std::str::from_utf8(rest) else { return };
    let good = &BENCH.good;
    let at = usize::from(u16::from_le_bytes([*a, *b])) % (good.len() + 1);
    let end = (at + usize::from(*cut)).min(good.len());
    let edited = format!("{}{insert}{}", &good[..at], &good[end..]);
    assert_eq!(BENCH.verify(&edited).is_ok(), edited == *good);
    assert!(BENCH.verify(insert).is_err() || insert == good);
});
