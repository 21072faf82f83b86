//! The errors of Cognito: its names and its messages.

/// An error as the API writes it: Cognito's name and Cognito's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) name: &'static str,
    pub(crate) message: String,
    /// The members of the input that the service model does not allow, for errors that report them.
    pub(crate) faulty: Vec<String>,
}

impl ApiError {
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

    /// Too many tries, of codes or of passwords.
    pub(crate) fn attempt_limit() -> Self {
        Self::new("LimitExceededException", "Attempt limit exceeded, please try after some time.")
    }

    /// What was decided before a trigger ran does not hold any more. Clients try again.
    pub(crate) fn overtaken() -> Self {
        Self::new("TooManyRequestsException", "Another request changed the user meanwhile.")
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
        crate::http::api::validate::missing(member)
    }

    /// A value has another type than the model says. The error does not quote it, since it may be a password.
    pub(crate) fn wrong_type() -> Self {
        Self::new("SerializationException", "A member of the input is not of its type.")
    }

    pub(crate) fn internal(error: &std::io::Error) -> Self {
        Self::new(
            "InternalErrorException",
            format!("The local pool could not keep its data: {error}"),
        )
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        // The pool was deleted while the operation went on.
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self::not_found("User pool does not exist.");
        }
        Self::internal(&error)
    }
}
