use std::{fmt, path::Path};

use super::settings::Seed;

/// What a pool starts with, in the words of Terraform's `aws_cognito_user_pool` and its kin.
#[derive(Clone, Default)]
pub struct Config(pub(super) Seed);

/// A configuration that is wrong: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct ConfigFileError {
    file: String,
    line: usize,
    what: String,
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    /// The text is no TOML, or a setting is not what it can be.
    pub fn from_toml(text: &str) -> Result<Self, ConfigFileError> {
        Self::parse("configuration", text)
    }

    /// Reads a file of TOML.
    ///
    /// # Errors
    /// As [`from_toml`](Self::from_toml), or the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigFileError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(error) => Err(ConfigFileError { file, line: 0, what: error.to_string() }),
        }
    }

    fn parse(file: &str, text: &str) -> Result<Self, ConfigFileError> {
        toml::from_str(text).map(Self).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            ConfigFileError {
                file: file.to_owned(),
                line: before.matches('\n').count() + 1,
                what: error.message().to_owned(),
            }
        })
    }
}

impl ConfigFileError {
    /// The line that is wrong, counted from 1; 0 if the file cannot be read.
    pub fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}
