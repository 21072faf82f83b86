//! Errors of settings in configuration files and in requests.

use std::{fmt, ops::RangeInclusive};

use serde::de::{self, Expected, Unexpected};

use crate::{error::ErrorKind, model::settings::BrokenRule, text::similar::did_you_mean};

/// The location of a setting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Counted from 1. 0 for a setting of a request.
    pub(crate) line: usize,
    /// The number of characters up to the setting, counted from 1.
    pub(crate) column: usize,
    /// The path in a configuration file: `aws_cognito_user_pool.password_policy`.
    pub(crate) path: String,
}

/// An invalid setting, with the reason.
///
/// It is also the error of the deserializer. [`Display`](fmt::Display) is its text for configuration files. The API
/// reports it with Cognito's messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SettingError {
    /// Empty until the deserializer of the setting adds it.
    place: Option<Place>,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The member is required.
    Missing(&'static str),
    /// The value has the wrong type. The value itself is not quoted, because it can be a password.
    Type {
        expected: String,
        found: &'static str,
    },
    /// The value is not one of the allowed words.
    Word {
        found: Option<String>,
        allowed: &'static [&'static str],
    },
    Range {
        found: i64,
        allowed: RangeInclusive<i64>,
    },
    /// The setting is unknown.
    Unknown {
        allowed: &'static [&'static str],
    },
    /// The setting is unknown, but similar to a known one.
    Misspelled {
        known: String,
    },
    /// The value breaks another rule.
    Rule {
        kind: ErrorKind,
        message: String,
    },
}

impl Place {
    /// Returns the place of a member of the table at this place.
    pub(crate) fn member(&self, name: &str, (line, column): (usize, usize)) -> Self {
        let path = match &*self.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Self { line, column, path }
    }

    /// Returns the place of an absent member of the table at this place. It has the line of the table.
    pub(crate) fn absent_member(&self, name: &str) -> Self {
        self.member(name, (self.line, self.column))
    }

    /// Returns whether the setting is in a configuration file.
    pub(crate) fn is_in_file(&self) -> bool {
        self.line > 0
    }

    pub(crate) fn error(&self, message: impl Into<String>) -> SettingError {
        let reason = Reason::Rule { kind: ErrorKind::InvalidParameter, message: message.into() };
        SettingError::new(self.clone(), reason)
    }
}

impl SettingError {
    pub(crate) fn new(place: Place, reason: Reason) -> Self {
        Self { place: Some(place), reason }
    }

    /// Adds the place of the innermost setting that was being read.
    pub(crate) fn or_at(mut self, place: &Place) -> Self {
        self.place.get_or_insert_with(|| match self.reason {
            Reason::Missing(name) => place.absent_member(name),
            _ => place.clone(),
        });
        self
    }

    pub(crate) fn place(&self) -> Place {
        self.place.clone().unwrap_or_default()
    }

    fn without_place(reason: Reason) -> Self {
        Self { place: None, reason }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place().path)?;
        match &self.reason {
            Reason::Missing(_) => f.write_str("required, but not set"),
            Reason::Type { expected, found } => write!(f, "expected {expected}, found {found}"),
            Reason::Word { found, allowed } => {
                write!(f, "expected one of {}", allowed.join(", "))?;
                let Some(found) = found else { return Ok(()) };
                let hint = did_you_mean(found, allowed.iter().copied());
                write!(f, "; found {found:?}{hint}")
            }
            Reason::Range { found, allowed } if *allowed.end() == i64::MAX => {
                write!(f, "expected at least {}, found {found}", allowed.start())
            }
            Reason::Range { found, allowed } => {
                write!(f, "expected {} to {}, found {found}", allowed.start(), allowed.end())
            }
            Reason::Unknown { allowed } => {
                write!(f, "unknown setting; expected one of {}", allowed.join(", "))
            }
            Reason::Misspelled { known } => {
                write!(f, "unknown setting; did you mean `{known}`?")
            }
            Reason::Rule { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for SettingError {}

impl From<BrokenRule> for Reason {
    fn from(rule: BrokenRule) -> Self {
        match rule {
            BrokenRule::Range { found, allowed } => Self::Range { found, allowed },
            BrokenRule::Other { kind, message } => Self::Rule { kind, message },
        }
    }
}

impl de::Error for SettingError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let (kind, message) = (ErrorKind::InvalidParameter, message.to_string());
        Self::without_place(Reason::Rule { kind, message })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::without_place(Reason::Type { expected: expected_kind(expected), found: kind(found) })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            // The number is out of the range of the field's type.
            Unexpected::Signed(found) => {
                let end = if expected.to_string() == "u32" { u32::MAX.into() } else { i64::MAX };
                Self::without_place(Reason::Range { found, allowed: 0..=end })
            }
            _ => Self::invalid_type(found, expected),
        }
    }

    fn unknown_variant(found: &str, allowed: &'static [&'static str]) -> Self {
        Self::without_place(Reason::Word { found: Some(found.to_owned()), allowed })
    }

    fn unknown_field(_: &str, allowed: &'static [&'static str]) -> Self {
        Self::without_place(Reason::Unknown { allowed })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::without_place(Reason::Missing(field))
    }
}

/// Returns TOML's name for the type that serde expects.
fn expected_kind(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "i64" | "u32" | "u64" | "usize" => "an integer".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        text if text.starts_with("struct ") => "a table".to_owned(),
        text => text.to_owned(),
    }
}

fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Signed(_) | Unexpected::Unsigned(_) => "an integer",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Seq => "a list",
        Unexpected::Map => "a table",
        _ => "another value",
    }
}
