//! Replaces `http.rs` in a build without the feature `fetch`.

use std::sync::Arc;

use crate::{error::ConfigError, keys::source::KeySource};

#[derive(Default)]
pub(crate) struct HttpSources {}

impl HttpSources {
    pub(crate) fn source(
        &self,
        issuer: &str,
        _uri: &str,
    ) -> Result<Arc<dyn KeySource>, ConfigError> {
        Err(ConfigError::NoKeySource { pool: issuer.to_owned() })
    }
}
