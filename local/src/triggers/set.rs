use std::{collections::BTreeMap, time::Duration};

use crate::{
    model::{Trigger, settings::FunctionUrl},
    triggers::function::Function,
};

/// The functions that a pool's builder was given.
#[derive(Debug, Clone)]
pub(crate) struct Triggers {
    functions: BTreeMap<Trigger, Function>,
    limit: Duration,
    /// The error of an invalid URL.
    wrong: Option<String>,
}

/// As in Cognito, where it cannot be changed.
const LIMIT: Duration = Duration::from_secs(5);

impl Triggers {
    /// Sets a trigger's function, in place of one before. A pool has one version of the token trigger.
    pub(crate) fn set(&mut self, trigger: Trigger, function: Function) {
        if Trigger::TOKEN_GENERATION.contains(&trigger) {
            self.functions.retain(|other, _| !Trigger::TOKEN_GENERATION.contains(other));
        }
        self.functions.insert(trigger, function);
    }

    pub(crate) fn set_url(&mut self, trigger: Trigger, url: String) {
        match FunctionUrl::try_from(url) {
            Ok(url) => self.set(trigger, Function::Url(url)),
            Err(error) => self.wrong = Some(error),
        }
    }

    pub(crate) fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// What was wrong when the triggers were set.
    pub(crate) fn wrong(&self) -> Option<&str> {
        self.wrong.as_deref()
    }

    pub(crate) fn function(&self, trigger: Trigger) -> Option<Function> {
        self.functions.get(&trigger).cloned()
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }
}

impl Default for Triggers {
    fn default() -> Self {
        Self { functions: BTreeMap::new(), limit: LIMIT, wrong: None }
    }
}
