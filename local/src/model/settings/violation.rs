//! Rules that settings can break.

use std::ops::RangeInclusive;

use crate::error::ErrorKind;

/// A setting that breaks a rule of Cognito's.
///
/// The rules stand beside the settings. How an error is worded, and where it points to, is decided by the reader of
/// the settings: a configuration file has lines, a request of the API has members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// In the words of a configuration file, with the indexes of lists: `schema.0.name`.
    pub(crate) path: String,
    pub(crate) rule: BrokenRule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BrokenRule {
    Range {
        found: i64,
        allowed: RangeInclusive<i64>,
    },
    /// Any other rule, with the name of the API's error and a message.
    Other {
        kind: ErrorKind,
        message: String,
    },
}

impl Violation {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::with_kind(ErrorKind::InvalidParameter, path, message)
    }

    /// A violation that the API reports with an error of its own.
    pub(crate) fn with_kind(
        kind: ErrorKind,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let rule = BrokenRule::Other { kind, message: message.into() };
        Self { path: path.into(), rule }
    }

    /// The same violation, seen from the settings that contain those which were checked.
    pub(crate) fn within(mut self, parent: &str) -> Self {
        self.path = match &*self.path {
            "" => parent.to_owned(),
            path => format!("{parent}.{path}"),
        };
        self
    }
}

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
