//! The levels of the crate: which module may import which.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::imports::SourceTree;

/// What each top-level module may import, lowest level first. A module may always import from itself.
const MAY_IMPORT: [(&str, &[&str]); 14] = [
    ("base64url", &[]),
    ("clock", &[]),
    ("error", &[]),
    ("json", &[]),
    ("percent", &[]),
    ("docs", &[]),
    ("pool", &["error"]),
    ("claims", &["error", "json", "percent"]),
    ("token", &["base64url", "claims", "error", "json"]),
    ("policy", &["claims", "error"]),
    ("keys", &["base64url", "clock", "error", "pool"]),
    ("verifier", &["claims", "clock", "error", "keys", "policy", "pool", "token"]),
    ("service", &["claims", "error", "percent", "policy", "verifier"]),
    ("extract", &["claims", "error", "policy", "service", "verifier"]),
];

fn sources() -> SourceTree {
    SourceTree::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn modules_import_only_from_lower_levels_and_in_no_cycle() {
    let violations = sources().violations(&MAY_IMPORT);
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn only_the_verifier_creates_verified_claims() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = sources();
    let makers = sources.files().iter().filter(|file| {
        fs::read_to_string(folder.join(&file.name)).unwrap().contains("Verified::new(")
    });
    let makers: BTreeSet<_> = makers.map(|file| file.top()).collect();
    assert_eq!(makers, BTreeSet::from(["verifier"]));
}

#[test]
fn no_file_has_more_than_400_lines_of_code() {
    for file in sources().files() {
        let (name, lines) = (&file.name, file.code_lines);
        assert!(lines <= 400, "{name} has {lines} lines of code: split it by task");
    }
}

/// Returns a crate with the levels `low` (two files) and `high`. The given file is added, or replaces one of them.
fn crate_with(name: &str, text: &str) -> SourceTree {
    let files = [
        ("lib.rs", "mod high; mod low; pub use self::low::Thing;"),
        ("low/mod.rs", "mod leaf; pub(crate) use self::leaf::Leaf; pub struct Thing;"),
        ("low/leaf.rs", "pub(crate) struct Leaf;"),
        ("high.rs", "use crate::low::Leaf;"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let added = (name.to_owned(), text.to_owned());
    SourceTree::parse(
        files.into_iter().filter(|(other, _)| *other != added.0).chain([added.clone()]),
    )
}

const TWO_LEVELS: [(&str, &[&str]); 2] = [("low", &[]), ("high", &["low"])];

#[test]
fn each_form_of_an_upward_path_is_a_violation() {
    assert_eq!(
        crate_with("low/leaf.rs", "pub(crate) struct Leaf;").violations(&TWO_LEVELS),
        [""; 0]
    );
    for text in [
        "use crate::high::A;",
        "use crate::{high};",
        "use crate::{high::{self, A as B}};",
        "use crate::high as other;",
        "#[cfg(feature = \"never\")] use crate::high::A;",
        "mod inner { use crate::high::A; }",
        "fn f() { crate::high::call(); }",
        "fn f() -> <crate::high::A as Default>::Out { g() }",
        "struct S { a: Vec<crate::high::A> }",
        "fn f() { println!(\"{}\", crate::high::A); }",
        "macro_rules! m { () => { $crate::high::A } }",
        "#[serde(with = \"crate::high::text\")] struct S;",
    ] {
        let text = format!("pub(crate) struct Leaf; {text}");
        let violations = crate_with("low/leaf.rs", &text).violations(&TWO_LEVELS);
        let expected = "`low` must not name `high`";
        assert!(
            violations.iter().any(|violation| violation.contains(expected)),
            "{text}: {violations:?}"
        );
    }
    // `super` is a further violation.
    for text in ["use super::super::high::A;", "use {super::super::high::A};"] {
        let violations = crate_with("low/leaf.rs", &format!("pub(crate) struct Leaf; {text}"))
            .violations(&TWO_LEVELS);
        assert!(
            violations.iter().any(|it| it.contains("is not absolute")),
            "{text}: {violations:?}"
        );
        assert!(violations.iter().any(|it| it.contains("must not name")), "{text}: {violations:?}");
    }
}

#[test]
fn paths_in_comments_strings_and_tests_are_not_imports() {
    for text in [
        "// use crate::high::A;",
        "/* use crate::high::A; */",
        "const A: &str = \"use crate::high::A;\";",
        "#[cfg(test)] mod tests { use super::*; use crate::high::A; }",
        "#[cfg(all(test, unix))] mod tests { use crate::high::A; }",
        "pub(in crate::low) struct S;",
    ] {
        let text = format!("pub(crate) struct Leaf; {text}\n");
        assert_eq!(crate_with("low/leaf.rs", &text).violations(&TWO_LEVELS), [""; 0], "{text}");
    }
    let text = "pub(crate) struct Leaf; #[cfg(not(test))] use crate::high::A;";
    assert_ne!(crate_with("low/leaf.rs", text).violations(&TWO_LEVELS), [""; 0]);
}

#[test]
fn files_that_import_each_other_are_reported_as_a_cycle() {
    let cycle = "pub(crate) struct Leaf; use crate::low::Other;";
    let files = [
        ("lib.rs", "mod low;"),
        ("low/mod.rs", "mod leaf; mod other; pub(crate) use self::{leaf::Leaf, other::Other};"),
        ("low/other.rs", "use crate::low::Leaf; pub(crate) struct Other;"),
    ];
    let parse = |leaf: &str| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        SourceTree::parse(files.chain([("low/leaf.rs".to_owned(), leaf.to_owned())]))
    };
    let table: [(&str, &[&str]); 1] = [("low", &[])];
    assert_eq!(parse("pub(crate) struct Leaf;").violations(&table), [""; 0]);
    let violations = parse(cycle).violations(&table);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].starts_with("a cycle of 2 files"), "{violations:?}");
}

#[test]
fn table_of_levels_must_match_the_code() {
    let tree = crate_with("low/leaf.rs", "pub(crate) struct Leaf;");
    let unneeded: [(&str, &[&str]); 3] = [("base", &[]), ("low", &["base"]), ("high", &["low"])];
    assert_eq!(
        tree.violations(&unneeded),
        ["no code of `low` names `base`: remove it from the table"]
    );
    let upside_down: [(&str, &[&str]); 2] = [("high", &["low"]), ("low", &[])];
    assert_eq!(
        tree.violations(&upside_down),
        ["the table lets `high` name `low`, which is not below it"]
    );
    assert_eq!(tree.violations(&[("low", &[])]), ["high.rs: the table lacks `high`"]);
    let unknown = crate_with("high.rs", "use crate::nowhere::A;");
    assert_eq!(
        unknown.violations(&TWO_LEVELS),
        ["high.rs:1: `crate::nowhere::A` leads to no file"]
    );
}
