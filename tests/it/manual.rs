//! The manual is held to what it says.

use std::{collections::HashSet, fs, path::Path};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of all tests, in `src` and `tests`.
fn tests() -> HashSet<String> {
    let mut folders = ["src", "tests", "local/src", "local/tests"].map(str::to_owned).to_vec();

    let mut names = HashSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                // What clients in other languages bring along is not ours.
                if entry.file_name() != "node_modules" {
                    folders.push(path);
                }
                continue;
            }
            if !path.ends_with(".rs") {
                continue;
            }
            let text = read(&path);
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                if let Some((_, rest)) = line.split_once("fn ")
                    && is_test
                {
                    names.insert(rest.split('(').next().unwrap().to_owned());
                    is_test = false;
                }
            }
        }
    }
    names
}

#[test]
fn each_threat_of_the_manual_names_tests_that_exist() {
    let tests = tests();
    let manual = read("src/docs/threats.md");
    let (_, threats) = manual.split_once("# Algorithm and key").unwrap();
    let mut rows = 0;
    for row in threats.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |")) {
        rows += 1;
        let named = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<&str> = named.split(", ").map(|name| name.trim_matches('`')).collect();
        for name in &names {
            assert!(tests.contains(*name), "the manual names a test that is not there: {name}");
        }
        assert!(!names.is_empty(), "a threat without a test: {row}");
    }
    assert!(rows >= 30, "only {rows} threats were found: the test does not read them any more");
}

#[test]
fn each_code_of_a_refusal_stands_in_the_manual() {
    let manual = read("src/docs/threats.md");
    let code = read("src/error/auth.rs");
    let (_, codes) = code.split_once("pub fn code(self)").unwrap();
    let codes: Vec<&str> = codes
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split('"').nth(1))
        .collect();
    assert!(codes.len() >= 19);
    for code in codes {
        assert!(manual.contains(&format!("`{code}`")), "the manual does not tell of `{code}`");
    }
}
