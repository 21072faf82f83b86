use crate::error::{Error, ErrorKind};

/// The reason why a function returned no output.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The function returned an error with this text.
    Error(String),
    Timeout,
    Unreachable(String),
    NotJson,
}

impl Failure {
    /// Returns the error that the client receives.
    pub(crate) fn error(&self, trigger: &str) -> Error {
        let failed = |why: &str| {
            Error::new(
                ErrorKind::UnexpectedLambda,
                format!("{trigger} invocation failed due to error {why}."),
            )
        };
        match self {
            Self::Error(text) => Error::new(
                ErrorKind::UserLambdaValidation,
                format!("{trigger} failed with error {text}."),
            ),
            Self::Timeout => failed("Socket timeout while invoking Lambda function"),
            Self::Unreachable(why) => failed(why),
            Self::NotJson => invalid("Invalid lambda function output : Invalid JSON"),
        }
    }
}

/// Returns the error for an output without the shape of the trigger's response.
pub(crate) fn unrecognizable() -> Error {
    invalid("Unrecognizable lambda output")
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::InvalidLambdaResponse, message)
}
