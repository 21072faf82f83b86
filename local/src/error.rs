//! The errors of Cognito: kinds and messages.

/// An error with Cognito's exception name and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    /// The members of the input that break a constraint, for errors that report them.
    pub(crate) faulty: Vec<String>,
}

/// A constraint that a member of the input breaks.
pub(crate) struct BrokenConstraint {
    path: String,
    text: String,
}

/// The kinds of errors, one for each exception of Cognito's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    AccessDenied,
    AliasExists,
    CodeMismatch,
    DuplicateProvider,
    EnableSoftwareTokenMFA,
    ExpiredCode,
    GroupExists,
    InternalError,
    InvalidLambdaResponse,
    InvalidOAuthFlow,
    InvalidParameter,
    InvalidPassword,
    InvalidTarget,
    LimitExceeded,
    NotAuthorized,
    PasswordHistoryPolicyViolation,
    PasswordResetRequired,
    RefreshTokenReuse,
    RequestEntityTooLarge,
    ResourceNotFound,
    ScopeDoesNotExist,
    Serialization,
    SoftwareTokenMFANotFound,
    TooManyRequests,
    Unauthorized,
    UnexpectedLambda,
    UnknownOperation,
    UnsupportedOperation,
    UnsupportedTokenType,
    UnsupportedUserState,
    UserLambdaValidation,
    UserNotConfirmed,
    UserNotFound,
    UsernameExists,
}

impl ErrorKind {
    /// Returns the exception's name.
    pub(crate) fn exception(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::AliasExists => "AliasExistsException",
            Self::CodeMismatch => "CodeMismatchException",
            Self::DuplicateProvider => "DuplicateProviderException",
            Self::EnableSoftwareTokenMFA => "EnableSoftwareTokenMFAException",
            Self::ExpiredCode => "ExpiredCodeException",
            Self::GroupExists => "GroupExistsException",
            Self::InternalError => "InternalErrorException",
            Self::InvalidLambdaResponse => "InvalidLambdaResponseException",
            Self::InvalidOAuthFlow => "InvalidOAuthFlowException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidPassword => "InvalidPasswordException",
            Self::InvalidTarget => "InvalidTargetException",
            Self::LimitExceeded => "LimitExceededException",
            Self::NotAuthorized => "NotAuthorizedException",
            Self::PasswordHistoryPolicyViolation => "PasswordHistoryPolicyViolationException",
            Self::PasswordResetRequired => "PasswordResetRequiredException",
            Self::RefreshTokenReuse => "RefreshTokenReuseException",
            Self::RequestEntityTooLarge => "RequestEntityTooLargeException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ScopeDoesNotExist => "ScopeDoesNotExistException",
            Self::Serialization => "SerializationException",
            Self::SoftwareTokenMFANotFound => "SoftwareTokenMFANotFoundException",
            Self::TooManyRequests => "TooManyRequestsException",
            Self::Unauthorized => "UnauthorizedException",
            Self::UnexpectedLambda => "UnexpectedLambdaException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnsupportedOperation => "UnsupportedOperationException",
            Self::UnsupportedTokenType => "UnsupportedTokenTypeException",
            Self::UnsupportedUserState => "UnsupportedUserStateException",
            Self::UserLambdaValidation => "UserLambdaValidationException",
            Self::UserNotConfirmed => "UserNotConfirmedException",
            Self::UserNotFound => "UserNotFoundException",
            Self::UsernameExists => "UsernameExistsException",
        }
    }
}

/// The length of the longest value that an error quotes.
const MAX_QUOTE: usize = 256;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), faulty: Vec::new() }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidParameter, message)
    }

    pub(crate) fn not_authorized(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotAuthorized, message)
    }

    /// Returns the error for a parameter that a sign-in requires.
    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::invalid_parameter(format!("Missing required parameter {name}"))
    }

    pub(crate) fn wrong_password() -> Self {
        Self::not_authorized("Incorrect username or password.")
    }

    pub(crate) fn user_not_found() -> Self {
        Self::new(ErrorKind::UserNotFound, "User does not exist.")
    }

    pub(crate) fn user_disabled() -> Self {
        Self::not_authorized("User is disabled.")
    }

    /// Returns the error for a confirmation of a user with this status.
    pub(crate) fn cannot_confirm(status: &str) -> Self {
        Self::not_authorized(format!("User cannot be confirmed. Current status is {status}"))
    }

    pub(crate) fn reset_required() -> Self {
        Self::new(ErrorKind::PasswordResetRequired, "Password reset required for the user")
    }

    pub(crate) fn unknown_session() -> Self {
        Self::not_authorized("Invalid session for the user, session is expired.")
    }

    pub(crate) fn software_token_missing() -> Self {
        Self::new(
            ErrorKind::SoftwareTokenMFANotFound,
            "Software Token MFA has not been enabled by the userPool",
        )
    }

    pub(crate) fn alias_exists(attribute: &str) -> Self {
        Self::new(
            ErrorKind::AliasExists,
            format!("An account with the given {attribute} already exists."),
        )
    }

    pub(crate) fn user_exists(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UsernameExists, message)
    }

    /// Returns the error for a user whose password cannot be reset.
    pub(crate) fn cannot_reset() -> Self {
        Self::not_authorized("User password cannot be reset in the current state.")
    }

    /// Returns the error for a user without a verified contact to which a code can be sent.
    pub(crate) fn no_recovery_contact() -> Self {
        Self::invalid_parameter(
            "Cannot reset password for the user as there is no registered/verified email or phone_number",
        )
    }

    /// Returns the error for too many attempts with codes or passwords.
    pub(crate) fn attempt_limit() -> Self {
        Self::new(ErrorKind::LimitExceeded, "Attempt limit exceeded, please try after some time.")
    }

    /// Returns the error for a user who changed while a trigger ran. The client should try again.
    pub(crate) fn overtaken() -> Self {
        Self::new(
            ErrorKind::TooManyRequests,
            "Another request changed the user at the same time. Try again.",
        )
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ResourceNotFound, message)
    }

    pub(crate) fn no_pool(id: &str) -> Self {
        Self::not_found(format!("User pool {id} does not exist."))
    }

    pub(crate) fn no_client(id: &str) -> Self {
        Self::not_found(format!("User pool client {id} does not exist."))
    }

    pub(crate) fn no_group() -> Self {
        Self::not_found("Group not found.")
    }

    pub(crate) fn wrong_code() -> Self {
        Self::new(ErrorKind::CodeMismatch, "Invalid verification code provided, please try again.")
    }

    pub(crate) fn expired_code() -> Self {
        Self::new(ErrorKind::ExpiredCode, "Invalid code provided, please request a code again.")
    }

    pub(crate) fn invalid_password(violation: &str) -> Self {
        Self::new(
            ErrorKind::InvalidPassword,
            format!("Password did not conform with policy: {violation}"),
        )
    }

    /// Returns the error for a required member that is absent.
    pub(crate) fn missing(member: &str) -> Self {
        Self::broken_constraints(vec![BrokenConstraint::missing(&first_lowercase(member))])
    }

    /// Returns the error for a value that breaks one constraint, which is not in the service model.
    pub(crate) fn broken(member: &str, value: &str, constraint: &str) -> Self {
        Self::broken_constraints(vec![BrokenConstraint::new(&quoted(value), member, constraint)])
    }

    /// Returns the error for an input that breaks constraints.
    pub(crate) fn broken_constraints(broken: Vec<BrokenConstraint>) -> Self {
        let (count, plural) = (broken.len(), if broken.len() == 1 { "" } else { "s" });
        let (faulty, texts): (Vec<_>, Vec<_>) =
            broken.into_iter().map(|one| (one.path, one.text)).unzip();
        let texts = texts.join("; ");
        let message = format!("{count} validation error{plural} detected: {texts}");
        Self { faulty, ..Self::invalid_parameter(message) }
    }

    /// Returns the error for a value of a type that the model does not allow. The value is not quoted, because it may be
    /// a password.
    pub(crate) fn wrong_type() -> Self {
        Self::new(ErrorKind::Serialization, "An input member has the wrong type.")
    }

    /// Returns the error for data that could not be read or written.
    pub(crate) fn internal(error: &std::io::Error) -> Self {
        Self::new(
            ErrorKind::InternalError,
            format!("The local pool could not save its data: {error}"),
        )
    }
}

impl BrokenConstraint {
    /// Describes a broken constraint. `quoted` is the value with a space before it, or empty.
    pub(crate) fn new(quoted: &str, path: &str, constraint: &str) -> Self {
        let text = format!("Value{quoted} at '{path}' failed to satisfy constraint: {constraint}");
        Self { path: path.to_owned(), text }
    }

    /// Returns the broken constraint for a required member that is absent. Amplify recognizes a missing password by a
    /// text without `null`.
    pub(crate) fn missing(path: &str) -> Self {
        let quoted = if path.to_ascii_lowercase().ends_with("password") { "" } else { " null" };
        Self::new(quoted, path, "Member must not be null")
    }
}

/// Returns a value as errors quote it, with a space before it. Long values are not quoted.
pub(crate) fn quoted(text: &str) -> String {
    if text.chars().count() <= MAX_QUOTE { format!(" '{text}'") } else { String::new() }
}

/// Returns a member's name as errors write it.
pub(crate) fn first_lowercase(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::internal(&error)
    }
}
