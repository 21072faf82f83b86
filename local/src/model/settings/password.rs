use serde::{Deserialize, Deserializer, Serialize};

use crate::model::settings::violation::{Violation, check_range};

/// The requirements for passwords. The default is the policy that Cognito's console sets. A configured policy requires
/// only the kinds of characters that it names, as with Terraform and the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PasswordPolicy {
    pub(crate) minimum_length: usize,
    #[serde(default)]
    pub(crate) require_uppercase: bool,
    #[serde(default)]
    pub(crate) require_lowercase: bool,
    #[serde(default)]
    pub(crate) require_numbers: bool,
    #[serde(default)]
    pub(crate) require_symbols: bool,
    /// The number of previous passwords that cannot be used again.
    pub(crate) password_history_size: usize,
    /// The lifetime of passwords that administrators set.
    #[serde(deserialize_with = "days_or_default")]
    pub(crate) temporary_password_validity_days: u64,
}

/// The characters that count as symbols, according to Cognito's manual. A password cannot begin or end with a space.
pub(crate) const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ";

/// The longest password that Cognito accepts.
const MAX_LENGTH: usize = 256;

impl PasswordPolicy {
    /// Returns the violations of Cognito's rules for policies.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let days = self.temporary_password_validity_days;
        let checks = [
            check_range("minimum_length", self.minimum_length, 6..=99),
            check_range("password_history_size", self.password_history_size, 0..=24),
            check_range("temporary_password_validity_days", days, 0..=365),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    /// Returns Cognito's message for a password that does not conform, or `None`.
    pub(crate) fn violation(&self, password: &str) -> Option<&'static str> {
        let has = |kind: fn(char) -> bool| password.chars().any(kind);
        let length = password.chars().count();
        if length < self.minimum_length {
            Some("Password not long enough")
        } else if length > MAX_LENGTH {
            Some("Password too long")
        } else if password.starts_with(char::is_whitespace)
            || password.ends_with(char::is_whitespace)
        {
            Some("Password must not begin or end with a space")
        } else if self.require_uppercase && !has(|c| c.is_ascii_uppercase()) {
            Some("Password must have uppercase characters")
        } else if self.require_lowercase && !has(|c| c.is_ascii_lowercase()) {
            Some("Password must have lowercase characters")
        } else if self.require_numbers && !has(|c| c.is_ascii_digit()) {
            Some("Password must have numeric characters")
        } else if self.require_symbols && !has(|c| SYMBOLS.contains(c)) {
            Some("Password must have symbol characters")
        } else {
            None
        }
    }

    /// Returns the lifetime of passwords that administrators set, in milliseconds. 0 days mean the default of 7, as in
    /// Cognito.
    pub(crate) fn temporary_lifetime(&self) -> u64 {
        let days = match self.temporary_password_validity_days {
            0 => Self::default().temporary_password_validity_days,
            days => days,
        };
        days.saturating_mul(24 * 60 * 60 * 1000)
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: 8,
            require_uppercase: true,
            require_lowercase: true,
            require_numbers: true,
            require_symbols: true,
            password_history_size: 0,
            temporary_password_validity_days: 7,
        }
    }
}

/// Deserializes a number of days. As in Cognito, 0 means the default.
fn days_or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Ok(PasswordPolicy::default().temporary_password_validity_days),
        days => Ok(days),
    }
}
