//! Reads any text as permissions. It never panics, and accepts JSON only if it is an array of strings.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::{Value, json};

fuzz_target!(|text: &str| {
    let read = tower_cognito::claims::de::permissions(&json!(text));
    let trimmed = text.trim();
    if trimmed.starts_with(['[', '{', '"']) {
        let expected = serde_json::from_str::<Value>(trimmed)
            .ok()
            .and_then(|value| Vec::<String>::deserialize(value).ok());
        match (read, expected) {
            (Ok(names), Some(expected)) => assert_eq!(names, expected),
            (Ok(_), None) => panic!("accepted a value that is not an array of strings"),
            (Err(_), _) => {}
        }
    } else {
        for name in read.unwrap() {
            assert!(!name.is_empty() && !name.contains(' ') && text.contains(&name));
        }
    }
});
