//! Reads any text in each form of a list. It never panics, and reads no text that does not have the form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_cognito::claims::de;

fuzz_target!(|text: &str| {
    let value = json!(text);
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    let looks_like_json = trimmed.trim_start().starts_with(['[', '{', '"']);

    let read = de::permissions(&value);
    if looks_like_json {
        let expected = serde_json::from_str::<Value>(trimmed)
            .ok()
            .and_then(|value| Vec::<String>::deserialize(value).ok());
        match (read, expected) {
            (Ok(names), Some(expected)) => assert_eq!(names, expected),
            (Ok(_), None) => panic!("accepted a value that is not an array of strings"),
            (Err(_), _) => {}
        }
    } else {
        assert_eq!(read.ok(), de::space_separated(&value).ok());
    }
    match de::space_separated(&value) {
        Ok(names) => {
            assert!(!looks_like_json && !text.contains(','));
            assert_names(text, &names, ' ');
        }
        Err(_) => assert!(looks_like_json || text.contains(',')),
    }
    if let Ok(names) = de::comma_separated(&value) {
        assert!(!looks_like_json);
        assert_names(text, &names, ',');
    }
    if let Ok(names) = de::bracketed(&value) {
        // The names are written back as the same text, so no other reading is possible.
        assert_eq!(format!("[{}]", names.join(", ")), trimmed);
        assert_names(text, &names, '[');
    }
});

fn assert_names(text: &str, names: &[String], separator: char) {
    for name in names {
        assert!(!name.is_empty() && !name.contains(separator) && text.contains(name));
    }
}
