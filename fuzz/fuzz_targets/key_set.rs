//! Parses any text as a key set. A parsed set has usable keys, and is equal to itself after a round trip.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cognito::keys::KeySet;
use tower_cognito_fuzz::FIXTURE;

fuzz_target!(|text: &str| {
    // `@` is replaced by valid keys, so that the fuzzer does not have to find a modulus.
    let good = FIXTURE.pool.key_set().unwrap().to_json();
    let inner = &good[r#"{"keys":["#.len()..good.len() - 2];
    for document in [text.to_owned(), text.replace('@', inner)] {
        if let Ok(set) = KeySet::from_json(&document) {
            assert!(set.len() > 0 && set.key_ids().all(|kid| !kid.is_empty()));
            assert!(KeySet::from_json(&set.to_json()).unwrap() == set);
        }
    }
});
