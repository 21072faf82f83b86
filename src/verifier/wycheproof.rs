//! The Wycheproof vectors for JSON Web Signatures, held against parser and signature check.
//!
//! The vectors stand beside the project; where they are absent, the test says that it skips.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    clock::{Clock, SystemClock},
    keys::{KeyCache, KeyLookup, KeySet},
    token::Compact,
};

/// Valid RS256 signatures that are refused on purpose, and why.
const REFUSED_ON_PURPOSE: [(&str, &str); 2] = [
    ("emptyPayload", "a token without claims decides nothing; each part must hold something"),
    ("not text", "claims are JSON, which is UTF-8 (RFC 8259, section 8.1)"),
];

#[test]
fn no_invalid_vector_is_accepted_and_each_valid_one_that_is_not_has_a_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors/json_web_signature_test.json");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: the vectors are not beside the project");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let mut counts = BTreeMap::<&str, u32>::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = json!({ "keys": [group["public"]] }).to_string();
        let keys = KeySet::from_json(&keys).ok().map(KeyCache::fixed);
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"].as_str().unwrap_or_default();
            let outcome = judge(keys.as_ref(), token);
            let comment = test["comment"].as_str().unwrap();
            let valid = test["result"] == "valid";
            let what = match (outcome, valid) {
                (Outcome::Accepted, true) => "accepted",
                (Outcome::Accepted, false) => panic!("{}: {comment} was accepted", test["tcId"]),
                (_, false) => "refused, invalid",
                (Outcome::NotRs256, true) => "refused, not RS256",
                (Outcome::Refused(why), true) => {
                    let known =
                        REFUSED_ON_PURPOSE.iter().any(|(name, _)| [comment, why].contains(name));
                    assert!(known, "{}: {comment} was refused: {why}", test["tcId"]);
                    "refused on purpose"
                }
            };
            *counts.entry(what).or_default() += 1;
        }
    }
    println!("Wycheproof: {counts:?}");
    assert!(counts["accepted"] >= 5, "{counts:?}");
    assert_eq!(counts.values().sum::<u32>(), 401);
}

enum Outcome {
    Accepted,
    NotRs256,
    Refused(&'static str),
}

fn judge(keys: Option<&KeyCache>, token: &str) -> Outcome {
    // Without a key for RS256 the vectors are of another algorithm, whatever their shape.
    let Some(keys) = keys else { return Outcome::NotRs256 };
    let jws = match Compact::parse(token.as_bytes()) {
        Ok(jws) => jws,
        Err(error) if error.code() == "unsupported_algorithm" => return Outcome::NotRs256,
        Err(error) if error.detail().contains("UTF-8") => return Outcome::Refused("not text"),
        Err(_) => return Outcome::Refused("shape"),
    };
    let holds = keys.find(&jws.header.key_id, SystemClock.now(), |key| {
        key.verifies(jws.signing_input, &jws.signature)
    });
    match holds {
        KeyLookup::Found(true) => Outcome::Accepted,
        KeyLookup::Found(false) => Outcome::Refused("signature"),
        KeyLookup::Absent | KeyLookup::NoUsableSet => Outcome::Refused("key"),
    }
}
