//! Reads settings with Terraform's names, from a configuration file or from a request whose members were renamed.
//!
//! Both are read as [`Setting`]s with their places, and deserialized into the types of [`model`](crate::model), which
//! check the rules. A [`SettingError`] has a place and a reason. An error of a file is reported with its line, an error
//! of a request with Cognito's message.

mod client;
mod deserialize;
mod error;
mod labels;
mod pool;
mod seed;
mod setting;

use std::{fmt, path::Path};

pub(crate) use self::{
    client::read_client,
    error::{Reason, SettingError},
    pool::read_pool,
    seed::{Seed, UserSeed},
    setting::Setting,
};
use self::{seed::read_seed, setting::line_of};

/// The settings and the data with which a pool starts, with the names of Terraform's `aws_cognito_user_pool` and related
/// resources.
///
/// `examples/pool.toml` explains all settings. Absent settings have the defaults of a pool without a configuration.
/// [`ignored`](Self::ignored) lists settings of Cognito that have no effect on a local pool. Unknown settings and invalid
/// values are errors.
#[derive(Clone, Default)]
pub struct Config {
    pub(crate) seed: Seed,
    ignored: Vec<String>,
}

/// Error returned when a configuration cannot be read.
///
/// Its text has one line per invalid setting, with the place and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", text(file, errors))]
pub struct ConfigFileError {
    file: String,
    errors: Vec<LineError>,
}

/// An error in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LineError {
    /// Counted from 1. 0 if the file cannot be read.
    line: usize,
    message: String,
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    /// The text is not TOML, or a setting is unknown or has an invalid value.
    pub fn from_toml(text: &str) -> Result<Self, ConfigFileError> {
        Self::parse("configuration", text)
    }

    /// Reads a TOML file.
    ///
    /// # Errors
    /// The same errors as [`from_toml`](Self::from_toml), or the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigFileError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&file, &text),
            Err(error) => {
                let errors = vec![LineError { line: 0, message: error.to_string() }];
                Err(ConfigFileError { file, errors })
            }
        }
    }

    /// Returns the settings that have no effect on a local pool, each with its file and line:
    /// `pool.toml:7: aws_cognito_user_pool.email_configuration`.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    fn parse(file: &str, text: &str) -> Result<Self, ConfigFileError> {
        let failed = |errors| ConfigFileError { file: file.to_owned(), errors };
        let settings = Setting::from_toml(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = line_of(text, start);
            failed(vec![LineError { line, message: error.message().to_owned() }])
        })?;
        let (seed, ignored) = read_seed(settings).map_err(|errors| {
            let with_line = |error: SettingError| LineError {
                line: error.place().line,
                message: error.to_string(),
            };
            failed(errors.into_iter().map(with_line).collect())
        })?;
        let ignored =
            ignored.iter().map(|place| format!("{file}:{}: {}", place.line, place.path)).collect();
        Ok(Self { seed, ignored })
    }
}

impl ConfigFileError {
    /// Returns the line of the first error, counted from 1, or 0 if the file cannot be read.
    pub fn line(&self) -> usize {
        self.errors.first().map_or(0, |error| error.line)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

fn text(file: &str, errors: &[LineError]) -> String {
    let line = |LineError { line, message }: &LineError| match line {
        0 => format!("{file}: {message}"),
        line => format!("{file}:{line}: {message}"),
    };
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}
