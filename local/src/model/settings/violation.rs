//! Broken rules of settings.

use std::ops::RangeInclusive;

use crate::error::ErrorKind;

/// A setting that breaks one of Cognito's rules.
///
/// The reader of the settings turns it into an error: with a line for a configuration file, with a member for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The path in a configuration file, with the indexes of lists: `schema.0.name`.
    pub(crate) path: String,
    pub(crate) rule: BrokenRule,
}

/// The rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BrokenRule {
    Range {
        found: i64,
        allowed: RangeInclusive<i64>,
    },
    /// Any other rule.
    Other {
        kind: ErrorKind,
        message: String,
    },
}

impl Violation {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::InvalidParameter, path, message)
    }

    /// Returns a violation that the API reports with this kind of error.
    pub(crate) fn with_kind(
        kind: ErrorKind,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let rule = BrokenRule::Other { kind, message: message.into() };
        Self { path: path.into(), rule }
    }

    /// Returns the violation with the path of the parent in front.
    pub(crate) fn within(mut self, parent: &str) -> Self {
        self.path = match &*self.path {
            "" => parent.to_owned(),
            path => format!("{parent}.{path}"),
        };
        self
    }
}

/// Checks that a number is within a range.
pub(crate) fn check_range(
    path: &str,
    found: impl TryInto<i64>,
    allowed: RangeInclusive<i64>,
) -> Result<(), Violation> {
    let found = found.try_into().unwrap_or(i64::MAX);
    if allowed.contains(&found) {
        return Ok(());
    }
    Err(Violation { path: path.to_owned(), rule: BrokenRule::Range { found, allowed } })
}

/// Checks that a text has at least one character and at most `max`.
pub(crate) fn check_length(path: &str, text: &str, max: usize) -> Result<(), Violation> {
    let length = text.chars().count();
    if (1..=max).contains(&length) {
        return Ok(());
    }
    Err(Violation::new(path, format!("expected 1 to {max} characters, found {length}")))
}
