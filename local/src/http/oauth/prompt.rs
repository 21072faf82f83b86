//! The parameter `prompt`: a list of values (OpenID Connect Core 1.0, section 3.1.2.1).

use crate::http::oauth::error::OAuthError;

const NONE_COMBINED: OAuthError = OAuthError::new(
    "invalid_request",
    "The prompt value none cannot be combined with other values",
);

/// The values that an app sent, in their order.
///
/// As in Cognito, only `login` and `none` have an effect here. The identity provider at which the user signs in gets all
/// values, including unknown ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    values: Vec<String>,
}

impl Prompt {
    /// Parses the parameter.
    ///
    /// # Errors
    /// Returns an error if `none` is combined with another value.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        let values: Vec<_> = text
            .unwrap_or_default()
            .split(' ')
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect();
        let prompt = Self { values };
        let is_combined =
            prompt.forbids_pages() && prompt.values.iter().any(|value| value != "none");
        if is_combined { Err(NONE_COMBINED) } else { Ok(prompt) }
    }

    /// Returns whether users must sign in even if their browser is signed in.
    pub(crate) fn requires_login(&self) -> bool {
        self.has("login")
    }

    /// Returns whether the app requires a response without any page.
    pub(crate) fn forbids_pages(&self) -> bool {
        self.has("none")
    }

    /// Returns the parameter for the next page and for identity providers, or `None` if it is absent.
    pub(crate) fn text(&self) -> Option<String> {
        (!self.values.is_empty()).then(|| self.values.join(" "))
    }

    fn has(&self, name: &str) -> bool {
        self.values.iter().any(|value| value == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_is_a_space_separated_list() {
        let parse = |text| Prompt::parse(Some(text)).unwrap();
        for text in ["login", "login consent", "consent  login", " login"] {
            assert!(parse(text).requires_login(), "{text}");
            assert!(!parse(text).forbids_pages(), "{text}");
        }
        for text in ["", " ", "consent", "select_account", "LOGIN", "loginx", "none"] {
            assert!(!parse(text).requires_login(), "{text}");
        }
        assert!(parse("none").forbids_pages() && parse("none none").forbids_pages());
        assert_eq!(parse(" consent  login ").text().as_deref(), Some("consent login"));
        assert_eq!(parse(" ").text(), None);
        assert_eq!(Prompt::parse(None), Ok(Prompt::default()));
    }

    #[test]
    fn none_cannot_be_combined() {
        for text in ["none login", "login none", "none nonsense"] {
            assert_eq!(Prompt::parse(Some(text)), Err(NONE_COMBINED), "{text}");
        }
    }
}
