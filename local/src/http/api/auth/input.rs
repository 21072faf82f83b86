use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{error::ApiError, triggers::Metadata};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Initiate {
    pub(crate) auth_flow: Option<String>,
    pub(crate) auth_parameters: Option<Parameters>,
    pub(crate) client_id: Option<String>,
    pub(crate) user_pool_id: Option<String>,
    pub(crate) client_metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Respond {
    pub(crate) challenge_name: Option<String>,
    pub(crate) challenge_responses: Option<Parameters>,
    pub(crate) session: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) user_pool_id: Option<String>,
    pub(crate) client_metadata: Option<Metadata>,
}

/// What a flow or a challenge is given. Values that are null are absent.
#[derive(Default, Deserialize)]
pub(crate) struct Parameters(BTreeMap<String, Option<String>>);

impl Parameters {
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    /// A parameter that has to be there.
    pub(crate) fn get(&self, name: &str) -> Result<&str, ApiError> {
        self.find(name).ok_or_else(|| {
            ApiError::invalid_parameter(format!("Missing required parameter {name}"))
        })
    }

    /// The parameters whose names begin so, without the beginning.
    pub(crate) fn behind(&self, prefix: &str) -> BTreeMap<String, String> {
        let named = |(name, value): (&String, &Option<String>)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()?))
        };
        self.0.iter().filter_map(named).collect()
    }
}

impl FromIterator<(String, String)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, Some(value))).collect())
    }
}
