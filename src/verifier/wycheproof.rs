//! Runs the Wycheproof vectors for JSON Web Signatures through the parser and the signature check.
//!
//! The vectors are in a folder next to the project. Without that folder, the test prints a message and checks nothing.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use crate::{
    clock::{Clock, SystemClock},
    keys::{KeyCache, KeySet},
    token::CompactJws,
};

/// Valid RS256 signatures that are rejected on purpose, and why.
const REJECTED_ON_PURPOSE: [(&str, &str); 2] = [
    ("emptyPayload", "a token without claims is never valid, so no part may be empty"),
    ("not text", "claims are JSON, which is UTF-8 (RFC 8259, section 8.1)"),
];

#[test]
fn invalid_vectors_are_rejected_and_valid_ones_accepted_except_for_known_reasons() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/vectors/json_web_signature_test.json");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: the folder with the vectors does not exist");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let mut counts = BTreeMap::<&str, u32>::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = json!({ "keys": [group["public"]] }).to_string();
        let keys = KeySet::from_json(&keys).ok().map(KeyCache::fixed);
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"].as_str().unwrap_or_default();
            let outcome = verify(keys.as_ref(), token);
            let comment = test["comment"].as_str().unwrap();
            let valid = test["result"] == "valid";
            let what = match (outcome, valid) {
                (Outcome::Accepted, true) => "accepted",
                (Outcome::Accepted, false) => panic!("{}: {comment} was accepted", test["tcId"]),
                (_, false) => "rejected, invalid",
                (Outcome::NotRs256, true) => "rejected, not RS256",
                (Outcome::Rejected(why), true) => {
                    let known =
                        REJECTED_ON_PURPOSE.iter().any(|(name, _)| [comment, why].contains(name));
                    assert!(known, "{}: {comment} was rejected: {why}", test["tcId"]);
                    "rejected on purpose"
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
    Rejected(&'static str),
}

fn verify(keys: Option<&KeyCache>, token: &str) -> Outcome {
    // A group without a key for RS256 tests another algorithm.
    let Some(keys) = keys else { return Outcome::NotRs256 };
    let mut buffer = Vec::new();
    let jws = match CompactJws::decode(token.as_bytes(), &mut buffer) {
        Ok(jws) => jws,
        Err(error) if error.code() == "unsupported_algorithm" => return Outcome::NotRs256,
        Err(error) if error.detail().contains("UTF-8") => return Outcome::Rejected("not text"),
        Err(_) => return Outcome::Rejected("shape"),
    };
    let Some(key) = keys.usable_set(SystemClock.now()).and_then(|keys| keys.find(jws.key_id()))
    else {
        return Outcome::Rejected("key");
    };
    match jws.verify_signature(|message, signature| key.verifies(message, signature)) {
        Ok(()) => Outcome::Accepted,
        Err(_) => Outcome::Rejected("signature"),
    }
}
