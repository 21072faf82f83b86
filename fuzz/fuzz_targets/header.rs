//! Signs any JOSE header. An accepted header names RS256 and the known key, and has no forbidden parameter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower_cognito::TokenUse;
use tower_cognito_fuzz::FIXTURE;

fuzz_target!(|data: &[u8]| {
    let payload = FIXTURE.pool.token("alice").payload().to_string();
    let outcome = FIXTURE.verify(&FIXTURE.pool.sign_parts(data, payload));
    if outcome.is_ok() {
        let header: Value = serde_json::from_slice(data).unwrap();
        assert_eq!(header["alg"], "RS256");
        assert_eq!(header["kid"], FIXTURE.pool.key_id(TokenUse::Access).as_str());
        for name in ["crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"] {
            assert!(header.get(name).is_none());
        }
    }
});
