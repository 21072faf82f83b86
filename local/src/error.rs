//! The errors of Cognito: exception names and messages.

/// An error under Cognito's name and with Cognito's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) name: &'static str,
    pub(crate) message: String,
    /// The members of the input that break a constraint, for errors that report them.
    pub(crate) faulty: Vec<String>,
}

/// A constraint that a member of the input breaks.
pub(crate) struct Fault {
    path: String,
    text: String,
}

/// Longer values are not quoted in errors.
const MAX_QUOTE: usize = 256;

impl Error {
    pub(crate) fn new(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, message: message.into(), faulty: Vec::new() }
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub(crate) fn not_authorized(message: impl Into<String>) -> Self {
        Self::new("NotAuthorizedException", message)
    }

    pub(crate) fn wrong_password() -> Self {
        Self::not_authorized("Incorrect username or password.")
    }

    pub(crate) fn user_not_found() -> Self {
        Self::new("UserNotFoundException", "User does not exist.")
    }

    pub(crate) fn user_disabled() -> Self {
        Self::not_authorized("User is disabled.")
    }

    pub(crate) fn reset_required() -> Self {
        Self::new("PasswordResetRequiredException", "Password reset required for the user")
    }

    pub(crate) fn unknown_session() -> Self {
        Self::not_authorized("Invalid session for the user, session is expired.")
    }

    pub(crate) fn software_token_missing() -> Self {
        Self::new(
            "SoftwareTokenMFANotFoundException",
            "Software Token MFA has not been enabled by the userPool",
        )
    }

    pub(crate) fn alias_exists(attribute: &str) -> Self {
        Self::new(
            "AliasExistsException",
            format!("An account with the given {attribute} already exists."),
        )
    }

    pub(crate) fn user_exists(message: impl Into<String>) -> Self {
        Self::new("UsernameExistsException", message)
    }

    /// The user has no password that can be reset.
    pub(crate) fn cannot_reset() -> Self {
        Self::not_authorized("User password cannot be reset in the current state.")
    }

    /// The user has no verified contact to which a code can be sent.
    pub(crate) fn no_recovery_contact() -> Self {
        Self::invalid_parameter(
            "Cannot reset password for the user as there is no registered/verified email or phone_number",
        )
    }

    /// Too many attempts with codes or passwords.
    pub(crate) fn attempt_limit() -> Self {
        Self::new("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    }

    /// The user changed while a trigger ran. Clients try again.
    pub(crate) fn overtaken() -> Self {
        Self::new(
            "TooManyRequestsException",
            "Another request changed the user at the same time. Try again.",
        )
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
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
        Self::new("CodeMismatchException", "Invalid verification code provided, please try again.")
    }

    pub(crate) fn expired_code() -> Self {
        Self::new("ExpiredCodeException", "Invalid code provided, please request a code again.")
    }

    pub(crate) fn invalid_password(violation: &str) -> Self {
        Self::new(
            "InvalidPasswordException",
            format!("Password did not conform with policy: {violation}"),
        )
    }

    /// A required member is absent.
    pub(crate) fn missing(member: &str) -> Self {
        Self::faults(vec![Fault::missing(&first_lowercase(member))])
    }

    /// A value breaks one constraint, which is not in the service model.
    pub(crate) fn broken(member: &str, value: &str, constraint: &str) -> Self {
        Self::faults(vec![Fault::new(&quoted(value), member, constraint)])
    }

    /// The input breaks constraints.
    pub(crate) fn faults(faults: Vec<Fault>) -> Self {
        let (count, plural) = (faults.len(), if faults.len() == 1 { "" } else { "s" });
        let (faulty, texts): (Vec<_>, Vec<_>) =
            faults.into_iter().map(|fault| (fault.path, fault.text)).unzip();
        let texts = texts.join("; ");
        let message = format!("{count} validation error{plural} detected: {texts}");
        Self { faulty, ..Self::invalid_parameter(message) }
    }

    /// A value has another type than the model says. The error does not quote it, since it may be a password.
    pub(crate) fn wrong_type() -> Self {
        Self::new("SerializationException", "An input member has the wrong type.")
    }

    pub(crate) fn internal(error: &std::io::Error) -> Self {
        Self::new(
            "InternalErrorException",
            format!("The local pool could not save its data: {error}"),
        )
    }
}

impl Fault {
    /// `quoted` is the value with a space before it, or empty.
    pub(crate) fn new(quoted: &str, path: &str, constraint: &str) -> Self {
        let text = format!("Value{quoted} at '{path}' failed to satisfy constraint: {constraint}");
        Self { path: path.to_owned(), text }
    }

    /// A member that is required and absent. Amplify recognizes a missing password by a text without `null`.
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
        // The pool was deleted while the operation ran.
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self::not_found("User pool does not exist.");
        }
        Self::internal(&error)
    }
}
