//! Reads configurations in the words of Terraform.

mod fields;
mod labels;
mod lambda;
mod read_client;
mod read_pool;
mod read_schema;
mod read_seed;
mod seed;
pub(crate) mod toml;
mod urls;
mod written;

use std::{fmt, path::Path};

pub(crate) use self::{
    lambda::LambdaConfig,
    read_client::Around,
    read_pool::MFA_WORDS,
    read_seed::resource_server,
    seed::{GroupSeed, Seed, UserSeed},
    urls::is_resource,
    written::{Place, Reason, Written, Wrong},
};

/// What a pool starts with, in the words of Terraform's `aws_cognito_user_pool` and its kin.
///
/// `examples/pool.toml` has all settings with their meaning. What is not written is as in a pool without a
/// configuration; what Cognito has and a local pool has no use for is [`ignored`](Self::ignored); any other word,
/// and any value that cannot be, is refused.
#[derive(Clone, Default)]
pub struct Config {
    pub(crate) seed: Seed,
    ignored: Vec<String>,
}

/// A configuration that is wrong: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {what}", in_file(*line))]
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

    /// The settings that have no effect on a local pool, each with its file and line:
    /// `pool.toml:7: aws_cognito_user_pool.email_configuration`.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    fn parse(file: &str, text: &str) -> Result<Self, ConfigFileError> {
        let wrong = |line, what| ConfigFileError { file: file.to_owned(), line, what };
        let written = toml::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(toml::line_of(text, at), error.message().to_owned())
        })?;
        let (seed, notes) =
            Seed::read(&written).map_err(|error| wrong(error.place.line, error.to_string()))?;
        let ignored =
            notes.iter().map(|place| format!("{file}:{}: {}", place.line, place.path)).collect();
        Ok(Self { seed, ignored })
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

/// Where in a file; nothing for one that cannot be read.
fn in_file(line: usize) -> String {
    match line {
        0 => String::new(),
        line => format!(":{line}"),
    }
}
