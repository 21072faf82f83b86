//! Errors for settings that break a rule.

use crate::{
    error::{Error, first_lowercase},
    model::settings::{BrokenRule, Violation},
    text::words::api_word,
};

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        match violation.rule {
            BrokenRule::Other { kind, message } => Self::new(kind, message),
            BrokenRule::Range { found, allowed } => {
                let constraint = if found < *allowed.start() {
                    format!("Member must have value greater than or equal to {}", allowed.start())
                } else {
                    format!("Member must have value less than or equal to {}", allowed.end())
                };
                Self::broken(&member_path(&violation.path), &found.to_string(), &constraint)
            }
        }
    }
}

/// Returns the path of a setting in the form that API errors use, for example `tokenValidityUnits.accessToken`. List
/// indexes are omitted.
pub(crate) fn member_path(path: &str) -> String {
    let names = path.split('.').filter(|name| name.parse::<usize>().is_err());
    names.map(|name| first_lowercase(&api_word(name))).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_path_has_api_names_without_list_indexes() {
        for (path, member) in [
            ("custom_attributes.0.name", "customAttributes.name"),
            ("callback_urls", "callbackURLs"),
            ("", ""),
        ] {
            assert_eq!(member_path(path), member);
        }
    }
}
