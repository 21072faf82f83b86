//! The house: a module imports from lower levels alone.

use std::{fs, path::Path};

/// What each room may import from. Rooms of one line know nothing of each other.
const MAY_IMPORT: [(&str, &[&str]); 14] = [
    ("base64url", &[]),
    ("clock", &[]),
    ("error", &[]),
    ("json", &[]),
    ("pool", &["error"]),
    ("claims", &["error", "json"]),
    ("token", &["base64url", "error", "json"]),
    ("policy", &["claims"]),
    ("keys", &["base64url", "clock", "error", "pool"]),
    ("verifier", &["claims", "clock", "error", "json", "keys", "policy", "pool", "token"]),
    ("service", &["claims", "error", "policy", "verifier"]),
    ("extract", &["claims", "error", "service"]),
    ("local", &["base64url", "claims", "clock", "error", "keys", "pool", "verifier"]),
    ("docs", &[]),
];

#[test]
fn each_room_imports_from_lower_levels_alone() {
    let mut edges = 0;
    for (room, file, text) in sources() {
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("{file}: the room `{room}` is not in the table"));
        for target in imports(&text) {
            edges += 1;
            assert!(
                target == room || allowed.contains(&target.as_str()),
                "{file} imports `crate::{target}`, which `{room}` may not"
            );
        }
    }
    assert!(edges > 30, "only {edges} imports were found: the test does not read them any more");
}

#[test]
fn files_stay_small() {
    for (_, file, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        assert!(lines <= 400, "{file} has {lines} lines of code: look for the seam that it hides");
    }
}

/// The rooms that `use crate::…` statements name, grouped imports included.
fn imports(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for rest in code.split("use crate::").skip(1) {
        let statement = rest.split(';').next().unwrap();
        let statement = statement.trim();
        let Some(group) = statement.strip_prefix('{') else {
            found.push(first_word(statement));
            continue;
        };
        let mut depth = 0;
        let mut part = String::new();
        for sign in group.chars() {
            match sign {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(first_word(&part));
                    part.clear();
                    continue;
                }
                _ => {}
            }
            part.push(sign);
        }
        found.push(first_word(&part));
    }
    found.retain(|name| !name.is_empty());
    found
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect()
}

/// Room, path and text of each source file.
fn sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "rs") {
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
            if room != "lib" {
                let text = fs::read_to_string(&path).unwrap();
                sources.push((room.to_owned(), inside.display().to_string(), text));
            }
        }
    }
    sources
}
