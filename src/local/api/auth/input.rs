use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{super::triggers::Metadata, ApiError};

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Initiate {
    pub(super) auth_flow: Option<String>,
    pub(super) auth_parameters: Option<Parameters>,
    pub(super) client_id: Option<String>,
    pub(super) user_pool_id: Option<String>,
    pub(super) client_metadata: Option<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Respond {
    pub(super) challenge_name: Option<String>,
    pub(super) challenge_responses: Option<Parameters>,
    pub(super) session: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) user_pool_id: Option<String>,
    pub(super) client_metadata: Option<Metadata>,
}

/// What a flow or a challenge is given. Values that are null are absent.
#[derive(Default, Deserialize)]
pub(in crate::local) struct Parameters(BTreeMap<String, Option<String>>);

impl Parameters {
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref()
    }

    /// A parameter that has to be there.
    pub(super) fn get(&self, name: &str) -> Result<&str, ApiError> {
        self.find(name).ok_or_else(|| {
            ApiError::invalid_parameter(format!("Missing required parameter {name}"))
        })
    }

    /// The parameters whose names begin so, without the beginning.
    pub(super) fn behind(&self, prefix: &str) -> BTreeMap<String, String> {
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
