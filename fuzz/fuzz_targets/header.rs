//! Any JOSE header, signed: it is accepted if and only if it names RS256 and the known key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower_cognito::TokenUse;
use tower_cognito_fuzz::BENCH;

fuzz_target!(|data: &[u8]| {
    let payload = BENCH.pool.token("alice").payload().to_string();
    let outcome = BENCH.verify(&BENCH.pool.sign_parts(data, payload));
    if outcome.is_ok() {
        let header: Value = serde_json::from_slice(data).unwrap();
        assert_eq!(header["alg"], "RS256");
        assert_eq!(header["kid"], BENCH.pool.key_id(TokenUse::Access).as_str());
        for name in ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"] {
            assert!(header.get(name).is_none());
        }
    }
});
