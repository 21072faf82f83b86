use std::{collections::BTreeMap, time::Duration};

use crate::{
    model::{Trigger, settings::FunctionUrl},
    triggers::function::Function,
};

/// The functions that were set on the builder of a pool.
#[derive(Debug, Clone)]
pub(crate) struct Triggers {
    functions: BTreeMap<Trigger, Function>,
    time_limit: Duration,
    url_error: Option<String>,
}

/// Cognito's time limit, which is fixed there.
const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(5);

impl Triggers {
    /// Sets or replaces the function of a trigger. A pool has at most one version of the token trigger.
    pub(crate) fn set(&mut self, trigger: Trigger, function: Function) {
        if Trigger::TOKEN_GENERATION.contains(&trigger) {
            self.functions.retain(|other, _| !Trigger::TOKEN_GENERATION.contains(other));
        }
        self.functions.insert(trigger, function);
    }

    pub(crate) fn set_url(&mut self, trigger: Trigger, url: String) {
        match FunctionUrl::try_from(url) {
            Ok(url) => self.set(trigger, Function::Url(url)),
            Err(error) => self.url_error = Some(error),
        }
    }

    pub(crate) fn set_time_limit(&mut self, limit: Duration) {
        self.time_limit = limit;
    }

    /// Returns the error of an invalid URL that was set.
    pub(crate) fn url_error(&self) -> Option<&str> {
        self.url_error.as_deref()
    }

    pub(crate) fn function(&self, trigger: Trigger) -> Option<Function> {
        self.functions.get(&trigger).cloned()
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.time_limit
    }
}

impl Default for Triggers {
    fn default() -> Self {
        Self { functions: BTreeMap::new(), time_limit: DEFAULT_TIME_LIMIT, url_error: None }
    }
}
