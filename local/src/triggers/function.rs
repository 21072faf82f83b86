use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    model::settings::FunctionUrl,
    triggers::{failure::Failure, url},
};

/// The error of a trigger's closure. The client receives its text.
pub type TriggerError = Box<dyn Error + Send + Sync>;

/// The function of a trigger.
#[derive(Clone)]
pub(crate) enum Function {
    Closure(Arc<Closure>),
    Url(FunctionUrl),
}

type Closure = dyn Fn(Value) -> Running + Send + Sync;

type Running = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;

impl Function {
    /// Wraps a closure with a typed event.
    pub(crate) fn closure<E, F>(closure: impl Fn(E) -> F + Send + Sync + 'static) -> Self
    where
        E: DeserializeOwned + Serialize + 'static,
        F: Future<Output = Result<E, TriggerError>> + Send + 'static,
    {
        let closure = Arc::new(closure);
        Self::Closure(Arc::new(move |event| {
            let closure = Arc::clone(&closure);
            Box::pin(async move {
                let event = serde_json::from_value(event);
                let event = event.map_err(|error| Failure::Error(error.to_string()))?;
                let event = closure(event).await;
                let event = event.map_err(|error| Failure::Error(error.to_string()))?;
                serde_json::to_value(event).map_err(|_| Failure::NotJson)
            })
        }))
    }

    /// Calls the function once.
    pub(crate) async fn run(&self, event: &Value) -> Result<Value, Failure> {
        match self {
            Self::Url(function) => url::call(function, event).await,
            Self::Closure(closure) => {
                // A separate task, so that a panic in the closure is reported as its error.
                let mut task = JoinSet::new();
                task.spawn(closure(event.clone()));
                match task.join_next().await {
                    Some(Ok(output)) => output,
                    Some(Err(error)) if error.is_panic() => {
                        Err(Failure::Error(panic_text(error.into_panic().as_ref())))
                    }
                    _ => Err(Failure::Timeout),
                }
            }
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closure(_) => f.write_str("Closure"),
            Self::Url(url) => url.fmt(f),
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}
