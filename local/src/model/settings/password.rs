use serde::{Deserialize, Serialize};

/// What a password has to be like. By default as Cognito's console sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PasswordPolicy {
    pub(crate) minimum_length: usize,
    pub(crate) require_uppercase: bool,
    pub(crate) require_lowercase: bool,
    pub(crate) require_numbers: bool,
    pub(crate) require_symbols: bool,
    /// How many earlier passwords may not come again.
    pub(crate) password_history_size: usize,
    /// How long a password lives that an administrator gave.
    pub(crate) temporary_password_validity_days: u64,
}

/// The signs that count as symbols, by Cognito's manual; a space counts inside a password.
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ";

/// The longest password that Cognito takes.
const MAX_LENGTH: usize = 256;

impl PasswordPolicy {
    /// Why a password does not conform, in Cognito's words.
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
        } else if self.require_uppercase && !has(|sign| sign.is_ascii_uppercase()) {
            Some("Password must have uppercase characters")
        } else if self.require_lowercase && !has(|sign| sign.is_ascii_lowercase()) {
            Some("Password must have lowercase characters")
        } else if self.require_numbers && !has(|sign| sign.is_ascii_digit()) {
            Some("Password must have numeric characters")
        } else if self.require_symbols && !has(|sign| SYMBOLS.contains(sign)) {
            Some("Password must have symbol characters")
        } else {
            None
        }
    }

    /// For how long a password is good that an administrator gave, in milliseconds. No days at all are the
    /// default's seven, as in Cognito.
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
