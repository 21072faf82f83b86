/// An event at which a pool calls a user-defined function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// A user is about to be created. The function can reject the sign-up, confirm the user, or verify contacts.
    PreSignUp,
    /// A user was confirmed, or has reset their password.
    PostConfirmation,
    /// A user starts to sign in.
    PreAuthentication,
    /// A user has signed in.
    PostAuthentication,
    /// A message is about to be sent.
    CustomMessage,
    /// Custom sign-in: decides what comes next.
    DefineAuthChallenge,
    /// Custom sign-in: creates a challenge.
    CreateAuthChallenge,
    /// Custom sign-in: verifies the answer to a challenge.
    VerifyAuthChallengeResponse,
    /// Tokens are about to be issued: changes claims of the ID token.
    PreTokenGeneration,
    /// Tokens are about to be issued to a user: changes claims of both tokens, and scopes of the access token.
    PreTokenGenerationV2,
    /// Like the second version, but also runs for client credentials.
    PreTokenGenerationV3,
    /// A user who is not in the pool signs in or asks for a new password.
    UserMigration,
}

impl Trigger {
    /// All versions of the trigger that changes tokens. A pool has at most one of them.
    pub(crate) const TOKEN_GENERATION: [Self; 3] =
        [Self::PreTokenGeneration, Self::PreTokenGenerationV2, Self::PreTokenGenerationV3];

    /// Returns the name in error messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PreSignUp => "PreSignUp",
            Self::PostConfirmation => "PostConfirmation",
            Self::PreAuthentication => "PreAuthentication",
            Self::PostAuthentication => "PostAuthentication",
            Self::CustomMessage => "CustomMessage",
            Self::DefineAuthChallenge => "DefineAuthChallenge",
            Self::CreateAuthChallenge => "CreateAuthChallenge",
            Self::VerifyAuthChallengeResponse => "VerifyAuthChallengeResponse",
            Self::PreTokenGeneration | Self::PreTokenGenerationV2 | Self::PreTokenGenerationV3 => {
                "PreTokenGeneration"
            }
            Self::UserMigration => "UserMigration",
        }
    }

    /// Returns the first part of `triggerSource`.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::PreTokenGeneration | Self::PreTokenGenerationV2 | Self::PreTokenGenerationV3 => {
                "TokenGeneration"
            }
            other => other.name(),
        }
    }

    /// Returns the version of the event.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::PreTokenGenerationV2 => "2",
            Self::PreTokenGenerationV3 => "3",
            _ => "1",
        }
    }
}
