use serde::{Deserialize, Serialize};

use crate::model::{
    has_link,
    settings::violation::{Violation, check_length},
};

/// How e-mail addresses of new users are verified, and the message with a link. The texts of messages with codes are
/// settings of the pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VerificationTemplate {
    pub(crate) default_email_option: EmailOption,
    /// A text with a placeholder for the link, for example `{##Verify##}`. The default is Cognito's text.
    pub(crate) email_message_by_link: Option<String>,
    pub(crate) email_subject_by_link: Option<String>,
}

/// What the message to a new user contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum EmailOption {
    #[default]
    ConfirmWithCode,
    ConfirmWithLink,
}

/// The longest message, in characters.
const MAX_MESSAGE: usize = 20_000;

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 140;

impl VerificationTemplate {
    /// Checks Cognito's rules for the texts.
    pub(crate) fn validate(&self) -> Result<(), Violation> {
        if let Some(message) = &self.email_message_by_link {
            let path = "email_message_by_link";
            check_length(path, message, MAX_MESSAGE)?;
            if !has_link(message) {
                return Err(Violation::new(path, "expected a text that contains {##text##}"));
            }
        }
        match &self.email_subject_by_link {
            Some(subject) => check_length("email_subject_by_link", subject, MAX_SUBJECT),
            None => Ok(()),
        }
    }
}
