//! The parameter `prompt`: a list of values (OpenID Connect Core 1.0, section 3.1.2.1).

use crate::http::oauth::error::OAuthError;

const MIXED: OAuthError =
    OAuthError::new("invalid_request", "The prompt none cannot be combined with other values");

/// The values that an app sent, in its order.
///
/// As in Cognito, `login` and `none` have an effect here. The others, unknown ones included, are for the provider at
/// which a user signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    values: Vec<String>,
}

impl Prompt {
    /// Reads the parameter.
    ///
    /// # Errors
    /// `none` comes with another value.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        let values: Vec<_> = text
            .unwrap_or_default()
            .split(' ')
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect();
        let prompt = Self { values };
        let is_mixed = prompt.forbids_pages() && prompt.values.iter().any(|value| value != "none");
        if is_mixed { Err(MIXED) } else { Ok(prompt) }
    }

    /// Returns whether users have to authenticate even if their browser is signed in.
    pub(crate) fn requires_login(&self) -> bool {
        self.has("login")
    }

    /// Returns whether the app wants an answer without any page being shown.
    pub(crate) fn forbids_pages(&self) -> bool {
        self.has("none")
    }

    /// Returns the parameter as the next page and providers get it, or `None` if it is absent.
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
    fn prompt_is_a_list() {
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
    fn none_comes_alone() {
        for text in ["none login", "login none", "none nonsense"] {
            assert_eq!(Prompt::parse(Some(text)), Err(MIXED), "{text}");
        }
    }
}
