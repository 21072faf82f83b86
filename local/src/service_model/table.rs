//! Reads Cognito's service model of the operations' input from `model.txt`.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use regex::Regex;

/// The service model. A unit test checks that every line is valid.
pub(crate) static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(include_str!("model.txt")));

#[derive(Debug, Default)]
pub(crate) struct Model {
    shapes: HashMap<&'static str, Shape>,
    operations: HashMap<&'static str, Operation>,
}

/// An operation that the pool serves.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Whether the operation needs no AWS credentials. A test compares this with the table of operations.
    #[cfg_attr(not(test), expect(dead_code, reason = "the server reads its own table"))]
    pub(crate) is_for_apps: bool,
    pub(crate) members: Vec<Member>,
}

/// A member of a structure, or of an operation's input.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    shape: &'static str,
    pub(crate) is_required: bool,
}

/// A type with its bounds.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    /// Whether errors must not quote the value.
    pub(crate) is_secret: bool,
    /// The minimum length of a string, value of an integer, or number of items.
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    pub(crate) words: Vec<&'static str>,
    pub(crate) pattern: Option<Pattern>,
    /// Whether an empty string is accepted, whatever the bounds are.
    pub(crate) accepts_blank: bool,
    /// Whether the URL of a function is accepted in place of its ARN.
    pub(crate) accepts_url: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    String,
    Integer,
    Boolean,
    List { item: &'static str },
    Map { key: &'static str, value: &'static str },
    Structure(Vec<Member>),
}

/// A regular expression that a whole value must match. It is compiled at its first use.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) text: &'static str,
    regex: OnceLock<Option<Regex>>,
}

impl Model {
    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// Returns the names of all operations.
    #[cfg(test)]
    pub(crate) fn operations(&self) -> impl Iterator<Item = &'static str> {
        self.operations.keys().copied()
    }

    /// Returns a shape by its name.
    pub(crate) fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// Returns the shape of a member.
    pub(crate) fn shape_of(&self, member: &Member) -> Option<&Shape> {
        self.shape(member.shape)
    }

    fn read(table: &'static str) -> Self {
        let mut model = Self::default();
        for line in table.lines() {
            model.read_line(line);
        }
        model
    }

    /// Reads a line. Returns `None` if it is invalid, empty or a comment.
    fn read_line(&mut self, line: &'static str) -> Option<()> {
        let (line, pattern) = match line.split_once(" pattern=") {
            Some((line, text)) => (line, Some(Pattern { text, regex: OnceLock::new() })),
            None => (line, None),
        };
        let mut words = line.split(' ');
        let (kind, name) = (words.next()?, words.next()?);
        if kind == "operation" {
            let is_for_apps = words.next()? == "app";
            let members = words.map(Member::read).collect::<Option<_>>()?;
            self.operations.insert(name, Operation { is_for_apps, members });
            return Some(());
        }
        let mut shape = Shape {
            kind: Kind::String,
            is_secret: false,
            min: None,
            max: None,
            words: Vec::new(),
            pattern,
            accepts_blank: false,
            accepts_url: false,
        };
        let mut members = Vec::new();
        match kind {
            "string" => {}
            "integer" => shape.kind = Kind::Integer,
            "boolean" => shape.kind = Kind::Boolean,
            "list" => shape.kind = Kind::List { item: words.next()? },
            "map" => shape.kind = Kind::Map { key: words.next()?, value: words.next()? },
            "structure" => {}
            _ => return None,
        }
        for word in words {
            match word.split_once('=') {
                Some(("min", number)) => shape.min = Some(number.parse().ok()?),
                Some(("max", number)) => shape.max = Some(number.parse().ok()?),
                Some(("enum", allowed)) => shape.words = allowed.split('|').collect(),
                Some(_) => return None,
                None if word == "secret" => shape.is_secret = true,
                None if word == "blank" => shape.accepts_blank = true,
                None if word == "url" => shape.accepts_url = true,
                None => members.push(Member::read(word)?),
            }
        }
        if kind == "structure" {
            shape.kind = Kind::Structure(members);
        }
        self.shapes.insert(name, shape);
        Some(())
    }
}

impl Member {
    fn read(word: &'static str) -> Option<Self> {
        let (name, shape) = word.split_once(':')?;
        Some(match name.strip_suffix('*') {
            Some(name) => Self { name, shape, is_required: true },
            None => Self { name, shape, is_required: false },
        })
    }
}

impl Pattern {
    pub(crate) fn matches(&self, value: &str) -> bool {
        let regex = self.regex.get_or_init(|| Regex::new(&in_rust(self.text)).ok());
        regex.as_ref().is_none_or(|regex| regex.is_match(value))
    }
}

/// Converts a pattern from Java's syntax to Rust's, to match whole values. In Java `\w` and `\s` match ASCII only. The
/// model uses them only in brackets, where POSIX classes have the same meaning.
fn in_rust(pattern: &str) -> String {
    let pattern =
        pattern.replace(r"\w", "[:word:]").replace(r"\s", "[:space:]").replace(r"\S", "[:^space:]");
    format!(r"\A(?:{pattern})\z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_model_is_valid() {
        let mut model = Model::default();
        let lines = include_str!("model.txt").lines();
        let mut count = 0;
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            assert!(model.read_line(line).is_some(), "{line}");
            count += 1;
        }
        assert_eq!(model.shapes.len() + model.operations.len(), count, "a name is used twice");
        for (name, shape) in &model.shapes {
            if let Some(pattern) = &shape.pattern {
                assert!(Regex::new(&in_rust(pattern.text)).is_ok(), "{name}: {}", pattern.text);
            }
            let parts = match &shape.kind {
                Kind::List { item } => vec![*item],
                Kind::Map { key, value } => vec![*key, *value],
                Kind::Structure(members) => members.iter().map(|member| member.shape).collect(),
                Kind::String | Kind::Integer | Kind::Boolean => Vec::new(),
            };
            for part in parts {
                assert!(model.shape(part).is_some(), "{name}: {part}");
            }
        }
        let members = model.operations.values().flat_map(|operation| &operation.members);
        for member in members {
            assert!(model.shape_of(member).is_some(), "{}: {}", member.name, member.shape);
        }
    }

    #[test]
    fn character_classes_match_as_in_java() {
        fn matches(text: &'static str, value: &str) -> bool {
            Pattern { text, regex: OnceLock::new() }.matches(value)
        }
        assert!(matches(r"[\w+]+", "aZ_09+"));
        assert!(!matches(r"[\w+]+", "ä"));
        assert!(!matches(r"[\w+]+", "a\n"), "a pattern matches the whole value");
        assert!(matches(r"[\S]+", "ä\u{a0}"), "only ASCII spaces are excluded");
        for space in [' ', '\t', '\n', '\u{b}', '\u{c}', '\r'] {
            assert!(!matches(r"[\S]+", &space.to_string()));
            assert!(matches(r"[\w\s]+", &space.to_string()));
        }
        assert!(matches(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", "ä€1-"));
        assert!(!matches(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", "a\u{a0}b"));
        assert!(!matches(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", "a\u{200b}b"));
        assert!(!matches(r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", ""));
    }
}
