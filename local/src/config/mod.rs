//! Reads settings with Terraform's names, from a configuration file or from a request whose members were renamed.
//!
//! Both are read as [`Setting`]s with their places, and deserialized into the types of [`model`](crate::model), which
//! check the rules. A [`SettingError`] has a place and a reason. An error of a file is reported with its line, an error
//! of a request with Cognito's message.

mod blocks;
mod client;
mod deserialize;
mod error;
mod file;
mod pool;
mod references;
mod report;
mod seed;
mod setting;
mod words;

use std::{fmt, path::Path};

pub(crate) use self::{
    client::read_client,
    error::{Reason, SettingError},
    pool::read_pool,
    report::Report,
    seed::{Seed, UserSeed},
    setting::Setting,
};
use self::{file::read_file, report::Ignored, setting::Lines};

/// The settings and the data with which pools start, with the names of Terraform's `aws_cognito_user_pool` and related
/// resources.
///
/// `examples/pool.toml` explains all settings. Absent settings have the defaults of a pool without a configuration. A
/// file with several pools assigns each resource to one of them by `user_pool_id`.
///
/// As in Terraform, a string can contain a number or a boolean (`"10"`, `"true"`), and the reverse. Invalid values are
/// errors, and so are unknown settings that are similar to a known one. [`ignored`](Self::ignored) lists the settings
/// without effect: those of Cognito and Terraform that a local pool does not use, and other unknown ones.
#[derive(Clone)]
pub struct Config {
    /// The data of each pool, at least of one.
    pub(crate) seeds: Vec<Seed>,
    ignored: Vec<String>,
}

/// Error returned when a configuration cannot be read.
///
/// Its text has one line per invalid setting: the file, the line and the column, the setting, what was found and what is
/// allowed. It has all errors of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", text(file, errors))]
pub struct ConfigFileError {
    file: String,
    errors: Vec<LineError>,
    ignored: Vec<String>,
}

/// An error in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LineError {
    /// The line and the column, counted from 1. `None` if the file cannot be read.
    position: Option<(usize, usize)>,
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
                let errors = vec![LineError { position: None, message: error.to_string() }];
                Err(ConfigFileError { file, errors, ignored: Vec::new() })
            }
        }
    }

    /// Returns the settings that have no effect on a local pool, each with its file, line and column:
    /// `pool.toml:7:1: aws_cognito_user_pool.email_configuration`.
    ///
    /// A setting that is not in the provider of Terraform, as far as this crate knows it, ends with `(unknown setting)`.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Returns the names of the pools, in the order of the file: their labels, or the names of pools without a label.
    pub fn pool_names(&self) -> Vec<&str> {
        self.seeds.iter().map(Seed::name).collect()
    }

    fn parse(file: &str, text: &str) -> Result<Self, ConfigFileError> {
        let failed = |errors, ignored| ConfigFileError { file: file.to_owned(), errors, ignored };
        let settings = Setting::from_toml(text).map_err(|errors| {
            let lines = Lines::of(text);
            let with_position = |error: &toml::de::Error| LineError {
                position: Some(lines.position(error.span().map_or(0, |span| span.start))),
                message: error.message().to_owned(),
            };
            failed(errors.iter().map(with_position).collect(), Vec::new())
        })?;
        let (seeds, Report { errors, ignored }) = read_file(settings);
        let ignored = ignored
            .iter()
            .map(|Ignored { place, is_unknown }| {
                let unknown = if *is_unknown { " (unknown setting)" } else { "" };
                format!("{file}:{}:{}: {}{unknown}", place.line, place.column, place.path)
            })
            .collect();
        if errors.is_empty() {
            return Ok(Self { seeds, ignored });
        }
        let with_position = |error: &SettingError| LineError {
            position: Some((error.place().line, error.place().column)),
            message: error.to_string(),
        };
        Err(failed(errors.iter().map(with_position).collect(), ignored))
    }
}

impl Default for Config {
    /// Returns the configuration of one pool with default settings.
    fn default() -> Self {
        Self { seeds: vec![Seed::default()], ignored: Vec::new() }
    }
}

impl ConfigFileError {
    /// Returns the line of the first error, counted from 1, or 0 if the file cannot be read.
    pub fn line(&self) -> usize {
        self.errors.first().and_then(|error| error.position).map_or(0, |(line, _)| line)
    }

    /// Returns the settings of the file that have no effect on a local pool, as [`Config::ignored`] does.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

fn text(file: &str, errors: &[LineError]) -> String {
    let line = |LineError { position, message }: &LineError| match position {
        None => format!("{file}: {message}"),
        Some((line, column)) => format!("{file}:{line}:{column}: {message}"),
    };
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}
