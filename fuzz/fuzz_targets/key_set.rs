//! Any document as a key set: a parsed set has usable keys, and round-trips through its serialization.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cognito::KeySet;
use tower_cognito_fuzz::BENCH;

fuzz_target!(|text: &str| {
    // `@` is replaced by the valid keys, so that the fuzzer need not find a modulus.
    let good = BENCH.pool.key_set().unwrap().to_json();
    let inner = &good[r#"{"keys":["#.len()..good.len() - 2];
    for document in [text.to_owned(), text.replace('@', inner)] {
        if let Ok(set) = KeySet::from_json(&document) {
            assert!(set.len() > 0 && set.key_ids().all(|kid| !kid.is_empty()));
            assert!(KeySet::from_json(&set.to_json()).unwrap() == set);
        }
    }
});
