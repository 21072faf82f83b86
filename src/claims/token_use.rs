use std::fmt;

/// The kind of a token: claim `token_use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "Cognito signs two kinds of JWT")]
pub enum TokenUse {
    /// An access token, which states what a client may do. It has `client_id` and scopes.
    Access,
    /// An ID token, which states who the user is. It has `aud` and the user's attributes.
    Id,
}

impl TokenUse {
    /// Returns the claim's value: `access` or `id`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Id => "id",
        }
    }
}

impl fmt::Display for TokenUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
