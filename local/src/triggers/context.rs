use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    error::Error,
    model::settings::PoolSettings,
    model::{Trigger, User},
    triggers::{
        event::{self, Event},
        failure::{Failure, unrecognizable},
        function::Function,
        set::Triggers,
    },
};

/// The number of calls of a function that does not respond in time.
const TRIES: u32 = 3;

/// The context in which a pool's triggers run: the pool's id and its functions.
pub(crate) struct EventContext<'a> {
    pub(crate) pool_id: &'a str,
    /// The functions of the pool's builder. They take precedence over those of the settings.
    pub(crate) functions: &'a Triggers,
    pub(crate) settings: Arc<PoolSettings>,
}

impl EventContext<'_> {
    /// Runs a trigger. Returns the `response` that the function filled in, or `None` if the trigger has no function.
    ///
    /// It can take long and must not run while the store is locked.
    pub(crate) async fn fire<R: DeserializeOwned>(
        &self,
        event: Event<'_>,
    ) -> Result<Option<R>, Error> {
        let Some(function) = self.function(event.trigger) else {
            return Ok(None);
        };
        let output = self.run(&function, &event.document(self.pool_id)).await;
        let mut output = output.map_err(|failure| failure.error(event.trigger.name()))?;
        let response = output.get_mut("response").map(Value::take).filter(Value::is_object);
        let response = response.ok_or_else(unrecognizable)?;
        serde_json::from_value(response).map(Some).map_err(|_| unrecognizable())
    }

    /// Returns a user's attributes as functions receive them.
    pub(crate) fn user_attributes(&self, user: &User) -> Value {
        event::user_attributes(&self.settings, user)
    }

    /// Returns the version of the token trigger that has a function.
    pub(crate) fn token_trigger(&self) -> Option<Trigger> {
        let own = |trigger: &Trigger| self.functions.function(*trigger).is_some();
        Trigger::TOKEN_GENERATION.into_iter().find(own).or_else(|| {
            let is_set = |trigger: &Trigger| self.configured(*trigger).is_some();
            Trigger::TOKEN_GENERATION.into_iter().find(is_set)
        })
    }

    fn function(&self, trigger: Trigger) -> Option<Function> {
        self.functions.function(trigger).or_else(|| self.configured(trigger))
    }

    fn configured(&self, trigger: Trigger) -> Option<Function> {
        self.settings.lambda_config.function_url(trigger).cloned().map(Function::Url)
    }

    async fn run(&self, function: &Function, event: &Value) -> Result<Value, Failure> {
        for _ in 0..TRIES {
            match tokio::time::timeout(self.functions.time_limit(), function.run(event)).await {
                Ok(Err(Failure::Timeout)) | Err(_) => {}
                Ok(output) => return output,
            }
        }
        Err(Failure::Timeout)
    }
}
