/// The occasions on which a pool calls a function of yours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// A user is about to be created: refuse, confirm, or take contacts as verified.
    PreSignUp,
    /// A user was confirmed, or reset their password.
    PostConfirmation,
    /// Someone begins to sign in.
    PreAuthentication,
    /// A user has signed in.
    PostAuthentication,
    /// A message is about to be sent.
    CustomMessage,
    /// Custom sign-in: what comes next.
    DefineAuthChallenge,
    /// Custom sign-in: what to ask.
    CreateAuthChallenge,
    /// Custom sign-in: whether the answer is right.
    VerifyAuthChallengeResponse,
    /// Tokens are about to be made: claims of the ID token.
    PreTokenGeneration,
    /// Tokens are about to be made for a user: claims of both, scopes of the access token.
    PreTokenGenerationV2,
    /// Likewise, and for machines too.
    PreTokenGenerationV3,
    /// Someone signs in, or forgot their password, who is not in the pool.
    UserMigration,
}

impl Trigger {
    /// All versions of the one trigger that sees tokens: a pool has one of them.
    pub(crate) const TOKEN_GENERATION: [Self; 3] =
        [Self::PreTokenGeneration, Self::PreTokenGenerationV2, Self::PreTokenGenerationV3];

    /// The name that errors say.
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

    /// What `triggerSource` begins with.
    pub(crate) fn source(self) -> &'static str {
        match self {
            Self::PreTokenGeneration | Self::PreTokenGenerationV2 | Self::PreTokenGenerationV3 => {
                "TokenGeneration"
            }
            other => other.name(),
        }
    }

    /// The version of the event.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::PreTokenGenerationV2 => "2",
            Self::PreTokenGenerationV3 => "3",
            _ => "1",
        }
    }
}
