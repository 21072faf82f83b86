//! The layers of the crate: a module may name only the modules that the table allows.

use std::{collections::BTreeSet, fs, path::Path};

/// What each top-level module may name, lowest level first. A module may always name itself.
const MAY_NAME: [(&str, &[&str]); 13] = [
    ("base64url", &[]),
    ("clock", &[]),
    ("error", &[]),
    ("json", &[]),
    ("docs", &[]),
    ("pool", &["error"]),
    ("claims", &["error", "json"]),
    ("token", &["base64url", "error", "json"]),
    ("policy", &["claims"]),
    ("keys", &["base64url", "clock", "error", "pool"]),
    ("verifier", &["claims", "clock", "error", "json", "keys", "policy", "pool", "token"]),
    ("service", &["claims", "error", "policy", "verifier"]),
    ("extract", &["claims", "error", "service"]),
];

#[test]
fn modules_name_only_what_the_table_allows() {
    let reexports = reexports();
    let mut found = BTreeSet::new();
    let mut wrong = Vec::new();
    for source in sources() {
        let from = source.module[0].as_str();
        let allowed = allowed(from)
            .unwrap_or_else(|| panic!("{}: `{from}` is not in the table", source.file));
        for path in paths(&source.text, &source.module) {
            let place = format!("{}:{} names `{}`", source.file, path.line, path.written);
            match top_level_module(&path.absolute, &reexports) {
                Err(problem) => wrong.push(format!("{place}: {problem}")),
                Ok(to) if to == from => {}
                Ok(to) if allowed.contains(&to.as_str()) => {
                    found.insert((from.to_owned(), to));
                }
                Ok(to) => wrong.push(format!("{place}: `{from}` must not name `{to}`")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // An edge that no code needs is one that nobody would miss.
    for (from, allowed) in &MAY_NAME {
        for to in *allowed {
            let edge = ((*from).to_owned(), (*to).to_owned());
            assert!(found.contains(&edge), "no code of `{from}` names `{to}`: remove it here");
        }
    }
}

#[test]
fn the_table_allows_only_lower_levels() {
    for (index, (from, allowed)) in MAY_NAME.iter().enumerate() {
        for to in *allowed {
            let below = MAY_NAME[..index].iter().any(|(name, _)| name == to);
            assert!(below, "`{from}` may name `{to}`, which is not below it");
        }
    }
}

#[test]
fn each_form_of_a_path_is_resolved_to_the_module_it_names() {
    let text = r####"
        //! use crate::comment::A;
        /* use crate::comment::B; /* nested */ use crate::comment::C; */
        use std::fmt;
        use ::http::Request;
        use crate::one::A;
        use crate::{two::B, three::{self, C as D, four::{E, F}}, five};
        use super::six::{G, H};
        pub use super::super::seven::I;
        pub(crate) use self::eight::J;
        pub(in crate::comment) use self::{
            nine::K,
            super::ten::L,
        };
        use {crate::eleven::M, super::{twelve::N, super::thirteen::*}};
        #[cfg(feature = "never")]
        use crate::fourteen as other;
        mod inner {
            use super::fifteen::O;
            use super::super::super::sixteen::P;
            mod deep { fn f() { super::super::super::seventeen::q() } }
        }
        fn f<'a>(self, x: &'a str) -> impl Sized + use<'a> {
            let quote = '"'; let escaped = '\''; let text = "use crate::comment::R;";
            let raw = r#"" use crate::comment::S; "#; let byte = b'"'; let r#use = 1;
            self.method(crate::eighteen::T::new(), <crate::nineteen::U as Default>::default());
            println!("{}", super::twenty::V);
            match x { crate::twentyone::W => $crate::twentytwo::x!(), _ => Self::y() }
        }
        #[serde(with = "crate::twentythree::text")]
        struct S { pub(super) field: super::super::twentyfour::Y }
        use super::super::*;
        use crate as root;
    "####;
    let module = ["a".to_owned(), "b".to_owned()];
    let absolute: Vec<_> =
        paths(text, &module).into_iter().map(|path| path.absolute.join("::")).collect();
    let expected = [
        "one::A",
        "two::B",
        "three",
        "three::C",
        "three::four::E",
        "three::four::F",
        "five",
        "a::six::G",
        "a::six::H",
        "seven::I",
        "a::b::eight::J",
        "a::b::nine::K",
        "a::ten::L",
        "eleven::M",
        "a::twelve::N",
        "thirteen::*",
        "fourteen",
        "a::b::fifteen::O",
        "sixteen::P",
        "a::seventeen::q",
        "eighteen::T::new",
        "nineteen::U",
        "a::twenty::V",
        "twentyone::W",
        "twentytwo::x",
        "twentythree::text",
        "twentyfour::Y",
        "*",
        "",
    ];
    assert_eq!(absolute, expected);
}

#[test]
fn names_of_the_crate_root_lead_to_the_module_that_defines_them() {
    let reexports = reexports();
    let to = |path: &str| {
        let path: Vec<_> = path.split("::").map(str::to_owned).collect();
        top_level_module(&path, &reexports)
    };
    assert_eq!(to("keys::cache::KeyCache").as_deref(), Ok("keys"));
    assert_eq!(to("Verified").as_deref(), Ok("claims"));
    assert_eq!(to("require").as_deref(), Ok("service"));
    for unclear in ["*", "nowhere", "Nothing::new"] {
        assert!(to(unclear).is_err(), "{unclear}");
    }
    assert!(top_level_module(&[], &reexports).is_err());
}

#[test]
fn files_stay_small() {
    for source in sources() {
        let file = source.file;
        let code = source.text.split("#[cfg(test)]").next().unwrap();
        let lines = code
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        assert!(lines <= 400, "{file} has {lines} lines of code: split it where two tasks meet");
    }
}

fn allowed(module: &str) -> Option<&'static [&'static str]> {
    MAY_NAME.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed)
}

/// The top-level module of a path that starts at the crate's root.
fn top_level_module(
    absolute: &[String],
    reexports: &[(String, String)],
) -> Result<String, &'static str> {
    let Some(first) = absolute.first() else { return Err("it names the whole crate") };
    if allowed(first).is_some() {
        return Ok(first.clone());
    }
    if first == "*" {
        return Err("it names all modules of the crate");
    }
    let origin = reexports.iter().find(|(name, _)| name == first);
    let (_, module) = origin.ok_or("neither the table nor `lib.rs` has that name")?;
    Ok(module.clone())
}

/// Names that `lib.rs` re-exports, each with the module that it comes from.
fn reexports() -> Vec<(String, String)> {
    let text = fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    let paths = paths(&text, &[]).into_iter();
    let names: Vec<_> = paths
        .filter(|path| path.absolute.len() > 1)
        .map(|path| (path.absolute.last().unwrap().clone(), path.absolute[0].clone()))
        .collect();
    assert!(names.iter().all(|(_, module)| allowed(module).is_some()), "{names:?}");
    names
}

/// A path that starts at `crate`, `self` or `super`.
struct NamedPath {
    line: usize,
    /// As it stands in the text, without groups.
    written: String,
    /// Its segments from the crate's root.
    absolute: Vec<String>,
}

/// All paths in a file that start at `crate`, `self` or `super`: in `use` statements, in code and macros, and in
/// string literals that hold nothing else, as attributes have them. Conditional compilation is not evaluated.
fn paths(text: &str, module: &[String]) -> Vec<NamedPath> {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, module: module.to_vec(), found: Vec::new() };
    reader.read();
    reader.found
}

#[derive(Clone, PartialEq, Debug)]
enum Kind {
    Word(String),
    Literal(String),
    /// `::`
    Separator,
    Sign(char),
}

struct Token {
    kind: Kind,
    line: usize,
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The module that the reader is in, inline ones included.
    module: Vec<String>,
    found: Vec<NamedPath>,
}

impl Reader<'_> {
    fn read(&mut self) {
        // For each open brace, whether it opened a module.
        let mut braces = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Word(word) if word == "use" && !self.follows(1, '<') => {
                    self.at += 1;
                    self.use_tree(&[]);
                    continue;
                }
                Kind::Word(word) if word == "mod" && self.follows(2, '{') => {
                    let Some(Kind::Word(name)) = self.kind(1) else { panic!("a module's name") };
                    self.module.push(name.clone());
                    braces.push(true);
                    self.at += 2;
                }
                // A visibility names no dependency.
                Kind::Word(word) if word == "pub" && self.follows(1, '(') => {
                    while !self.follows(0, ')') {
                        self.at += 1;
                    }
                }
                Kind::Word(word) if is_start(word) && self.kind(1) == Some(&Kind::Separator) => {
                    let mut segments = vec![word.clone()];
                    while let (Some(Kind::Separator), Some(Kind::Word(word))) =
                        (self.kind(1), self.kind(2))
                    {
                        segments.push(word.clone());
                        self.at += 2;
                    }
                    self.found(&segments);
                }
                Kind::Literal(text) => {
                    let segments: Vec<_> = text.split("::").map(str::to_owned).collect();
                    let is_name = |segment: &String| {
                        !segment.is_empty()
                            && segment.chars().all(|c| c.is_alphanumeric() || c == '_')
                    };
                    if segments.len() > 1 && is_start(&segments[0]) && segments.iter().all(is_name)
                    {
                        self.found(&segments);
                    }
                }
                Kind::Sign('{') => braces.push(false),
                Kind::Sign('}') if braces.pop() == Some(true) => drop(self.module.pop()),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// A tree of a `use` statement, up to the sign behind it.
    fn use_tree(&mut self, before: &[String]) {
        let mut segments = before.to_vec();
        loop {
            match self.kind(0).cloned() {
                Some(Kind::Word(word)) if word == "as" => self.at += 2,
                Some(Kind::Word(word)) => {
                    segments.push(word);
                    self.at += 1;
                }
                Some(Kind::Sign('*')) => {
                    segments.push("*".to_owned());
                    self.at += 1;
                }
                Some(Kind::Separator) => {
                    // A path that starts with `::` is another crate's.
                    if segments.is_empty() {
                        segments.push(String::new());
                    }
                    self.at += 1;
                }
                Some(Kind::Sign('{')) => {
                    self.at += 1;
                    while !self.follows(0, '}') {
                        self.use_tree(&segments);
                        if self.follows(0, ',') {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                _ => break,
            }
        }
        // `{self}` names what stands before the braces.
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        if segments.first().is_some_and(|first| is_start(first)) {
            self.found(&segments);
        }
    }

    fn found(&mut self, segments: &[String]) {
        let mut absolute = self.module.clone();
        for segment in segments {
            match segment.as_str() {
                "crate" => absolute.clear(),
                "self" => {}
                "super" => drop(absolute.pop().expect("`super` of the crate's root")),
                name => absolute.push(name.to_owned()),
            }
        }
        let line = self.tokens.get(self.at.min(self.tokens.len() - 1)).map_or(0, |it| it.line);
        self.found.push(NamedPath { line, written: segments.join("::"), absolute });
    }

    fn kind(&self, ahead: usize) -> Option<&Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn follows(&self, ahead: usize, sign: char) -> bool {
        let kind = self.kind(ahead).unwrap_or_else(|| panic!("the text ends before `{sign}`"));
        *kind == Kind::Sign(sign)
    }
}

fn is_start(word: &str) -> bool {
    matches!(word, "crate" | "self" | "super")
}

/// The tokens of a text without comments.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut index, mut line) = (0, 1);
    let mut tokens = Vec::new();
    while index < chars.len() {
        let start = index;
        let mut kind = None;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < chars.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(index), at(index + 1)) {
                        ('/', '*') => (depth, index) = (depth + 1, index + 2),
                        ('*', '/') => (depth, index) = (depth - 1, index + 2),
                        _ => index += 1,
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            '"' => {
                index += 1;
                while at(index) != '"' {
                    index += if at(index) == '\\' { 2 } else { 1 };
                }
                kind = Some(Kind::Literal(chars[start + 1..index].iter().collect()));
                index += 1;
            }
            // A character, or else a lifetime.
            '\'' if at(index + 1) == '\\' || at(index + 2) == '\'' => {
                index += if at(index + 1) == '\\' { 3 } else { 2 };
                while at(index) != '\'' {
                    index += 1;
                }
                index += 1;
            }
            ':' if at(index + 1) == ':' => {
                kind = Some(Kind::Separator);
                index += 2;
            }
            c if is_word(c) => {
                while is_word(at(index)) {
                    index += 1;
                }
                let word: String = chars[start..index].iter().collect();
                let hashes = chars[index..].iter().take_while(|c| **c == '#').count();
                if matches!(word.as_str(), "r" | "br" | "cr") && at(index + hashes) == '"' {
                    let end: Vec<char> =
                        std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                    index += hashes + 1;
                    let inside = index;
                    while !chars[index..].starts_with(&end) {
                        index += 1;
                    }
                    kind = Some(Kind::Literal(chars[inside..index].iter().collect()));
                    index += end.len();
                } else if word == "r" && hashes == 1 {
                    // A raw name is no keyword.
                    index += 1;
                    while is_word(at(index)) {
                        index += 1;
                    }
                    kind = Some(Kind::Word(chars[start..index].iter().collect()));
                } else {
                    kind = Some(Kind::Word(word));
                }
            }
            c => {
                index += 1;
                kind = (!c.is_whitespace()).then_some(Kind::Sign(c));
            }
        }
        if let Some(kind) = kind {
            tokens.push(Token { kind, line });
        }
        line += chars[start..index.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

struct Source {
    /// Below `src`.
    file: String,
    module: Vec<String>,
    text: String,
}

fn source_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files but the crate's root, which puts the modules together.
fn sources() -> Vec<Source> {
    let root = source_folder();
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
            let names = inside.with_extension("");
            let mut module: Vec<_> =
                names.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            if module == ["lib"] {
                continue;
            }
            module.pop_if(|last| last == "mod");
            let (file, text) = (inside.display().to_string(), fs::read_to_string(&path).unwrap());
            sources.push(Source { file, module, text });
        }
    }
    sources
}
