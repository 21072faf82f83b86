use std::{error::Error, sync::Arc, time::Duration};

/// Error returned when a verifier or a layer cannot be built from its configuration.
///
/// Each message names the setting, the value that was found, and the fix.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The id of a user pool does not have Cognito's form.
    #[error(
        "pool id: found {found:?}; expected `<region>_<suffix>` of at most 55 characters, \
         such as `eu-west-1_Ab12Cd34E` (see the user pool's overview page)"
    )]
    #[non_exhaustive]
    PoolId {
        /// The text that was given.
        found: String,
    },

    /// The id of a user pool does not start with an AWS region, so its issuer is unknown.
    #[error(
        "pool id: {found:?} does not begin with an AWS region, so its issuer is unknown; \
         call `Pool::endpoint` for an emulator, or use `Pool::custom(issuer, jwks_uri)`"
    )]
    #[non_exhaustive]
    UnknownRegion {
        /// The pool id that was given.
        found: String,
    },

    /// A pool accepts no app client.
    #[error(
        "clients of {pool}: there are none; call `access_tokens([..])`, `id_tokens([..])` or both \
         with the ids of the app clients whose tokens are accepted"
    )]
    #[non_exhaustive]
    NoClients {
        /// The pool's issuer.
        pool: String,
    },

    /// An empty list of resources was given.
    #[error(
        "{setting}: the list is empty; name at least one resource, such as \
         `https://api.example.com`, or leave the setting out"
    )]
    #[non_exhaustive]
    NoResources {
        /// The setting.
        setting: &'static str,
    },

    /// The app client id is invalid.
    #[error(
        "client id: found {found:?}; expected 1 to 128 visible ASCII characters without spaces \
         or commas (one list entry for each app client)"
    )]
    #[non_exhaustive]
    ClientId {
        /// The text that was given.
        found: String,
    },

    /// A URL is not an absolute `https` or `http` URL.
    #[error("{field}: found {found:?}; expected an absolute https URL {hint}")]
    #[non_exhaustive]
    Url {
        /// The setting.
        field: &'static str,
        /// The text that was given.
        found: String,
        /// What is expected of the URL.
        hint: &'static str,
    },

    /// A URL is plain HTTP to another machine.
    #[error(
        "{field}: {found:?} is plain HTTP, so anyone on the network can replace the keys; use https, \
         a loopback address, or accept the risk with `Pool::dangerous().allow_plain_http()`"
    )]
    #[non_exhaustive]
    PlainHttp {
        /// The setting.
        field: &'static str,
        /// The text that was given.
        found: String,
    },

    /// A setting has no effect in combination with another.
    #[error("{setting}: has no effect together with {with}; remove one of the two")]
    #[non_exhaustive]
    Conflict {
        /// The setting without effect.
        setting: &'static str,
        /// The other setting.
        with: &'static str,
    },

    /// Two pools have the same issuer, or one pool was added twice.
    #[error("issuer: {issuer:?} belongs to two pools; configure each issuer for one pool")]
    #[non_exhaustive]
    DuplicateIssuer {
        /// The issuer of both pools.
        issuer: String,
    },

    /// A duration is outside of its range.
    #[error("{field}: found {found:?}; expected {expected}")]
    #[non_exhaustive]
    Duration {
        /// The setting.
        field: &'static str,
        /// The value that was given.
        found: Duration,
        /// The allowed range.
        expected: &'static str,
    },

    /// A name (of a claim, cookie, header, query parameter or realm) cannot be used.
    #[error("{field}: found {found:?}; expected {expected}")]
    #[non_exhaustive]
    Name {
        /// The setting.
        field: &'static str,
        /// The text that was given.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },

    /// Keys have to be fetched, but the feature `fetch` is disabled.
    #[error(
        "keys of {pool}: the feature `fetch` is disabled, so they cannot be fetched; \
         enable it, or call `Pool::static_keys` or `Pool::key_source`"
    )]
    #[non_exhaustive]
    NoKeySource {
        /// The pool's issuer.
        pool: String,
    },

    /// Two pools have the same name.
    #[error("pool name: two pools are named {name:?}; set different names with `Pool::name`")]
    #[non_exhaustive]
    DuplicatePoolName {
        /// The name of both pools.
        name: String,
    },

    /// Environment variables are missing or wrong.
    #[error("environment: {}", lines(problems))]
    #[non_exhaustive]
    Environment {
        /// All missing and wrong variables.
        problems: Vec<VariableError>,
    },

    /// The document given to `import_keys` is not one that `export_keys` wrote.
    #[error("imported keys: {reason}; pass the text that `Verifier::export_keys` returned")]
    #[non_exhaustive]
    ImportedKeys {
        /// What is wrong with the document.
        reason: &'static str,
        /// The error of its key set, if that is the reason.
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
}

/// Describes what is wrong with an environment variable: see [`ConfigError::Environment`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("{name}: {problem}")]
#[non_exhaustive]
pub struct VariableError {
    /// The name of the variable.
    pub name: String,
    /// What was found and what is expected.
    pub problem: String,
}

/// Returns a single problem unchanged, and several with one on each line.
fn lines(problems: &[VariableError]) -> String {
    match problems {
        [problem] => problem.to_string(),
        problems => problems.iter().map(|problem| format!("\n  {problem}")).collect(),
    }
}

/// This conversion never runs. [`Pool::new`](crate::Pool::new) requires it to accept a
/// [`PoolId`](crate::verifier::PoolId), whose conversion into itself cannot fail.
impl From<std::convert::Infallible> for ConfigError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
