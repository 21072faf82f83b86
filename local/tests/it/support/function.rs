//! A Lambda function, served over HTTP like by the runtime interface emulator.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use super::{admin::admin, serve};

/// A cell for a pool that starts after its functions.
pub(crate) type Late = Arc<OnceLock<Arc<UserPool>>>;

/// The HTTP response of a function.
pub(crate) enum Outcome {
    Json(Value),
    Text(u16, String),
    Never,
}

/// A function that records its calls.
pub(crate) struct Function {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Function {
    /// A function whose closure computes the response from the number of the call and the event.
    pub(crate) async fn answering(
        answer: impl Fn(usize, Value) -> Outcome + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::running(move |number, event| std::future::ready(answer(number, event))).await
    }

    /// A function that calls an admin operation on the pool during its first call.
    pub(crate) async fn calling(pool: &Late, operation: &'static str, input: Value) -> Self {
        let pool = Arc::clone(pool);
        Self::running(move |number, event| {
            let (pool, input) = (Arc::clone(&pool), input.clone());
            async move {
                if number == 1 {
                    admin(pool.get().unwrap(), operation, input).await.unwrap();
                }
                Outcome::Json(event)
            }
        })
        .await
    }

    /// A function with an async closure.
    pub(crate) async fn running<F: Future<Output = Outcome> + Send + 'static>(
        answer: impl Fn(usize, Value) -> F + Clone + Send + Sync + 'static,
    ) -> Self {
        let calls = Arc::<Mutex<Vec<_>>>::default();
        let recorded = Arc::clone(&calls);
        let app = Router::new().fallback(async move |uri: Uri, body: Bytes| {
            let event: Value = serde_json::from_slice(&body).unwrap();
            let number = {
                let mut recorded = recorded.lock().unwrap();
                recorded.push((uri.path().to_owned(), event.clone()));
                recorded.len()
            };
            match answer(number, event).await {
                Outcome::Json(answer) => answer.to_string().into_response(),
                Outcome::Text(status, text) => {
                    (StatusCode::from_u16(status).unwrap(), text).into_response()
                }
                Outcome::Never => std::future::pending::<Response>().await,
            }
        });
        Self { address: serve(app).await, calls }
    }

    /// A function that returns its event with this response.
    pub(crate) async fn responding(response: Value) -> Self {
        Self::answering(move |_, mut event| {
            event["response"] = response.clone();
            Outcome::Json(event)
        })
        .await
    }

    /// A function that returns its event unchanged.
    pub(crate) async fn doing_nothing() -> Self {
        Self::answering(|_, event| Outcome::Json(event)).await
    }

    /// A function that fails.
    pub(crate) async fn failing(text: &str) -> Self {
        let error = json!({ "errorMessage": text, "errorType": "Error", "stackTrace": [] });
        Self::answering(move |_, _| Outcome::Json(error.clone())).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.calls.lock().unwrap().iter().map(|(_, event)| event.clone()).collect()
    }

    /// Returns the `triggerSource` of each call.
    pub(crate) fn sources(&self) -> Vec<String> {
        let source = |event: &Value| event["triggerSource"].as_str().unwrap().to_owned();
        self.events().iter().map(source).collect()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}
