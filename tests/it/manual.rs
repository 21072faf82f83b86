//! The manual matches the code and the tests.

use std::{collections::HashSet, fs, path::Path};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Returns the names of all tests of the workspace.
fn tests() -> HashSet<String> {
    let mut folders = ["src", "tests", "local/src", "local/tests"].map(str::to_owned).to_vec();
    let mut names = HashSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                // The dependencies of test clients in other languages.
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
fn every_threat_in_the_manual_names_existing_tests() {
    let tests = tests();
    let manual = read("src/docs/threats.md");
    let (_, threats) = manual.split_once("# Algorithm and key").unwrap();
    let mut rows = 0;
    for row in threats.lines().filter(|line| line.starts_with("| ") && !line.contains("| test |")) {
        rows += 1;
        let named = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<&str> = named.split(", ").map(|name| name.trim_matches('`')).collect();
        for name in &names {
            assert!(tests.contains(*name), "the manual names a test that does not exist: {name}");
        }
        assert!(!names.is_empty(), "a threat without a test: {row}");
    }
    assert!(
        rows >= 30,
        "only {rows} threats were found: this test cannot read the tables any more"
    );
}

#[test]
fn every_error_code_is_in_the_manual() {
    let manual = read("src/docs/threats.md");
    let code = read("src/error/auth.rs");
    let (_, codes) = code.split_once("pub fn code(self)").unwrap();
    let codes: Vec<&str> = codes
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split('"').nth(1))
        .collect();
    assert!(codes.len() >= 19);
    for code in codes {
        assert!(manual.contains(&format!("`{code}`")), "the manual does not mention `{code}`");
    }
}

/// READMEs are also shown by crate registries, which do not have the files that relative links name.
#[test]
fn readmes_have_no_relative_links() {
    let readme = ["README.md", "local/README.md"].map(read).concat();
    let mut links: Vec<&str> = Vec::new();
    for start in ["](", "]: ", "href=\"", "src=\""] {
        let targets = readme.split(start).skip(1);
        links.extend(targets.filter_map(|rest| rest.split([')', '"', '\n', ' ']).next()));
    }
    for link in links {
        assert!(link.contains("://") || link.starts_with('#'), "a relative link: {link}");
    }
}

#[test]
fn readme_and_manual_list_every_page_and_example() {
    let (readme, manual, front) =
        (read("README.md"), read("src/docs.rs"), read("src/docs/crate.md"));
    let names = |folder: &str, extension: &str| -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        files.filter_map(|name| Some(name.to_str()?.strip_suffix(extension)?.to_owned())).collect()
    };
    let pages = names("src/docs", ".md");
    assert!(pages.len() > 5);
    for page in pages.iter().filter(|page| *page != "crate") {
        assert!(readme.contains(&format!("`docs::{page}`")), "the README lacks the page {page}");
        assert!(front.contains(&format!("(docs::{page})")), "the front page lacks {page}");
    }
    let examples = names("examples", ".rs");
    assert!(examples.len() > 5);
    // `soak` is a test that runs for minutes.
    for example in examples.iter().filter(|example| *example != "soak") {
        assert!(readme.contains(&format!("| `{example}` |")), "the README lacks {example}");
        assert!(manual.contains(&format!("| `{example}` |")), "the manual lacks {example}");
    }
}
