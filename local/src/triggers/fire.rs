use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::ApiError,
    pool::Shared,
    store::Data,
    triggers::{Event, Function, Trigger},
};

/// How often a function is called that does not answer in time.
const TRIES: u32 = 3;

/// Why a function gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It failed, with this text.
    Error(String),
    NoAnswer,
    Unreachable(String),
    NotJson,
}

impl Shared {
    /// Runs a trigger, and gives the `response` that the function filled in; nothing, if there is no such trigger.
    ///
    /// It may take long, and must not run while the store is locked.
    pub(crate) async fn fire<R: DeserializeOwned>(
        &self,
        event: Event<'_>,
    ) -> Result<Option<R>, ApiError> {
        let Some(function) = self.function(event.trigger) else {
            return Ok(None);
        };
        let name = event.trigger.name();
        let answer = self.run(&function, &event.document(self)).await;
        let mut answer = answer.map_err(|failure| failure.told(name))?;
        let response = answer.get_mut("response").map(Value::take).filter(Value::is_object);
        let response = response.ok_or_else(unrecognizable)?;
        serde_json::from_value(response).map(Some).map_err(|_| unrecognizable())
    }

    /// The function of a trigger: of the pool's builder, or else of its settings.
    pub(crate) fn function(&self, trigger: Trigger) -> Option<Function> {
        self.triggers.function(trigger).or_else(|| {
            let functions = self.store.read(Data::settings).lambda_config;
            functions.function_url(trigger).cloned().map(Function::Url)
        })
    }

    async fn run(&self, function: &Function, event: &Value) -> Result<Value, Failure> {
        let limit: Duration = self.triggers.limit();
        for _ in 0..TRIES {
            match tokio::time::timeout(limit, function.run(event)).await {
                Ok(Err(Failure::NoAnswer)) | Err(_) => {}
                Ok(answer) => return answer,
            }
        }
        Err(Failure::NoAnswer)
    }
}

impl Failure {
    /// As the client hears it.
    fn told(&self, trigger: &str) -> ApiError {
        let failed = |why: &str| {
            ApiError::new(
                "UnexpectedLambdaException",
                format!("{trigger} invocation failed due to error {why}."),
            )
        };
        match self {
            Self::Error(text) => ApiError::new(
                "UserLambdaValidationException",
                format!("{trigger} failed with error {text}."),
            ),
            Self::NoAnswer => failed("Socket timeout while invoking Lambda function"),
            Self::Unreachable(why) => failed(why),
            Self::NotJson => invalid("Invalid lambda function output : Invalid JSON"),
        }
    }
}

/// An answer that has not the shape of the trigger's.
pub(crate) fn unrecognizable() -> ApiError {
    invalid("Unrecognizable lambda output")
}

fn invalid(message: &str) -> ApiError {
    ApiError::new("InvalidLambdaResponseException", message)
}
