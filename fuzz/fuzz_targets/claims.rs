//! Signs any payload. An accepted token has the required claims, as an ordinary JSON parser reads them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower_cognito::Claims;
use tower_cognito_fuzz::FIXTURE;

fuzz_target!(|data: &[u8]| {
    // Half of the inputs are members of an otherwise valid payload, so that more of them are accepted.
    let Some((choice, rest)) = data.split_first() else { return };
    let payload = if choice & 1 == 0 {
        rest.to_vec()
    } else {
        let good = FIXTURE.pool.token("alice").payload().to_string();
        [&good.as_bytes()[..good.len() - 1], b",", rest, b"}"].concat()
    };
    let Ok(verified) = FIXTURE.verify(&FIXTURE.pool.sign_parts(FIXTURE.header(), &payload)) else {
        return;
    };
    let value: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(value["iss"], FIXTURE.pool.issuer());
    assert!(value["exp"].is_u64() && value["sub"].is_string());
    assert!(value["client_id"] == FIXTURE.pool.client_id() || value["aud"] == FIXTURE.pool.client_id());
    assert_eq!(verified.subject(), value["sub"]);
    assert_eq!(verified.payload().as_bytes(), payload);
    // No accessor panics, regardless of the values.
    let _ =
        (verified.email(), verified.email_verified(), verified.address(), verified.updated_at());
    let _ = (verified.identities(), verified.roles().count(), verified.scopes().count());
    let _ = (verified.issued_at(), verified.auth_time(), verified.expires_at());
    assert!(Claims::<()>::from_verified(&verified).is_ok());
    assert!(!format!("{verified:?}").contains("alice"));
});
